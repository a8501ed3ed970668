import { type FormEvent, type ReactNode, useState } from "react";
import { trouble } from "./words";

interface Props {
  action: string;
  disabled?: boolean;
  quiet?: boolean;
  send(): Promise<void>;
  children?: ReactNode;
}

/** Sends once at a time; what went wrong stands above its button. */
export function Form({ action, disabled = false, quiet = false, send, children }: Props) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy) return;
    setBusy(true);
    setWrong("");
    try {
      await send();
    } catch (error) {
      setWrong(trouble(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} noValidate>
      {children}
      {wrong && (
        <p className="wrong" role="alert">
          {wrong}
        </p>
      )}
      <button type="submit" className={quiet ? "quiet" : "main"} disabled={busy || disabled}>
        {action}
      </button>
    </form>
  );
}
