"""What a member reads when a receipt brings no points yet: what happened, and what to do next."""

from typing import Final

from vezde.receipts.model import Reason

TEXTS: Final[dict[str, dict[Reason, str]]] = {
    "ru": {
        Reason.ALREADY_REGISTERED: "Вы уже показывали этот чек — он у нас, второй раз не нужно.",
        Reason.TAKEN: (
            "Этот чек уже зарегистрирован другим участником. Если он ваш, напишите в поддержку — "
            "разберёмся."
        ),
        Reason.NOT_FISCAL_QR: (
            "Это не код кассового чека. Нужен QR-код, который печатает касса, — обычно внизу чека."
        ),
        Reason.BAD_QR: (
            "Код похож на чековый, но прочитался не полностью. Снимите его крупнее или введите "
            "данные чека вручную."
        ),
        Reason.UNREADABLE_IMAGE: (
            "Не получилось разглядеть QR-код. Разгладьте чек, снимите ближе и при хорошем свете — "
            "или введите данные вручную."
        ),
        Reason.WRONG_OPERATION: (
            "Это не чек покупки, а возврат или выплата. Пришлите чек, который дали при покупке."
        ),
        Reason.TOO_OLD: (
            "Этому чеку слишком много дней, баллы за него уже не начислить. Присылайте чеки сразу "
            "после покупки."
        ),
        Reason.FROM_FUTURE: (
            "На чеке дата, которая ещё не наступила. Проверьте дату и пришлите чек ещё раз."
        ),
        Reason.NOT_OURS: (
            "Чек настоящий, но наших товаров мы в нём не нашли. Если они там есть, напишите в "
            "поддержку."
        ),
        Reason.DAILY_LIMIT: (
            "На сегодня это все чеки, которые можно зарегистрировать. Этот чек баллов не принёс."
        ),
        Reason.CORRECTION: (
            "Это чек коррекции: им касса исправляла ошибку. Пришлите чек, который дали при покупке."
        ),
        Reason.ADVANCE: (
            "Это чек предоплаты. Пришлите второй чек, когда заберёте заказ, — и баллы ваши."
        ),
        Reason.DOUBTFUL_MATCH: (
            "Мы не до конца узнали товар в чеке и проверяем его вручную. Сообщим, как только решим."
        ),
        Reason.NOT_FOUND: (
            "Такого чека в налоговой не нашлось. Проверьте дату, сумму и номера на чеке и пришлите "
            "его ещё раз."
        ),
        Reason.FORGED: "Данные чека не сходятся с документом в налоговой.",
        Reason.WITHDRAWN: "Участник вышел из программы раньше, чем чек был решён.",
    },
    "en": {
        Reason.ALREADY_REGISTERED: "You have shown this receipt before; once is enough.",
        Reason.TAKEN: (
            "Another member has registered this receipt. If it is yours, write to support and we "
            "will sort it out."
        ),
        Reason.NOT_FISCAL_QR: (
            "This is not a receipt's code. We need the QR code that the till prints, usually at "
            "the bottom of the receipt."
        ),
        Reason.BAD_QR: (
            "This looks like a receipt's code but could not be read in full. Take it closer, or "
            "type the receipt's details."
        ),
        Reason.UNREADABLE_IMAGE: (
            "We could not make out the QR code. Smooth the receipt, come closer in good light, or "
            "type its details."
        ),
        Reason.WRONG_OPERATION: (
            "This is a refund or a payout, not a purchase. Send the receipt of the purchase."
        ),
        Reason.TOO_OLD: (
            "This receipt is too old to earn points. Send receipts soon after you buy."
        ),
        Reason.FROM_FUTURE: "The date of this receipt has not come yet. Check it and send again.",
        Reason.NOT_OURS: (
            "The receipt is real, but we found none of our products in it. If they are there, "
            "write to support."
        ),
        Reason.DAILY_LIMIT: ("That is all the receipts for today. This one has brought no points."),
        Reason.CORRECTION: (
            "This is a correction by the till. Send the receipt you were given when you bought."
        ),
        Reason.ADVANCE: (
            "This is the receipt of a prepayment. Send the second one when you collect your order, "
            "and the points are yours."
        ),
        Reason.DOUBTFUL_MATCH: (
            "We are not quite sure of the product and are checking it by hand. We will let you "
            "know."
        ),
        Reason.NOT_FOUND: (
            "The tax service knows no such receipt. Check the date, the sum and the numbers, and "
            "send it again."
        ),
        Reason.FORGED: "The receipt's details disagree with the tax service's document.",
        Reason.WITHDRAWN: "The member left the programme before the receipt was decided.",
    },
}


def text(reason: Reason, locale: str) -> str:
    """The sentence for a member in `ru` or `en`; any other locale reads English."""
    return TEXTS.get(locale.split("-", maxsplit=1)[0], TEXTS["en"])[reason]
