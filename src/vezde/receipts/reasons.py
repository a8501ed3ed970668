"""What a member reads when a receipt brings no points yet: what happened, and what to do next."""

from typing import Final

from vezde.receipts.model import Note, Reason

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
            "Это не чек покупки, а выплата. Пришлите чек, который дали при покупке."
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
        Reason.QUARANTINED: (
            "Чек у нас, его посмотрит человек: так мы проверяем некоторые чеки. Делать ничего не "
            "нужно — баллы начислим по дню покупки и напишем."
        ),
        Reason.DECLINED: (
            "Мы посмотрели этот чек и не смогли его засчитать. Если вы сами это купили, напишите в "
            "поддержку — разберёмся."
        ),
        Reason.SELLER_BLOCKED: (
            "Чеки этого продавца в программе не участвуют. Покупки в других местах — с радостью."
        ),
        Reason.NOT_YET: (
            "Магазин ещё не передал этот чек в налоговую, так бывает. Спросим снова сами, до 30 "
            "дней, и напишем."
        ),
        Reason.NOT_FOUND: (
            "Такого чека в налоговой не нашлось. Проверьте дату, сумму и номера на чеке и пришлите "
            "его ещё раз."
        ),
        Reason.FORGED: "Данные чека не сходятся с документом в налоговой.",
        Reason.WITHDRAWN: "Участник вышел из программы раньше, чем чек был решён.",
        Reason.RETURNED: (
            "Возврат учтён. Если за эти товары были начислены баллы, мы их сняли; остальные "
            "покупки это не затронет."
        ),
        Reason.LAPSED: (
            "Второй чек за этот заказ так и не пришёл, и мы перестали его ждать. Если заказ вы "
            "забрали, пришлите чек выдачи — баллы начислим по нему."
        ),
        Reason.MOVED: (
            "Мы разобрались с этим чеком: покупку по нему подтвердил другой участник. Если чек всё "
            "же ваш, пришлите фото бумажного чека или код с упаковки."
        ),
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
            "This is a payout, not a purchase. Send the receipt of the purchase."
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
        Reason.QUARANTINED: (
            "We have the receipt and a person will look at it, as we do with some. There is "
            "nothing you need to do: the points will count from the day of the purchase, and we "
            "will write."
        ),
        Reason.DECLINED: (
            "We looked at this receipt and could not accept it. If you did buy this yourself, "
            "write to support and we will sort it out."
        ),
        Reason.SELLER_BLOCKED: (
            "Receipts of this seller take no part in the programme. Those of other places are "
            "welcome."
        ),
        Reason.NOT_YET: (
            "The shop has not passed this receipt to the tax service yet; it happens. We will ask "
            "again for up to 30 days, and write."
        ),
        Reason.NOT_FOUND: (
            "The tax service knows no such receipt. Check the date, the sum and the numbers, and "
            "send it again."
        ),
        Reason.FORGED: "The receipt's details disagree with the tax service's document.",
        Reason.WITHDRAWN: "The member left the programme before the receipt was decided.",
        Reason.RETURNED: (
            "The return is noted. If these goods had brought points, we have taken those back; "
            "your other purchases stay as they are."
        ),
        Reason.LAPSED: (
            "The second receipt of this order never came, so we stopped waiting. If you did "
            "collect the order, send the receipt you were given: the points come by that one."
        ),
        Reason.MOVED: (
            "We looked into this receipt: another member proved the purchase. If it is yours after "
            "all, send a photo of the paper receipt or the code on the pack."
        ),
    },
}


# What it was instead of a receipt, where that is known: kinder than that it was none.
NOTES: Final[dict[str, dict[Note, str]]] = {
    "ru": {
        Note.EGAIS: (
            "Это код ЕГАИС: он подтверждает, что напиток легальный. Рядом на чеке должен быть ещё "
            "один QR-код, кассовый, — пришлите его."
        ),
        Note.SBP: (
            "Это код для оплаты по СБП. Когда покупка оплачена, касса печатает чек со своим "
            "QR-кодом — пришлите его."
        ),
        Note.KAZAKHSTAN: (
            "Похоже, это чек из Казахстана. Пока мы умеем проверять только российские чеки."
        ),
        Note.BELARUS: (
            "Похоже, это чек из Беларуси. Пока мы умеем проверять только российские чеки."
        ),
        Note.ABROAD: (
            "Похоже, это чек не из России. Пока мы умеем проверять только российские чеки."
        ),
        Note.BLURRED: (
            "Снимок вышел смазанным, код не прочитать. Подержите телефон неподвижно и снимите код "
            "ближе — или введите данные чека текстом."
        ),
        Note.NO_CODE: (
            "На снимке не нашлось QR-кода. Он обычно внизу чека; если его нет совсем, введите "
            "данные чека текстом."
        ),
        Note.LOCKED: "Этот PDF закрыт паролем. Пришлите его без пароля или снимок экрана с чеком.",
        Note.TOO_LARGE: (
            "Файл слишком большой. Пришлите обычное фото чека или один чек без остальных страниц."
        ),
        Note.LOGIN: (
            "По этой ссылке чек видно только вам. Откройте его, сохраните как PDF или сделайте "
            "снимок экрана — и пришлите сюда."
        ),
        Note.LINK_FAILED: (
            "Не получилось открыть чек по ссылке. Откройте его сами и пришлите снимок экрана с "
            "QR-кодом."
        ),
        Note.OTHER_FILE: (
            "Такой файл мы не умеем читать. Подойдут фото, PDF, выгрузка из приложения «Проверка "
            "чеков» или письмо с чеком."
        ),
    },
    "en": {
        Note.EGAIS: (
            "This is the EGAIS code, which says that a drink is legal. The receipt has another QR "
            "code, the till's own: send that one."
        ),
        Note.SBP: (
            "This code is for paying by SBP. Once you have paid, the till prints a receipt with a "
            "QR code of its own: send that one."
        ),
        Note.KAZAKHSTAN: (
            "This looks like a receipt from Kazakhstan. So far we can only check Russian ones."
        ),
        Note.BELARUS: (
            "This looks like a receipt from Belarus. So far we can only check Russian ones."
        ),
        Note.ABROAD: (
            "This receipt does not seem to be from Russia. So far we can only check Russian ones."
        ),
        Note.BLURRED: (
            "The picture is blurred and the code cannot be read. Hold the phone still and come "
            "closer, or type the receipt's details."
        ),
        Note.NO_CODE: (
            "There is no QR code in the picture. It is usually at the bottom; if there is none at "
            "all, type the receipt's details."
        ),
        Note.LOCKED: "This PDF has a password. Send it without one, or a screenshot.",
        Note.TOO_LARGE: (
            "The file is too large. Send a plain photo of the receipt, or one receipt by itself."
        ),
        Note.LOGIN: (
            "Only you can open the receipt at this link. Open it, save it as a PDF or take a "
            "screenshot, and send that."
        ),
        Note.LINK_FAILED: (
            "We could not open the receipt at this link. Open it yourself and send a screenshot "
            "with the QR code."
        ),
        Note.OTHER_FILE: (
            "We cannot read such a file. A photo, a PDF, an export of the tax service's app or a "
            "letter with a receipt will do."
        ),
    },
}


def text(reason: Reason, locale: str, note: Note | None = None) -> str:
    """The sentence for a member in `ru` or `en`; any other locale reads English."""
    language = locale.split("-", maxsplit=1)[0]
    if note is not None:
        return NOTES.get(language, NOTES["en"])[note]
    return TEXTS.get(language, TEXTS["en"])[reason]
