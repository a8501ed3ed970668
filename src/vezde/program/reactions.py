"""What the programme does about its own facts."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.outbox.model import FactRow, by_the_batch
from vezde.program import events


async def count_points(db: Db, facts: Sequence[FactRow]) -> None:
    """Points were accrued: they count for where their members came from."""
    points: Counter[UUID] = Counter()
    for fact in facts:
        if fact.member_id is not None:
            points[fact.member_id] += int(fact.data["points"])
    await members.earned_all(db, points)


REACTIONS = (
    by_the_batch("program.count_points", frozenset({events.POINTS_ACCRUED}), count_points),
)
