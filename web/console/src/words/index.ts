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
let ahead = 0;

/** Instants are told in the programme's zone and by its clock, wherever who reads them sits. */
export function showIn(timezone: string, programmeNow: string): void {
  zone = timezone;
  ahead = Date.parse(programmeNow) - Date.now();
}

function now(): number {
  return Date.now() + ahead;
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

const AGO = new Intl.RelativeTimeFormat(locale, { numeric: "always" });

/** How long something has waited: "2 ч назад". */
export function since(instant: string): string {
  const minutes = Math.max(0, Math.round((now() - Date.parse(instant)) / 60_000));
  if (minutes < 1) return say.justNow;
  if (minutes < 60) return AGO.format(-minutes, "minute");
  if (minutes < 48 * 60) return AGO.format(-Math.round(minutes / 60), "hour");
  return AGO.format(-Math.round(minutes / 60 / 24), "day");
}

/** A till's own time, which is of no zone. */
export function wall(text: string): string {
  return when(new Date(`${text.slice(0, 19)}Z`), "UTC", locale, {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
  });
}

/** A day of the programme: "21 нояб.". */
export function shortDay(day: string): string {
  return when(new Date(`${day}T12:00:00Z`), "UTC", locale, { day: "numeric", month: "short" });
}

/** A share: "99,83 %"; never rounded up to a whole that it is not. */
export function percent(share: number): string {
  const shown = share < 1 ? Math.floor(share * 10_000) / 10_000 : 1;
  return new Intl.NumberFormat(locale === "en" ? "en-GB" : "ru-RU", {
    style: "percent",
    maximumFractionDigits: 2,
  }).format(shown);
}
