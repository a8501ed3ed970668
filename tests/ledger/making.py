"""Commands for the ledger's tests, short to write."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from vezde.kit import ids
from vezde.ledger.model import (
    Accrual,
    Commit,
    Debt,
    DebtPolicy,
    Hold,
    Part,
    Redemption,
    Release,
    Restoration,
    Reversal,
)

NOON = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
FORGIVE = Debt(DebtPolicy.FORGIVE)


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


def redemption(member_id: UUID, points: int, op_key: str = "", **given: Any) -> Redemption:
    return Redemption(points=points, **_command(member_id, op_key), **given)


def hold(member_id: UUID, points: int, op_key: str = "", *, hours: int = 1, **given: Any) -> Hold:
    return Hold(
        hold_id=ids.new(),
        points=points,
        expires_at=NOON + timedelta(hours=hours),
        **_command(member_id, op_key),
        **given,
    )


def commit(held: Hold, points: int, op_key: str = "", **given: Any) -> Commit:
    return Commit(hold_id=held.hold_id, points=points, **_command(held.member_id, op_key), **given)


def release(held: Hold, op_key: str = "") -> Release:
    return Release(hold_id=held.hold_id, **_command(held.member_id, op_key))


def reversal(
    member_id: UUID,
    accrual_seq: int,
    points: int,
    op_key: str = "",
    *,
    debt: Debt = FORGIVE,
    **given: Any,
) -> Reversal:
    return Reversal(
        accrual_seq=accrual_seq,
        points=points,
        debt=debt,
        **_command(member_id, op_key),
        **given,
    )


def restoration(
    member_id: UUID, debit_seq: int, points: int, op_key: str = "", **given: Any
) -> Restoration:
    return Restoration(debit_seq=debit_seq, points=points, **_command(member_id, op_key), **given)


def _command(member_id: UUID, op_key: str) -> dict[str, Any]:
    """Without a key it is one that nothing else has."""
    return {
        "member_id": member_id,
        "op_key": op_key or f"test:{ids.new()}",
        "occurred_at": NOON,
        "title": "Заказ",
        "proof": {"order": 1},
    }
