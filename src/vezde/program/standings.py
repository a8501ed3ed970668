"""What a member's earlier decisions add up to, read for the facts that ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import lists
from vezde.kit.db import Db
from vezde.program import days
from vezde.program.model import LINES_RECOGNISED, Fact, Programme, Programmes, Standing

# A row for each fact and each id its member ever had; a fact's rows are added up.
STANDINGS: LiteralString = """
SELECT sum(earned.points)::bigint AS earned_that_day,
    sum(shown.purchases)::bigint AS shown_that_day,
    CASE WHEN bool_and(refused.whole) THEN min(refused.because) END AS purchase_refusal
FROM unnest(
    %s::integer[], %s::uuid[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
    %s::timestamptz[], %s::uuid[]
) AS asked (
    place, member_id, earned_from, earned_to, shown_from, shown_to, refused_purchase_id
)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(d.points), 0)::bigint AS points FROM program.decision d
    WHERE d.member_id = asked.member_id
        AND d.occurred_at >= asked.earned_from AND d.occurred_at < asked.earned_to
) earned
CROSS JOIN LATERAL (
    SELECT count(*) AS purchases FROM program.decision d
    WHERE d.member_id = asked.member_id
        AND d.registered_at >= asked.shown_from AND d.registered_at < asked.shown_to
        AND d.kind = 'purchase.recorded/1' AND d.refusal IS NULL
) shown
CROSS JOIN LATERAL (
    SELECT bool_and(d.refusal IS NOT NULL) AS whole, min(d.refusal) AS because
    FROM program.decision d
    WHERE asked.refused_purchase_id IS NOT NULL AND d.member_id = asked.member_id
        AND d.purchase_id = asked.refused_purchase_id AND d.kind = 'purchase.recorded/1'
) refused
GROUP BY asked.place
ORDER BY asked.place
"""

Former = Mapping[UUID, Sequence[UUID]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A fact not decided yet, its version, and the days its caps look at."""

    fact: Fact
    programme: Programme
    earned_day: tuple[datetime, datetime]
    shown_day: tuple[datetime, datetime]


def ask(programmes: Programmes, fact: Fact) -> Asked:
    """The fact under the version of its time; raises `NoProgramme`."""
    programme = programmes.at(fact.occurred_at)
    return Asked(
        fact,
        programme,
        days.day_of(programme.zone, fact.occurred_at),
        days.day_of(programme.zone, fact.registered_at),
    )


async def read(db: Db, asked: Sequence[Asked], former: Former) -> list[Standing]:
    """Each fact's standing before this transaction, in one read for all.

    `former` are the ids that members had before: decisions stay under the id they were made for.
    """
    if not asked:
        return []
    rows = [
        (
            place,
            who,
            *one.earned_day,
            *one.shown_day,
            one.fact.purchase_id if one.fact.kind == LINES_RECOGNISED else None,
        )
        for place, one in enumerate(asked)
        for who in (one.fact.member_id, *former.get(one.fact.member_id, ()))
    ]
    return await kit_db.fetch_all(db, Standing, *lists.asked(STANDINGS, rows))
