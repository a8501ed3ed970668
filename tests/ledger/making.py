"""Commands for the ledger's tests, short to write."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from vezde.ledger.model import Accrual, Part

NOON = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def accrual(
    member_id: UUID,
    op_key: str = "purchase:1",
    points: int = 37,
    *,
    active_at: datetime = NOON,
    expires_at: datetime | None = NOON + 365 * DAY,
    occurred_at: datetime = NOON - 3 * DAY,
    parts: tuple[Part, ...] | None = None,
    proof: dict[str, Any] | None = None,
    title: str = "Покупка",
) -> Accrual:
    return Accrual(
        member_id=member_id,
        op_key=op_key,
        points=points,
        active_at=active_at,
        expires_at=expires_at,
        occurred_at=occurred_at,
        parts=(Part(1, "base", 500, points),) if parts is None else parts,
        proof={"program_version": 1} if proof is None else proof,
        title=title,
    )
