"""Screens: what the bot shows, as functions of plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from vezde.bot.section import ConsentDocument
from vezde.checkout.operations.paying import Payment, PaymentState
from vezde.kit import i18n
from vezde.kit.i18n import Locale
from vezde.messaging import pictures
from vezde.messaging.model import Button, Keyboard, View
from vezde.messaging.templates import Lines, Money, Points
from vezde.program.model import Programme
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations.disputing import Dispute
from vezde.receipts.queries import Receipt
from vezde.receipts.reading.model import Excerpt

SHOPS = ("wildberries", "ozon", "market", "goldapple", "paper")
SHOWN_POINTS = 100
# How the details that people type are called; FIELDS of `receipts.qr.typed`.
DETAILS = {
    Locale.RU: {
        "fn": "ФН — 16 цифр",
        "fd": "ФД",
        "fp": "ФП (или ФПД)",
        "sum": "сумма чека",
        "date": "дата",
        "time": "время",
    },
    Locale.EN: {
        "fn": "FN (ФН), 16 digits",
        "fd": "FD (ФД)",
        "fp": "FP (ФП or ФПД)",
        "sum": "the total",
        "date": "the date",
        "time": "the time",
    },
}
PAID_AHEAD = frozenset({1, 2, 3})  # FFD tag 1214

# Every reason has its own screen; that a document is forged the member reads as not found.
REFUSED = {
    **{reason: f"receipt_{reason}" for reason in Reason},
    Reason.FORGED: f"receipt_{Reason.NOT_FOUND}",
}


def welcome(brand: str, programme: Programme, locale: Locale) -> View:
    """What points are worth, and one button."""
    pay = i18n.points(SHOWN_POINTS, programme.points_name.get(locale), locale)
    money = i18n.rubles(SHOWN_POINTS * programme.point_value_kopecks, locale)
    said = {"brand": brand, "points_pay": f"{pay} = {money}"}
    return View("welcome", said, ((Button("button_next", "next"),),))


def consent(brand: str, document: ConsentDocument, *, held: bool) -> View:
    """Consent to personal data, a step of its own with its document."""
    rows: list[tuple[Button, ...]] = []
    if document.url:
        rows.append((Button("button_document", url=document.url),))
    rows.append((Button("button_agree", "agree"), Button("button_later", "later")))
    return View("consent_ask_held" if held else "consent_ask", {"brand": brand}, tuple(rows))


def home(brand: str, active: int) -> View:
    said = {"brand": brand, "points": Points(active)}
    return View("welcome_back", said, (_account_buttons(),))


def checking(count: int = 1) -> View:
    if count == 1:
        return View("receipt_checking")
    return View("receipts_checking", {"count": count})


@dataclass(frozen=True)
class FileShown:
    """What a file held beside its new receipts: those known before, those nobody could read."""

    known: int
    unread: int


def typed_in_part(missing: Sequence[str], locale: Locale) -> View:
    """What is still to be said of a receipt whose details were typed."""
    names = [DETAILS[locale][one] for one in missing]
    return View("receipt_typed_in_part", {"missing": Lines(tuple(f"· {one}" for one in names))})


def receipts(
    shown: Sequence[Receipt],
    *,
    brand: str,
    zone: ZoneInfo,
    now: datetime,
    file: FileShown | None = None,
    promised: int = 0,
) -> View:
    """What became of the receipts that one message tells of; `file`: they came in one.

    `promised` are points set aside for one that is being checked.
    """
    if len(shown) == 1 and file is None:
        if promised and shown[0].status is Status.CHECKING and shown[0].reason is None:
            return View("receipt_promised", {"points": Points(promised)})
        return _receipt(shown[0], brand=brand, zone=zone, now=now)
    open_ = sum(one.status is Status.CHECKING for one in shown)
    if open_ == len(shown) and file is None:
        return checking(len(shown))
    accepted = sum(one.status is Status.ACCEPTED for one in shown)
    rejected = sum(one.status is Status.REJECTED for one in shown)
    total = sum(_points(one, now) for one in shown)
    said = {
        "count": len(shown),
        "points": Points(total, signed=bool(total)),
        "accepted": accepted,
        "waiting": len(shown) - accepted - rejected,
        "rejected": rejected,
    }
    if file is not None:
        said |= {"known": file.known, "unread": file.unread}
        return View("receipts_file", said, (_account_buttons(),))
    return View("receipts_several", said, (_account_buttons(),))


def _receipt(one: Receipt, *, brand: str, zone: ZoneInfo, now: datetime) -> View:
    match one.status:
        case Status.CHECKING:
            return View("receipt_not_yet") if one.reason is Reason.NOT_YET else checking()
        case Status.AWAITING_SETTLEMENT:
            return View("receipt_advance", buttons=((Button("button_help", "help"),),))
        case Status.IN_REVIEW if one.promised_at is not None:
            return View("receipt_quarantined", {"day": local_day(one.promised_at, zone)})
        case Status.IN_REVIEW:
            return View("receipt_in_review")
        case Status.ACCEPTED if one.reason is Reason.RETURNED:
            return View("receipt_returned")
        case Status.ACCEPTED:
            return _accepted(one, zone=zone, now=now)
    assert one.reason is not None, "what is rejected has a reason"
    if one.note is not None:
        return View(f"receipt_{one.note}", buttons=((Button("button_help", "help"),),))
    buttons: tuple[tuple[Button, ...], ...] = ()
    if one.reason is Reason.DECLINED:
        buttons = ((Button("button_help", "help"),),)
    elif one.reason is Reason.TAKEN and one.fn is not None:
        buttons = ((Button("button_mine", f"mine:{one.receipt_id.hex}"),),)
    return View(REFUSED[one.reason], {"brand": brand}, buttons)


def _accepted(one: Receipt, *, zone: ZoneInfo, now: datetime) -> View:
    pending, active, active_at = one.points(now)
    if not pending + active and _is_advance(one):
        return View("receipt_settled")
    names = {line.line: line.name for line in one.document.lines} if one.document else {}
    items = [
        f"{names.get(line.line) or line.sku}" + (f" · +{line.points}" if line.points else "")
        for line in one.matched
        if line.sku or line.points
    ]
    said = {"items": Lines(tuple(items)), "place": _place(one)}
    if not pending + active:
        return View("receipt_no_points", said)
    said["points"] = Points(pending + active, signed=True)
    if pending and active_at is not None:
        said["day"] = local_day(active_at, zone)
        return View("receipt_pending", said, (_account_buttons(),))
    return View("receipt_active", said, (_account_buttons(),))


def _is_advance(one: Receipt) -> bool:
    """Whether it only said that its goods were paid ahead; the second receipt earned."""
    lines = one.document.lines if one.document else ()
    return bool(lines) and all(line.payment_type in PAID_AHEAD for line in lines)


def _place(one: Receipt) -> str:
    where = one.seller_name or (one.document.retail_place if one.document else None)
    when = f"{one.wall_time:%d.%m.%Y}" if one.wall_time else ""
    return ", ".join(part for part in (where, when) if part)


def _points(one: Receipt, now: datetime) -> int:
    pending, active, _ = one.points(now)
    return pending + active


def local_day(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def mailbox(address: str) -> View:
    """The member's own address, and what to do with it."""
    return View("mailbox", {"address": address}, ((Button("button_help", "help"),),))


