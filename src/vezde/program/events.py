"""Facts of the programme."""

from datetime import datetime

from vezde.kit import ids
from vezde.outbox.model import FactRow
from vezde.program.model import Decision, Fact, Version

POINTS_ACCRUED = "points.accrued/1"
PUBLISHED = "program.published/1"


def points_accrued(fact: Fact, decision: Decision, *, now: datetime) -> FactRow:
    """A fact earned points; `active_at` says whether they wait."""
    assert decision.active_at is not None, "points have an instant to be active from"
    return FactRow(
        id=ids.new(),
        member_id=fact.member_id,
        subject=None,
        kind=POINTS_ACCRUED,
        occurred_at=fact.occurred_at,
        recorded_at=now,
        data={
            "fact_id": str(fact.id),
            "purchase_id": str(fact.purchase_id),
            "points": decision.points,
            "active_at": decision.active_at.isoformat(),
        },
    )


def published(version: Version, *, now: datetime) -> FactRow:
    """A version of the programme was published."""
    return FactRow(
        id=ids.new(),
        member_id=None,
        subject="program",
        kind=PUBLISHED,
        occurred_at=now,
        recorded_at=now,
        data={"version": version.version, "valid_from": version.valid_from.isoformat()},
    )
