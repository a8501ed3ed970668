/**
 * The programme's time in a chat: messages come by the wall, so a jump of the programme's clock is
 * remembered, told where it happened, and added to the times of what came after it.
 */

import { type Locale, when } from "@vezde/shared/locale";
import { useCallback, useMemo, useState } from "react";
import type { Message, Sandbox } from "./model";

const KEY = "vezde.jumps";
const MOST = 200;

export interface Jump {
  /** Wall time in ms. */
  at: number;
  /** The programme's time after it, and how far it is from the wall's. */
  to: string;
  moved: number;
}

export type Told =
  | { key: string; messages: Message[]; time: string }
  | { key: string; text: string };

export interface Timeline {
  jumps: readonly Jump[];
  told: (groups: Message[][], locale: Locale) => Told[];
}

export function useTimeline(zone: string) {
  const [jumps, setJumps] = useState<readonly Jump[]>(saved);

  const keep = useCallback((next: readonly Jump[]) => {
    localStorage.setItem(KEY, JSON.stringify(next.slice(-MOST)));
    setJumps(next.slice(-MOST));
  }, []);

  /**
   * What the sandbox says now: a jump, if the clock is not where it was; none after a reset. What
   * was said since `began`, when the clock was asked to move, belongs after the jump.
   */
  const seen = useCallback(
    (now: Sandbox, began = Date.now()) => {
      const known = saved();
      const last = known.at(-1)?.moved ?? 0;
      if (now.moved_seconds < last || (now.moved_seconds === 0 && known.length > 0)) keep([]);
      else if (now.moved_seconds > last) {
        keep([...known, { at: began, to: now.now, moved: now.moved_seconds }]);
      }
    },
    [keep],
  );

  const timeline = useMemo<Timeline>(
    () => ({ jumps, told: (groups, locale) => told(groups, jumps, zone, locale) }),
    [jumps, zone],
  );
  return { timeline, seen };
}

function told(groups: Message[][], jumps: readonly Jump[], zone: string, locale: Locale): Told[] {
  const shown: Told[] = [];
  let day = "";
  let next = 0;
  let moved = 0;
  const tellDay = (instant: Date, key: string) => {
    const name = when(instant, zone, locale, { day: "numeric", month: "long" });
    if (name !== day) shown.push({ key, text: name });
    day = name;
  };
  const pass = (until: number) => {
    for (let jump = jumps[next]; jump && jump.at <= until; jump = jumps[next]) {
      moved = jump.moved;
      next += 1;
      if (shown.length > 0) tellDay(new Date(jump.to), `jump:${jump.at}`);
    }
  };
  for (const messages of groups) {
    const first = messages[0];
    if (!first) continue;
    // A message of the very second of a jump was sent while time was moving, or right after.
    pass(first.date * 1000 + 999);
    const instant = new Date((first.date + moved) * 1000);
    tellDay(instant, `day:${first.message_id}`);
    const time = when(instant, zone, locale, { hour: "2-digit", minute: "2-digit" });
    shown.push({ key: `message:${first.message_id}`, messages, time });
  }
  pass(Number.POSITIVE_INFINITY);
  return shown;
}

function saved(): Jump[] {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(read) ? (read as Jump[]) : [];
  } catch {
    return [];
  }
}
