import { Refused } from "@vezde/shared/http";
import {
  type Locale,
  number as numberIn,
  plural as pluralIn,
  rubles,
  savedLocale,
  saveLocale,
  when,
} from "@vezde/shared/locale";
import { EN } from "./en";
import { RU } from "./ru";

export const locale: Locale = savedLocale();
export const say = locale === "en" ? EN : RU;

/** The other language; the page is read anew in it. */
export function otherLocale(): void {
  saveLocale(locale === "en" ? "ru" : "en");
  location.reload();
}

export function trouble(error: unknown): string {
  const known = error instanceof Refused ? say.errors[error.code] : undefined;
  return known ?? say.errors.failed ?? "";
}

export function number(value: number): string {
  return numberIn(value, locale);
}

export function money(kopecks: number): string {
  return rubles(kopecks, locale);
}

export function plural(count: number, forms: readonly [string, string, string]): string {
  return `${number(count)} ${pluralIn(count, locale, forms)}`;
}

let zone = "Europe/Moscow";

/** Instants are told in the programme's zone, wherever who reads them sits. */
export function showIn(timezone: string): void {
  zone = timezone;
}

export function day(instant: string): string {
  return when(new Date(instant), zone, locale, { day: "numeric", month: "long", year: "numeric" });
}

export function moment(instant: string): string {
  return when(new Date(instant), zone, locale, {
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  });
}
