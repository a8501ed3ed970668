"""What a member may look up and decide: points, history, help, settings, leaving."""

from datetime import timedelta
from uuid import UUID

from vezde.bot import chats
from vezde.bot.conversation import phone, screens, starting
from vezde.bot.conversation.talk import MARKETING, Answer, Talk
from vezde.kit import i18n
from vezde.kit.db import Db
from vezde.kit.work import jobs
from vezde.ledger import queries as ledger
from vezde.ledger.model import Entry, EntryKind, Explained
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging.model import View
from vezde.receipts import queries as receipts
from vezde.receipts.mailing import operations as mailing

FORGET = "bot.forget"
FAREWELL = timedelta(minutes=1)  # so that the farewell still finds them
SHOWN_ENTRIES, LOOKED_AT = 10, 40
# What moves points about without changing how many there are.
SILENT = frozenset({EntryKind.ACTIVATE, EntryKind.HOLD, EntryKind.RELEASE})


async def balance(db: Db, talk: Talk) -> Answer:
    """/balance"""
    points = await ledger.points(db, talk.member_id, as_of=talk.now)
    value = talk.programme.point_value_kopecks
    return Answer((talk.say(screens.balance(points.active, points.pending, value)),))


async def history(db: Db, talk: Talk) -> Answer:
    """/history: the last entries; the newest accrual can be asked about."""
    found = await ledger.history(db, talk.member_id, limit=LOOKED_AT)
    told = [one for one in found if one.kind not in SILENT and one.points][:SHOWN_ENTRIES]
    newest = next((one.seq for one in told if one.kind is EntryKind.ACCRUE), None)
    lines = [_entry(talk, one) for one in told]
    return Answer((talk.say(screens.history(lines, newest)),))


async def why(db: Db, talk: Talk, seq: int) -> Answer:
    """«Почему столько»: the lines of the purchase with their rates."""
    found = await ledger.entry(db, talk.member_id, seq)
    names = await _names(db, talk, found)
    parts = [
        f"{names.get(one.line, '')} · {i18n.percent(one.rate_bp, talk.locale)} · "
        f"{i18n.number(one.points, talk.locale, signed=True)}"
        for one in found.parts
    ]
    return Answer((talk.say(screens.why(found.entry.title, found.entry.points, parts)),))


def help_(talk: Talk, shop: str | None = None, mark: str | None = None) -> Answer:
    """/help: a ladder by shop in one message."""
    known = shop if shop in screens.SHOPS else None
    mark = mark or talk.key
    mail = talk.mail_domain is not None
    view = screens.help_(mark, known, drawn=talk.section.help_pictures, mail=mail)
    return Answer((talk.say(view, slot=f"help:{mark}"),))


async def email(db: Db, talk: Talk) -> Answer:
    """/email: the member's own address for shops; in an installation without any, the help."""
    if talk.mail_domain is None:
        return help_(talk)
    name = await mailing.mailbox(db, talk.member_id, now=talk.now)
    return Answer((talk.say(screens.mailbox(f"{name}@{talk.mail_domain}")),))


def settings(talk: Talk) -> Answer:
    """/settings"""
    view = screens.settings(mailings=MARKETING in talk.agreed, phone=talk.phone)
    return Answer((talk.say(view),))


async def mailings(db: Db, talk: Talk, *, on: bool) -> Answer:
    """Consent to mailings, given or withdrawn; a repeated tap changes nothing."""
    if on and MARKETING not in talk.agreed:
        await starting.agree(db, talk, MARKETING, talk.section.marketing, "marketing_ask")
    if not on:
        member = await member_queries.member(db, talk.member_id, vault=talk.vault)
        for one in member.consents:
            if one.purpose == MARKETING and one.withdrawn_at is None:
                await members.withdraw_consent(
                    db,
                    talk.member_id,
                    one.consent_id,
                    how="bot_button",
                    now=talk.now,
                    actor=talk.actor,
                )
    return Answer((talk.say(View("marketing_on" if on else "marketing_off")),))


async def leave(db: Db, talk: Talk, *, sure: bool) -> Answer:
    """Leaving is asked about once, then said farewell to, then everything is erased."""
    if not sure:
        points = await ledger.points(db, talk.member_id, as_of=talk.now)
        return Answer((talk.say(screens.leave(points.active + points.pending)),))
    await jobs.enqueue(
        db,
        kind=FORGET,
        payload={"member_id": str(talk.member_id)},
        due_at=talk.now + FAREWELL,
        key=f"{FORGET}/{talk.member_id}",
    )
    return Answer((talk.say(View("leaving")),))


async def quiet(db: Db, talk: Talk, receipt_id: UUID) -> None:
    """No more reminders of this advance."""
    await chats.be_quiet(db, talk.member_id, receipt_id, now=talk.now)


def ask_phone(talk: Talk) -> Answer:
    return Answer((talk.say(phone.asking(talk)),))


def _entry(talk: Talk, one: Entry) -> str:
    points = i18n.number(one.points, talk.locale, signed=True)
    day = i18n.day(screens.local_day(one.occurred_at, talk.programme.zone), talk.locale)
    return f"{points} · {one.title} · {day}"


async def _names(db: Db, talk: Talk, found: Explained) -> dict[int, str]:
    receipt_id = found.proof.get("receipt_id")
    if receipt_id is None:
        return {}
    wanted = [(talk.member_id, UUID(receipt_id))]
    receipt = (await receipts.receipts(db, wanted)).get(UUID(receipt_id))
    lines = receipt.document.lines if receipt and receipt.document else ()
    return {line.line: line.name or "" for line in lines}
