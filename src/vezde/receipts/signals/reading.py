"""What is known of receipts that are looked at: a few set reads for any number of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.purchases import queries as purchases
from vezde.receipts.signals import scoring
from vezde.receipts.signals.model import Assessment, Known, Past, Shown
from vezde.receipts.signals.section import SignalsSection

# Of the member's newest receipts those that were looked at: by the primary key, however many.
NEWEST: Final = 200
PAST: LiteralString = """
SELECT asked.member_id, newest.receipt_id, newest.registered_at, newest.occurred_at,
    newest.wall_time, newest.seller_inn, newest.shop, newest.subject, newest.fn, newest.fd
FROM unnest(%s::uuid[]) AS asked (member_id)
CROSS JOIN LATERAL (
    SELECT receipt_id, registered_at, occurred_at, wall_time, seller_inn, shop, subject, fn, fd,
        score
    FROM receipts.receipt WHERE member_id = asked.member_id
    ORDER BY receipt_id DESC LIMIT %s
) AS newest
WHERE newest.score IS NOT NULL
"""
OF_SELLERS: LiteralString = """
SELECT asked.inn, count(*)
FROM unnest(%s::text[]) AS asked (inn)
CROSS JOIN LATERAL (
    SELECT FROM receipts.receipt WHERE seller_inn = asked.inn ORDER BY receipt_id LIMIT %s
) AS first
GROUP BY asked.inn
"""
SHARING: LiteralString = """
SELECT asked.member_id, count(DISTINCT others.member_id)
FROM unnest(%(members)s::uuid[]) AS asked (member_id)
JOIN receipts.device AS mine ON mine.member_id = asked.member_id
CROSS JOIN LATERAL (
    SELECT member_id FROM receipts.device
    WHERE device = mine.device AND last_seen_at >= %(since)s
    ORDER BY last_seen_at DESC LIMIT %(most)s
) AS others
WHERE mine.last_seen_at >= %(since)s
GROUP BY asked.member_id
"""
MOST_SHARING: Final = 200


async def look(
    db: Db, rules: SignalsSection, shown: Sequence[Shown], *, now: datetime
) -> list[Assessment]:
    """What signals say of each receipt, in order; members' rows are held by the caller."""
    members = sorted({one.member_id for one in shown})
    inns = {one.past.seller_inn for one in shown if not one.named}
    unnamed = sorted(inn for inn in inns if inn is not None)
    packs = sorted({pack for one in shown for pack in one.packs})
    past, sellers, seen, sharing = await kit_db.together(
        db,
        _past(db, members),
        _of_sellers(db, unnamed, rules.new_seller.first_receipts),
        purchases.packs_on_receipts(db, packs),
        _sharing(db, members, now - timedelta(days=rules.device.within_days)),
    )
    return scoring.assess_all(rules, shown, Known(past, sellers, seen, sharing))


async def _past(db: Db, members: Sequence[UUID]) -> Mapping[UUID, list[Past]]:
    rows = await (await db.execute(PAST, [members, NEWEST])).fetchall()
    found: dict[UUID, list[Past]] = {}
    for member_id, *row in rows:
        found.setdefault(member_id, []).append(Past(*row))
    return found


async def _of_sellers(db: Db, inns: Sequence[str], most: int) -> Mapping[str, int]:
    if not inns:
        return {}
    return dict(await (await db.execute(OF_SELLERS, [inns, most])).fetchall())


async def _sharing(db: Db, members: Sequence[UUID], since: datetime) -> Mapping[UUID, int]:
    asked = {"members": members, "since": since, "most": MOST_SHARING}
    return dict(await (await db.execute(SHARING, asked)).fetchall())
