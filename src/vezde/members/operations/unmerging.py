"""A merge undone: the two were not one person, and each has again what was theirs.

What came since, and what was changed since, stays with the member who stayed.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.ledger import operations as ledger_ops
from vezde.members import events, queries, sealing
from vezde.members.identities import Contact
from vezde.members.links import joining
from vezde.members.model import (
    Consent,
    Member,
    MergeNotLast,
    MergeTooOld,
    Profile,
    Status,
)
from vezde.members.operations import enrolling, journal, locking, reaching
from vezde.members.operations.journal import Merge
from vezde.members.operations.merging import KEEP, MOVE_CLAIM
from vezde.members.operations.steps import Step, lock_all
from vezde.outbox import operations as outbox_ops

REOPEN: LiteralString = """
UPDATE members.member
SET status = 'active', locale = %s, timezone = %s, source = %s, sealed = %s, changed_at = %s,
    changed_by = %s
WHERE member_id = %s
"""
TAKE_IDENTITY: LiteralString = """
DELETE FROM members.identity WHERE member_id = %s AND kind = %s AND blind = %s
RETURNING sealed, added_at, added_by
"""
# Of a kind whose main one went back, the longest known is the main one.
PROMOTE: LiteralString = """
UPDATE members.identity SET main = true
WHERE (member_id, kind, blind) IN (
    SELECT DISTINCT ON (kind) member_id, kind, blind FROM members.identity AS one
    WHERE one.member_id = %(into)s AND NOT EXISTS (
        SELECT FROM members.identity AS other
        WHERE other.member_id = one.member_id AND other.kind = one.kind AND other.main)
    ORDER BY kind, added_at, blind)
"""
CONSENTS_BACK: LiteralString = """
UPDATE members.consent SET member_id = %(gone)s
WHERE member_id = %(into)s AND consent_id = ANY(%(consents)s::uuid[])
"""
# The one's no was not the other's, unless either has said no to the same thing since.
STAND_AGAIN: LiteralString = """
UPDATE members.consent AS ended
SET withdrawn_at = NULL, withdrawn_how = NULL, withdrawn_by = NULL
WHERE ended.member_id IN (%(into)s, %(gone)s) AND ended.consent_id = ANY(%(withdrawn)s::uuid[])
  AND ended.withdrawn_how = 'merge' AND NOT EXISTS (
    SELECT FROM members.consent AS since
    WHERE since.member_id IN (%(into)s, %(gone)s) AND since.purpose = ended.purpose
      AND since.channel IS NOT DISTINCT FROM ended.channel
      AND since.withdrawn_at >= ended.withdrawn_at AND since.withdrawn_how <> 'merge')
RETURNING member_id, consent_id, purpose, channel, document_version, text_sha256, given_at, how,
    recorded_at, recorded_by, withdrawn_at, withdrawn_how, withdrawn_by
