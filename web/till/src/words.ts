/** What the till says: short, for somebody with a queue before them. */

import { Refused } from "@vezde/shared/http";
import { type Locale, number, plural, rubles, savedLocale } from "@vezde/shared/locale";

const RU = {
  till: "Касса",
  code: "Код кассира",
  codeHint: "Восемь цифр: из бота, SMS или от администратора.",
  enter: "Войти",
  askTitle: "Нет кода?",
  yourPhone: "Ваш телефон",
  ask: "Прислать код",
  asked: "Если номер есть в списке кассиров, код уже пришёл.",
  leave: "Закончить смену",
  who: "Телефон или код с карты покупателя",
  find: "Найти",
  scan: "Навести камеру на карту",
  stop: "Закрыть камеру",
  noCamera: "Камера не открылась. Введите цифры с карты.",
  member: "Участник",
  level: "Уровень",
  active: "Можно потратить",
  pending: "Скоро добавятся",
  sum: "Сумма чека, ₽",
  spend: "Списать баллов",
  all: "Все",
  most: (points: string) => `Можно до ${points}`,
  none: "Этот чек баллами не оплатить.",
  toPay: "К оплате деньгами",
  take: (points: string) => `Списать ${points}`,
  nobody: "Подтвердить некому: у участника нет ни бота, ни SMS. Возьмите деньгами.",
  other: "Другой покупатель",
  adjust: "Начислить или снять вручную",
  adjustPoints: "Сколько баллов (снять — с минусом)",
  adjustReason: "Почему — для коллег",
  adjustDo: "Провести",
  adjusted: "Готово.",
  adjustWaits: "Это много: ждёт согласия другого оператора.",
  adjustsWaiting: "Ждут вашего согласия",
  agree: "Согласиться",
  disagree: "Отказать",
  waiting: "Ждём покупателя",
  inBot: "Ему пришёл вопрос в бот: нажать кнопку или назвать код.",
  bySms: "Ему пришёл код по SMS. Попросите назвать его.",
  smsCode: "Код покупателя",
  confirm: "Подтвердить",
  cancel: "Отменить",
  paid: "Баллы списаны",
  earned: (points: string) => `За покупку придёт ${points}`,
  next: "Следующий покупатель",
  again: "Ещё раз",
  failed: {
    declined: "Покупатель отказался",
    expired: "Время вышло",
    cancelled: "Отменено",
  },
  kept: "Баллы остались у покупателя.",
  errors: {
    member_not_found: "Такого участника нет. Проверьте номер.",
    card_unknown: "Карта устарела. Попросите открыть новую: /card в боте.",
    invalid_phone: "Проверьте номер.",
    wrong_code: "Код не подошёл.",
    operator_code_wrong: "Код не подошёл или устарел.",
    too_often: "Слишком много попыток. Подождите немного.",
    insufficient_points: "Баллов уже меньше. Посчитайте заново.",
    shift_over: "Смена закончилась. Войдите снова.",
    unauthenticated: "Смена закончилась. Войдите снова.",
    same_operator: "Свою корректировку утверждает кто-то другой.",
    adjustment_decided: "Её уже решил кто-то другой.",
    failed: "Не получилось. Попробуйте ещё раз.",
  },
};

const EN: typeof RU = {
  till: "Till",
  code: "Cashier's code",
  codeHint: "Eight digits: from the bot, an SMS or your administrator.",
  enter: "Sign in",
  askTitle: "No code?",
  yourPhone: "Your phone",
  ask: "Send me a code",
  asked: "If the number is a cashier's, the code is there.",
  leave: "End the shift",
  who: "Phone, or the code of the card",
  find: "Find",
  scan: "Scan the card",
  stop: "Close the camera",
  noCamera: "The camera did not open. Type the digits of the card.",
  member: "Member",
  level: "Level",
  active: "To spend",
  pending: "To come",
  sum: "Sum, ₽",
  spend: "Points to spend",
  all: "All",
  most: (points) => `Up to ${points}`,
  none: "Points cannot pay for this.",
  toPay: "To pay in money",
  take: (points) => `Take ${points}`,
  nobody: "Nobody to confirm: the member has neither bot nor SMS. Take money.",
  other: "Another customer",
  adjust: "Give or take by hand",
  adjustPoints: "How many points (below zero: taken)",
  adjustReason: "Why, for colleagues",
  adjustDo: "Do it",
  adjusted: "Done.",
  adjustWaits: "That is a lot: another operator has to agree.",
  adjustsWaiting: "Waiting for you to agree",
  agree: "Agree",
  disagree: "Refuse",
  waiting: "Waiting for the customer",
  inBot: "The bot asked them: to press a button or read out the code.",
  bySms: "They have a code by SMS. Ask them to read it out.",
  smsCode: "The customer's code",
  confirm: "Confirm",
  cancel: "Cancel",
  paid: "Points taken",
  earned: (points) => `This purchase earns ${points}`,
  next: "Next customer",
  again: "Again",
  failed: {
    declined: "The customer said no",
    expired: "The time is over",
    cancelled: "Cancelled",
  },
  kept: "The customer keeps the points.",
  errors: {
    member_not_found: "No such member. Check the number.",
    card_unknown: "The card is too old. Ask for a new one: /card in the bot.",
    invalid_phone: "Check the number.",
    wrong_code: "That is not the code.",
    operator_code_wrong: "That is not the code, or it is too old.",
    too_often: "Too many attempts. Wait a little.",
    insufficient_points: "There are fewer points now. Count again.",
    shift_over: "The shift is over. Sign in again.",
    unauthenticated: "The shift is over. Sign in again.",
    same_operator: "Somebody else has to agree to yours.",
    adjustment_decided: "Somebody decided it already.",
    failed: "That did not work. Try again.",
  },
};

export const locale: Locale = savedLocale();
export const say = locale === "en" ? EN : RU;

export function points(count: number): string {
  const forms: [string, string, string] =
    locale === "en" ? ["point", "points", "points"] : ["балл", "балла", "баллов"];
  return `${number(count, locale)} ${plural(count, locale, forms)}`;
}

export function signed(count: number, shown: string): string {
  return `${count < 0 ? "−" : "+"}${shown}`;
}

export function money(kopecks: number): string {
  return rubles(kopecks, locale);
}

export function trouble(error: unknown): string {
  const known =
    error instanceof Refused ? (say.errors as Record<string, string>)[error.code] : null;
  return known ?? say.errors.failed;
}
