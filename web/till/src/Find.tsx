import { useEffect, useRef, useState } from "react";
import { type Member, till } from "./api";
import { Form } from "./Form";
import { canScan, Scanner } from "./Scanner";
import { asked } from "./sums";
import { say, trouble } from "./words";

interface Props {
  found(member: Member): void;
  over(error: unknown): void;
}

/** By phone, by the digits of a card, by camera; a scanner on a cable types and presses Enter. */
export function Find({ found, over }: Props) {
  const [text, setText] = useState("");
  const [scanning, setScanning] = useState(false);
  const [wrong, setWrong] = useState("");
  const field = useRef<HTMLInputElement>(null);

  useEffect(() => field.current?.focus(), []);

  const find = async (typed: string) => {
    try {
      found(await till.find(asked(typed)));
    } catch (error) {
      over(error);
      throw error;
    }
  };
  const scanned = (code: string) => {
    setScanning(false);
    setText(code);
    find(code).catch((error) => setWrong(trouble(error)));
  };

  return (
    <section>
      <Form action={say.find} disabled={!text.trim()} send={() => find(text)}>
        <label htmlFor="who">{say.who}</label>
        <input
          id="who"
          ref={field}
          className="big"
          inputMode="tel"
          autoComplete="off"
          maxLength={40}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setWrong("");
          }}
        />
        {wrong && (
          <p className="wrong" role="alert">
            {wrong}
          </p>
        )}
      </Form>
      {scanning ? (
        <Scanner
          found={scanned}
          close={() => setScanning(false)}
          failed={() => {
            setScanning(false);
            setWrong(say.noCamera);
          }}
        />
      ) : (
        canScan() && (
          <button type="button" className="second" onClick={() => setScanning(true)}>
            {say.scan}
          </button>
        )
      )}
    </section>
  );
}
