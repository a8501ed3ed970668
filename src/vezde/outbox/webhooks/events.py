"""Facts about webhooks themselves, whose id is the subject; webhooks are not told of them."""

from datetime import datetime
from uuid import UUID

from vezde.kit import ids
from vezde.outbox.model import FactRow

CREATED = "webhook.created/1"
CHANGED = "webhook.changed/1"
SECRET_ROTATED = "webhook.secret_rotated/1"  # noqa: S105 -- a kind
PAUSED = "webhook.paused/1"
RESUMED = "webhook.resumed/1"
DELETED = "webhook.deleted/1"
# Recorded for one webhook's sake and told to it alone.
PINGED = "webhook.pinged/1"


def happened(kind: str, webhook_id: UUID, *, now: datetime, because: str | None = None) -> FactRow:
    """One of the kinds above; `because` is why a webhook was paused."""
    data = {} if because is None else {"because": because}
    return FactRow(ids.new(), None, str(webhook_id), kind, now, now, data)
