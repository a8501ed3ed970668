import { Refused } from "@vezde/shared/http";
import { useEffect, useState } from "react";
import { type Member, type Operator, type Payment, till } from "./api";
import { Find } from "./Find";
import { Paying } from "./Paying";
import { SignIn } from "./SignIn";
import { Sum } from "./Sum";
import { Waiting } from "./Waiting";
import { locale, say } from "./words";

/** Sign in, find the customer, enter the sum, wait for them, next. */
export function App() {
  const [who, setWho] = useState<Operator | null | undefined>(undefined);
  const [member, setMember] = useState<Member | null>(null);
  const [payment, setPayment] = useState<Payment | null>(null);

  useEffect(() => {
    document.documentElement.lang = locale;
    till.session().then(setWho, () => setWho(null));
  }, []);

  const next = () => {
    setPayment(null);
    setMember(null);
  };
  const over = (error: unknown) => {
    if (error instanceof Refused && error.status === 401) {
      next();
      setWho(null);
    }
  };
  const moved = (points: number) => {
    if (!member) return;
    const active = member.points.active + points;
    setMember({ ...member, points: { ...member.points, active } });
  };
  const leave = async () => {
    await till.signOut();
    next();
    setWho(null);
  };

  if (who === undefined) return <main aria-busy="true" />;
  if (who === null) return <SignIn entered={setWho} />;
  const isOperator = ["operator", "admin"].includes(who.operator.role);
  return (
    <main>
      <header>
        <span>{who.operator.name}</span>
        <button type="button" className="quiet" onClick={() => void leave()}>
          {say.leave}
        </button>
      </header>
      {payment ? (
        <Paying payment={payment} changed={setPayment} next={next} again={() => setPayment(null)} />
      ) : member ? (
        <Sum
          member={member}
          operator={isOperator}
          moved={moved}
          asked={setPayment}
          other={next}
          over={over}
        />
      ) : (
        <>
          <Find found={setMember} over={over} />
          {isOperator && <Waiting over={over} />}
        </>
      )}
    </main>
  );
}
