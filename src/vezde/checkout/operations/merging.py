"""The holds and orders of a member who became part of another one, or is gone for good."""

from datetime import datetime
from uuid import UUID

from vezde.kit.db import Db

# Ids of holds and orders are unique by themselves, so no key of the two can meet.
MOVE = (
    "UPDATE checkout.hold SET member_id = %s WHERE member_id = %s",
    "UPDATE checkout.order_claim SET member_id = %s WHERE member_id = %s",
    "UPDATE checkout.purchase_order SET member_id = %s WHERE member_id = %s",
    "UPDATE checkout.order_return SET member_id = %s WHERE member_id = %s",
)

END_HOLDS = """
UPDATE checkout.hold SET state = 'cancelled', ended_at = %s, ended_by = %s
WHERE member_id = %s AND state = 'open'
"""


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Give `into` the holds and orders of `gone`; the ledger's entries stay where they are."""
    for statement in MOVE:
        await db.execute(statement, [into, gone])


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:
    """End the holds, whose points the ledger has released; orders name nobody and stay."""
    await db.execute(END_HOLDS, [now, actor, member_id])
