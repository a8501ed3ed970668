"""Questions about sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.i18n import Locale, Plural
from vezde.messaging import catalogue, templates

OF_MEMBER: LiteralString = """
SELECT send.send_id, send.key, send.channel, send.purpose, send.slot,
    CASE WHEN queue.lease IS NOT NULL THEN 'sending' ELSE send.state END AS state,
    send.reason, send.message_id, send.reserved_at
FROM messaging.send
LEFT JOIN LATERAL (
    SELECT own.lease FROM (
        SELECT queue.send_id, queue.lease FROM messaging.queue
        WHERE queue.member_id = send.member_id
        ORDER BY queue.channel, queue.rank, queue.send_id
        OFFSET 0
    ) AS own
    WHERE own.send_id = send.send_id
    LIMIT 1
) AS queue ON true
WHERE send.member_id = %s ORDER BY send.send_id DESC LIMIT %s
"""
BY_STATE: LiteralString = """
SELECT CASE WHEN queue.lease IS NOT NULL THEN 'sending' ELSE send.state END, count(*)
FROM messaging.send LEFT JOIN messaging.queue USING (member_id, channel, send_id)
GROUP BY 1
"""
BACKLOG: LiteralString = """
SELECT
    (SELECT count(*) FROM messaging.queue) AS waiting,
    (SELECT count(*) FROM messaging.send WHERE state = 'unknown') AS unknown
"""


@dataclass(frozen=True)
class Sent:
    """A row of the ledger of sends, without its text; `state` is one of `model.State`."""

    send_id: UUID
    key: str
    channel: str
    purpose: str
    slot: str | None
    state: str
    reason: str | None
    message_id: str | None
    reserved_at: datetime


@dataclass(frozen=True)
class Backlog:
    """How much waits to be sent, and how many sends nobody knows the end of."""

    waiting: int
    unknown: int


async def sends(db: Db, member_id: UUID, *, limit: int = 50) -> list[Sent]:
    """What was sent to a member, newest first."""
    return await kit_db.fetch_all(db, Sent, OF_MEMBER, [member_id, limit])


async def by_state(db: Db) -> dict[str, int]:
    """How many sends are in each state; reads the whole ledger, so ask it seldom."""
    return dict(await (await db.execute(BY_STATE)).fetchall())


async def backlog(db: Db) -> Backlog:
    """The figures to watch; cheap."""
    found = await kit_db.fetch_one(db, Backlog, BACKLOG)
    assert found is not None, "a statement without FROM gives one row"
    return found


def preview(
    key: str,
    locale: Locale,
    *,
    variables: Mapping[str, Any],
    own: Mapping[str, Any] | None = None,
    points_name: Plural | None = None,
) -> str:
    """A text as a member would read it, with these variables; raises `BrokenTemplate`."""
    text = catalogue.words(key, locale, own or {})
    return templates.fill(text, variables, locale=locale, points_name=points_name)
