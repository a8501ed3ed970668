/** Who holds the phone and what stands in their chats, followed by server-sent events. */

import { Refused } from "@vezde/shared/http";
import type { Locale } from "@vezde/shared/locale";
import { useCallback, useEffect, useMemo, useReducer, useRef } from "react";
import * as api from "./api";
import type { Change, Chat, Message, Person } from "./model";

const PRESET: Record<Locale, Partial<Person>[]> = {
  ru: [
    { id: 500000001, first_name: "Анна", phone: "+79000000011", language_code: "ru" },
    { id: 500000002, first_name: "Борис", phone: "+79000000012", language_code: "ru" },
  ],
  en: [
    { id: 500000003, first_name: "Alice", phone: "+79000000013", language_code: "en" },
    { id: 500000004, first_name: "Bob", phone: "+79000000014", language_code: "en" },
  ],
};
const TYPING_MS = 5_000;
const RETRY_MS = 1_000;

export interface Toast {
  id: number;
  text: string;
  alert: boolean;
}

interface State {
  people: Person[];
  current: number | null;
  chats: Record<number, Chat>;
  unread: Record<number, number>;
  typing: Record<number, number>;
  toasts: Toast[];
  online: boolean;
  /** Grows with everything that may change what the brand sees. */
  version: number;
}

type Act =
  | { type: "loaded"; people: Person[]; chats: Chat[]; current: number | null }
  | { type: "joined"; person: Person; chat: Chat }
  | { type: "choose"; person: number }
  | { type: "change"; change: Change }
  | { type: "waits"; person: number; until: number }
  | { type: "toast"; toast: Toast }
  | { type: "dismiss"; id: number }
  | { type: "online"; online: boolean };

const EMPTY: State = {
  people: [],
  current: null,
  chats: {},
  unread: {},
  typing: {},
  toasts: [],
  online: false,
  version: 0,
};

