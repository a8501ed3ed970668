/** The two doors behind the page: the fake messenger's people, and the sandbox around them. */

import { get, post } from "@vezde/shared/http";
import type { Card, Chat, Message, Person, Sandbox, SeenMember } from "./model";

const SIM = "/playground/sim";
const API = "/playground/api";

export const people = () => get<Person[]>(`${SIM}/users`);

export const addPerson = (person: Partial<Person>) => post<Person>(`${SIM}/users`, person);

export const chat = (person: number) => get<Chat>(`${SIM}/users/${person}/messages`);

export const start = (person: number, payload: string) =>
  post<Message>(`${SIM}/users/${person}/start`, { payload });

export const say = (person: number, text: string) =>
  post<Message>(`${SIM}/users/${person}/text`, { text });

export const showPhoto = (person: number, photo: Blob) =>
  post<Message>(`${SIM}/users/${person}/photo`, photo);

export function showPhotos(person: number, photos: readonly File[]) {
  const form = new FormData();
  for (const photo of photos) form.append("photo", photo, photo.name);
  return post<unknown>(`${SIM}/users/${person}/photo`, form);
}

export function sendDocument(person: number, file: File) {
  const form = new FormData();
  form.append("as", "document");
  form.append("document", file, file.name);
  return post<Message>(`${SIM}/users/${person}/document`, form);
}

/** Somebody else's contact, as a card picked from the phone's own list. */
export const shareContact = (person: number, of: Person) =>
  post<Message>(`${SIM}/users/${person}/contact`, {
    phone: of.phone.replace("+", ""),
    first_name: of.first_name,
    user_id: of.id,
  });

export const tap = (person: number, text: string, message?: number) =>
  post<{ did: string }>(`${SIM}/users/${person}/tap`, {
    text,
    ...(message === undefined ? {} : { message_id: message }),
  });

export const block = (person: number, blocked: boolean) =>
  post<unknown>(`${SIM}/users/${person}/${blocked ? "block" : "unblock"}`);

/** Where the messenger keeps a file, by the address in a message. */
export const fileUrl = (url: string) => (url.startsWith("/sim/") ? `/playground${url}` : url);

export const events = (since: number) => new EventSource(`${SIM}/events?since=${since}`);

export const sandbox = () => get<Sandbox>(`${API}/state`);

export const samples = () => get<Card[]>(`${API}/samples`);

export const takeFirst = (card: Card) => post<unknown>(`${API}/samples/${card.name}/taken`);

export const ahead = (jump: { advance: string } | { to: "next" }) =>
  post<Sandbox>(`${API}/clock`, jump);

export const reset = () => post<Sandbox>(`${API}/reset`);

export const member = (person: number) =>
  get<{ member: SeenMember | null }>(`${API}/members/${person}`);
