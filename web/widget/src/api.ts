/** The widget's routes, under a publishable key; the session's token is kept for this site. */

import type { About, ByCode, ByLink, Cart, Entered, Member, Quote, State } from "./model";

const SECONDS = 15_000;

/** An answer that is none: its code, and when to try again. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly extra: Readonly<Record<string, unknown>> = {},
    readonly retryAfter = 0,
  ) {
    super(code);
  }
}

export class Api {
  readonly #base: string;
  readonly #key: string;

  constructor(base: string, key: string) {
    this.#base = base;
    this.#key = key;
  }

  about(): Promise<About> {
    return this.#ask("GET", "");
  }

  byPhone(phone: string, locale: string): Promise<ByCode> {
    return this.#ask("POST", "/sign-ins", { phone, locale });
  }

  byMessenger(messenger: string): Promise<ByLink> {
    return this.#ask("POST", "/sign-ins", { messenger });
  }

  async state(signIn: string): Promise<State> {
    const found = await this.#ask<{ state: State }>("GET", `/sign-ins/${encoded(signIn)}`);
    return found.state;
  }

  async enter(signIn: string, proof: object): Promise<Member> {
    const path = `/sign-ins/${encoded(signIn)}/session`;
    const entered = await this.#ask<Entered>("POST", path, proof);
    this.#token = entered.token;
    return entered.member;
  }

  /** Who is signed in here; null: nobody, or not any more. */
  async member(): Promise<Member | null> {
    if (!this.#token) return null;
    try {
      return (await this.#ask<{ member: Member }>("GET", "/session")).member;
    } catch (error) {
      if (!isOver(error)) throw error;
      this.#token = null;
      return null;
    }
  }

  async leave(): Promise<void> {
    try {
      await this.#ask("DELETE", "/session");
    } catch (error) {
      if (!isOver(error)) throw error;
    }
    this.#token = null;
  }

  forgetSession(): void {
    this.#token = null;
  }

  quote(cart: Cart, signal: AbortSignal): Promise<Quote> {
    return this.#ask("POST", "/quotes", cart, signal);
  }

  get #token(): string | null {
    return stored().getItem(`vezde.session.${this.#key}`) ?? null;
  }

  set #token(token: string | null) {
    const name = `vezde.session.${this.#key}`;
    if (token === null) stored().removeItem(name);
    else stored().setItem(name, token);
  }

  async #ask<T>(method: string, path: string, body?: object, signal?: AbortSignal): Promise<T> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#key}` };
    if (body) headers["Content-Type"] = "application/json";
    const token = this.#token;
    if (token && (path === "/session" || path === "/quotes")) headers["Vezde-Session"] = token;
    const patience = AbortSignal.timeout(SECONDS);
    let answer: Response;
    try {
      answer = await fetch(`${this.#base}/v1/widget${path}`, {
        method,
        headers,
        body: body ? JSON.stringify(body) : null,
        signal: signal ? AbortSignal.any([signal, patience]) : patience,
        credentials: "omit",
        referrerPolicy: "no-referrer",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new Refused(0, "unreachable");
    }
    if (answer.status === 204) return undefined as T;
    const content = await answer.json().catch(() => null);
    if (answer.ok && content !== null) return content as T;
    const retryAfter = Number(answer.headers.get("Retry-After")) || 0;
    throw new Refused(answer.status, content?.code ?? "unreachable", content ?? {}, retryAfter);
  }
}

export function isOver(error: unknown): boolean {
  return error instanceof Refused && error.code === "session_over";
}

function encoded(part: string): string {
  return encodeURIComponent(part);
}

/** A browser may refuse storage; then one signs in for the page alone. */
const inMemory = new Map<string, string>();
function stored(): Pick<Storage, "getItem" | "setItem" | "removeItem"> {
  try {
    return localStorage;
  } catch {
    return {
      getItem: (name) => inMemory.get(name) ?? null,
      setItem: (name, value) => void inMemory.set(name, value),
      removeItem: (name) => void inMemory.delete(name),
    };
  }
}
