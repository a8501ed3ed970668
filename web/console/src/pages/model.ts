/** What the routes of moderation answer. */

export interface Guess {
  product_sku: string;
  name: string;
  size: string | null;
  shade: string | null;
  price_kopecks: number | null;
  score: number;
  agrees: string[];
  lacks: string[];
  size_agrees: boolean | null;
}

export interface PaperLine {
  line: number;
  name: string | null;
  quantity: number;
  sum_kopecks: number;
  product_sku: string | null;
  in_doubt: boolean;
}

export type LookKind = "doubt" | "audit" | "first";

export interface Look {
  receipt_id: string;
  line: number;
  kind: LookKind;
  turn: number;
  since: string;
  due_at: string;
  late: boolean;
  printed: string;
  quantity: number;
  sum_kopecks: number;
  accepted_sku: string | null;
  method: string | null;
  score: number;
  line_certain: boolean;
  guesses: Guess[];
  alike: number;
  photo: "kept" | "coming" | "none";
  seller: {
    inn: string | null;
    name: string | null;
    kind: string | null;
    sales_channel: string | null;
  };
  receipt: {
    id: string;
    status: string;
    wall_time: string | null;
    total_kopecks: number | null;
    address: string | null;
    lines: PaperLine[];
    lines_in_all: number;
  };
}

export interface Queue {
  items: Look[];
  next_cursor: string | null;
  waiting: { kind: LookKind; lines: number; since: string; late: boolean }[];
  promised_hours: number;
}

export interface Decided {
  decision_id: string;
  lines: number;
  skipped: number;
  left: boolean;
}

export interface Product {
  sku: string;
  name: string;
  brand: string;
  size: string | null;
  shade: string | null;
  price_kopecks: number | null;
}

export interface Alias {
  seller_inn: string;
  name: string;
  printed: string;
  product_sku: string | null;
  product_name: string | null;
  learned_at: string;
  learned_by: string;
}

export type Stance = "trusted" | "watched" | "blocked";

export interface Seller {
  inn: string;
  name: string | null;
  kind: string;
  sales_channel: string;
  known: boolean;
  first_seen_at: string | null;
  stance: Stance | null;
  stance_note: string | null;
}

export const keyOf = (look: Look) => `${look.receipt_id}/${look.line}`;
