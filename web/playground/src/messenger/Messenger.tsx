import type { Locale } from "@vezde/shared/locale";
import { type DragEvent, useEffect, useLayoutEffect, useRef, useState } from "react";
import * as api from "../api";
import type { Chats } from "../chats";
import { Icon } from "../icons";
import type { Chat, InlineButton, KeyboardButton, Message, Person } from "../model";
import type { Timeline } from "../timeline";
import { words } from "../words";
import { Bubble } from "./Bubble";
import { Composer } from "./Composer";
import { Confirm } from "./Confirm";

interface Props {
  chats: Chats;
  person: Person;
  chat: Chat;
  locale: Locale;
  timeline: Timeline;
  /** The code of a link that led here, until it is used. */
  code: string | null;
  onStarted: () => void;
  onCard: (name: string) => void;
}

export const CARD = "application/x-vezde-card";

export function Messenger(props: Props) {
  const { chats, person, chat, locale, code } = props;
  const said = words(locale);
  const [pressed, setPressed] = useState<string | null>(null);
  const [sharing, setSharing] = useState<KeyboardButton | null>(null);
  const [over, setOver] = useState(false);
  const typing = useTyping(chats.typing[person.id] ?? 0);
  const perform = (deed: () => Promise<unknown>) => chats.perform(person.id, deed, said.failed);
  const speak = (text: string) => perform(() => api.say(person.id, text));
  const waitsForStart = !chat.started || code !== null;

  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever changed, it was answered
  useEffect(() => setPressed(null), [chats.version, chats.toasts]);

  const press = (message: Message, button: InlineButton) => {
    setPressed(`${message.message_id}:${button.text}`);
    void perform(() => api.tap(person.id, button.text, message.message_id));
  };

  const dropped = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const name = event.dataTransfer.getData(CARD);
    const pictures = [...event.dataTransfer.files].filter((one) => one.type.startsWith("image/"));
    if (name) props.onCard(name);
    else if (pictures.length > 0) void perform(() => api.showPhotos(person.id, pictures));
  };

  return (
    <section
      className={`messenger ${over ? "over" : ""}`}
      aria-label={chat.title}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={dropped}
    >
      <header className="top">
        <span className="avatar brand" aria-hidden="true">
          {chat.title.slice(0, 1)}
        </span>
        <span className="who">
          <h2>{chat.title}</h2>
          <span className={typing ? "typing" : ""} aria-live="polite">
            {chats.online ? (typing ? said.typing : said.bot) : said.connecting}
          </span>
        </span>
      </header>
      <Log {...props} typing={typing} pressed={pressed} onCommand={speak} onPress={press} />
      {over && <div className="drop">{said.drop}</div>}
      {waitsForStart ? (
        <div className="composer">
          {code !== null && <p className="link">{said.newLink}</p>}
          <button
            type="button"
            className="start"
            onClick={() => {
              void perform(() => api.start(person.id, code ?? "")).then(props.onStarted);
            }}
          >
            {code === null ? said.start : said.startWith}
          </button>
        </div>
      ) : (
        <Composer
          chat={chat}
          others={chats.people.filter((one) => one.id !== person.id)}
          locale={locale}
          onSay={speak}
          onPhotos={(photos) => perform(() => api.showPhotos(person.id, photos))}
          onFile={(file) => perform(() => api.sendDocument(person.id, file))}
          onContact={(of) => perform(() => api.shareContact(person.id, of))}
          onKey={(key) =>
            key.request_contact ? setSharing(key) : perform(() => api.tap(person.id, key.text))
          }
        />
      )}
      {sharing && (
        <Confirm
          text={said.share(person.phone)}
          yes={said.shareYes}
          no={said.cancel}
          onYes={() => perform(() => api.tap(person.id, sharing.text))}
          onClose={() => setSharing(null)}
        />
      )}
    </section>
  );
}

interface LogProps extends Props {
  typing: boolean;
  pressed: string | null;
  onCommand: (command: string) => void;
  onPress: (message: Message, button: InlineButton) => void;
}

function Log(props: LogProps) {
  const { chat, person, locale, timeline } = props;
  const said = words(locale);
  const log = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(true);
  const [missed, setMissed] = useState(0);
  const newest = chat.messages.at(-1)?.message_id;
  const jumps = timeline.jumps.length;

  const down = () => log.current?.scrollTo({ top: log.current.scrollHeight });

  // biome-ignore lint/correctness/useExhaustiveDependencies: another person's chat opens at its end
  useLayoutEffect(() => {
    setBelow(true);
    setMissed(0);
    down();
  }, [person.id]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what grows is followed while at the end
  useLayoutEffect(() => {
    if (below) down();
  }, [chat.messages, chat.keyboard, props.typing, jumps]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each that is new
  useLayoutEffect(() => {
    if (chat.messages.at(-1)?.mine) down();
    else if (!below) setMissed((count) => count + 1);
  }, [newest]);

  const scrolled = () => {
    const box = log.current;
    if (!box) return;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    setBelow(atEnd);
    if (atEnd) setMissed(0);
  };

  return (
    <div className="logbox">
      <div
        className="log"
        role="log"
        aria-live="polite"
        aria-label={said.chatTab}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is to be reached by keys
        tabIndex={0}
        ref={log}
        onScroll={scrolled}
        onLoadCapture={() => below && down()}
      >
        {chat.messages.length === 0 && <p className="service empty">{said.emptyChat}</p>}
        {timeline.told(groups(chat.messages), locale).map((one) =>
          "messages" in one ? (
            <Bubble
              key={one.key}
              messages={one.messages}
              locale={locale}
              time={one.time}
              pressed={props.pressed}
              onCommand={props.onCommand}
              onPress={props.onPress}
            />
          ) : (
            <p className="service" key={one.key}>
              {one.text}
            </p>
          ),
        )}
        {props.typing && (
          <p className="dots" aria-hidden="true">
            <span /> <span /> <span />
          </p>
        )}
      </div>
      {!below && (
        <button type="button" className="round down" aria-label={said.down} onClick={down}>
          <Icon name="down" />
          {missed > 0 && <span className="badge">{missed}</span>}
        </button>
      )}
    </div>
  );
}

/** Messages of one album stand together. */
function groups(messages: readonly Message[]): Message[][] {
  const found: Message[][] = [];
  for (const message of messages) {
    const last = found.at(-1);
    const album = message.media_group_id;
    if (album && last?.[0]?.media_group_id === album) last.push(message);
    else found.push([message]);
  }
  return found;
}

function useTyping(until: number): boolean {
  const [, tick] = useState(0);
  useEffect(() => {
    const left = until - Date.now();
    if (left <= 0) return;
    const timer = setTimeout(() => tick((count) => count + 1), left + 20);
    return () => clearTimeout(timer);
  }, [until]);
  return until > Date.now();
}
