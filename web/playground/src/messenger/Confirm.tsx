import { useEffect, useRef } from "react";

interface Props {
  text: string;
  yes: string;
  no: string;
  onYes: () => void;
  onClose: () => void;
}

/** A question in a dialog of the browser's own, which keeps the focus and closes by Escape. */
export function Confirm({ text, yes, no, onYes, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="confirm" onClose={onClose}>
      <p>{text}</p>
      <form method="dialog">
        <button type="submit" className="quiet">
          {no}
        </button>
        <button type="submit" className="loud" onClick={onYes}>
          {yes}
        </button>
      </form>
    </dialog>
  );
}
