"""Two members turn out to be one person: the one goes, the other keeps what both had."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import FieldError
from vezde.kit.vault import Vault
from vezde.members import events, queries, sealing
from vezde.members.identities import Contact
from vezde.members.links import joining
from vezde.members.model import Consent, Member, MergeWithItself, Profile, Status
from vezde.members.operations import enrolling, journal, locking, reaching
from vezde.members.operations.steps import Step, lock_all
from vezde.outbox import operations as outbox_ops

TAKE_IDENTITIES: LiteralString = """
DELETE FROM members.identity WHERE member_id = %s
RETURNING kind, blind, main, sealed, added_at, added_by
"""
MAIN_KINDS: LiteralString = "SELECT kind FROM members.identity WHERE member_id = %s AND main"
MOVE_CLAIM: LiteralString = """
UPDATE members.claim SET member_id = %s WHERE kind = %s AND blind = %s AND member_id = %s
"""
# Who said no of the same thing after the other had said yes has said no.
WITHDRAW: LiteralString = """
UPDATE members.consent AS given
SET withdrawn_at = %(now)s, withdrawn_how = 'merge', withdrawn_by = %(actor)s
WHERE given.member_id IN (%(into)s, %(gone)s) AND given.withdrawn_at IS NULL AND EXISTS (
    SELECT FROM members.consent AS other
    WHERE other.member_id IN (%(into)s, %(gone)s) AND other.member_id <> given.member_id
      AND other.purpose = given.purpose AND other.channel IS NOT DISTINCT FROM given.channel
      AND other.withdrawn_at >= given.given_at)
RETURNING member_id, consent_id, purpose, channel, document_version, text_sha256, given_at, how,
    recorded_at, recorded_by, withdrawn_at, withdrawn_how, withdrawn_by
"""
MOVE_CONSENTS: LiteralString = """
UPDATE members.consent SET member_id = %s WHERE member_id = %s RETURNING consent_id::text
"""
KEEP: LiteralString = """
UPDATE members.member
SET locale = %s, timezone = %s, source = %s, sealed = %s, changed_at = %s, changed_by = %s
WHERE member_id = %s
"""
CLOSE: LiteralString = """
UPDATE members.member
SET status = 'closed', locale = NULL, timezone = NULL, source = NULL, sealed = NULL,
    changed_at = %s, changed_by = %s
