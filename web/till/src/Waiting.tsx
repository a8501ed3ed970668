import { useEffect, useRef, useState } from "react";
import { type Adjustment, till } from "./api";
import { Form } from "./Form";
import { points, say, signed } from "./words";

/** What colleagues asked for and a second operator has to decide. */
export function Waiting({ over }: { over(error: unknown): void }) {
  const [items, setItems] = useState<Adjustment[]>([]);
  const failed = useRef(over);
  failed.current = over;

  useEffect(() => {
    let stale = false;
    till.waiting().then(
      (found) => !stale && setItems(found.items),
      (error) => !stale && failed.current(error),
    );
    return () => {
      stale = true;
    };
  }, []);

  const decide = (one: Adjustment, how: "approve" | "refuse") => async () => {
    try {
      await till.decide(one.id, how);
      setItems((all) => all.filter((other) => other.id !== one.id));
    } catch (error) {
      over(error);
      throw error;
    }
  };
  if (items.length === 0) return null;
  return (
    <section aria-label={say.adjustsWaiting}>
      <h2>{say.adjustsWaiting}</h2>
      {items.map((one) => (
        <article className="asked" key={one.id}>
          <p className="row">
            <strong>{signed(one.points, points(Math.abs(one.points)))}</strong>
          </p>
          <p>{one.reason}</p>
          <Form action={say.agree} send={decide(one, "approve")} />
          <Form action={say.disagree} quiet send={decide(one, "refuse")} />
        </article>
      ))}
    </section>
  );
}
