"""The holds and orders of a member who became part of another one, was parted, or is gone."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.operations import Moved

# Ids of holds and orders are unique by themselves, so no key of the two can meet.
HOLDS: LiteralString = """
UPDATE checkout.hold SET member_id = %(into)s WHERE member_id = %(gone)s RETURNING hold_id::text
"""
ORDERS: LiteralString = """
UPDATE checkout.purchase_order SET member_id = %(into)s WHERE member_id = %(gone)s
RETURNING order_ref::text
"""
OF_ORDERS: tuple[LiteralString, ...] = (
    "UPDATE checkout.order_claim SET member_id = %(into)s WHERE member_id = %(gone)s",
    "UPDATE checkout.order_return SET member_id = %(into)s WHERE member_id = %(gone)s",
)
BACK: tuple[LiteralString, ...] = (
    """
    UPDATE checkout.hold SET member_id = %(gone)s
    WHERE member_id = %(into)s AND hold_id = ANY(%(holds)s::uuid[])
    """,
    """
    UPDATE checkout.purchase_order SET member_id = %(gone)s
    WHERE member_id = %(into)s AND order_ref = ANY(%(orders)s::uuid[])
    """,
    """
    UPDATE checkout.order_claim SET member_id = %(gone)s
    WHERE member_id = %(into)s AND order_ref = ANY(%(orders)s::uuid[])
    """,
    """
    UPDATE checkout.order_return SET member_id = %(gone)s
    WHERE member_id = %(into)s AND order_ref = ANY(%(orders)s::uuid[])
    """,
)

END_HOLDS: LiteralString = """
UPDATE checkout.hold SET state = 'cancelled', ended_at = %s, ended_by = %s
WHERE member_id = %s AND state = 'open'
"""


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> Moved:  # noqa: ARG001
    """Give `into` the holds and orders of `gone`; the ledger's entries stay where they are."""
    both = {"into": into, "gone": gone}
    holds = await kit_db.fetch_column(db, HOLDS, both)
    orders = await kit_db.fetch_column(db, ORDERS, both)
    for statement in OF_ORDERS:
        await db.execute(statement, both)
    return {"holds": holds, "orders": orders}


async def unmerge(
    db: Db,
    into: UUID,
    gone: UUID,
    *,
    moved: Moved,
    now: datetime,  # noqa: ARG001
    actor: str,  # noqa: ARG001
) -> None:
    """Give `gone` the orders they had made, with what was returned of them since.

    Points of these moved on the account of `gone`; the ledger knows what was returned meanwhile.
    """
    for statement in BACK:
        await db.execute(statement, {"into": into, "gone": gone, **moved})


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:
    """End the holds, whose points the ledger has released; orders name nobody and stay."""
    await db.execute(END_HOLDS, [now, actor, member_id])
