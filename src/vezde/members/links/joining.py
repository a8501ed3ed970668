"""Where two members came from, who are one person; and again each of them, when they are not."""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members.links import arrivals

Row = dict[str, Any]  # a table's row as JSON has it

COUNTED = frozenset({"points", "times"})

# The earlier source is the person's. Points count from then on, so those of a member who came from
# nowhere known are not the source's. What is null is earlier than nothing.
JOIN: LiteralString = """
WITH gone AS (
    DELETE FROM members.arrival WHERE member_id = %(gone)s
    RETURNING source, campaign, code, came_at, enrolled_at, consented_at, receipt_at, accepted_at,
        points
)
UPDATE members.arrival AS kept
SET source = CASE WHEN gone.came_at < coalesce(kept.came_at, 'infinity')
        THEN gone.source ELSE kept.source END,
    campaign = CASE WHEN gone.came_at < coalesce(kept.came_at, 'infinity')
        THEN gone.campaign ELSE kept.campaign END,
    code = CASE WHEN gone.came_at < coalesce(kept.came_at, 'infinity')
        THEN gone.code ELSE kept.code END,
    came_at = least(kept.came_at, gone.came_at),
    enrolled_at = least(kept.enrolled_at, gone.enrolled_at),
    consented_at = least(kept.consented_at, gone.consented_at),
    receipt_at = least(kept.receipt_at, gone.receipt_at),
    accepted_at = least(kept.accepted_at, gone.accepted_at),
    points = CASE
        WHEN (kept.source IS NULL) = (gone.source IS NULL) THEN kept.points + gone.points
        WHEN kept.source IS NULL THEN gone.points
        ELSE kept.points
    END
FROM gone
WHERE kept.member_id = %(into)s
"""
MOVE_TOUCHES: LiteralString = """
WITH gone AS (
    DELETE FROM members.touch WHERE member_id = %(gone)s RETURNING code, at, last_at, times
)
INSERT INTO members.touch (member_id, code, at, last_at, times)
SELECT %(into)s, code, at, last_at, times FROM gone
ON CONFLICT (member_id, code) DO UPDATE
SET at = least(touch.at, excluded.at), last_at = greatest(touch.last_at, excluded.last_at),
    times = touch.times + excluded.times
"""
NAME_AFTER_JOIN: LiteralString = """
UPDATE members.member SET source = arrival.source
FROM members.arrival
WHERE member.member_id = %s AND arrival.member_id = member.member_id
  AND member.source IS DISTINCT FROM arrival.source
"""
READ_WHOLE: Mapping[str, LiteralString] = {
    "arrival": "SELECT to_jsonb(one) FROM members.arrival AS one WHERE member_id = ANY(%s)",
    "touch": "SELECT to_jsonb(one) FROM members.touch AS one WHERE member_id = ANY(%s)",
}
DROP: Mapping[str, LiteralString] = {
    "arrival": "DELETE FROM members.arrival WHERE member_id = ANY(%s)",
    "touch": "DELETE FROM members.touch WHERE member_id = ANY(%s)",
}
PUT_BACK: Mapping[str, LiteralString] = {
    "arrival": """
INSERT INTO members.arrival
SELECT (jsonb_populate_recordset(NULL::members.arrival, %s)).*
""",
    "touch": """
INSERT INTO members.touch
SELECT (jsonb_populate_recordset(NULL::members.touch, %s)).*
""",
}


async def merge(db: Db, *, into: UUID, gone: UUID) -> dict[str, Any]:
    """Two members are one person: the earlier source and the earliest steps are theirs.

    Answers what `unmerge` has to know: the rows of both as they were, and as they are.
    """
    both = {"into": into, "gone": gone}
    await db.execute(arrivals.LOCK_BOTH, [[into, gone]])
    before = await _rows(db, [into, gone])
    await db.execute(JOIN, both)
    await db.execute(NAME_AFTER_JOIN, [into])
    await db.execute(MOVE_TOUCHES, both)
    return {"before": before, "after": await _rows(db, [into])}


async def unmerge(db: Db, *, into: UUID, gone: UUID, moved: Mapping[str, Any]) -> None:
    """Each has again what was theirs; steps taken and points accrued since are `into`'s."""
    await db.execute(arrivals.LOCK_BOTH, [[into]])
    now = await _rows(db, [into])
    before, after = moved["before"], moved["after"]
    for table in READ_WHOLE:
        back = [row for row in before[table] if row["member_id"] == str(gone)]
        mine = [row for row in before[table] if row["member_id"] == str(into)]
        kept = parted(mine, after[table], now[table])
        await db.execute(DROP[table], [[into, gone]])
        await db.execute(PUT_BACK[table], [Jsonb([*back, *kept])])
    await db.execute(NAME_AFTER_JOIN, [into])


def parted(mine: Sequence[Row], after: Sequence[Row], now: Sequence[Row]) -> list[Row]:
    """What is one member's of rows joined with another's: as `mine` before, with what came since.

    `after` is how they were once joined, `now` how they are. Rows are told apart by their `code`
    where that is part of the key.
    """
    own, joined = _by_code(mine), _by_code(after)
    rows = []
    for code, row in _by_code(now).items():
        before, then = own.get(code), joined.get(code)
        if then is None:
            rows.append(row)
            continue
        left = {
            name: max((before or {}).get(name, 0) + value - then[name], 0)
            if name in COUNTED
            else value
            if before is None or value != then[name]
            else before[name]
            for name, value in row.items()
        }
        if before is not None or left.get("times"):
            rows.append(left)
    return rows


def _by_code(rows: Sequence[Row]) -> dict[str, Row]:
    return {row["code"] if "times" in row else "": row for row in rows}


async def _rows(db: Db, member_ids: Sequence[UUID]) -> dict[str, list[dict[str, Any]]]:
    """Arrivals and touches of these members, as JSON has them."""
    return {
        table: await kit_db.fetch_column(db, query, [list(member_ids)])
        for table, query in READ_WHOLE.items()
    }
