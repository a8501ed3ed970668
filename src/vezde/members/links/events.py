"""Facts about how members came."""

from datetime import datetime
from uuid import UUID

from vezde.kit import ids
from vezde.outbox.model import FactRow

CAME_BY = "member.came_by/1"


def came_by(member_id: UUID, code: str, *, first: bool, now: datetime) -> FactRow:
    """A member came by a link for the first time; `first`: it is where they come from."""
    return FactRow(ids.new(), member_id, None, CAME_BY, now, now, {"code": code, "first": first})
