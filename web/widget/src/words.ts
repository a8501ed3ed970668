/** What the widget says. */

import { type Locale, number, plural, rubles } from "@vezde/shared/locale";
import { Refused } from "./api";

const POINTS = {
  ru: ["балл", "балла", "баллов"],
  en: ["point", "points", "points"],
} as const;

const RU = {
  title: (brand: string) => (brand ? `Баллы «${brand}»` : "Баллы"),
  invite: "Войдите, чтобы видеть баллы и платить ими.",
  inviteNew: "Войдите или вступите в программу: баллы можно тратить до 100 % покупки.",
  telegram: "Войти через Telegram",
  or: "или по номеру телефона",
  phone: "Телефон",
  getCode: "Получить код",
  codeSent: "Отправили код — в бот, где вы есть, или по SMS.",
  code: "Код из сообщения",
  enter: "Войти",
  again: "Отправить ещё раз",
  againIn: (seconds: number) => `Ещё раз — через ${seconds} с`,
  back: "Назад",
  scan: "Откройте бот на этом устройстве или наведите камеру телефона на код.",
  open: "Открыть бот",
  sameNumber: "В боте будет это же число:",
  waiting: "Ждём подтверждения…",
  qr: "QR-код со ссылкой на бот",
  consentTitle: "Ещё один шаг",
  consent: "Я согласен на обработку персональных данных",
  document: "Прочитать документ",
  join: "Вступить",
  hello: (name: string | null) => (name ? `Здравствуйте, ${name}!` : "Здравствуйте!"),
  balance: "На счёте",
  pending: (points: string) => `ещё ${points} скоро станут активны`,
  held: (points: string) => `${points} отложены для заказа`,
  expiry: (points: string, day: string) => `${points} действуют до ${day}`,
  spend: "Списать баллы",
  none: "Не тратить",
  all: "Списать всё",
  pay: "К оплате",
  earn: (points: string) => `За заказ придёт до ${points}`,
  nothing: "Этот заказ баллами не оплатить.",
  least: (points: string) => `Списать можно от ${points}.`,
  counting: "Считаем…",
  leave: "Выйти",
  retry: "Попробовать ещё раз",
  loading: "Загружаем…",
  errors: {
    wrong_code: "Код не подошёл. Проверьте и введите ещё раз.",
    sign_in_over: "Время вышло. Начните сначала.",
    declined: "Вход отклонён в боте.",
    not_a_member: "С этим номером пока никого нет. Вступите в программу в боте.",
    invalid_phone: "Проверьте номер: нужен телефон с кодом страны.",
    messenger_closed: "Вход через Telegram здесь не открыт. Войдите по номеру.",
    session_over: "Вы вышли. Войдите снова.",
    too_often: "Слишком много попыток. Подождите немного.",
    too_often_minutes: (minutes: number) =>
      `Слишком много попыток. Попробуйте через ${minutes} мин.`,
    origin_refused: "Виджет не настроен для этого сайта.",
    unauthenticated: "Виджет не настроен для этого сайта.",
    unreachable: "Баллы сейчас недоступны. Заказ можно оформить и без них.",
  },
};

const EN: typeof RU = {
  title: (brand) => (brand ? `${brand} points` : "Points"),
  invite: "Sign in to see your points and pay with them.",
  inviteNew: "Sign in or join: points can pay for up to 100% of an order.",
  telegram: "Sign in with Telegram",
  or: "or by phone number",
  phone: "Phone",
  getCode: "Get a code",
  codeSent: "We sent a code: in the bot you use, or by SMS.",
  code: "Code from the message",
  enter: "Sign in",
  again: "Send it again",
  againIn: (seconds) => `Again in ${seconds} s`,
  back: "Back",
  scan: "Open the bot on this device, or point your phone's camera at the code.",
  open: "Open the bot",
  sameNumber: "The bot will show this number, too:",
  waiting: "Waiting for you to confirm…",
  qr: "QR code with a link to the bot",
  consentTitle: "One more step",
  consent: "I agree to the processing of my personal data",
  document: "Read the document",
  join: "Join",
  hello: (name) => (name ? `Hello, ${name}!` : "Hello!"),
  balance: "You have",
  pending: (points) => `${points} more to come`,
  held: (points) => `${points} held for an order`,
  expiry: (points, day) => `${points} valid until ${day}`,
  spend: "Spend points",
  none: "Spend none",
  all: "Spend all",
  pay: "To pay",
  earn: (points) => `This order earns up to ${points}`,
  nothing: "Points cannot pay for this order.",
  least: (points) => `You can spend from ${points}.`,
  counting: "Counting…",
  leave: "Sign out",
  retry: "Try again",
  loading: "Loading…",
  errors: {
    wrong_code: "That is not the code. Check it and try again.",
    sign_in_over: "The time is over. Start again.",
    declined: "Signing in was declined in the bot.",
    not_a_member: "Nobody has this number yet. Join in the bot.",
    invalid_phone: "Check the number: it needs a country code.",
    messenger_closed: "Telegram is not open here. Sign in by phone.",
    session_over: "You are signed out. Sign in again.",
    too_often: "Too many attempts. Wait a little.",
    too_often_minutes: (minutes) => `Too many attempts. Try again in ${minutes} min.`,
    origin_refused: "The widget is not set up for this site.",
    unauthenticated: "The widget is not set up for this site.",
    unreachable: "Points are not available just now. You can order without them.",
  },
};

export type Words = typeof RU;

export function words(locale: Locale): Words {
  return locale === "en" ? EN : RU;
}

export function points(count: number, locale: Locale): string {
  return `${number(count, locale)} ${plural(count, locale, POINTS[locale])}`;
}

/** The last day points are good: `at` is the instant they are not any more. */
export function lastDay(at: string, locale: Locale): string {
  const last = new Date(new Date(at).getTime() - 1);
  const tag = locale === "en" ? "en-GB" : "ru-RU";
  return new Intl.DateTimeFormat(tag, { day: "numeric", month: "long", year: "numeric" }).format(
    last,
  );
}

export function money(kopecks: number, locale: Locale): string {
  return rubles(kopecks, locale);
}

/** What went wrong, for the visitor. */
export function trouble(error: unknown, say: Words): string {
  if (!(error instanceof Refused)) return say.errors.unreachable;
  if (error.code === "too_often" && error.retryAfter >= 60) {
    return say.errors.too_often_minutes(Math.ceil(error.retryAfter / 60));
  }
  const known = (say.errors as Record<string, unknown>)[error.code];
  return typeof known === "string" ? known : say.errors.unreachable;
}