def confirmation(excerpt: Excerpt) -> View:
    """A shop asks whether the address is theirs, or sent a receipt that only they can open."""
    said = {"sender": excerpt.sender, "subject": excerpt.subject}
    if excerpt.receipt and excerpt.link is not None:
        return View("letter_login", said, ((Button("button_open", url=excerpt.link),),))
    if excerpt.code is not None:
        return View("letter_code", {**said, "code": excerpt.code})
    assert excerpt.link is not None, "it has one of the two"
    return View("letter_link", said, ((Button("button_confirm", url=excerpt.link),),))


def ask_phone(until: date) -> View:
    return View(
        "phone_ask",
        {"guest_until": until},
        ((Button("phone_button", contact=True),),),
        Keyboard.REPLY,
    )


def guest_warning(until: date, points: int) -> View:
    """The term of a guest ends; there may be nothing yet to lose but what was shown."""
    said = {"guest_until": until, **({"points": Points(points)} if points else {})}
    return View(
        "guest_warning" if points else "guest_warning_empty",
        said,
        ((Button("phone_button", contact=True),),),
        Keyboard.REPLY,
    )


def phone_done(text: str, active: int) -> View:
    if text == "phone_saved" and not active:
        return View("phone_saved_empty", keyboard=Keyboard.REMOVE)
    return View(text, {"points": Points(active)}, keyboard=Keyboard.REMOVE)


def ask_marketing(brand: str, document: ConsentDocument) -> View:
    rows: list[tuple[Button, ...]] = []
    if document.url:
        rows.append((Button("button_document", url=document.url),))
    rows.append((Button("button_yes", "mailings:on"), Button("button_no", "mailings:off")))
    return View("marketing_ask", {"brand": brand}, tuple(rows))


