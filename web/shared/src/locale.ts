/** Numbers, plurals and dates of the two languages; the rules are CLDR's, by `Intl`. */

export type Locale = "ru" | "en";
export type Words = Readonly<Record<Locale, string>>;

const KEY = "vezde.locale";
// English of a country that writes the day first and counts hours to 24, as the bot does.
const TAG: Words = { ru: "ru-RU", en: "en-GB" };

export function savedLocale(): Locale {
  const saved = localStorage.getItem(KEY);
  return saved === "en" ? "en" : "ru";
}

export function saveLocale(locale: Locale): void {
  localStorage.setItem(KEY, locale);
  document.documentElement.lang = locale;
}

/** `plural(3, "ru", ["балл", "балла", "баллов"])` -> "балла"; English takes the first and last. */
export function plural(count: number, locale: Locale, forms: readonly [string, string, string]) {
  const rule = new Intl.PluralRules(TAG[locale]).select(count);
  return rule === "one" ? forms[0] : rule === "few" ? forms[1] : forms[2];
}

export function number(value: number, locale: Locale): string {
  return new Intl.NumberFormat(TAG[locale]).format(value);
}

export function rubles(kopecks: number, locale: Locale): string {
  const whole = kopecks % 100 === 0;
  return new Intl.NumberFormat(TAG[locale], {
    style: "currency",
    currency: "RUB",
    currencyDisplay: "narrowSymbol",
    minimumFractionDigits: whole ? 0 : 2,
  }).format(kopecks / 100);
}

/** An instant in the programme's zone, as people say it. */
export function when(
  instant: Date,
  zone: string,
  locale: Locale,
  shown: Intl.DateTimeFormatOptions,
): string {
  return new Intl.DateTimeFormat(TAG[locale], { timeZone: zone, ...shown }).format(instant);
}
