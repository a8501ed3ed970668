"""Consents: given once as evidence, withdrawn at any time."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.members import events, model, queries
from vezde.members.links import arrivals
from vezde.members.model import Consent, ConsentNotFound, NewConsent, Status
from vezde.outbox import operations as outbox_ops

STATUS: LiteralString = "SELECT status FROM members.member WHERE member_id = %s FOR SHARE"
INSERT: LiteralString = """
INSERT INTO members.consent (member_id, consent_id, purpose, channel, document_version,
    text_sha256, given_at, how, recorded_at, recorded_by)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
WITHDRAW: LiteralString = """
UPDATE members.consent
SET withdrawn_at = %(now)s, withdrawn_how = %(how)s, withdrawn_by = %(actor)s
WHERE member_id = %(member_id)s AND consent_id = %(consent_id)s AND withdrawn_at IS NULL
RETURNING member_id, consent_id, purpose, channel, document_version, text_sha256, given_at, how,
    recorded_at, recorded_by, withdrawn_at, withdrawn_how, withdrawn_by
"""
READ: LiteralString = """
SELECT member_id, consent_id, purpose, channel, document_version, text_sha256, given_at, how,
    recorded_at, recorded_by, withdrawn_at, withdrawn_how, withdrawn_by
FROM members.consent WHERE member_id = %s AND consent_id = %s
"""


async def give_consent(
    db: Db, member_id: UUID, consent: NewConsent, *, now: datetime, actor: str
) -> Consent:
    """Record a consent; raises `MemberNotFound`, `MemberClosed` or `InvalidField`."""
    if await kit_db.fetch_value(db, STATUS, [member_id]) != Status.ACTIVE:
        raise await queries.refusal(db, member_id)
    return await note_consent(db, member_id, consent, now=now, actor=actor)


async def note_consent(
    db: Db, member_id: UUID, consent: NewConsent, *, now: datetime, actor: str
) -> Consent:
    """As `give_consent`, of a member whom `present` has just shown; waits for no answer."""
    given = draft(member_id, consent, now=now, actor=actor)
    await write(db, [given])
    await arrivals.consented(db, member_id, at=now)
    await outbox_ops.record(db, [events.consent_given(given, now=now)])
    return given


async def withdraw_consent(
    db: Db, member_id: UUID, consent_id: UUID, *, how: str, now: datetime, actor: str
) -> Consent:
    """Withdraw it from now on; a consent withdrawn before answers as it was withdrawn then.

    `how` says by what means (`stop_word`, `one_click`). The id of a member who was merged since, or
    of whom they were part until that was undone, does as well. Raises `ConsentNotFound`,
    `InvalidField`.
    """
    asked = {
        "member_id": member_id,
        "consent_id": consent_id,
        "how": model.means(how),
        "now": now,
        "actor": actor,
    }
    withdrawn = await kit_db.fetch_one(db, Consent, WITHDRAW, asked)
    if withdrawn:
        await outbox_ops.record(db, [events.consent_withdrawn(withdrawn, now=now)])
        return withdrawn
    before = await kit_db.fetch_one(db, Consent, READ, [member_id, consent_id])
    if before is None:
        owner = await queries.surviving(db, member_id)
        if owner != member_id:
            return await withdraw_consent(db, owner, consent_id, how=how, now=now, actor=actor)
        for one in await queries.parted(db, member_id):
            if await kit_db.fetch_one(db, Consent, READ, [one, consent_id]):
                return await withdraw_consent(db, one, consent_id, how=how, now=now, actor=actor)
        raise ConsentNotFound("This member has no such consent; read the member for the list")
    return before


def draft(
    member_id: UUID, consent: NewConsent, *, now: datetime, actor: str, path: str = ""
) -> Consent:
    """The consent checked, as the row it will be."""
    sound = model.sound_consent(consent, now=now, path=path)
    return Consent(
        member_id=member_id,
        consent_id=ids.new(),
        purpose=sound.purpose,
        channel=sound.channel,
        document_version=sound.document_version,
        text_sha256=sound.text_sha256,
        given_at=sound.given_at,
        how=sound.how,
        recorded_at=now,
        recorded_by=actor,
    )


async def write(db: Db, consents: Sequence[Consent]) -> None:
    """Insert them; works inside a pipeline."""
    rows = [
        (
            consent.member_id,
            consent.consent_id,
            consent.purpose,
            consent.channel,
            consent.document_version,
            consent.text_sha256,
            consent.given_at,
            consent.how,
            consent.recorded_at,
            consent.recorded_by,
        )
        for consent in consents
    ]
    await kit_db.execute_many(db, INSERT, rows)
