"""Receipts: shown, answered at once by one message that is edited as the check goes on."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from vezde.bot import chats
from vezde.bot.conversation import screens
from vezde.bot.conversation.talk import Answer, Talk
from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.messaging.model import View
from vezde.receipts import queries
from vezde.receipts.model import QrFields, Reason
from vezde.receipts.operations import registering
from vezde.receipts.operations.registering import Submission
from vezde.receipts.qr import grammar
from vezde.receipts.queries import Receipt

MOST_BYTES = 20 * 1024 * 1024  # core.telegram.org/bots/api#getfile


@dataclass(frozen=True)
class Reading:
    """What was read from a picture or a text: a receipt's code, or why there is none."""

    qr: QrFields | None = None
    unreadable: Reason | None = None


def unread(error: DomainError) -> Reading:
    """The reading of what could not be read."""
    known = {Reason.NOT_FISCAL_QR, Reason.BAD_QR, Reason.UNREADABLE_IMAGE}
    code = error.code if error.code in known else Reason.UNREADABLE_IMAGE
    return Reading(unreadable=Reason(code))


def read(text: str) -> Reading:
    """The reading of a typed or scanned code."""
    try:
        return Reading(grammar.parse(text))
    except (grammar.NotFiscalQr, grammar.BadQr) as error:
        return unread(error)


def too_large(talk: Talk) -> Answer:
    return Answer((talk.say(View("file_too_large")),))


async def show(db: Db, talk: Talk, reading: Reading, *, album: str | None = None) -> Answer:
    """Register what was shown; all of an album are told of by one message."""
    (made,) = await registering.register(
        db,
        [Submission(talk.member_id, qr=reading.qr, unreadable=reading.unreadable)],
        now=talk.now,
        wall=talk.wall,
        actor=talk.actor,
    )
    slot = f"album:{album}" if album else f"receipt:{made.receipt_id}"
    await chats.show(db, talk.chat, made.receipt_id, slot)
    shown = await chats.shown(db, talk.member_id, made.receipt_id)
    assert shown is not None, "it was written above"
    told = await telling(db, talk.member_id, shown.receipt_ids)
    view = screens.receipts(told, brand=talk.brand, zone=talk.programme.zone, now=talk.now)
    return Answer((talk.say(view, slot=slot, key=key_of(slot, told)),))


async def telling(db: Db, member_id: UUID, receipt_ids: Sequence[UUID]) -> list[Receipt]:
    """The receipts of one message, in the order they were shown."""
    found = await queries.receipts(db, [(member_id, one) for one in receipt_ids])
    return [found[one] for one in receipt_ids if one in found]


def key_of(slot: str, told: Sequence[Receipt]) -> str:
    """Names a state of the message, so that the same is not sent twice."""
    states = [f"{one.receipt_id.hex[-8:]}={one.status}:{one.reason or ''}" for one in told]
    return f"{slot}/{','.join(states)}"[:400]
