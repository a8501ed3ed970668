"""Stored answers follow the member they are about, and go with them."""

from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db

MOVE: LiteralString = "UPDATE access.answer SET member_id = %s WHERE member_id = %s"
ERASE: LiteralString = "DELETE FROM access.answer WHERE member_id = %s"


async def merge(db: Db, into: UUID, gone: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Answers about `gone` are about `into` from now on; what they say stays as it was said."""
    await db.execute(MOVE, [into, gone])


async def forget(db: Db, member_id: UUID, *, now: datetime, actor: str) -> None:  # noqa: ARG001
    """Delete every answer about the member; a request repeated later is done anew."""
    await db.execute(ERASE, [member_id])
