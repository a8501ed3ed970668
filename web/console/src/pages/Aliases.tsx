import { Button, Modal, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { api } from "../api";
import { useList } from "../lib/data";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { moment, say, trouble } from "../words";
import type { Alias } from "./model";

interface Withdrawn {
  lines: number;
  skipped: number;
  next: string | null;
}

export default function Aliases() {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text, 250);
  const { items, error, busy, more, reload } = useList<Alias>(
    `/aliases?limit=50&q=${encodeURIComponent(asked)}`,
  );
  const [going, setGoing] = useState<Alias | null>(null);
  const [told, setTold] = useState("");
  const [problem, setProblem] = useState<string | null>(null);

  const withdraw = async (alias: Alias) => {
    setGoing(null);
    setProblem(null);
    try {
      let lines = 0;
      let after: string | null = null;
      do {
        const given: object = { seller_inn: alias.seller_inn, name: alias.name, after };
        const done: Withdrawn = await api.post<Withdrawn>("/aliases/withdraw", given);
        lines += done.lines;
        after = done.next;
        setTold(say.aliases.withdrawn(lines));
      } while (after);
    } catch (failed) {
      setProblem(trouble(failed));
    }
    reload();
  };

  return (
    <>
      <Headline title={say.pages.aliases} about={say.aliases.about} />
      <TextInput
        label={say.aliases.search}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <p className="quiet" role="status">
        {told}
      </p>
      {(problem ?? error) && <Trouble text={problem ?? error ?? ""} again={reload} />}
      {busy && items.length === 0 && <Busy />}
      {!busy && !error && items.length === 0 && <p className="empty card">{say.aliases.none}</p>}
      {items.length > 0 && (
        <ul className="card flush rows">
          {items.map((one) => (
            <li key={`${one.seller_inn} ${one.name}`}>
              <div className="what">
                <div>
                  {one.printed} → {one.product_name ?? say.moderation.notOurs}
                </div>
                <div className="quiet small facts">
                  {one.product_sku && <span>{one.product_sku}</span>}
                  <span>
                    {one.seller_inn
                      ? `${say.moderation.inn} ${one.seller_inn}`
                      : say.moderation.noSeller}
                  </span>
                  <span>
                    {one.learned_by}, {moment(one.learned_at)}
                  </span>
                </div>
              </div>
              <Button variant="default" onClick={() => setGoing(one)}>
                {say.aliases.withdraw}
              </Button>
            </li>
          ))}
        </ul>
      )}
      {more && (
        <Button variant="default" loading={busy} onClick={more}>
          {say.more}
        </Button>
      )}
      <Modal
        opened={going !== null}
        onClose={() => setGoing(null)}
        title={going?.printed}
        closeButtonProps={{ "aria-label": say.close }}
      >
        <p>{say.aliases.sure}</p>
        <Button color="red" mt="md" onClick={() => going && void withdraw(going)}>
          {say.aliases.withdraw}
        </Button>
      </Modal>
    </>
  );
}
