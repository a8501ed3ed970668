import { createContext, useContext } from "react";
import type { Session } from "../api";

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in; below the frame somebody always is. */
export function useSession(): Session {
  const found = useContext(SessionContext);
  if (!found) throw new Error("there is no session above");
  return found;
}
