import { type Locale, savedLocale, saveLocale, when } from "@vezde/shared/locale";
import {
  chooseTheme,
  currentTheme,
  followSystem,
  showTheme,
  type Theme,
} from "@vezde/shared/theme";
import { useCallback, useEffect, useRef, useState } from "react";
import * as api from "./api";
import { useChats } from "./chats";
import { Icon, type IconName } from "./icons";
import { Messenger } from "./messenger/Messenger";
import type { Card, Sandbox } from "./model";
import { photograph } from "./paper";
import { Brand } from "./side/Brand";
import { People } from "./side/People";
import { TimeMachine } from "./side/TimeMachine";
import { Tray } from "./side/Tray";
import { useTimeline } from "./timeline";
import { words } from "./words";

type Tab = "chat" | "tray" | "time" | "brand";

const LOOK_MS = 20_000;

export function App() {
  const [locale, setLocale] = useState<Locale>(savedLocale);
  const [tab, setTab] = useState<Tab>("chat");
  const [code, setCode] = useState(linkCode);
  const [moving, setMoving] = useState(false);
  const said = words(locale);
  const chats = useChats(locale);
  const { sandbox, cards, look, seen, timeline } = useSandbox(chats.version);
  const person = chats.people.find((one) => one.id === chats.current);
  const chat = person && chats.chats[person.id];

  useEffect(() => saveLocale(locale), [locale]);

  const show = (card: Card) => {
    if (!person) return;
    setTab("chat");
    void chats.perform(
      person.id,
      async () => {
        // Time may have moved since the tray was looked at: the paper is to bear the date under
        // which its document is known now.
        const fresh = (await api.samples()).find((one) => one.name === card.name) ?? card;
        if (fresh.taken) await api.takeFirst(fresh);
        await api.showPhoto(person.id, await photograph(fresh));
      },
      said.failed,
    );
  };

  const jump = async (to: Parameters<typeof api.ahead>[0]) => {
    const began = Date.now();
    setMoving(true);
    try {
      const now = await api.ahead(to);
      seen(now, began);
      const day = when(new Date(now.now), now.zone, locale, { day: "numeric", month: "long" });
      chats.tell(said.movedTo(day));
      await look();
    } catch (error) {
      chats.tell(`${said.failed}: ${(error as Error).message}`);
    } finally {
      setMoving(false);
      setTab("chat");
    }
  };

  const begin = async () => {
    setMoving(true);
    try {
      seen(await api.reset());
      await chats.load();
      await look();
    } catch (error) {
      chats.tell(`${said.failed}: ${(error as Error).message}`);
    } finally {
      setMoving(false);
      setTab("chat");
    }
  };

  return (
    <div className="page" data-tab={tab}>
      <aside className="side left" aria-label={said.tray}>
        <Head locale={locale} onLocale={setLocale} />
        <section className="panel tray-panel">
          <h2>{said.tray}</h2>
          <Tray cards={cards} locale={locale} onShow={show} />
        </section>
      </aside>
      <main className="phone">
        <People chats={chats} locale={locale} />
        <div className="screen">
          {person && chat ? (
            <Messenger
              chats={chats}
              person={person}
              chat={chat}
              locale={locale}
              timeline={timeline}
              code={code}
              onStarted={() => {
                setCode(null);
                history.replaceState(null, "", location.pathname);
              }}
              onCard={(name) => {
                const card = cards?.find((one) => one.name === name);
                if (card) show(card);
              }}
            />
          ) : (
            <p className="service wait">{said.connecting}</p>
          )}
        </div>
      </main>
      <aside className="side right" aria-label={said.time}>
        <section className="panel time-panel">
          <h2>{said.time}</h2>
          <TimeMachine
            sandbox={sandbox}
            locale={locale}
            moving={moving}
            onJump={jump}
            onReset={begin}
          />
        </section>
        <section className="panel brand-panel">
          <h2>{said.brand}</h2>
          {person && sandbox && (
            <Brand
              person={person}
              zone={sandbox.zone}
              locale={locale}
              version={`${chats.version} ${sandbox.now}`}
            />
          )}
        </section>
      </aside>
      <Tabs tab={tab} locale={locale} onTab={setTab} />
      <div className="toasts" role="status">
        {chats.toasts.map((one) => (
          <Toast
            key={one.id}
            text={one.text}
            alert={one.alert}
            close={said.close}
            onClose={() => chats.dismiss(one.id)}
          />
        ))}
      </div>
    </div>
  );
}

