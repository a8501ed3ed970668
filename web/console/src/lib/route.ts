/** Which page: by the fragment, `#/journal`, so that one file serves them all. */

import { useEffect, useState } from "react";

export function route(): string {
  const found = location.hash.replace(/^#/, "").split("?")[0] ?? "";
  return found.startsWith("/") ? found : "/";
}

export function useRoute(): string {
  const [now, setNow] = useState(route);
  useEffect(() => {
    const look = () => setNow(route());
    addEventListener("hashchange", look);
    return () => removeEventListener("hashchange", look);
  }, []);
  return now;
}

/** The secret of a one-time link, taken out of the address at once: it must not stay in history. */
export function invitation(): string | null {
  const found = /^#enter=([\w-]{20,100})$/.exec(location.hash);
  if (!found?.[1]) return null;
  history.replaceState(null, "", location.pathname);
  return found[1];
}
