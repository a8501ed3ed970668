"""Packs: a marking code belongs to one member, until it comes back into circulation."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger.model import Reversal
from vezde.members import operations as members
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
INSERT INTO purchases.pack_dispute (gtin, sernum, member_id, receipt_id, disputed_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
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
    await db.execute(DISPUTE, [pack.gtin, pack.serial, member_id, receipt_id, now])