"""
PART: LiteralString = "DELETE FROM members.merged WHERE member_id = %s"
POINT_BACK: LiteralString = """
UPDATE members.merged SET into_id = %s WHERE into_id = %s AND member_id = ANY(%s::uuid[])
"""


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    within: timedelta,
    steps: Sequence[Step],
    vault: Vault,
    now: datetime,
    actor: str,
) -> Member:
    """Make `gone` a member by themselves again, with what they had and is still there.

    Points earned, purchases, receipts decided and consents given since the merge stay with `into`;
    points that were spent meanwhile are gone for both, whosever they were. Fields that somebody
    changed since stay as they are. Answers who is back; done before, it changes nothing. `within`
    is the term since the merge. Raises `MemberNotFound`, `MemberClosed`, `NotMerged`,
    `MergeNotLast`, `MergeTooOld`, and what the steps raise (`PointsUnsettled`); then nothing may be
    kept.
    """
    merge = await _to_be_undone(db, into, gone)
    if merge is None:
        return await queries.member(db, gone, vault=vault)
    if merge.sealed is None or now > merge.merged_at + within:
        raise _too_old()
    moved = merge.moved(vault)
    await lock_all(db, steps, into, accounts=[into])
    for step in steps:
        if step.unmerge is not None:
            await step.unmerge(db, into, gone, moved=moved[step.domain], now=now, actor=actor)
    mine = moved["members"]
    await _part_profiles(db, into, gone, mine["profiles"], vault=vault, now=now, actor=actor)
    await _give_identities(db, into, gone, mine["identities"], vault=vault)
    standing = await _give_consents(db, into, gone, mine)
    await joining.unmerge(db, into=into, gone=gone, moved=mine["arrivals"])
    await db.execute(PART, [gone])
    await db.execute(POINT_BACK, [gone, into, mine["parts"]])
    await journal.undone(db, merge, now=now, actor=actor)
    facts = [events.consent_given(one, now=now) for one in standing]
    await outbox_ops.record(db, [events.unmerged(into, gone, now=now), *facts])
    return await queries.member(db, gone, vault=vault)


async def _to_be_undone(db: Db, into: UUID, gone: UUID) -> Merge | None:
    """Lock both members; the merge, None when it was undone already."""
    statuses = await locking.alone(db, [into, gone])
    if gone not in statuses:
        raise await queries.refusal(db, gone)
    merge = await journal.last(db, gone)
    if statuses[gone] is Status.ACTIVE and merge and merge.into_id == into and merge.undone_at:
        return None
    if statuses.get(into) is not Status.ACTIVE:
        owner = await queries.surviving(db, into)
        if into not in statuses or owner == into:
            raise await queries.refusal(db, into)
        raise _not_last(into)
    if statuses[gone] is Status.FORGOTTEN:
        raise await queries.refusal(db, gone)
    if statuses[gone] is not Status.CLOSED or await queries.surviving(db, gone) != into:
        raise ledger_ops.NotMerged(
            "That member is not part of this one; read `gone`, whose merged_into says of whom"
        )
    if merge is None:
        raise _too_old()
    if merge.into_id != into:
        raise _not_last(merge.into_id)
    return merge


def _too_old() -> MergeTooOld:
    return MergeTooOld(
        "This merge can be undone no more: its term is over, and what was whose is not kept. Enrol "
        "the person anew, and give them by an adjustment the points that are theirs"
    )


def _not_last(gone: UUID) -> MergeNotLast:
    return MergeNotLast(
        "This came about by several merges: undo the later one first, by which member_id of this "
        "answer became part of another one",
        extra={"member_id": gone},
    )


async def _part_profiles(
    db: Db,
    into: UUID,
    gone: UUID,
    profiles: Mapping[str, Mapping[str, Any]],
    *,
    vault: Vault,
    now: datetime,
    actor: str,
) -> None:
    before, other, joined = (
        sealing.profile_of(profiles[whose]) for whose in ("into", "gone", "joined")
    )
    current = (await queries.member(db, into, vault=vault)).profile
    left = Profile(
        **{
            name: getattr(before, name)
            if getattr(current, name) == getattr(joined, name)
            else getattr(current, name)
            for name in Profile.__dataclass_fields__
        }
    )
    for statement, member_id, profile in ((KEEP, into, left), (REOPEN, gone, other)):
        sealed = sealing.seal_profile(vault, member_id, profile)
        plain = (profile.locale, profile.timezone, profile.source)
        await db.execute(statement, [*plain, sealed, now, actor, member_id])


async def _give_identities(
    db: Db, into: UUID, gone: UUID, moved: Sequence[tuple[str, str, bool]], *, vault: Vault
) -> None:
    """Those that are still there; whether they reach anybody is not known of `into` any more."""
    rows, claims = [], []
    for kind, index, main in moved:
        blind = bytes.fromhex(index)
        found = await (await db.execute(TAKE_IDENTITY, [into, kind, blind])).fetchone()
        if found is None:
            continue
        sealed, at, by = found
        value = sealing.open_contact(vault, into, kind, sealed)
        contact = Contact(kind, value, value)
        key = kind, blind
        rows.append(enrolling.identity_row(gone, key, contact, vault, main=main, at=at, by=by))
        claims.append((gone, kind, blind, into))
    await kit_db.execute_many(db, enrolling.INSERT_IDENTITY, rows)
    await kit_db.execute_many(db, MOVE_CLAIM, claims)
    await db.execute(PROMOTE, {"into": into})
    await kit_db.execute_many(
        db, reaching.CLEAR, [(into, kind) for kind in {kind for _, kind, *_ in claims}]
    )


async def _give_consents(db: Db, into: UUID, gone: UUID, moved: Mapping[str, Any]) -> list[Consent]:
    """Those that the merge had ended and that stand again."""
    asked = {
        "into": into,
        "gone": gone,
        "consents": moved["consents"],
        "withdrawn": moved["withdrawn"],
    }
    await db.execute(CONSENTS_BACK, asked)
    return await kit_db.fetch_all(db, Consent, STAND_AGAIN, asked)
