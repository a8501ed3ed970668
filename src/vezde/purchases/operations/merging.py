"""The purchases of a member who became part of another one, and of one who is by themselves again.

Documents move, and with each its lines and meetings; a purchase is with whoever has documents of
it, which may be both after an undone merge.
"""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.operations import Moved

# Ids of documents are unique by themselves, so no key of the two can meet.
DOCUMENTS: LiteralString = """
UPDATE purchases.document SET member_id = %(into)s WHERE member_id = %(gone)s
RETURNING receipt_id::text
"""
LINES: LiteralString = "UPDATE purchases.line SET member_id = %(into)s WHERE member_id = %(gone)s"
MEETINGS: LiteralString = """
UPDATE purchases.meeting SET member_id = %(into)s WHERE member_id = %(gone)s
"""
TAKINGS: LiteralString = """
UPDATE purchases.taking SET member_id = %(into)s WHERE member_id = %(gone)s
"""
PACKS: LiteralString = """
UPDATE purchases.pack SET member_id = %(into)s WHERE member_id = %(gone)s RETURNING gtin, sernum
"""
PACK_BACK: LiteralString = """
UPDATE purchases.pack SET member_id = %s WHERE member_id = %s AND gtin = %s AND sernum = %s
"""
# Both have it when they were one before, and that was undone.
DOUBLES: LiteralString = """
DELETE FROM purchases.purchase
WHERE member_id = %(gone)s AND purchase_id IN (
    SELECT other.purchase_id FROM purchases.purchase AS other WHERE other.member_id = %(into)s)
"""
PURCHASES: LiteralString = """
UPDATE purchases.purchase SET member_id = %(into)s WHERE member_id = %(gone)s
"""
BACK: tuple[LiteralString, ...] = (
    """
    UPDATE purchases.document SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(documents)s::uuid[])
    """,
    """
    UPDATE purchases.line SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(documents)s::uuid[])
    """,
    """
    UPDATE purchases.taking SET member_id = %(gone)s
    WHERE member_id = %(into)s AND receipt_id = ANY(%(documents)s::uuid[])
    """,
    """
    UPDATE purchases.meeting SET member_id = %(gone)s
    WHERE member_id = %(into)s AND order_ref = ANY(%(documents)s::uuid[])
    """,
    # An order that stays met a receipt that goes: its points are the other's, no return of the
    # order takes them back.
    """
    UPDATE purchases.meeting SET fact_id = NULL, points = 0
    WHERE member_id = %(into)s AND receipt_id = ANY(%(documents)s::uuid[])
    """,
    """
    INSERT INTO purchases.purchase
        (member_id, purchase_id, seller_inn, sales_channel, opened_at, recorded_at)
    SELECT DISTINCT %(gone)s::uuid, p.purchase_id, p.seller_inn, p.sales_channel, p.opened_at,
        p.recorded_at
    FROM purchases.document d
    JOIN purchases.purchase p ON p.member_id = %(into)s AND p.purchase_id = d.purchase_id
    WHERE d.member_id = %(gone)s AND d.receipt_id = ANY(%(documents)s::uuid[])
    ON CONFLICT (member_id, purchase_id) DO NOTHING
    """,
    """
    DELETE FROM purchases.purchase AS left_over
    WHERE left_over.member_id = %(into)s AND left_over.purchase_id IN (
            SELECT d.purchase_id FROM purchases.document d
            WHERE d.member_id = %(gone)s AND d.receipt_id = ANY(%(documents)s::uuid[]))
        AND NOT EXISTS (
            SELECT FROM purchases.document d
            WHERE d.member_id = %(into)s AND d.purchase_id = left_over.purchase_id)
    """,
)


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> Moved:  # noqa: ARG001
    """Give `into` the purchases of `gone`, with their documents and lines.

    Nothing is linked or priced anew: what both had recorded stays as it was decided, what comes
    later meets the open lines of both.
    """
    both = {"into": into, "gone": gone}
    documents = await kit_db.fetch_column(db, DOCUMENTS, both)
    for statement in (LINES, MEETINGS, TAKINGS, DOUBLES, PURCHASES):
        await db.execute(statement, both)
    packs = await (await db.execute(PACKS, both)).fetchall()
    return {"documents": documents, "packs": [list(one) for one in packs]}


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """Give `gone` the documents they had; one recorded since stays with `into`, as its points do.

    A purchase that has documents of both is there for both from now on.
    """
    asked = {"into": into, "gone": gone, "documents": moved["documents"]}
    for statement in BACK:
        await db.execute(statement, asked)
    await kit_db.execute_many(db, PACK_BACK, [(gone, into, *one) for one in moved["packs"]])
