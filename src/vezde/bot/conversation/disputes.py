"""«It is mine»: a receipt that another member has shown."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from vezde.bot.conversation import screens
from vezde.bot.conversation.talk import Answer, Talk
from vezde.kit.db import Db
from vezde.messaging.model import View
from vezde.receipts import disputes, section
from vezde.receipts.operations import disputing
from vezde.receipts.operations.disputing import NotDisputable, TooManyDisputes


async def claim(db: Db, talk: Talk, receipt_id: UUID) -> Answer:
    """The button under the answer; tapped again it says how things stand."""
    try:
        dispute = await disputing.claim(db, talk.member_id, receipt_id, now=talk.now)
    except TooManyDisputes:
        return Answer((talk.say(View("dispute_too_many")),))
    except NotDisputable:
        return Answer((talk.say(View("dispute_is_over")),))
    promised = (await section.in_force(db, talk.now)).promised_hours
    due_at = (dispute.queued_at or talk.now) + timedelta(hours=promised)
    day = screens.local_day(due_at, talk.programme.zone)
    return Answer((talk.say(screens.disputed(dispute, day)),))


async def days(db: Db, receipt_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """By receipts that came as proofs, when their disputes are to be decided at the latest."""
    return await disputes.promised(db, receipt_ids) if receipt_ids else {}
