"""Receipts: shown, answered at once by one message that is edited as the check goes on."""

import hashlib
from collections.abc import Sequence
from uuid import UUID

from vezde.bot import chats
from vezde.bot.conversation import jars, screens
from vezde.bot.conversation.screens import FileShown
from vezde.bot.conversation.talk import Answer, Talk
from vezde.kit.db import Db
from vezde.messaging.model import View
from vezde.receipts import queries
from vezde.receipts.model import Reason
from vezde.receipts.operations import registering
from vezde.receipts.queries import Receipt
from vezde.receipts.reading import handing, reader
from vezde.receipts.reading.model import Findings

MOST_BYTES = 20 * 1024 * 1024  # core.telegram.org/bots/api#getfile
LONG_STATES = 300


def is_receipt(text: str) -> bool:
    """Whether a text is meant as a receipt: a code, its details, a link to one, readable or not."""
    found = reader.of_text(text)
    meant = found.receipts or found.links or found.note
    return bool(meant) or found.reason is Reason.BAD_QR


def needs_fetching(text: str) -> bool:
    """Whether a text leads to a page that has to be read before it can be answered."""
    return bool(reader.of_text(text).links)


def too_large(talk: Talk) -> Answer:
    return Answer((talk.say(View("file_too_large")),))


async def show(db: Db, talk: Talk, found: Findings, *, album: str | None = None) -> Answer:
    """Register what was shown; all of an album or of one file are told of by one message."""
    if found.packs and not found.receipts:
        return await jars.show(db, talk, found.packs)
    if found.missing and not found.receipts:
        return Answer((talk.say(screens.typed_in_part(found.missing, talk.locale)),))
    submissions = handing.submissions(talk.member_id, found)
    made = await registering.register(
        db,
        submissions,
        now=talk.now,
        wall=talk.wall,
        actor=talk.actor,
        once=len(submissions) > 1,
    )
    new = [one.receipt_id for one in made if not one.repeated]
    if not new:
        return Answer((talk.say(View("receipts_known", {"count": len(made)})),))
    if album:
        slot = f"album:{album}"
    elif len(made) == 1:
        slot = f"receipt:{new[0]}"
    else:
        slot = slot_of(FileShown(known=len(made) - len(new), unread=found.unread), talk.key)
    await chats.show(db, talk.chat, new, slot)
    shown = await chats.shown(db, talk.member_id, new[0])
    assert shown is not None, "it was written above"
    told = await telling(db, talk.member_id, shown.receipt_ids)
    view = screens.receipts(
        told, brand=talk.brand, zone=talk.programme.zone, now=talk.now, file=file_of(slot)
    )
    return Answer((talk.say(view, slot=slot, key=key_of(slot, told)),))


def slot_of(file: FileShown, key: str) -> str:
    """Names the one message of a file; it carries what its later edits have to say again."""
    return f"file:{file.known}:{file.unread}:{key}"


def file_of(slot: str) -> FileShown | None:
    """What `slot_of` put in; None of other messages."""
    kind, _, rest = slot.partition(":")
    if kind != "file":
        return None
    known, unread, _ = rest.split(":", 2)
    return FileShown(int(known), int(unread))


async def telling(db: Db, member_id: UUID, receipt_ids: Sequence[UUID]) -> list[Receipt]:
    """The receipts of one message, in the order they were shown."""
    found = await queries.receipts(db, [(member_id, one) for one in receipt_ids])
    return [found[one] for one in receipt_ids if one in found]


def key_of(slot: str, told: Sequence[Receipt]) -> str:
    """Names a state of the message, so that the same is not sent twice."""
    states = ",".join(f"{one.receipt_id.hex[-8:]}={one.status}:{one.reason or ''}" for one in told)
    if len(states) > LONG_STATES:  # of a file with hundreds of receipts
        states = hashlib.sha256(states.encode()).hexdigest()
    return f"{slot}/{states}"
