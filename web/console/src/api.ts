/** The console's routes; the session is a cookie that scripts cannot read. */

import { get, post, put, Refused, remove } from "@vezde/shared/http";

export type Role = "cashier" | "operator" | "marketer" | "analyst" | "admin";
export type Right =
  | "today"
  | "quality"
  | "tune"
  | "moderate"
  | "troubles"
  | "adjust"
  | "people"
  | "journal";

export interface Session {
  operator: { id: string; name: string; role: Role; rights: Right[] };
  expires_at: string;
  programme: string | null;
  timezone: string;
  /** The programme's clock, which a sandbox moves ahead. */
  now: string;
  sandbox: boolean;
}

export interface Person {
  id: string;
  name: string;
  role: Role;
  since: string;
  left_at: string | null;
}

export interface Entry {
  id: string;
  who: string;
  what: string;
  at: string;
  member_id: string | null;
  details: Record<string, unknown>;
}

export interface PageOf<Item> {
  items: Item[];
  next_cursor: string | null;
}

export const ROOT = "/v1/console";

let over = () => {};

/** What to do when the session is over, wherever that is noticed. */
export function whenOver(then: () => void): void {
  over = then;
}

async function watched<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Refused && error.status === 401) over();
    throw error;
  }
}

export const api = {
  session: () => get<Session>(`${ROOT}/session`),
  enter: (by: { link: string } | { code: string }) => post<Session>(`${ROOT}/sessions`, by),
  askCode: (phone: string) => post<{ expires_at: string }>("/v1/till/codes", { phone }),
  leave: () => remove(`${ROOT}/session`),
  get: <T>(path: string) => watched(get<T>(`${ROOT}${path}`)),
  post: <T>(path: string, body: object = {}, key: string = crypto.randomUUID()) =>
    watched(post<T>(`${ROOT}${path}`, body, { "Idempotency-Key": key })),
  put: <T>(path: string, body: object) => watched(put<T>(`${ROOT}${path}`, body)),
  remove: (path: string) => watched(remove(`${ROOT}${path}`)),
};
