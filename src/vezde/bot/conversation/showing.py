"""Receipts: shown, answered at once by one message that is edited as the check goes on."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from vezde.bot import chats
from vezde.bot.conversation import disputes, jars, screens
from vezde.bot.conversation.screens import FileShown
from vezde.bot.conversation.talk import Answer, Talk
from vezde.kit.db import Db
from vezde.messaging.model import View
from vezde.receipts import queries
from vezde.receipts.model import Reason, Way
from vezde.receipts.operations import registering
from vezde.receipts.photos import operations as photos
from vezde.receipts.photos.operations import Photo
from vezde.receipts.queries import Receipt
from vezde.receipts.reading import handing, reader
from vezde.receipts.reading.model import Findings, Found

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


@dataclass(frozen=True)
class Showing:
    """What somebody shows: what was found in it, the album it is of, the file that it was."""

    talk: Talk
    found: Findings
    album: str | None = None
    file_id: str | None = field(default=None, repr=False)
    way: Way = Way.TEXT

    @property
    def is_single(self) -> bool:
        """Whether it is one receipt, or none, with a message of its own."""
        return self.album is None and len(self.found.receipts) <= 1

    def pictured(self, one: Found) -> Photo | None:
        """The messenger's name of the file, should somebody have to look at the receipt."""
        if self.file_id is None or one.document is not None:  # an export shows no paper
            return None
        key = one.qr.fn, one.qr.fd
        return photos.of_messenger(self.talk.vault, key, bot=self.talk.bot, file_id=self.file_id)


async def show(db: Db, showings: Sequence[Showing]) -> list[Answer]:
    """Register what was shown, of different chats; the answers in the same order.

    Single receipts are registered together: a batch of photos costs little more than one.
    """
    answers: dict[int, Answer] = {}
    for index, one in enumerate(showings):
        if not one.found.receipts and (said := await _without_receipts(db, one)) is not None:
            answers[index] = said
    single = [index for index, one in enumerate(showings) if one.is_single and index not in answers]
    told = await _show_singles(db, [showings[index] for index in single])
    answers |= dict(zip(single, told, strict=True))
    for index, one in enumerate(showings):
        if index not in answers:
            answers[index] = await _show_several(db, one)
    return [answers[index] for index in range(len(showings))]


async def _without_receipts(db: Db, one: Showing) -> Answer | None:
    """Packs, or a receipt told in part; None: it is to be registered as what it was."""
    if one.found.packs:
        return await jars.show(db, one.talk, one.found.packs)
    if one.found.missing:
        view = screens.typed_in_part(one.found.missing, one.talk.locale)
        return Answer((one.talk.say(view),))
    return None


async def _show_singles(db: Db, showings: Sequence[Showing]) -> list[Answer]:
    if not showings:
        return []
    submissions = []
    for one in showings:
        (submission,) = handing.submissions(
            one.talk.member_id, one.found, way=one.way, pictured=one.pictured
        )
        submissions.append(replace(submission, by=one.talk.actor))
    first = showings[0].talk
    made = await registering.register(
        db, submissions, now=first.now, wall=first.wall, actor=first.actor
    )
    slots = [f"receipt:{one.receipt_id}" for one in made]
    shown = [
        (one.talk.chat, receipt.receipt_id, slot)
        for one, receipt, slot in zip(showings, made, slots, strict=True)
    ]
    await chats.show(db, shown)
    keys = [(one.member_id, one.receipt_id) for one in made]
    found = await queries.receipts(db, keys)
    promised = await queries.promised(db, keys) if first.programme.trust else {}
    days = await disputes.days(db, [one.receipt_id for one in made if one.proves])
    return [
        _proof(one.talk, slot, found[receipt.receipt_id], days[receipt.receipt_id])
        if receipt.receipt_id in days
        else _told(
            *(one.talk, slot, [found[receipt.receipt_id]]),
            promised=promised.get(receipt.receipt_id, 0),
        )
        for one, receipt, slot in zip(showings, made, slots, strict=True)
    ]


async def _show_several(db: Db, one: Showing) -> Answer:
    """All of an album or of one file are told of by one message."""
    talk, found = one.talk, one.found
    submissions = handing.submissions(talk.member_id, found, way=one.way, pictured=one.pictured)
    made = await registering.register(
        db,
        submissions,
        now=talk.now,
        wall=talk.wall,
        actor=talk.actor,
        once=len(submissions) > 1,
    )
    new = [receipt.receipt_id for receipt in made if not receipt.repeated]
    if not new:
        return Answer((talk.say(View("receipts_known", {"count": len(made)})),))
    if one.album:
        slot = f"album:{one.album}"
    else:
        slot = slot_of(FileShown(known=len(made) - len(new), unread=found.unread), talk.key)
    await chats.show(db, [(talk.chat, receipt_id, slot) for receipt_id in new])
    shown = await chats.shown(db, talk.member_id, new[0])
    assert shown is not None, "it was written above"
    return _told(talk, slot, await telling(db, talk.member_id, shown.receipt_ids))


def _proof(talk: Talk, slot: str, receipt: Receipt, due_at: datetime) -> Answer:
    """A double that proves whose the receipt is; under the key of its state, so that it stays."""
    day = screens.local_day(due_at, talk.programme.zone)
    view = View("dispute_opened", {"day": day})
    return Answer((talk.say(view, slot=slot, key=key_of(slot, [receipt])),))


def _told(talk: Talk, slot: str, told: Sequence[Receipt], *, promised: int = 0) -> Answer:
    view = screens.receipts(
        *(told,),
        brand=talk.brand,
        zone=talk.programme.zone,
        now=talk.now,
        file=file_of(slot),
        promised=promised,
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
