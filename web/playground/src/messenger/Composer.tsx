import type { Locale } from "@vezde/shared/locale";
import { type FormEvent, useRef, useState } from "react";
import { Icon } from "../icons";
import type { Chat, KeyboardButton, Person } from "../model";
import { words } from "../words";

interface Props {
  chat: Chat;
  others: readonly Person[];
  locale: Locale;
  onSay: (text: string) => void;
  onPhotos: (photos: File[]) => void;
  onFile: (file: File) => void;
  onContact: (of: Person) => void;
  onKey: (button: KeyboardButton) => void;
}

type Menu = "attach" | "commands" | null;

export function Composer(props: Props) {
  const { chat, locale } = props;
  const said = words(locale);
  const [text, setText] = useState("");
  const [menu, setMenu] = useState<Menu>(null);
  const keys = chat.keyboard?.keyboard ?? [];

  const send = (event: FormEvent) => {
    event.preventDefault();
    if (!text.trim()) return;
    props.onSay(text.trim());
    setText("");
  };

  const closing = (deed: () => void) => () => {
    setMenu(null);
    deed();
  };

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: Escape closes the menus inside
    <div className="composer" onKeyDown={(event) => event.key === "Escape" && setMenu(null)}>
      {menu === "commands" && (
        <ul className="menu" aria-label={said.commands}>
          {chat.commands.map((one) => (
            <li key={one.command}>
              <button type="button" onClick={closing(() => props.onSay(`/${one.command}`))}>
                <span>{one.description}</span>
                <code>/{one.command}</code>
              </button>
            </li>
          ))}
        </ul>
      )}
      {menu === "attach" && <Attach {...props} closing={closing} />}
      <form onSubmit={send}>
        {chat.commands.length > 0 && (
          <button
            type="button"
            className="round"
            aria-label={said.commands}
            aria-expanded={menu === "commands"}
            onClick={() => setMenu(menu === "commands" ? null : "commands")}
          >
            <Icon name="menu" />
          </button>
        )}
        <button
          type="button"
          className="round"
          aria-label={said.attach}
          aria-expanded={menu === "attach"}
          onClick={() => setMenu(menu === "attach" ? null : "attach")}
        >
          <Icon name="attach" />
        </button>
        <input
          className="write"
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder={said.write}
          aria-label={said.write}
          maxLength={4096}
          enterKeyHint="send"
          autoComplete="off"
        />
        <button type="submit" className="round send" aria-label={said.send} disabled={!text.trim()}>
          <Icon name="send" />
        </button>
      </form>
      {keys.length > 0 && (
        <div className="keys">
          {keys.map((row) => (
            <div className="buttons" key={row.map((one) => one.text).join("|")}>
              {row.map((key) => (
                <button type="button" key={key.text} onClick={() => props.onKey(key)}>
                  {key.request_contact && <Icon name="person" size={18} />} {key.text}
                </button>
              ))}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function Attach(props: Props & { closing: (deed: () => void) => () => void }) {
  const said = words(props.locale);
  const photos = useRef<HTMLInputElement>(null);
  const file = useRef<HTMLInputElement>(null);
  return (
    <ul className="menu" aria-label={said.attach}>
      <li>
        <button type="button" onClick={() => photos.current?.click()}>
          <Icon name="camera" /> <span>{said.attachPhoto}</span>
        </button>
        <input
          ref={photos}
          type="file"
          accept="image/*"
          multiple
          hidden
          data-testid="photos"
          onChange={(event) => {
            const chosen = [...(event.target.files ?? [])];
            props.closing(() => chosen.length > 0 && props.onPhotos(chosen))();
          }}
        />
      </li>
      <li>
        <button type="button" onClick={() => file.current?.click()}>
          <Icon name="file" /> <span>{said.attachFile}</span>
        </button>
        <input
          ref={file}
          type="file"
          hidden
          data-testid="file"
          onChange={(event) => {
            const chosen = event.target.files?.[0];
            props.closing(() => chosen && props.onFile(chosen))();
          }}
        />
      </li>
      {props.others.map((one) => (
        <li key={one.id}>
          <button type="button" onClick={props.closing(() => props.onContact(one))}>
            <Icon name="person" /> <span>{said.attachContact(one.first_name)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
