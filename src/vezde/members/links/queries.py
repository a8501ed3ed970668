"""Questions about links: which there are, what one of them is, what came of a source."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.links import model
from vezde.members.links.model import CountedLink, Funnel, Link, Period

BY_CODE: LiteralString = """
SELECT code, source, campaign, medium, door, note, created_at, created_by, archived_at, archived_by
FROM members.link WHERE code = ANY(%s)
"""
LINKS: LiteralString = """
SELECT link.code, link.source, link.campaign, link.medium, link.door, link.note, link.created_at,
    link.created_by, link.archived_at, link.archived_by, counted.scans, counted.previews
FROM members.link
CROSS JOIN LATERAL (
    SELECT coalesce(sum(scan.people), 0)::bigint AS scans,
        coalesce(sum(scan.previews), 0)::bigint AS previews
    FROM members.scan WHERE scan.code = link.code
) AS counted
WHERE (%(code)s::text IS NULL OR link.code = %(code)s)
  AND (%(archived)s OR link.archived_at IS NULL)
  AND (%(before)s::timestamptz IS NULL
       OR (link.created_at, link.code) < (%(before)s, %(before_code)s::text))
ORDER BY link.created_at DESC, link.code DESC
LIMIT %(limit)s
"""
# One pass over each table. Sources come from links as well, so one that nobody used shows its
# zeros. A step counts when it was taken after the member came.
FUNNEL: LiteralString = """
WITH counted AS (
    SELECT source, campaign, 0::bigint AS scans, 0::bigint AS starts, 0::bigint AS enrolled,
        0::bigint AS consented, 0::bigint AS first_receipts, 0::bigint AS accepted,
        0::bigint AS points
    FROM members.link
    UNION ALL
    SELECT link.source, link.campaign, scan.people, 0, 0, 0, 0, 0, 0
    FROM members.scan JOIN members.link USING (code)
    WHERE scan.day BETWEEN coalesce(%(first)s, '-infinity'::date)
                       AND coalesce(%(last)s, 'infinity'::date)
    UNION ALL
    SELECT source, campaign, 0, count(*), count(*) FILTER (WHERE enrolled_at >= came_at),
        count(*) FILTER (WHERE consented_at >= came_at),
        count(*) FILTER (WHERE receipt_at >= came_at),
        count(*) FILTER (WHERE accepted_at >= came_at), sum(points)::bigint
    FROM members.arrival
    WHERE source IS NOT NULL
      AND came_at >= coalesce(%(since)s, '-infinity'::timestamptz)
      AND came_at < coalesce(%(until)s, 'infinity'::timestamptz)
    GROUP BY source, campaign
)
SELECT source, campaign, sum(scans)::bigint AS scans, sum(starts)::bigint AS starts,
    sum(enrolled)::bigint AS enrolled, sum(consented)::bigint AS consented,
    sum(first_receipts)::bigint AS first_receipts, sum(accepted)::bigint AS accepted,
    sum(points)::bigint AS points
FROM counted
WHERE (source, coalesce(campaign, '')) > (%(source)s, %(campaign)s)
GROUP BY source, campaign
ORDER BY source, coalesce(campaign, '')
LIMIT %(limit)s
"""


async def link(db: Db, code: str) -> CountedLink:
    """The link of this code; raises `LinkNotFound`."""
    known = model.code_in(code)
    found = await _links(db, code=known, archived=True, limit=1) if known else []
    if not found:
        raise model.no_such_link()
    return found[0]


async def links(
    db: Db, *, archived: bool, limit: int, before: tuple[datetime, str] | None = None
) -> list[CountedLink]:
    """Links, the newest first; `before` is the last one's creation and code of the page before."""
    return await _links(db, code=None, archived=archived, limit=limit, before=before)


async def links_by_code(db: Db, texts: Sequence[str]) -> dict[str, Link]:
    """Links by the text their code was given as; texts that are no link's code are left out."""
    codes = {text: code for text in texts if (code := model.code_in(text))}
    if not codes:
        return {}
    found = await kit_db.fetch_all(db, Link, BY_CODE, [sorted(set(codes.values()))])
    by_code = {link.code: link for link in found}
    return {text: by_code[code] for text, code in codes.items() if code in by_code}


async def funnel(
    db: Db, *, period: Period, limit: int, after: tuple[str, str] = ("", "")
) -> list[Funnel]:
    """What came of each source and campaign in their order: of scans and arrivals of the period.

    Members count by the day they came, and their steps up to now. `after` is the last source and
    campaign ("" for none) of the page before.
    """
    asked = {
        "first": period.first,
        "last": period.last,
        "since": period.since,
        "until": period.until,
        "source": after[0],
        "campaign": after[1],
        "limit": limit,
    }
    return await kit_db.fetch_filtered(db, Funnel, FUNNEL, asked)


async def _links(
    db: Db,
    *,
    code: str | None,
    archived: bool,
    limit: int,
    before: tuple[datetime, str] | None = None,
) -> list[CountedLink]:
    asked = {
        "code": code,
        "archived": archived,
        "limit": limit,
        "before": before[0] if before else None,
        "before_code": before[1] if before else None,
    }
    return await kit_db.fetch_filtered(db, CountedLink, LINKS, asked)