WHERE member_id = %s
"""
# Whoever was merged into the one who goes is now part of the one who stays.
POINT_ON: LiteralString = """
UPDATE members.merged SET into_id = %s WHERE into_id = %s RETURNING member_id
"""
REMEMBER: LiteralString = """
INSERT INTO members.merged (member_id, into_id, merged_at, merged_by) VALUES (%s, %s, %s, %s)
"""


@dataclass(frozen=True)
class _Identity:
    kind: str
    blind: bytes
    main: bool
    sealed: bytes
    added_at: datetime
    added_by: str


async def merge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    steps: Sequence[Step],
    vault: Vault,
    now: datetime,
    actor: str,
) -> Member:
    """Make `gone` part of `into`, with points, purchases, receipts, identities, consents.

    Fields that `into` has stay, the others come from `gone`; of two phones `into`'s stays the main
    one; a consent that the other of the two withdrew after it had been given is withdrawn. Done
    before, it changes nothing. `steps` are what wiring lists; `unmerge` undoes it. Raises
    `MergeWithItself`, `MemberNotFound`, `MemberMerged`, `MemberClosed`, and what the steps raise;
    then nothing may be kept.
    """
    if into == gone:
        detail = "A member cannot be merged with itself; give the other one's id as gone"
        error = FieldError("gone", MergeWithItself.code, detail)
        raise MergeWithItself(detail, errors=(error,))
    if not await _to_be_done(db, into, gone):
        return await queries.member(db, into, vault=vault)
    await lock_all(db, steps, gone, accounts=[into, gone])
    moved: dict[str, Any] = {}
    for step in steps:
        if step.merge is not None:
            moved[step.domain] = await step.merge(db, into, gone, now=now, actor=actor)
    profiles = await _join_profiles(db, into, gone, vault=vault, now=now, actor=actor)
    identities = await _move_identities(db, into, gone, vault=vault)
    consents, withdrawn = await _move_consents(db, into, gone, now=now, actor=actor)
    moved["members"] = {
        "profiles": profiles,
        "identities": identities,
        "consents": consents,
        "withdrawn": [str(one.consent_id) for one in withdrawn],
        "arrivals": await joining.merge(db, into=into, gone=gone),
        "parts": [str(one) for one in await kit_db.fetch_column(db, POINT_ON, [into, gone])],
    }
    await reaching.drop_unreachable(db, gone)
    await db.execute(REMEMBER, [gone, into, now, actor])
    await journal.write(db, into, gone, moved, vault=vault, now=now, actor=actor)
    facts = [events.consent_withdrawn(one, now=now) for one in withdrawn]
    await outbox_ops.record(db, [events.merged(into, gone, now=now), *facts])
    return await queries.member(db, into, vault=vault)


async def _to_be_done(db: Db, into: UUID, gone: UUID) -> bool:
    """Lock both members; False when the one is part of the other already."""
    statuses = await locking.alone(db, [into, gone])
    two = (statuses.get(into), statuses.get(gone))
    if two == (Status.ACTIVE, Status.CLOSED) and await queries.surviving(db, gone) == into:
        return False
    for member_id in (into, gone):
        if statuses.get(member_id) is not Status.ACTIVE:
            raise await queries.refusal(db, member_id)
    return True


async def _join_profiles(
    db: Db, into: UUID, gone: UUID, *, vault: Vault, now: datetime, actor: str
) -> dict[str, dict[str, str | None]]:
    """What both said of themselves, and what `into` does from now on."""
    both = await queries.members(db, [into, gone], vault=vault)
    kept, other = both[into].profile, both[gone].profile
    joined = Profile(
        **{
            name: getattr(other, name) if getattr(kept, name) is None else getattr(kept, name)
            for name in Profile.__dataclass_fields__
        }
    )
    await db.execute(
        KEEP,
        [
            *(joined.locale, joined.timezone, joined.source),
            sealing.seal_profile(vault, into, joined),
            *(now, actor, into),
        ],
    )
    await db.execute(CLOSE, [now, actor, gone])
    told = {"into": kept, "gone": other, "joined": joined}
    return {whose: sealing.profile_texts(profile) for whose, profile in told.items()}


async def _move_identities(
    db: Db, into: UUID, gone: UUID, *, vault: Vault
) -> list[tuple[str, str, bool]]:
    """Sealed anew, as a sealed value belongs to its row; claims are told the new owner.

    Answers kind, blind index and whether it was the main one.
    """
    main = {row[0] for row in await (await db.execute(MAIN_KINDS, [into])).fetchall()}
    moved = await kit_db.fetch_all(db, _Identity, TAKE_IDENTITIES, [gone])
    rows = []
    for one in moved:
        value = sealing.open_contact(vault, gone, one.kind, one.sealed)
        rows.append(
            enrolling.identity_row(
                into,
                (one.kind, one.blind),
                Contact(one.kind, value, value),
                vault,
                main=one.main and one.kind not in main,
                at=one.added_at,
                by=one.added_by,
            )
        )
    await kit_db.execute_many(db, enrolling.INSERT_IDENTITY, rows)
    claims = [(into, one.kind, one.blind, gone) for one in moved]
    await kit_db.execute_many(db, MOVE_CLAIM, claims)
    return [(one.kind, one.blind.hex(), one.main) for one in moved]


async def _move_consents(
    db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str
) -> tuple[list[str], list[Consent]]:
    """Which moved, and which ended with the merge, as `into` has them now."""
    asked = {"into": into, "gone": gone, "now": now, "actor": actor}
    withdrawn = await kit_db.fetch_all(db, Consent, WITHDRAW, asked)
    moved = await kit_db.fetch_column(db, MOVE_CONSENTS, [into, gone])
    return moved, [replace(one, member_id=into) for one in withdrawn]
