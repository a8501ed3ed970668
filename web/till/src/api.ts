/** The till's routes; the operator's session is a cookie that scripts cannot read. */

import { get, post } from "@vezde/shared/http";

export interface Operator {
  operator: { id: string; name: string; role: string };
  expires_at: string;
}

export interface Member {
  member_id: string;
  name: string | null;
  level: string | null;
  points: { active: number; pending: number; held: number; point_value_kopecks: number };
  confirms_by: "bot" | "sms" | null;
}

export interface Quote {
  point_value_kopecks: number;
  min_points?: number;
  max_points: number;
  earn_points: number;
}

export type State = "asked" | "paid" | "declined" | "expired" | "cancelled";

export interface Payment {
  id: string;
  state: State;
  points: number;
  pay_kopecks: number;
  asked_by: "bot" | "sms";
  expires_at: string;
  earned: { points: number; active_at: string | null } | null;
}

export interface Adjustment {
  id: string;
  points: number;
  reason: string | null;
  state: "pending" | "done" | "refused";
}

const TILL = "/v1/till";

export const till = {
  session: () => get<Operator>(`${TILL}/session`),
  signIn: (code: string) => post<Operator>(`${TILL}/sessions`, { code }),
  askCode: (phone: string) => post<{ expires_at: string }>(`${TILL}/codes`, { phone }),
  signOut: () => fetch(`${TILL}/session`, { method: "DELETE" }),
  find: (by: { phone: string } | { card: string }) => post<Member>(`${TILL}/members`, by),
  quote: (member_id: string, total_kopecks: number) =>
    post<Quote>(`${TILL}/quotes`, { member_id, total_kopecks }),
  payment: (id: string) => get<Payment>(`${TILL}/payments/${encodeURIComponent(id)}`),
  confirm: (id: string, code: string) =>
    post<Payment>(`${TILL}/payments/${encodeURIComponent(id)}/code`, { code }),
  cancel: (id: string) => post<Payment>(`${TILL}/payments/${encodeURIComponent(id)}/cancel`),
  /** Of operators: points given, or below zero taken; large ones wait for another operator. */
  adjust: (member_id: string, points: number, reason: string, key: string) =>
    post<Adjustment>(
      `${TILL}/members/${encodeURIComponent(member_id)}/adjustments`,
      { points, reason },
      { "Idempotency-Key": key },
    ),
  waiting: () => get<{ items: Adjustment[] }>(`${TILL}/adjustments`),
  decide: (id: string, how: "approve" | "refuse") =>
    post<Adjustment>(`${TILL}/adjustments/${encodeURIComponent(id)}/${how}`),
  /** Pressed again after a broken connection it is the same payment: `key` names the attempt. */
  pay: (member_id: string, total_kopecks: number, points: number, key: string) =>
    post<Payment>(
      `${TILL}/payments`,
      { member_id, total_kopecks, points },
      {
        "Idempotency-Key": key,
      },
    ),
};
