"""What the programme does about its own facts."""

from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.outbox.model import FactRow, Reaction
from vezde.program import events


async def count_points(db: Db, fact: FactRow) -> None:
    """Points were accrued: they count for where the member came from."""
    assert fact.member_id is not None, "points are somebody's"
    await members.earned(db, fact.member_id, int(fact.data["points"]))


REACTIONS = (Reaction("program.count_points", frozenset({events.POINTS_ACCRUED}), count_points),)
