import { Button, NativeSelect } from "@mantine/core";
import { useState } from "react";
import type { Entry, Person } from "../api";
import { useData, useList } from "../lib/data";
import { Busy } from "../parts/Busy";
import { Headline } from "../parts/Headline";
import { Trouble } from "../parts/Trouble";
import { moment, say } from "../words";

export default function Journal() {
  const [who, setWho] = useState("");
  const people = useData<{ items: Person[] }>("/people");
  const of = who ? `&operator_id=${encodeURIComponent(who)}` : "";
  const { items, error, busy, more, reload } = useList<Entry>(`/journal?limit=50${of}`);
  const known = (people.data?.items ?? []).map((one) => ({ value: one.id, label: one.name }));
  return (
    <>
      <Headline title={say.pages.journal} about={say.journal.about}>
        <NativeSelect
          aria-label={say.journal.who}
          data={[{ value: "", label: say.journal.everybody }, ...known]}
          value={who}
          onChange={(event) => setWho(event.currentTarget.value)}
        />
      </Headline>
      {error && <Trouble text={error} again={reload} />}
      {busy && items.length === 0 && <Busy />}
      {!busy && !error && items.length === 0 && <p className="empty">{say.journal.none}</p>}
      {items.length > 0 && (
        <ul className="card flush rows">
          {items.map((one) => (
            <li key={one.id}>
              <div className="what">
                <div>{say.journal.what[one.what] ?? one.what}</div>
                <Details entry={one} people={people.data?.items ?? []} />
              </div>
              <div className="quiet small">
                {one.who}, {moment(one.at)}
              </div>
            </li>
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

function Details({ entry, people }: { entry: Entry; people: Person[] }) {
  const { before, after, operator_id, ...rest } = entry.details;
  const facts: [string, unknown][] = Object.entries(rest);
  const whom = people.find((one) => one.id === operator_id);
  if (whom) facts.unshift([say.people.name, whom.name]);
  if (entry.member_id) facts.push([say.journal.member, entry.member_id]);
  if (before !== undefined) facts.push([say.journal.before, before]);
  if (after !== undefined) facts.push([say.journal.after, after]);
  if (facts.length === 0) return null;
  return (
    <div className="quiet small facts">
      {facts.map(([name, value]) => (
        <span key={name}>
          {named(name)}: {shown(value)}
        </span>
      ))}
    </div>
  );
}

/** What a detail is called; what has no word of its own stays as it was written down. */
function named(name: string): string {
  return say.journal.fields[name] ?? name;
}

function shown(value: unknown): string {
  if (value === null) return "—";
  if (typeof value !== "object") return named(String(value));
  return Object.entries(value)
    .map(([name, one]) => `${named(name)} ${shown(one)}`)
    .join(", ");
}
