"""Questions that read: versions, and decisions with what they were made on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import queries as members
from vezde.program import compiling, decide, standings
from vezde.program import document as documents
from vezde.program.model import BEGINNING, Decision, Fact, Miss, Programmes, Standing, Version
from vezde.program.records import Decided, Row

HEAD: LiteralString = "SELECT chain_sha256 FROM program.version ORDER BY version DESC LIMIT 1"
ALL: LiteralString = """
SELECT version, valid_from, document, chain_sha256 FROM program.version ORDER BY version
"""
IN_FORCE: LiteralString = """
SELECT version, valid_from, document, published_at, published_by
FROM program.version
WHERE valid_from <= %(at)s OR version = 1
ORDER BY version DESC LIMIT 1
"""
NEWEST_FIRST: LiteralString = """
SELECT version, valid_from, document, published_at, published_by
FROM program.version
WHERE version < coalesce(%(before)s::integer, version + 1)
ORDER BY version DESC LIMIT %(limit)s
"""
BY_FACT: LiteralString = """
SELECT member_id, fact_id, version, refusal, wanted, points, effects, active_at, expires_at,
    at_once, kind, purchase_id, occurred_at, registered_at, recorded_at, earned_that_day,
    shown_that_day, fact, actor
FROM program.decision
WHERE member_id = ANY(%s) AND fact_id = ANY(%s)
ORDER BY recorded_at, fact_id
"""
# A member has few decisions, so the purchase has no index of its own.
BY_PURCHASE: LiteralString = """
SELECT member_id, fact_id, version, refusal, wanted, points, effects, active_at, expires_at,
    at_once, kind, purchase_id, occurred_at, registered_at, recorded_at, earned_that_day,
    shown_that_day, fact, actor
FROM program.decision
WHERE member_id = ANY(%s) AND purchase_id = %s
ORDER BY recorded_at, fact_id
"""

# Parsed versions of this process by the chain that names them all: equal chains are equal rules,
# whichever database they come from.
_PARSED: dict[bytes, Programmes] = {}
MAX_PARSED = 32


class DecisionMissing(DomainError):
    code = "not_found"
    kind = Kind.MISSING


@dataclass(frozen=True)
class _VersionRow:
    version: int
    valid_from: datetime
    document: dict[str, Any]
    chain_sha256: bytes


async def programmes(db: Db) -> Programmes:
    """All versions, parsed; one narrow read when nothing was published since the last time."""
    chain = await kit_db.fetch_value(db, HEAD)
    if chain is None:
        return Programmes((), ())
    parsed = _PARSED.get(chain)
    return parsed if parsed is not None else await _parse(db)


async def _parse(db: Db) -> Programmes:
    rows = await kit_db.fetch_all(db, _VersionRow, ALL)
    parsed = compiling.programmes(
        [
            compiling.programme(
                documents.own(row.document),
                version=row.version,
                in_force_from=BEGINNING if row.version == 1 else row.valid_from,
            )
            for row in rows
        ],
        chain=rows[-1].chain_sha256,
    )
    while len(_PARSED) >= MAX_PARSED:
        _PARSED.pop(next(iter(_PARSED)))
    _PARSED[rows[-1].chain_sha256] = parsed
    return parsed


async def forecast(db: Db, programmes: Programmes, fact: Fact) -> Decision:
    """What a shop's order would be worth if it were recorded now; nothing is written.

    The same `decide` as the live path, on the same standing; that is only read where the programme
    has a cap that looks at it.
    """
    asked = standings.ask(programmes, fact)
    if asked.programme.points_per_day is None:
        return decide.decide(asked.programme, Standing(), fact)
    former = await members.former(db, [fact.member_id])
    (standing,) = await standings.read(db, [asked], former)
    return decide.decide(asked.programme, standing, fact)


async def in_force(db: Db, *, at: datetime) -> Version | None:
    """The version in force at that instant with its document; None before any publication."""
    return await kit_db.fetch_one(db, Version, IN_FORCE, {"at": at})


async def versions(db: Db, *, limit: int, before: int | None = None) -> list[Version]:
    """Published versions, the newest (perhaps only scheduled) first; `before` pages on."""
    return await kit_db.fetch_all(db, Version, NEWEST_FIRST, {"before": before, "limit": limit})


async def decisions(db: Db, member_id: UUID, *, fact_ids: Sequence[UUID]) -> list[Decided]:
    """The member's decisions on these facts, oldest first; those not decided are left out."""
    rows = await kit_db.fetch_all(db, Row, BY_FACT, [await _ids(db, member_id), list(fact_ids)])
    return [row.decided() for row in rows]


async def purchase_decisions(db: Db, member_id: UUID, purchase_id: UUID) -> list[Decided]:
    """All decisions on one purchase of the member, oldest first."""
    rows = await kit_db.fetch_all(db, Row, BY_PURCHASE, [await _ids(db, member_id), purchase_id])
    return [row.decided() for row in rows]


async def _ids(db: Db, member_id: UUID) -> list[UUID]:
    """Decisions stay under the id they were made for, so those of merged members count too."""
    former = await members.former(db, [member_id])
    return [member_id, *former.get(member_id, [])]


async def misses(db: Db, member_id: UUID, fact_id: UUID) -> list[Miss]:
    """Why rules gave a decided fact nothing or less than they wanted, under its own version.

    Raises `DecisionMissing`.
    """
    found = await decisions(db, member_id, fact_ids=[fact_id])
    if not found:
        raise DecisionMissing("Nothing was decided on this fact yet; ask again later.")
    programme = (await programmes(db)).number(found[0].decision.version)
    return decide.misses(programme, found[0].standing, found[0].fact)
