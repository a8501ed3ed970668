import { type Locale, when } from "@vezde/shared/locale";
import { useState } from "react";
import { Confirm } from "../messenger/Confirm";
import type { Sandbox } from "../model";
import { words } from "../words";

interface Props {
  sandbox: Sandbox | null;
  locale: Locale;
  moving: boolean;
  onJump: (jump: { advance: string } | { to: "next" }) => void;
  onReset: () => void;
}

const DAYS = [1, 3, 7, 14, 30];

export function TimeMachine({ sandbox, locale, moving, onJump, onReset }: Props) {
  const said = words(locale);
  const [asking, setAsking] = useState(false);
  const shown = (instant: string) =>
    when(new Date(instant), sandbox?.zone ?? "UTC", locale, {
      weekday: "short",
      day: "numeric",
      month: "long",
      hour: "2-digit",
      minute: "2-digit",
    });
  const next = sandbox?.next_event;
  return (
    <div className="time">
      <p className="clock" aria-live="polite">
        {moving ? said.moving : sandbox ? shown(sandbox.now) : said.connecting}
      </p>
      <p className="hint">{said.timeHint}</p>
      <button
        type="button"
        className="loud wide"
        disabled={moving || !next}
        onClick={() => onJump({ to: "next" })}
      >
        {next ? said.nextEvent : said.nothingAhead}
        {next && <small>{shown(next)}</small>}
      </button>
      <div className="days">
        {DAYS.map((days) => (
          <button
            type="button"
            className="quiet"
            key={days}
            disabled={moving || !sandbox}
            onClick={() => onJump({ advance: `P${days}D` })}
          >
            {said.days(days)}
          </button>
        ))}
      </div>
      <button
        type="button"
        className="quiet wide anew"
        disabled={moving || !sandbox}
        onClick={() => setAsking(true)}
      >
        {said.anew}
      </button>
      {asking && (
        <Confirm
          text={said.anewSure}
          yes={said.anewYes}
          no={said.cancel}
          onYes={onReset}
          onClose={() => setAsking(false)}
        />
      )}
    </div>
  );
}
