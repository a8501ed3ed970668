import { useRef, useState } from "react";
import { type Member, till } from "./api";
import { Form } from "./Form";
import { wholePoints } from "./sums";
import { say } from "./words";

interface Props {
  member: Member;
  moved(points: number): void;
  over(error: unknown): void;
}

/** An operator gives points or takes them, and says why; a large one waits for a colleague. */
export function Adjust({ member, moved, over }: Props) {
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [told, setTold] = useState("");
  const attempt = useRef(crypto.randomUUID());
  const wanted = wholePoints(text);

  const change = (set: (value: string) => void) => (value: string) => {
    attempt.current = crypto.randomUUID();
    setTold("");
    set(value);
  };
  const send = async () => {
    if (!wanted) return;
    try {
      const made = await till.adjust(member.member_id, wanted, reason, attempt.current);
      setTold(made.state === "pending" ? say.adjustWaits : say.adjusted);
      if (made.state === "done") moved(made.points);
      setText("");
      setReason("");
    } catch (error) {
      over(error);
      throw error;
    } finally {
      attempt.current = crypto.randomUUID();
    }
  };

  return (
    <details>
      <summary>{say.adjust}</summary>
      <Form action={say.adjustDo} disabled={!wanted || !reason.trim()} send={send}>
        <label htmlFor="adjust">{say.adjustPoints}</label>
        <input
          id="adjust"
          className="big"
          autoComplete="off"
          maxLength={12}
          value={text}
          onChange={(event) => change(setText)(event.target.value)}
        />
        <label htmlFor="reason">{say.adjustReason}</label>
        <input
          id="reason"
          autoComplete="off"
          maxLength={500}
          value={reason}
          onChange={(event) => change(setReason)(event.target.value)}
        />
        {told && <p role="status">{told}</p>}
      </Form>
    </details>
  );
}
