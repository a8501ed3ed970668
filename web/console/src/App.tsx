import { MantineProvider } from "@mantine/core";
import { currentTheme, followSystem, showTheme, type Theme } from "@vezde/shared/theme";
import { useCallback, useEffect, useState } from "react";
import { api, type Session, whenOver } from "./api";
import { Frame } from "./Frame";
import { invitation } from "./lib/route";
import { SignIn } from "./pages/SignIn";
import { theme as mantine } from "./theme";
import { locale, showIn, trouble } from "./words";

// Read before anything is drawn, once: the link is good once, and effects may run twice.
const link = invitation();
const entering = link ? api.enter({ link }) : api.session();

export function App() {
  const [theme, setTheme] = useState<Theme>(currentTheme);
  const [session, setSession] = useState<Session | null | undefined>(undefined);
  const [problem, setProblem] = useState<string | null>(null);

  const entered = useCallback((found: Session) => {
    showIn(found.timezone, found.now);
    setProblem(null);
    setSession(found);
  }, []);
  useEffect(() => {
    document.documentElement.lang = locale;
    whenOver(() => setSession(null));
    entering.then(entered, (error) => {
      if (link) setProblem(trouble(error));
      setSession(null);
    });
    return followSystem(setTheme);
  }, [entered]);
  useEffect(() => showTheme(theme), [theme]);

  return (
    <MantineProvider
      theme={mantine}
      forceColorScheme={theme}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      {session === undefined ? (
        <main aria-busy="true" />
      ) : session === null ? (
        <SignIn entered={entered} problem={problem} />
      ) : (
        <Frame session={session} theme={theme} themed={setTheme} left={() => setSession(null)} />
      )}
    </MantineProvider>
  );
}
