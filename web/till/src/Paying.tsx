import { useEffect, useRef, useState } from "react";
import { type Payment, till } from "./api";
import { Form } from "./Form";
import { money, points, say } from "./words";

const EVERY = 1_000;

interface Props {
  payment: Payment;
  changed(payment: Payment): void;
  next(): void;
  again(): void;
}

/** The payment from "asked" to its end; the bot's answer comes by itself. */
export function Paying({ payment, changed, next, again }: Props) {
  const [code, setCode] = useState("");
  const told = useRef(changed);
  told.current = changed;
  const waits = payment.state === "asked";

  useEffect(() => {
    if (!waits) return;
    let over = false;
    const timer = setInterval(() => {
      till.payment(payment.id).then(
        (found) => !over && found.state !== "asked" && told.current(found),
        // A broken line mends; the next second asks again.
        () => undefined,
      );
    }, EVERY);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [waits, payment.id]);

  if (!waits) return <Ended payment={payment} next={next} again={again} />;
  return (
    <section className="status" role="status">
      <div className="pulse" aria-hidden="true" />
      <h2>{say.waiting}</h2>
      <p>{payment.asked_by === "sms" ? say.bySms : say.inBot}</p>
      <p className="row total">
        <span>{points(payment.points)}</span>
        <strong>{money(payment.pay_kopecks)}</strong>
      </p>
      <Form
        action={say.confirm}
        disabled={!code}
        send={async () => changed(await till.confirm(payment.id, code.replace(/\D/g, "")))}
      >
        <label htmlFor="sms">{say.smsCode}</label>
        <input
          id="sms"
          className="big"
          inputMode="numeric"
          autoComplete="off"
          maxLength={8}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      </Form>
      <Form action={say.cancel} quiet send={async () => changed(await till.cancel(payment.id))} />
    </section>
  );
}

function Ended({ payment, next, again }: Omit<Props, "changed">) {
  const paid = payment.state === "paid";
  const earned = payment.earned?.points ?? 0;
  const title =
    payment.state === "paid" || payment.state === "asked" ? say.paid : say.failed[payment.state];
  return (
    <section className={paid ? "status good" : "status bad"} role="alert">
      <div className="sign" aria-hidden="true">
        {paid ? "✓" : "✕"}
      </div>
      <h2>{title}</h2>
      {paid ? (
        <>
          <p className="row total">
            <span>{say.toPay}</span>
            <strong>{money(payment.pay_kopecks)}</strong>
          </p>
          {earned > 0 && <p>{say.earned(points(earned))}</p>}
        </>
      ) : (
        <p>{say.kept}</p>
      )}
      <button type="button" className="main" onClick={next}>
        {say.next}
      </button>
      {!paid && (
        <button type="button" className="quiet" onClick={again}>
          {say.again}
        </button>
      )}
    </section>
  );
}
