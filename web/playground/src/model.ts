/** What the fake messenger and the sandbox answer; shapes of `vezde.testing.telegram.views`. */

import type { Words } from "@vezde/shared/locale";

export interface Person {
  id: number;
  first_name: string;
  phone: string;
  language_code: string;
}

export interface Entity {
  type: string;
  offset: number;
  length: number;
  url?: string;
  language?: string;
}

export interface InlineButton {
  text: string;
  callback_data?: string;
  url?: string;
  web_app?: { url: string };
}

export interface KeyboardButton {
  text: string;
  request_contact?: boolean;
}

export interface Keyboard {
  keyboard?: KeyboardButton[][];
}

export interface Picture {
  url: string;
  width: number;
  height: number;
}

export interface Message {
  message_id: number;
  chat_id: number;
  date: number;
  edit_date?: number;
  mine: boolean;
  text?: string;
  entities?: Entity[];
  caption?: string;
  caption_entities?: Entity[];
  photo?: Picture;
  document?: { url: string; name: string; size: number };
  contact?: { phone_number: string; first_name: string; user_id?: number };
  media_group_id?: string;
  inline_keyboard?: InlineButton[][];
}

export interface Command {
  command: string;
  description: string;
}

export interface Chat {
  chat_id: number;
  title: string;
  started: boolean;
  blocked: boolean;
  keyboard: Keyboard | null;
  commands: Command[];
  messages: Message[];
  seq: number;
}

export interface Change {
  seq: number;
  kind: string;
  chat_id: number;
  message?: Message;
  message_id?: number;
  keyboard?: Keyboard | null;
  action?: string;
  blocked?: boolean;
  text?: string;
  show_alert?: boolean;
  callback_id?: string;
}

export interface PaperLine {
  name: string | null;
  quantity: number;
  price_kopecks: number;
  sum_kopecks: number;
  paid_ahead: boolean;
}

export interface Paper {
  seller: string | null;
  inn: string;
  place: string | null;
  address: string | null;
  online: boolean;
  operation: number;
  correction: boolean;
  time: string;
  lines: PaperLine[];
  total_kopecks: number;
  prepaid_kopecks: number;
  fn: string;
  fd: number;
  fp: number;
}

export interface Card {
  name: string;
  title: Words;
  shows: Words;
  blurred: boolean;
  taken: boolean;
  modules: string[];
  paper: Paper | null;
}

export interface Sandbox {
  now: string;
  moved_seconds: number;
  next_event: string | null;
  zone: string;
  brand: string | null;
}

export interface SeenReceipt {
  id: string;
  status: string;
  reason: string | null;
  place: string | null;
  channel: string | null;
  total_kopecks: number | null;
  pending: number;
  active: number;
  active_at: string | null;
  lines: { sku: string; method: string | null; points: number }[];
}

export interface SeenMember {
  id: string;
  since: string;
  phone: string | null;
  source: string | null;
  points: { active: number; pending: number };
  consents: { purpose: string; given_at: string }[];
  receipts: SeenReceipt[];
  history: { seq: number; kind: string; points: number; title: string; at: string }[];
}
