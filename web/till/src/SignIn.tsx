import { useState } from "react";
import { type Operator, till } from "./api";
import { Form } from "./Form";
import { say } from "./words";

export function SignIn({ entered }: { entered(who: Operator): void }) {
  const [code, setCode] = useState("");
  const [phone, setPhone] = useState("");
  const [asked, setAsked] = useState(false);
  return (
    <main>
      <h1>{say.till}</h1>
      <Form action={say.enter} send={async () => entered(await till.signIn(code))}>
        <label htmlFor="code">{say.code}</label>
        <input
          id="code"
          className="big"
          inputMode="numeric"
          autoComplete="one-time-code"
          maxLength={11}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
        <p className="note">{say.codeHint}</p>
      </Form>
      <details>
        <summary>{say.askTitle}</summary>
        <Form
          action={say.ask}
          quiet
          send={async () => {
            await till.askCode(phone);
            setAsked(true);
          }}
        >
          <label htmlFor="own-phone">{say.yourPhone}</label>
          <input
            id="own-phone"
            type="tel"
            autoComplete="tel"
            value={phone}
            onChange={(event) => setPhone(event.target.value)}
          />
          {asked && <p role="status">{say.asked}</p>}
        </Form>
      </details>
    </main>
  );
}
