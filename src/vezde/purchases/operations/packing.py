"""Packs: a marking code belongs to one member, until it comes back into circulation."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger.model import Reversal
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox import operations as outbox
from vezde.program import queries as program_queries
from vezde.purchases import events, policy
from vezde.purchases.marking import Pack
from vezde.purchases.model import Linked, Paid

CLAIM: LiteralString = """
INSERT INTO purchases.pack AS known (gtin, sernum, member_id, how, receipt_id, line, claimed_at)
SELECT gtin, sernum, member_id, 'receipt', receipt_id, line, %(now)s
FROM jsonb_to_recordset(%(packs)s)
    AS given (gtin text, sernum text, member_id uuid, receipt_id uuid, line integer)
ON CONFLICT (gtin, sernum) DO UPDATE SET member_id = excluded.member_id, how = 'receipt',
    receipt_id = excluded.receipt_id, line = excluded.line, claimed_at = excluded.claimed_at,
    released_at = NULL,
    bonus_fact = CASE WHEN known.member_id = excluded.member_id THEN known.bonus_fact END
WHERE known.released_at IS NOT NULL OR known.how = 'scan'
RETURNING gtin, sernum
"""
OTHERS: LiteralString = """
SELECT gtin, sernum, member_id FROM purchases.pack
WHERE (gtin, sernum) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""
KNOWN: LiteralString = """
SELECT member_id, how, receipt_id, line, scanned_at, bonus_fact FROM purchases.pack
WHERE gtin = %s AND sernum = %s AND released_at IS NULL FOR UPDATE
"""
DISPUTE: LiteralString = """
INSERT INTO purchases.pack_dispute
    (gtin, sernum, member_id, receipt_id, disputed_at, dispute_id)
VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (gtin, sernum, member_id) DO NOTHING
"""
DISPUTE_SEEN: LiteralString = """
SELECT gtin, sernum, member_id, receipt_id, outcome FROM purchases.pack_dispute
WHERE dispute_id = %s
"""
DISPUTE_LOCKED: LiteralString = DISPUTE_SEEN + "FOR UPDATE"
DECIDE: LiteralString = """
UPDATE purchases.pack_dispute SET outcome = %s, decided_at = %s, decided_by = %s
WHERE dispute_id = %s
"""
HAND_OVER: LiteralString = """
UPDATE purchases.pack AS p SET member_id = %(member_id)s, claimed_at = %(now)s, bonus_fact = NULL,
    how = CASE WHEN l.line IS NULL THEN 'scan' ELSE 'receipt' END,
    receipt_id = l.receipt_id, line = l.line,
    scanned_at = CASE WHEN p.member_id = %(member_id)s THEN p.scanned_at END
FROM (VALUES (1)) AS one (one)
LEFT JOIN purchases.line l ON l.member_id = %(member_id)s AND l.receipt_id = %(receipt_id)s
    AND l.gtin = %(gtin)s AND l.sernum = %(sernum)s
WHERE p.gtin = %(gtin)s AND p.sernum = %(sernum)s AND p.released_at IS NULL
"""
ADD_OWN: LiteralString = """
INSERT INTO purchases.own_code (gtin, sernum, added_at, added_by)
SELECT gtin, sernum, %(now)s, %(actor)s
FROM jsonb_to_recordset(%(codes)s) AS given (gtin text, sernum text)
ON CONFLICT DO NOTHING RETURNING gtin
"""
OWNERS: LiteralString = """
SELECT DISTINCT member_id FROM purchases.pack
WHERE released_at IS NULL AND (gtin, sernum) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
"""
BACK: LiteralString = """
UPDATE purchases.pack SET released_at = %s
WHERE released_at IS NULL AND (gtin, sernum) IN (SELECT * FROM unnest(%s::text[], %s::text[]))
RETURNING gtin, sernum, member_id, bonus_fact
"""


@dataclass(frozen=True)
class _Dispute:
    gtin: str
    sernum: str
    member_id: UUID
    receipt_id: UUID | None
    outcome: str | None


@dataclass(frozen=True)
class Known:
    """Whose a pack is, and how: by the line of a receipt or by a scan."""

    member_id: UUID
    how: str
    receipt_id: UUID | None
    line: int | None
    scanned_at: datetime | None
    bonus_fact: UUID | None


async def claim(db: Db, linked: Sequence[Linked], *, now: datetime) -> None:
    """Packs of sold lines become their members'; one that another has is noted, and a scan gives
    way to a receipt. Two statements for any number of packs.
    """
    wanted = [
        (line.pack, one.document, line.line)
        for one in linked
        for line in one.document.lines
        if line.pack is not None and line.paid is Paid.SETTLED
    ]
    if not wanted:
        return
    first = {pack: (document, line) for pack, document, line in reversed(wanted)}
    given = [
        {
            "gtin": pack.gtin,
            "sernum": pack.serial,
            "member_id": str(document.member_id),
            "receipt_id": str(document.receipt_id),
            "line": line,
        }
        for pack, (document, line) in sorted(first.items(), key=lambda one: one[0])
    ]
    rows = await (await db.execute(CLAIM, {"packs": Jsonb(given), "now": now})).fetchall()
    claimed = {Pack(*row) for row in rows}
    if len(claimed) == len(wanted):
        return
    asked = [[one.gtin for one in first], [one.serial for one in first]]
    owners = {
        Pack(gtin, serial): member_id
        for gtin, serial, member_id in await (await db.execute(OTHERS, asked)).fetchall()
    }
    for pack, document, _ in wanted:
        if owners.get(pack) not in {None, document.member_id}:
            await dispute(db, pack, document.member_id, document.receipt_id, now)


