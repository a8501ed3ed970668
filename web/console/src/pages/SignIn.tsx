import { Button, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";
import { api, type Session } from "../api";
import icon from "../icon.svg";
import { Trouble } from "../parts/Trouble";
import { say, trouble } from "../words";

interface Props {
  entered(session: Session): void;
  /** Why the link that was opened did not do. */
  problem: string | null;
}

export function SignIn({ entered, problem }: Props) {
  const [code, setCode] = useState("");
  const [phone, setPhone] = useState("");
  const [asked, setAsked] = useState(false);
  return (
    <main className="door">
      <div className="card">
        <div className="brand">
          <img src={icon} alt="" />
          <h1>{say.enter.title}</h1>
        </div>
        {problem && <Trouble text={problem} />}
        <Form action={say.enter.enter} send={async () => entered(await api.enter({ code }))}>
          <TextInput
            label={say.enter.code}
            description={say.enter.codeHint}
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={11}
            value={code}
            onChange={(event) => setCode(event.currentTarget.value)}
          />
        </Form>
        <details>
          <summary>{say.enter.noCode}</summary>
          <Form
            action={say.enter.ask}
            quiet
            send={async () => {
              await api.askCode(phone);
              setAsked(true);
            }}
          >
            <TextInput
              label={say.enter.phone}
              type="tel"
              autoComplete="tel"
              mt="sm"
              value={phone}
              onChange={(event) => setPhone(event.currentTarget.value)}
            />
            {asked && <p role="status">{say.enter.asked}</p>}
          </Form>
        </details>
        <p className="quiet small">{say.enter.byLink}</p>
      </div>
    </main>
  );
}

interface FormProps {
  action: string;
  quiet?: boolean;
  children: ReactNode;
  send(): Promise<void>;
}

function Form({ action, quiet = false, children, send }: FormProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await send();
    } catch (error) {
      setProblem(trouble(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {children}
      {problem && <Trouble text={problem} />}
      <Button type="submit" loading={busy} variant={quiet ? "default" : "filled"}>
        {action}
      </Button>
    </form>
  );
}
