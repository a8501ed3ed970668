import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useState } from "react";
import { api } from "../api";
import { useData, useList } from "../lib/data";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { day, say, trouble } from "../words";
import type { Seller } from "./model";
import { STANCES, Trust } from "./sellers/Trust";

interface Choices {
  kinds: string[];
  sales_channels: string[];
}

/** A shop's usual channel, until somebody says another. */
const USUAL: Record<string, string> = {
  chain: "chain",
  own_site: "own_site",
  own_shop: "own_shop",
};

export default function Sellers() {
  const asked = new URLSearchParams(location.hash.split("?")[1] ?? "").get("inn");
  const [which, setWhich] = useState("unknown");
  const stance = STANCES.find((one) => one === which);
  const filter = stance ? `&stance=${stance}` : `&unknown=${which === "unknown"}`;
  const { items, error, busy, more, reload } = useList<Seller>(`/sellers?limit=50${filter}`);
  const choices = useData<Choices>("/choices");
  const shown = [...items].sort(
    (one, other) => Number(other.inn === asked) - Number(one.inn === asked),
  );
  return (
    <>
      <Headline title={say.pages.sellers} about={say.sellers.about}>
        <NativeSelect
          aria-label={say.sellers.which}
          value={which}
          onChange={(event) => setWhich(event.currentTarget.value)}
          data={[
            { value: "unknown", label: say.sellers.unknown },
            { value: "known", label: say.sellers.known },
            ...STANCES.map((one) => ({ value: one, label: say.sellers.stances[one] })),
          ]}
        />
      </Headline>
      {(error ?? choices.error) && <Trouble text={error ?? choices.error ?? ""} again={reload} />}
      {busy && items.length === 0 && <Busy />}
      {!busy && !error && items.length === 0 && <p className="empty card">{say.sellers.none}</p>}
      {choices.data && items.length > 0 && (
        <ul className="card flush rows">
          {shown.map((one) => (
            <Row
              key={`${one.inn} ${one.stance}`}
              seller={one}
              choices={choices.data as Choices}
              named={reload}
            />
          ))}
        </ul>
      )}
      {more && (
        <Button variant="default" loading={busy} onClick={more}>
          {say.more}
        </Button>
      )}
    </>
  );
}

interface RowProps {
  seller: Seller;
  choices: Choices;
  named(): void;
}

function Row({ seller, choices, named }: RowProps) {
  const [name, setName] = useState(seller.name ?? "");
  const [kind, setKind] = useState(seller.known ? seller.kind : "chain");
  const [channel, setChannel] = useState(seller.known ? seller.sales_channel : "chain");
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const save = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await api.put(`/sellers/${seller.inn}`, { name, kind, sales_channel: channel });
      named();
    } catch (failed) {
      setProblem(trouble(failed));
    } finally {
      setBusy(false);
    }
  };
  return (
    <li>
      <form
        className="seller"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <TextInput
          label={say.sellers.name}
          description={`${say.moderation.inn} ${seller.inn}${
            seller.first_seen_at ? `, ${say.people.since(day(seller.first_seen_at))}` : ""
          }`}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label={say.sellers.kind}
          data={choices.kinds.map((one) => ({ value: one, label: say.sellers.kinds[one] ?? one }))}
          value={kind}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            setKind(chosen);
            setChannel(USUAL[chosen] ?? channel);
          }}
        />
        <NativeSelect
          label={say.sellers.channel}
          data={choices.sales_channels.map((one) => ({
            value: one,
            label: say.sellers.channels[one] ?? one,
          }))}
          value={channel}
          onChange={(event) => setChannel(event.currentTarget.value)}
        />
        <Button type="submit" loading={busy}>
          {say.save}
        </Button>
      </form>
      {problem && <Trouble text={problem} />}
      <Trust seller={seller} judged={named} />
    </li>
  );
}