def balance(active: int, pending: int, value_kopecks: int) -> View:
    said = {"active": Points(active), "pays": Money(active * value_kopecks)}
    rows = ((Button("button_history", "history"),),)
    if not active:
        if not pending:
            return View("balance_empty", buttons=rows)
        return View("balance_waiting", {"pending": Points(pending)}, rows)
    if pending:
        return View("balance_pending", {**said, "pending": Points(pending)}, rows)
    return View("balance", said, rows)


def activated(points: int, active: int, value_kopecks: int) -> View:
    """Points that waited became active; what there is now."""
    said = {
        "points": Points(points, signed=True),
        "active": Points(active),
        "pays": Money(active * value_kopecks),
    }
    return View("points_activated", said, (_account_buttons(),))


def taken_back(points: int, active: int, goods: str | None) -> View:
    """Goods came back, so their points were taken back; what there is now."""
    said = {"points": Points(points), "active": Points(active), "goods": goods or "—"}
    return View("points_taken_back", said, (_account_buttons(),))


def history(entries: Sequence[str], first_seq: int | None) -> View:
    if not entries:
        return View("history_empty")
    rows = ((Button("button_why", f"why:{first_seq}"),),) if first_seq is not None else ()
    return View("history", {"entries": Lines(tuple(entries))}, rows)


def why(title: str, amount: int, parts: Sequence[str]) -> View:
    said = {"title": title, "points": Points(amount, signed=True), "parts": Lines(tuple(parts))}
    return View("why", said, ((Button("button_history", "history"),),))


def disputed(dispute: Dispute, day: date) -> View:
    """What comes next of a receipt that somebody said is theirs."""
    if dispute.decided_at is not None:
        return View("dispute_moved" if dispute.outcome == "moved" else "dispute_is_over")
    if dispute.queued_at is None:
        return View("dispute_needs_proof")
    return View("dispute_opened", {"day": day})


def help_(mark: str, shop: str | None = None, *, drawn: bool = True, mail: bool = False) -> View:
    """The ladder by shop; `mark` names the message that is edited as one goes up and down.

    `mail`: they may have an address of their own, to which receipts come by themselves.
    """
    text = f"help_{shop}" if shop is not None else "help"
    rows: tuple[tuple[Button, ...], ...] = ((Button("button_back", f"help::{mark}"),),)
    if shop is None:
        buttons = [Button(f"button_{one}", f"help:{one}:{mark}") for one in SHOPS]
        rows = (tuple(buttons[:2]), tuple(buttons[2:4]), tuple(buttons[4:]))
        if mail:
            rows = (*rows, (Button("button_email", "email"),))
    return View(text, buttons=rows, photo=text if drawn else None)


def settings(*, mailings: bool, phone: bool) -> View:
    switch = Button("button_mailings_off", "mailings:off")
    if not mailings:
        switch = Button("button_mailings_on", "mailings:on")
    rows: list[tuple[Button, ...]] = [(switch,)]
    if not phone:
        rows.append((Button("button_phone", "phone"),))
    rows.append((Button("button_leave", "leave"),))
    return View("settings", buttons=tuple(rows))


def leave(points: int) -> View:
    rows = ((Button("button_stay", "stay"),), (Button("button_leave_yes", "leave:yes"),))
    if not points:
        return View("leave_ask_empty", buttons=rows)
    return View("leave_ask", {"points": Points(points)}, rows)


def login(site: str, number: int, payload: str) -> View:
    """Whether it is they who sign in on a site; one tap, and the site is on the button."""
    said = {"site": site, "number": str(number)}
    rows = (
        (Button("button_login", f"login:yes:{payload}"),),
        (Button("button_login_no", f"login:no:{payload}"),),
    )
    return View("login_ask", said, rows)


def card(code: str, shown: str, points: int, mark: str) -> View:
    """The card as a QR code and as digits; `mark` names the message that a new code goes into."""
    rows = ((Button("button_card_again", f"card:{mark}"),),)
    said = {"code": shown, "points": Points(points)}
    return View("card", said, rows, photo=pictures.qr(code))


def paid(payment: Payment, left: int) -> View:
    """What became of a payment at a till."""
    match payment.state:
        case PaymentState.PAID:
            said = {"points": Points(payment.points), "left": Points(left)}
            return View("payment_done", said)
        case PaymentState.DECLINED:
            return View("payment_declined")
    return View("payment_over")


def advance_reminder(day: date, receipt: str) -> View:
    rows = (
        (Button("button_not_yet", f"later:{receipt}"),),
        (Button("button_stop_reminding", f"stop:{receipt}"),),
    )
    return View("advance_reminder", {"day": day}, rows)


def _account_buttons() -> tuple[Button, ...]:
    return (Button("button_balance", "balance"), Button("button_history", "history"))
