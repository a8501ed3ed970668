import { useEffect, useRef, useState } from "react";
import { Adjust } from "./Adjust";
import { type Member, type Payment, type Quote, till } from "./api";
import { Form } from "./Form";
import { kopecks } from "./sums";
import { money, points, say, trouble } from "./words";

const SETTLE = 300;

interface Props {
  member: Member;
  operator: boolean;
  /** The operator gave so many points, or (below zero) took them. */
  moved(points: number): void;
  asked(payment: Payment): void;
  other(): void;
  over(error: unknown): void;
}

/** The customer, the sum, and how much of it points can pay. */
export function Sum({ member, operator, moved, asked, other, over }: Props) {
  const [text, setText] = useState("");
  const [quote, setQuote] = useState<Quote | null>(null);
  const [chosen, setChosen] = useState("");
  const [wrong, setWrong] = useState("");
  const total = kopecks(text);
  const attempt = useRef(crypto.randomUUID());
  const failed = useRef(over);
  failed.current = over;

  useEffect(() => {
    setQuote(null);
    setWrong("");
    if (!total) return;
    let stale = false;
    const timer = setTimeout(() => {
      till.quote(member.member_id, total).then(
        (fresh) => {
          if (stale) return;
          setQuote(fresh);
          setChosen(String(fresh.max_points));
        },
        (error) => {
          if (stale) return;
          failed.current(error);
          setWrong(trouble(error));
        },
      );
    }, SETTLE);
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [member, total]);

  const most = quote?.max_points ?? 0;
  const wanted = /^\d{1,9}$/.test(chosen) ? Number(chosen) : 0;
  const fits = wanted > 0 && wanted <= most && wanted >= (quote?.min_points ?? 1);
  const left = (total ?? 0) - (fits ? wanted : 0) * (quote?.point_value_kopecks ?? 0);

  const pay = async () => {
    if (!total) return;
    try {
      asked(await till.pay(member.member_id, total, wanted, attempt.current));
    } catch (error) {
      over(error);
      // An answer, not a broken line: the next press is another attempt.
      if (error instanceof Error && error.name !== "TypeError")
        attempt.current = crypto.randomUUID();
      throw error;
    }
  };
  const change = (set: (value: string) => void) => (value: string) => {
    attempt.current = crypto.randomUUID();
    set(value);
  };

  return (
    <section>
      <Card member={member} />
      <Form
        action={fits ? say.take(points(wanted)) : say.take("…")}
        disabled={!fits || member.confirms_by === null}
        send={pay}
      >
        <label htmlFor="sum">{say.sum}</label>
        <input
          id="sum"
          className="big"
          inputMode="decimal"
          autoComplete="off"
          maxLength={16}
          value={text}
          onChange={(event) => change(setText)(event.target.value)}
        />
        {quote && most > 0 && (
          <>
            <label htmlFor="points">{say.spend}</label>
            <div className="row">
              <input
                id="points"
                className="big"
                inputMode="numeric"
                autoComplete="off"
                maxLength={9}
                value={chosen}
                onChange={(event) => change(setChosen)(event.target.value)}
              />
              <button type="button" className="second" onClick={() => setChosen(String(most))}>
                {say.all}
              </button>
            </div>
            <p className="note">{say.most(points(most))}</p>
            <p className="row total" aria-live="polite">
              <span>{say.toPay}</span>
              <strong>{money(left)}</strong>
            </p>
          </>
        )}
        {quote && most === 0 && <p role="status">{say.none}</p>}
        {wrong && (
          <p className="wrong" role="alert">
            {wrong}
          </p>
        )}
        {member.confirms_by === null && <p role="status">{say.nobody}</p>}
      </Form>
      {operator && <Adjust member={member} moved={moved} over={over} />}
      <button type="button" className="quiet" onClick={other}>
        {say.other}
      </button>
    </section>
  );
}

function Card({ member }: { member: Member }) {
  return (
    <dl className="card">
      <div className="wide">
        <dt>{say.member}</dt>
        <dd>{member.name ?? "—"}</dd>
      </div>
      {member.level && (
        <div>
          <dt>{say.level}</dt>
          <dd>{member.level}</dd>
        </div>
      )}
      <div>
        <dt>{say.active}</dt>
        <dd>{points(member.points.active)}</dd>
      </div>
      {member.points.pending > 0 && (
        <div>
          <dt>{say.pending}</dt>
          <dd>{points(member.points.pending)}</dd>
        </div>
      )}
    </dl>
  );
}
