"""Facts about API keys."""

from datetime import datetime
from uuid import UUID

from vezde.kit import ids
from vezde.outbox.model import FactRow

KEY_CREATED = "access.key_created/1"
KEY_REVOKED = "access.key_revoked/1"


def key_created(key_id: UUID, *, now: datetime) -> FactRow:
    return FactRow(ids.new(), None, str(key_id), KEY_CREATED, now, now, {})


def key_revoked(key_id: UUID, *, now: datetime) -> FactRow:
    return FactRow(ids.new(), None, str(key_id), KEY_REVOKED, now, now, {})
