import { Button, NativeSelect, SegmentedControl } from "@mantine/core";
import { useCallback, useEffect, useState } from "react";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { number, say, since } from "../words";
import "../styles/moderation.css";
import { type Order, useQueue } from "./deciding";
import { keyOf, type Look } from "./model";
import { Keys } from "./moderation/Keys";
import { LookCard } from "./moderation/LookCard";

const KINDS = [
  { value: "", label: say.moderation.kinds.all },
  { value: "doubt", label: say.moderation.kinds.doubt },
  { value: "audit", label: say.moderation.kinds.audit },
  { value: "first", label: say.moderation.kinds.first },
];

export default function Moderation() {
  const [order, setOrder] = useState<Order>("age");
  const [kind, setKind] = useState("");
  const [alike, setAlike] = useState(true);
  const [searching, setSearching] = useState(false);
  const [help, setHelp] = useState(false);
  const { queue, look, at, setAt, busy, error, told, decide, undo, reload } = useQueue(order, kind);

  const choose = useCallback(
    (sku: string | null) => {
      if (!look || busy) return;
      setSearching(false);
      void decide(look, sku, alike && look.alike > 1);
    },
    [look, busy, decide, alike],
  );

  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyped(event)) return;
      const guess = look?.guesses[Number(event.key) - 1];
      if (event.key >= "1" && event.key <= "3" && guess) choose(guess.product_sku);
      else if (event.key === "n") choose(null);
      else if (event.key === "j") setAt((one) => Math.min(one + 1, (queue?.items.length ?? 1) - 1));
      else if (event.key === "k") setAt((one) => Math.max(one - 1, 0));
      else if (event.key === "/") setSearching(true);
      else if (event.key === "u") undo?.();
      else if (event.key === "?") setHelp(true);
      else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [look, queue, choose, undo, setAt]);

  const waiting = (queue?.waiting ?? []).reduce((sum, one) => sum + one.lines, 0);
  return (
    <>
      <Headline
        title={say.pages.moderation}
        about={say.moderation.about(queue?.promised_hours ?? 24)}
      >
        <div className="acts">
          <Button variant="default" disabled={!undo || busy} onClick={() => undo?.()}>
            {say.moderation.undo}
          </Button>
          <Button variant="default" onClick={() => setHelp(true)}>
            {say.moderation.keys}
          </Button>
        </div>
      </Headline>
      <div className="sieve">
        <SegmentedControl
          aria-label={say.moderation.order}
          value={order}
          onChange={(value) => setOrder(value as Order)}
          data={[
            { value: "age", label: say.moderation.byAge },
            { value: "value", label: say.moderation.byValue },
          ]}
        />
        <NativeSelect
          aria-label={say.moderation.kind}
          data={KINDS}
          value={kind}
          onChange={(event) => setKind(event.currentTarget.value)}
        />
        <span className="quiet" role="status">
          {told || (queue && say.moderation.waiting(waiting, number(waiting)))}
        </span>
      </div>
      {error && <Trouble text={error} again={reload} />}
      {!queue && !error && <Busy />}
      {queue && !look && <p className="empty card">{say.moderation.none}</p>}
      {queue && look && (
        <div className="desk">
          <Waiting items={queue.items} at={at} pick={setAt} />
          <LookCard
            key={keyOf(look)}
            look={look}
            busy={busy}
            choose={choose}
            alike={alike}
            setAlike={setAlike}
            searching={searching}
            search={setSearching}
          />
        </div>
      )}
      <Keys open={help} close={() => setHelp(false)} />
    </>
  );
}

function isTyped(event: KeyboardEvent): boolean {
  const on = event.target as HTMLElement;
  return ["INPUT", "TEXTAREA", "SELECT"].includes(on.tagName) || !!on.closest("[role=dialog]");
}

function Waiting({ items, at, pick }: { items: Look[]; at: number; pick(at: number): void }) {
  return (
    <ol className="card flush waiting" aria-label={say.moderation.list}>
      {items.map((one, place) => (
        <li key={keyOf(one)}>
          <button
            type="button"
            aria-current={place === at}
            ref={place === at ? intoView : undefined}
            onClick={() => pick(place)}
          >
            <span className="printed">{one.printed || say.moderation.nameless}</span>
            <span className="facts small quiet">
              <span className={one.late ? "late" : ""}>{since(one.since)}</span>
              <span>{one.seller.name ?? say.moderation.noSeller}</span>
              {one.alike > 1 && <span>× {number(one.alike)}</span>}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}

function intoView(node: HTMLElement | null): void {
  node?.scrollIntoView({ block: "nearest" });
}
