"""The purchases of a member who became part of another one."""

from datetime import datetime
from uuid import UUID

from vezde.kit.db import Db

# Ids of purchases and documents are unique by themselves, so no key of the two can meet.
MOVE = (
    "UPDATE purchases.purchase SET member_id = %s WHERE member_id = %s",
    "UPDATE purchases.document SET member_id = %s WHERE member_id = %s",
    "UPDATE purchases.line SET member_id = %s WHERE member_id = %s",
    "UPDATE purchases.meeting SET member_id = %s WHERE member_id = %s",
    "UPDATE purchases.taking SET member_id = %s WHERE member_id = %s",
    "UPDATE purchases.pack SET member_id = %s WHERE member_id = %s",
)


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Give `into` the purchases of `gone`, with their documents and lines.

    Nothing is linked or priced anew: what both had recorded stays as it was decided, what comes
    later meets the open lines of both.
    """
    for statement in MOVE:
        await db.execute(statement, [into, gone])