async def release(db: Db, packs: Collection[Pack], *, now: datetime, actor: str) -> int:
    """Codes are back in circulation: their packs are nobody's, bonuses for them are taken back.

    Answers how many points. Members and accounts are locked here, before the packs.
    """
    if not packs:
        return 0
    asked = [[one.gtin for one in packs], [one.serial for one in packs]]
    owners = {row[0] for row in await (await db.execute(OWNERS, asked)).fetchall()}
    there = await members.present(db, owners)
    await ledger.lock(db, sorted(there))
    rows = await (await db.execute(BACK, [now, *asked])).fetchall()
    taken = 0
    for gtin, serial, member_id, fact_id in sorted(rows, key=lambda row: row[:3]):
        if fact_id is not None and member_id in there:
            taken += await _take_bonus(db, member_id, Pack(gtin, serial), fact_id, now, actor)
    return taken


async def _take_bonus(
    db: Db, member_id: UUID, pack: Pack, fact_id: UUID, now: datetime, actor: str
) -> int:
    (decided,) = await program_queries.decisions(db, member_id, fact_ids=[fact_id])
    account_id = decided.fact.member_id
    seq = await ledger_queries.seq_of(db, account_id, f"fact:{fact_id}")
    assert seq is not None, "a bonus stands in the ledger"
    points = decided.decision.points
    reversal = Reversal(
        member_id=member_id,
        op_key=f"pack-back:{fact_id}",
        occurred_at=now,
        title="Код упаковки снова в обороте",
        proof={"pack": [pack.gtin, pack.serial]},
        accrual_seq=seq,
        points=points,
        parts=decided.decision.parts,
        debt=await policy.debt(db, now=now),
        accrual_member=None if account_id == member_id else account_id,
    )
    await ledger.reverse(db, reversal, now=now, actor=actor)
    await outbox.record(
        db,
        [events.returned(member_id, fact_id, fact_id, 1, points, because="marking", now=now)],
    )
    return points


class PackDisputeMissing(DomainError):
    code = "dispute_not_found"
    kind = Kind.MISSING

    def __init__(self) -> None:
        super().__init__("There is no such dispute; list them to see those that wait.")


class PackDisputeDecided(DomainError):
    """It was decided otherwise, or the pack cannot move any more."""

    code = "dispute_decided"
    kind = Kind.CONFLICT


async def decide(db: Db, dispute_id: UUID, *, move: bool, now: datetime, actor: str) -> None:
    """Say whose a pack is; the same again changes nothing.

    When it moves, a bonus that the first one had for scanning it is taken back; what receipts had
    brought stays, as lines earn by their receipts. Raises `PackDisputeMissing`,
    `PackDisputeDecided`.
    """
    seen = await _dispute(db, dispute_id)
    pack = Pack(seen.gtin, seen.sernum)
    claimant = await member_queries.surviving(db, seen.member_id)
    owners = await (await db.execute(OWNERS, [[pack.gtin], [pack.serial]])).fetchall()
    there = await members.present(db, {claimant, *(row[0] for row in owners)})
    await ledger.lock(db, sorted(there))
    held = await known(db, pack)
    outcome = "moved" if move else "kept"
    found = await kit_db.fetch_one(db, _Dispute, DISPUTE_LOCKED, [dispute_id])
    if found is None:
        raise PackDisputeMissing
    if found.outcome is not None:
        if found.outcome == outcome:
            return
        raise PackDisputeDecided(f"It was decided already: {found.outcome}. Look at it again.")
    if move:
        if claimant not in there or (held is not None and held.member_id not in there):
            raise PackDisputeDecided("One of the two left the programme; keep it as it is.")
        if held is not None and held.bonus_fact is not None and held.member_id != claimant:
            await _take_bonus(db, held.member_id, pack, held.bonus_fact, now, actor)
        await db.execute(
            HAND_OVER,
            {
                "member_id": claimant,
                "receipt_id": found.receipt_id,
                "gtin": pack.gtin,
                "sernum": pack.serial,
                "now": now,
            },
        )
    await db.execute(DECIDE, [outcome, now, actor, dispute_id])


async def _dispute(db: Db, dispute_id: UUID) -> "_Dispute":
    found = await kit_db.fetch_one(db, _Dispute, DISPUTE_SEEN, [dispute_id])
    if found is None:
        raise PackDisputeMissing
    return found


async def add_own_codes(db: Db, codes: Sequence[Pack], *, now: datetime, actor: str) -> int:
    """Keep codes that are the brand's own; how many are new."""
    given = [{"gtin": one.gtin, "sernum": one.serial} for one in codes]
    asked = {"codes": Jsonb(given), "now": now, "actor": actor}
    return len(await (await db.execute(ADD_OWN, asked)).fetchall())


async def known(db: Db, pack: Pack) -> Known | None:
    """Whose the pack is, held until the transaction ends."""
    return await kit_db.fetch_one(db, Known, KNOWN, [pack.gtin, pack.serial])


async def dispute(
    db: Db, pack: Pack, member_id: UUID, receipt_id: UUID | None, now: datetime
) -> None:
    """Note that somebody else claimed the pack; people look at it."""
    await db.execute(DISPUTE, [pack.gtin, pack.serial, member_id, receipt_id, now, ids.new()])
