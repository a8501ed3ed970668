"""Facts of the catalogue."""

from datetime import datetime
from typing import Any

from vezde.kit import ids
from vezde.outbox.model import FactRow

SUBJECT = "catalog"
# Products were created, changed or archived: data are the counts, the mode and the revision.
IMPORTED = "catalog.imported/1"
# A name was learned; the subject is the seller's INN, or `SUBJECT` where it may be anybody's.
NAME_LEARNED = "catalog.name_learned/1"


def imported(data: dict[str, Any], *, now: datetime) -> FactRow:
    """The fact that an import changed the catalogue."""
    return FactRow(
        id=ids.new(),
        member_id=None,
        subject=SUBJECT,
        kind=IMPORTED,
        occurred_at=now,
        recorded_at=now,
        data=data,
    )


def name_learned(seller_inn: str | None, *, now: datetime) -> FactRow:
    """The fact that it is known now what a seller means by a name."""
    return FactRow(
        id=ids.new(),
        member_id=None,
        subject=seller_inn or SUBJECT,
        kind=NAME_LEARNED,
        occurred_at=now,
        recorded_at=now,
        data={},
    )
