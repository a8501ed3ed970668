import { type Locale, number, rubles, when } from "@vezde/shared/locale";
import { useEffect, useState } from "react";
import * as api from "../api";
import type { Person, SeenMember, SeenReceipt } from "../model";
import { points, purposeWord, reasonWord, statusWord, words } from "../words";

interface Props {
  person: Person;
  zone: string;
  locale: Locale;
  /** Changes with whatever the brand may have learned. */
  version: string;
}

const PAUSE_MS = 300;

export function Brand({ person, zone, locale, version }: Props) {
  const said = words(locale);
  const [seen, setSeen] = useState<SeenMember | null>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: looked at again whenever it changes
  useEffect(() => {
    let gone = false;
    const timer = setTimeout(async () => {
      const found = await api.member(person.id).catch(() => null);
      if (!gone && found) setSeen(found.member);
    }, PAUSE_MS);
    return () => {
      gone = true;
      clearTimeout(timer);
    };
  }, [person.id, version]);

  if (!seen) return <p className="hint">{said.nobody}</p>;
  const day = (instant: string) =>
    when(new Date(instant), zone, locale, { day: "numeric", month: "short" });
  return (
    <div className="seen">
      <div className="figures">
        <Figure
          value={seen.points.active}
          label={`${points(seen.points.active, locale)}, ${said.active}`}
          locale={locale}
        />
        <Figure
          value={seen.points.pending}
          label={`${points(seen.points.pending, locale)}, ${said.pending}`}
          locale={locale}
        />
      </div>
      <p className="phone-number">{seen.phone ?? said.guest}</p>
      {seen.source && (
        <p className="hint">
          {said.source}: {seen.source}
        </p>
      )}
      <h3>{said.consents}</h3>
      {seen.consents.length === 0 && <p className="hint">{said.noConsents}</p>}
      <ul className="chips">
        {seen.consents.map((one) => (
          <li key={one.purpose + one.given_at}>
            {purposeWord(one.purpose, locale)} · {day(one.given_at)}
          </li>
        ))}
      </ul>
      <h3>{said.receipts}</h3>
      {seen.receipts.length === 0 && <p className="hint">{said.noReceipts}</p>}
      <ul className="rows">
        {seen.receipts.map((one) => (
          <Row key={one.id} receipt={one} locale={locale} day={day} />
        ))}
      </ul>
      {seen.history.length > 0 && <h3>{said.history}</h3>}
      <ul className="rows">
        {seen.history.map((one) => (
          <li key={one.seq}>
            <span>{one.title}</span>
            <span className="amount">
              {one.points > 0 ? "+" : ""}
              {number(one.points, locale)}
            </span>
            <small>{day(one.at)}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Figure({ value, label, locale }: { value: number; label: string; locale: Locale }) {
  return (
    <p className="figure">
      <strong>{number(value, locale)}</strong>
      <span>{label}</span>
    </p>
  );
}

function Row(props: { receipt: SeenReceipt; locale: Locale; day: (instant: string) => string }) {
  const { receipt, locale, day } = props;
  const earned = receipt.pending + receipt.active;
  const word = statusWord(receipt.status, locale);
  const waits =
    receipt.pending > 0 && receipt.active_at
      ? ` · ${words(locale).until} ${day(receipt.active_at)}`
      : "";
  return (
    <li className={`status-${receipt.status}`}>
      <span>{receipt.place ?? "—"}</span>
      <span className="amount">{earned > 0 ? `+${number(earned, locale)}` : ""}</span>
      <small>
        {word}
        {receipt.reason ? `: ${reasonWord(receipt.reason, locale)}` : ""}
        {waits}
        {receipt.total_kopecks ? ` · ${rubles(receipt.total_kopecks, locale)}` : ""}
      </small>
    </li>
  );
}
