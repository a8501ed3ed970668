import { Burger, Button, Drawer } from "@mantine/core";
import { chooseTheme, type Theme } from "@vezde/shared/theme";
import {
  type ComponentType,
  type LazyExoticComponent,
  lazy,
  Suspense,
  useEffect,
  useState,
} from "react";
import { api, type Right, type Session } from "./api";
import icon from "./icon.svg";
import { useRoute } from "./lib/route";
import { SessionContext } from "./lib/session";
import { Busy } from "./parts/Busy";
import { otherLocale, say } from "./words";

interface Place {
  path: string;
  name: string;
  right: Right;
  page: LazyExoticComponent<ComponentType>;
}

const PLACES: Place[] = [
  {
    path: "/today",
    name: say.pages.today,
    right: "today",
    page: lazy(() => import("./pages/Today")),
  },
  {
    path: "/moderation",
    name: say.pages.moderation,
    right: "moderate",
    page: lazy(() => import("./pages/Moderation")),
  },
  {
    path: "/quarantine",
    name: say.pages.quarantine,
    right: "moderate",
    page: lazy(() => import("./pages/Quarantine")),
  },
  {
    path: "/disputes",
    name: say.pages.disputes,
    right: "moderate",
    page: lazy(() => import("./pages/Disputes")),
  },
  {
    path: "/sellers",
    name: say.pages.sellers,
    right: "moderate",
    page: lazy(() => import("./pages/Sellers")),
  },
  {
    path: "/aliases",
    name: say.pages.aliases,
    right: "moderate",
    page: lazy(() => import("./pages/Aliases")),
  },
  {
    path: "/quality",
    name: say.pages.quality,
    right: "quality",
    page: lazy(() => import("./pages/Quality")),
  },
  {
    path: "/troubles",
    name: say.pages.troubles,
    right: "troubles",
    page: lazy(() => import("./pages/Troubles")),
  },
  {
    path: "/people",
    name: say.pages.people,
    right: "people",
    page: lazy(() => import("./pages/People")),
  },
  {
    path: "/journal",
    name: say.pages.journal,
    right: "journal",
    page: lazy(() => import("./pages/Journal")),
  },
];

interface Props {
  session: Session;
  theme: Theme;
  themed(theme: Theme): void;
  left(): void;
}

/** The sides of every page: where one can go, who is here, the language and the theme. */
export function Frame({ session, theme, themed, left }: Props) {
  const [open, setOpen] = useState(false);
  const places = PLACES.filter((one) => session.operator.rights.includes(one.right));
  const path = useRoute();
  const here = places.find((one) => one.path === path) ?? places[0];

  useEffect(() => {
    document.title = here ? `${here.name} · ${session.programme ?? "Vezde"}` : "Vezde";
  }, [here, session.programme]);

  const side = (
    <Side
      session={session}
      places={places}
      here={here}
      theme={theme}
      themed={themed}
      left={left}
      gone={() => setOpen(false)}
    />
  );
  return (
    <SessionContext value={session}>
      <div className="frame">
        <aside className="side">{side}</aside>
        <header className="top">
          <Brand session={session} />
          <Burger opened={open} onClick={() => setOpen(!open)} aria-label={say.menu} size="sm" />
        </header>
        <Drawer
          opened={open}
          onClose={() => setOpen(false)}
          title={say.menu}
          size="17rem"
          className="drawer"
          closeButtonProps={{ "aria-label": say.close }}
        >
          <div className="side">{side}</div>
        </Drawer>
        <main className="page">
          <Suspense fallback={<Busy />}>{here && <here.page key={here.path} />}</Suspense>
        </main>
      </div>
    </SessionContext>
  );
}

function Side(props: Props & { places: Place[]; here: Place | undefined; gone(): void }) {
  const { session, places, here, theme, themed, left, gone } = props;
  const other: Theme = theme === "dark" ? "light" : "dark";
  const out = async () => {
    await api.leave();
    left();
  };
  return (
    <>
      <Brand session={session} />
      <nav className="links" aria-label={say.console}>
        {places.map((one) => (
          <a
            key={one.path}
            href={`#${one.path}`}
            aria-current={one === here ? "page" : undefined}
            onClick={gone}
          >
            {one.name}
          </a>
        ))}
      </nav>
      <div className="foot">
        <div>
          <div>{session.operator.name}</div>
          <div className="quiet small">{say.roles[session.operator.role]}</div>
        </div>
        <div className="row">
          <Button variant="default" size="compact-sm" onClick={() => void out()}>
            {say.leave}
          </Button>
          <Button variant="subtle" size="compact-sm" onClick={otherLocale}>
            {say.language}
          </Button>
        </div>
        <div className="row">
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => {
              chooseTheme(other);
              themed(other);
            }}
          >
            {other === "dark" ? say.dark : say.light}
          </Button>
        </div>
      </div>
    </>
  );
}

function Brand({ session }: { session: Session }) {
  return (
    <div className="brand">
      <img src={icon} alt="" />
      <span>
        {session.programme ?? "Vezde"}
        {session.sandbox && <span className="quiet small"> · {say.sandbox}</span>}
      </span>
    </div>
  );
}
