import type { Locale } from "@vezde/shared/locale";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Chats } from "../chats";
import { Icon } from "../icons";
import { words } from "../words";

export function People({ chats, locale }: { chats: Chats; locale: Locale }) {
  const said = words(locale);
  const [adding, setAdding] = useState(false);
  return (
    <fieldset className="people">
      <legend className="heard">{said.people}</legend>
      {chats.people.map((one) => {
        const unread = chats.unread[one.id] ?? 0;
        return (
          <button
            type="button"
            key={one.id}
            className="person"
            aria-pressed={one.id === chats.current}
            onClick={() => chats.choose(one.id)}
          >
            <span className={`avatar small tone-${one.id % 5}`} aria-hidden="true">
              {one.first_name.slice(0, 1)}
            </span>
            <span>{one.first_name}</span>
            {unread > 0 && (
              <span className="badge">
                <span aria-hidden="true">{unread}</span>
                <span className="heard">{said.unread(unread)}</span>
              </span>
            )}
          </button>
        );
      })}
      <button
        type="button"
        className="person round"
        aria-label={said.addPerson}
        onClick={() => setAdding(true)}
      >
        <Icon name="plus" size={18} />
      </button>
      {adding && <NewPerson chats={chats} locale={locale} onClose={() => setAdding(false)} />}
    </fieldset>
  );
}

function NewPerson(props: { chats: Chats; locale: Locale; onClose: () => void }) {
  const { chats, locale, onClose } = props;
  const said = words(locale);
  const dialog = useRef<HTMLDialogElement>(null);
  const [name, setName] = useState("");
  useEffect(() => dialog.current?.showModal(), []);
  const add = (event: FormEvent) => {
    event.preventDefault();
    const given = name.trim();
    if (!given) return;
    void chats.add(given).catch((error: Error) => chats.tell(`${said.failed}: ${error.message}`));
    dialog.current?.close();
  };
  return (
    <dialog ref={dialog} className="confirm" onClose={onClose}>
      <form onSubmit={add}>
        <label>
          {said.newName}
          <input
            value={name}
            onChange={(event) => setName(event.target.value)}
            maxLength={64}
            autoComplete="off"
          />
        </label>
        <button type="button" className="quiet" onClick={() => dialog.current?.close()}>
          {said.cancel}
        </button>
        <button type="submit" className="loud" disabled={!name.trim()}>
          {said.add}
        </button>
      </form>
    </dialog>
  );
}
