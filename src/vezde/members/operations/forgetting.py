"""A member is forgotten: what says who they were goes for good, what adds up stays."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members import events, queries
from vezde.members.links import arrivals
from vezde.members.model import Status
from vezde.members.operations import claiming, journal, locking, reaching
from vezde.members.operations.steps import Step, lock_all
from vezde.outbox import operations as outbox_ops

DROP_IDENTITIES: LiteralString = """
DELETE FROM members.identity WHERE member_id = %s RETURNING kind, blind, member_id
"""
# That somebody agreed to what, and when, stays as evidence. Means are a word of a door's
# (site_form); anything longer was written by a person about a person.
ERASE_CONSENTS: LiteralString = """
UPDATE members.consent
SET how = CASE WHEN how ~ %(word)s THEN how ELSE 'erased' END,
    withdrawn_how = CASE
        WHEN withdrawn_at IS NULL THEN 'forgotten'
        WHEN withdrawn_how ~ %(word)s THEN withdrawn_how
        ELSE 'erased'
    END,
    withdrawn_at = coalesce(withdrawn_at, %(now)s),
    withdrawn_by = coalesce(withdrawn_by, %(actor)s)
WHERE member_id = %(member_id)s
"""
ERASE: LiteralString = """
UPDATE members.member
SET status = 'forgotten', locale = NULL, timezone = NULL, source = NULL, sealed = NULL,
    changed_at = %s, changed_by = %s
WHERE member_id = %s
"""
WORD = "^[a-z][a-z0-9_]{0,39}$"


async def forget(
    db: Db, member_id: UUID, *, steps: Sequence[Step], now: datetime, actor: str
) -> bool:
    """Erase who the member was; False when that was done before. There is no way back.

    Points go by a closing entry; entries, decisions, facts, purchases, receipts and consents stay
    under the bare id, and so does the claim on every fiscal document that was confirmed. Consents
    end. `steps` are what wiring lists. Raises `MemberNotFound`, `MemberMerged`, and what the steps
    raise; then nothing may be kept.
    """
    status = (await locking.alone(db, [member_id])).get(member_id)
    if status is Status.FORGOTTEN:
        return False
    if status is not Status.ACTIVE:
        raise await queries.refusal(db, member_id)
    await lock_all(db, steps, member_id, accounts=[member_id])
    for step in steps:
        if step.forget is not None:
            await step.forget(db, member_id, now=now, actor=actor)
    held = await (await db.execute(DROP_IDENTITIES, [member_id])).fetchall()
    await kit_db.execute_many(db, claiming.DROP, held)
    await db.execute(
        ERASE_CONSENTS, {"member_id": member_id, "word": WORD, "now": now, "actor": actor}
    )
    await arrivals.forget(db, member_id)
    await reaching.drop_unreachable(db, member_id)
    await journal.erase(db, member_id)
    await db.execute(ERASE, [now, actor, member_id])
    await outbox_ops.record(db, [events.forgotten(member_id, now=now)])
    return True