export function useChats(locale: Locale) {
  const [state, act] = useReducer(step, EMPTY);
  const toasts = useRef(0);
  const spoken = useRef(locale);
  spoken.current = locale;

  /** All anew; what comes back after the language was switched is of no use any more. */
  const load = useCallback(async () => {
    const { people, chats } = await loadAll(locale);
    if (spoken.current === locale) {
      act({ type: "loaded", people, chats, current: PRESET[locale][0]?.id ?? null });
    }
    return Math.min(...chats.map((one) => one.seq));
  }, [locale]);

  useEffect(() => follow(load, act, toasts), [load]);

  const tell = useCallback((text: string, alert = false) => {
    toasts.current += 1;
    act({ type: "toast", toast: { id: toasts.current, text, alert } });
  }, []);

  /** Does what a person does; the bot is waited for, and an error is shown. */
  const perform = useCallback(
    async (person: number, deed: () => Promise<unknown>, failed: string) => {
      act({ type: "waits", person, until: Date.now() + TYPING_MS });
      try {
        await deed();
      } catch (error) {
        act({ type: "waits", person, until: 0 });
        if (error instanceof Refused && error.status === 404) await load();
        tell(`${failed}: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
    [load, tell],
  );

  const mine = useMemo(
    () => state.people.filter((one) => (one.language_code === "en") === (locale === "en")),
    [state.people, locale],
  );

  return {
    ...state,
    people: mine,
    load,
    tell,
    perform,
    choose: (person: number) => act({ type: "choose", person }),
    dismiss: (id: number) => act({ type: "dismiss", id }),
    stopWaiting: (person: number) => act({ type: "waits", person, until: 0 }),
    async add(name: string) {
      const person = await api.addPerson({
        first_name: name,
        phone: freePhone(state.people),
        language_code: locale,
      });
      act({ type: "joined", person, chat: await api.chat(person.id) });
    },
  };
}

export type Chats = ReturnType<typeof useChats>;

async function loadAll(locale: Locale): Promise<{ people: Person[]; chats: Chat[] }> {
  const known = await api.people();
  for (const preset of PRESET[locale]) {
    if (!known.some((one) => one.id === preset.id)) await api.addPerson(preset);
  }
  const people = await api.people();
  return { people, chats: await Promise.all(people.map((one) => api.chat(one.id))) };
}

function follow(
  load: () => Promise<number>,
  act: (act: Act) => void,
  toasts: { current: number },
): () => void {
  let source: EventSource | null = null;
  let timer: number | undefined;
  let stopped = false;

  const again = () => {
    act({ type: "online", online: false });
    source?.close();
    if (!stopped) timer = window.setTimeout(open, RETRY_MS);
  };

  const open = async () => {
    try {
      const since = await load();
      if (stopped) return;
      source = api.events(since);
      source.onopen = () => act({ type: "online", online: true });
      source.onmessage = (event) => changed(JSON.parse(event.data) as Change);
      source.addEventListener("gap", again);
      source.onerror = again;
    } catch {
      again();
    }
  };

  const changed = (change: Change) => {
    act({ type: "change", change });
    if (change.kind === "answered" && change.text) {
      toasts.current += 1;
      const toast = { id: toasts.current, text: change.text, alert: change.show_alert ?? false };
      act({ type: "toast", toast });
    }
  };

  void open();
  return () => {
    stopped = true;
    window.clearTimeout(timer);
    source?.close();
  };
}

function step(state: State, act: Act): State {
  switch (act.type) {
    case "loaded": {
      const chats = Object.fromEntries(act.chats.map((one) => [one.chat_id, one]));
      const kept = act.people.find((one) => one.id === state.current);
      const preset = act.people.find((one) => one.id === act.current);
      const speaks = kept && preset && kept.language_code === preset.language_code;
      const current = speaks ? kept.id : act.current;
      return { ...state, people: act.people, chats, current, version: state.version + 1 };
    }
    case "joined": {
      const chats = { ...state.chats, [act.person.id]: act.chat };
      return { ...state, people: [...state.people, act.person], chats, current: act.person.id };
    }
    case "choose": {
      const unread = { ...state.unread, [act.person]: 0 };
      return { ...state, current: act.person, unread };
    }
    case "change":
      return changedBy(state, act.change);
    case "waits":
      return { ...state, typing: { ...state.typing, [act.person]: act.until } };
    case "toast":
      return { ...state, toasts: [...state.toasts.slice(-2), act.toast] };
    case "dismiss":
      return { ...state, toasts: state.toasts.filter((one) => one.id !== act.id) };
    case "online":
      return { ...state, online: act.online };
  }
}

function changedBy(state: State, change: Change): State {
  const chat = state.chats[change.chat_id];
  if (!chat) return state;
  const person = change.chat_id;
  if (change.kind === "action") {
    return { ...state, typing: { ...state.typing, [person]: Date.now() + TYPING_MS } };
  }
  const fromBot = change.message !== undefined && !change.message.mine;
  const typing =
    fromBot || change.kind === "answered" ? { ...state.typing, [person]: 0 } : state.typing;
  const isNew = change.kind === "message" && fromBot && person !== state.current;
  const unread = isNew
    ? { ...state.unread, [person]: (state.unread[person] ?? 0) + 1 }
    : state.unread;
  const chats = { ...state.chats, [person]: applied(chat, change) };
  return { ...state, chats, typing, unread, version: state.version + 1 };
}

function applied(chat: Chat, change: Change): Chat {
  switch (change.kind) {
    case "message":
    case "edited":
      if (!change.message) return chat;
      return { ...chat, started: true, messages: merged(chat.messages, change.message) };
    case "deleted":
      return {
        ...chat,
        messages: chat.messages.filter((one) => one.message_id !== change.message_id),
      };
    case "keyboard":
      return { ...chat, keyboard: change.keyboard ?? null };
    case "blocked":
      return { ...chat, blocked: change.blocked ?? false };
    default:
      return chat;
  }
}

function merged(messages: Message[], message: Message): Message[] {
  const at = messages.findIndex((one) => one.message_id === message.message_id);
  if (at >= 0) return messages.with(at, message);
  return [...messages, message].sort((a, b) => a.message_id - b.message_id);
}

/** Of a range that nobody is given. */
function freePhone(people: readonly Person[]): string {
  const taken = new Set(people.map((one) => one.phone));
  for (;;) {
    const phone = `+7900000${String(1000 + Math.floor(Math.random() * 9000))}`;
    if (!taken.has(phone)) return phone;
  }
}
