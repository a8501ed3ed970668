"""What happened to sellers."""

from datetime import datetime

from vezde.kit import ids
from vezde.outbox.model import FactRow

LABELLED = "seller.labelled/1"
JUDGED = "seller.judged/1"


def labelled(inn: str, *, kind: str, sales_channel: str, now: datetime) -> FactRow:
    """An operator said what an INN is; past receipts of it may be priced anew."""
    data = {"inn": inn, "kind": kind, "sales_channel": sales_channel}
    return FactRow(
        id=ids.new(),
        member_id=None,
        subject=inn,
        kind=LABELLED,
        occurred_at=now,
        recorded_at=now,
        data=data,
    )


def judged(inn: str, *, before: str | None, after: str | None, now: datetime) -> FactRow:
    """An operator trusts, watches or blocks a seller from now on, or does so no more (None)."""
    return FactRow(
        id=ids.new(),
        member_id=None,
        subject=inn,
        kind=JUDGED,
        occurred_at=now,
        recorded_at=now,
        data={"inn": inn, "before": before, "after": after},
    )