/** The sandbox's time and tray; looked at again when something happened, and now and then. */
function useSandbox(version: number) {
  const [sandbox, setSandbox] = useState<Sandbox | null>(null);
  const [cards, setCards] = useState<Card[] | null>(null);
  const dated = useRef("");
  const { timeline, seen } = useTimeline(sandbox?.zone ?? "UTC");

  const look = useCallback(async () => {
    const now = await api.sandbox();
    setSandbox(now);
    seen(now);
    const day = when(new Date(now.now), now.zone, "en", { dateStyle: "short" });
    if (dated.current === day) return;
    setCards(await api.samples());
    dated.current = day;
  }, [seen]);

  useEffect(() => {
    // What is not there yet is looked for again.
    const quietly = () => void look().catch(() => setSandbox(null));
    const soon = setTimeout(quietly, version === 0 ? 0 : 400);
    const later = setInterval(quietly, LOOK_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(later);
    };
  }, [look, version]);

  return { sandbox, cards, look, seen, timeline };
}

function Head({ locale, onLocale }: { locale: Locale; onLocale: (locale: Locale) => void }) {
  const said = words(locale);
  const [theme, setTheme] = useState<Theme>(currentTheme);
  useEffect(() => followSystem(setTheme), []);
  useEffect(() => showTheme(theme), [theme]);
  const other: Theme = theme === "dark" ? "light" : "dark";
  return (
    <header className="head">
      <h1>
        Vezde <span>{said.playground}</span>
      </h1>
      <div className="switches">
        <button
          type="button"
          className="quiet"
          onClick={() => onLocale(locale === "ru" ? "en" : "ru")}
        >
          <span lang={locale === "ru" ? "en" : "ru"}>{said.language}</span>
        </button>
        <button
          type="button"
          className="quiet round"
          aria-label={other === "dark" ? said.dark : said.light}
          onClick={() => {
            chooseTheme(other);
            setTheme(other);
          }}
        >
          <Icon name={other === "dark" ? "moon" : "sun"} size={18} />
        </button>
      </div>
      <p className="hint">{said.about}</p>
    </header>
  );
}

function Tabs({ tab, locale, onTab }: { tab: Tab; locale: Locale; onTab: (tab: Tab) => void }) {
  const said = words(locale);
  const tabs: [Tab, IconName, string][] = [
    ["chat", "chat", said.chatTab],
    ["tray", "receipt", said.tray],
    ["time", "clock", said.time],
    ["brand", "eye", said.brandTab],
  ];
  return (
    <nav className="tabs">
      {tabs.map(([name, icon, label]) => (
        <button
          type="button"
          key={name}
          aria-current={tab === name ? "page" : undefined}
          onClick={() => onTab(name)}
        >
          <Icon name={icon} />
          {label}
        </button>
      ))}
    </nav>
  );
}

const SHOWN_MS = 4_500;

function Toast(props: { text: string; alert: boolean; close: string; onClose: () => void }) {
  const { onClose } = props;
  const closing = useRef(onClose);
  closing.current = onClose;
  useEffect(() => {
    if (props.alert) return;
    const timer = setTimeout(() => closing.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [props.alert]);
  return (
    <div className="toast">
      <span>{props.text}</span>
      <button type="button" aria-label={props.close} onClick={onClose}>
        <Icon name="close" size={16} />
      </button>
    </div>
  );
}

/** The code of a link or a printed QR code that led here; the messenger's own characters alone. */
function linkCode(): string | null {
  const given = new URLSearchParams(location.search).get("start");
  return given && /^[\w-]{1,64}$/.test(given) ? given : null;
}
