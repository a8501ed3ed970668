/** What a screen is given, and what it gives back. */

import type { Locale } from "@vezde/shared/locale";
import type { Api } from "../api";
import type { About, Member } from "../model";
import type { Words } from "../words";

export interface Stage {
  readonly api: Api;
  readonly about: About;
  readonly locale: Locale;
  readonly say: Words;
  /** Ends when another screen is shown or the element leaves the page. */
  readonly signal: AbortSignal;
  show(screen: Screen): void;
  enter(member: Member): void;
  start(): void;
}

/** Draws itself into a stage. */
export type Screen = (stage: Stage) => HTMLElement[];
