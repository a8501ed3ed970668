/** What the API answers (docs/reference/contract.md, "Widget, till, operators"). */

export interface About {
  brand: string;
  point_value_kopecks: number;
  enrols: boolean;
  consent: Document;
  messengers: string[];
  sms: boolean;
}

export interface Document {
  version: string;
  url: string | null;
}

export interface Member {
  name: string | null;
  level: string | null;
  points: {
    active: number;
    pending: number;
    held: number;
    next_expiry: { points: number; at: string } | null;
    point_value_kopecks: number;
  };
}

export interface ByCode {
  sign_in_id: string;
  how: "code";
  digits: number;
  expires_at: string;
  again_at: string;
}

export interface ByLink {
  sign_in_id: string;
  how: "link";
  url: string;
  number: number;
  expires_at: string;
}

export type State = "waiting" | "proved" | "declined" | "used" | "expired";

export interface Entered {
  token: string;
  expires_at: string;
  member: Member;
}

export interface Line {
  sku: string;
  quantity: number;
  price_kopecks: number;
  min_price_kopecks?: number;
  earnable?: boolean;
  burnable?: boolean;
}

/** What the page is about to sell; the shop's server has the last word on prices. */
export interface Cart {
  lines: Line[];
  delivery_kopecks?: number;
}

export interface Quote {
  quote_id: string;
  expires_at: string;
  point_value_kopecks: number;
  min_points?: number;
  max_points: number;
  earn_points: number;
  reasons: { code: string; because: string; line: number | null }[];
}

/** `detail` of the event `vezde-points`: what the page hands to the shop's server. */
export interface Chosen {
  quote_id: string | null;
  points: number;
  pay_kopecks: number;
}
