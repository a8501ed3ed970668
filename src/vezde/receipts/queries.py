"""Questions about receipts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import queries as members
from vezde.receipts import standing
from vezde.receipts.model import FiscalDocument, Note, Reason, Status
from vezde.receipts.operations import writing
from vezde.receipts.operations.settling import Matched
from vezde.receipts.reading.slips import Slip
from vezde.receipts.standing import Standing

COLUMNS = """
SELECT r.member_id, r.receipt_id, r.status, r.reason, r.fn, r.fd, r.fp, r.wall_time, r.occurred_at,
       r.total_kopecks, r.seller_inn, r.seller_name, r.seller_kind, r.sales_channel, r.purchase_id,
       r.first_receipt_id, r.registered_at, r.note, d.document, d.matches,
       CASE WHEN r.reason = 'quarantined' THEN q.promised_at END AS promised_at
FROM receipts.receipt r
LEFT JOIN receipts.document d USING (member_id, receipt_id)
LEFT JOIN receipts.quarantine q ON r.reason = 'quarantined'
    AND q.member_id = r.member_id AND q.receipt_id = r.receipt_id
"""
THESE = (
    COLUMNS + "WHERE (r.member_id, r.receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))"
)
CHECK: LiteralString = """
SELECT v.asked, CASE WHEN v.step = 'ask' AND v.parked_because IS NULL THEN v.due_at END AS next_at,
    coalesce(p.points, 0) AS promised_points
FROM receipts.verification v
LEFT JOIN receipts.promise p
    ON p.member_id = v.member_id AND p.receipt_id = v.receipt_id AND p.ended_at IS NULL
WHERE v.member_id = %s AND v.receipt_id = %s
"""
PROMISED: LiteralString = """
SELECT receipt_id, points FROM receipts.promise
WHERE (member_id, receipt_id) IN (SELECT * FROM unnest(%s::uuid[], %s::uuid[]))
  AND ended_at IS NULL
"""
SLIP = "SELECT slip FROM receipts.slip WHERE member_id = %s AND receipt_id = %s"
OF_MEMBER = (
    COLUMNS
    + """
WHERE r.member_id = %(member_id)s
  AND (%(status)s::text IS NULL OR r.status = %(status)s)
  AND (%(before)s::uuid IS NULL OR r.receipt_id < %(before)s)
ORDER BY r.receipt_id DESC
LIMIT %(limit)s
"""
)
OF_ALL = (
    COLUMNS
    + """
WHERE (%(status)s::text IS NULL OR r.status = %(status)s)
  AND (%(before)s::uuid IS NULL OR r.receipt_id < %(before)s)
ORDER BY r.receipt_id DESC
LIMIT %(limit)s
"""
)


class ReceiptMissing(DomainError):
    """There is no such receipt."""

    code = "receipt_not_found"
    kind = Kind.MISSING


@dataclass(frozen=True)
class Receipt:
    """A receipt as every face shows it; `document` is None until it is verified."""

    member_id: UUID
    receipt_id: UUID
    status: Status
    reason: Reason | None
    fn: int | None
    fd: int | None
    fp: int | None
    wall_time: datetime | None
    occurred_at: datetime | None
    total_kopecks: int | None
    seller_inn: str | None
    seller_name: str | None
    seller_kind: str | None
    sales_channel: str | None
    purchase_id: UUID | None
    first_receipt_id: UUID | None
    registered_at: datetime
    note: Note | None
    document: FiscalDocument | None
    matched: tuple[Matched, ...]
    promised_at: datetime | None = None

    def points(self, now: datetime) -> tuple[int, int, datetime | None]:
        """What its lines earned: pending, active, and when the last of it becomes active."""
        return points_of(self.matched, now)


@dataclass(frozen=True, slots=True)
class Check:
    """A check that goes on: `asked` times the document was not there yet, `next_at` it is asked
    for again (None: it waits for its turn, or is found), so many points are promised meanwhile.
    """

    asked: int
    next_at: datetime | None
    promised_points: int


def points_of(matched: Sequence[Matched], now: datetime) -> tuple[int, int, datetime | None]:
    """Pending, active, and when the last of it becomes active."""
    pending = sum(
        max(one.points - one.at_once, 0) for one in matched if one.active_at and one.active_at > now
    )
    active_at = max((one.active_at for one in matched if one.active_at), default=None)
    return pending, sum(one.points for one in matched) - pending, active_at


@dataclass(frozen=True)
class _Row:
    member_id: UUID
    receipt_id: UUID
    status: str
    reason: str | None
    fn: int | None
    fd: int | None
    fp: int | None
    wall_time: datetime | None
    occurred_at: datetime | None
    total_kopecks: int | None
    seller_inn: str | None
    seller_name: str | None
    seller_kind: str | None
    sales_channel: str | None
    purchase_id: UUID | None
    first_receipt_id: UUID | None
    registered_at: datetime
    note: str | None
    document: dict[str, Any] | None
    matches: list[list[Any]] | None
    promised_at: datetime | None

    def receipt(self) -> Receipt:
        fields = vars(self).copy()
        document, matches = fields.pop("document"), fields.pop("matches")
        return Receipt(
            **{
                **fields,
                "status": Status(self.status),
                "reason": Reason(self.reason) if self.reason else None,
                "note": Note(self.note) if self.note else None,
                "document": FiscalDocument.from_json(document) if document else None,
                "matched": writing.from_json(matches or []),
            }
        )


async def receipt(db: Db, member_id: UUID, receipt_id: UUID) -> Receipt:
    """One receipt; raises `ReceiptMissing`.

    `member_id` may be the one the member had before a merge, or until one was undone: public ids
    carry it.
    """
    found = await receipts(db, [(member_id, receipt_id)])
    if not found:
        owner = await members.surviving(db, member_id)
        if owner != member_id:
            return await receipt(db, owner, receipt_id)
        parted = [(one, receipt_id) for one in await members.parted(db, owner)]
        if parted and (found := await receipts(db, parted)):
            return found[receipt_id]
        raise ReceiptMissing(
            "There is no such receipt; check the id, or list the member's receipts."
        )
    return found[receipt_id]


async def receipts(db: Db, wanted: Sequence[tuple[UUID, UUID]]) -> dict[UUID, Receipt]:
    """Receipts by (member, receipt) id, in one read; those that are not there are left out."""
    members, ids = [member for member, _ in wanted], [one for _, one in wanted]
    rows = await kit_db.fetch_all(db, _Row, THESE, [members, ids])
    return {row.receipt_id: row.receipt() for row in rows}


async def check(db: Db, member_id: UUID, receipt_id: UUID) -> Check | None:
    """How the check of a receipt goes; None when it is over."""
    return await kit_db.fetch_one(db, Check, CHECK, [member_id, receipt_id])


async def promised(db: Db, keys: Collection[tuple[UUID, UUID]]) -> dict[UUID, int]:
    """Points set aside for receipts (member, receipt) until they are checked, by receipt."""
    columns = [[one for one, _ in keys], [one for _, one in keys]]
    return dict(await (await db.execute(PROMISED, columns)).fetchall())


async def slip(db: Db, member_id: UUID, receipt_id: UUID) -> Slip | None:
    """What the e-receipt's text layer said beside its code; no evidence."""
    given = await kit_db.fetch_value(db, SLIP, [member_id, receipt_id])
    return Slip.from_json(given) if given else None


async def page(
    db: Db,
    *,
    member_id: UUID | None = None,
    status: Status | None = None,
    before: UUID | None = None,
    limit: int,
) -> list[Receipt]:
    """Receipts, newest first, of one member or of all; `before`: the last id of the page before.

    `member_id` may be the one the member had before a merge.
    """
    if member_id is not None:
        member_id = await members.surviving(db, member_id)
    params = {"member_id": member_id, "status": status, "before": before, "limit": limit}
    query = OF_MEMBER if member_id else OF_ALL
    return [row.receipt() for row in await kit_db.fetch_filtered(db, _Row, query, params)]


EARLIER = """
SELECT DISTINCT ON (fn, fd, member_id) member_id, fn, fd, fp, receipt_id, status, reason, batch_ref
FROM receipts.receipt
WHERE member_id = ANY(%s::uuid[])
  AND (fn, fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
  AND (reason IS NULL OR reason NOT IN ('not_found', 'forged', 'already_registered'))
ORDER BY fn, fd, member_id, receipt_id
"""


@dataclass(frozen=True)
class Earlier:
    """A member's first receipt for a document that still stands, whatever it came to."""

    member_id: UUID
    fn: int
    fd: int
    fp: int
    receipt_id: UUID
    status: str
    reason: str | None
    batch_ref: UUID | None


async def earlier(
    db: Db, keys: Sequence[tuple[UUID, int, int]]
) -> dict[tuple[UUID, int, int], Earlier]:
    """The members' first receipts for these (member, fn, fd); a member has few, the key leads."""
    if not keys:
        return {}
    members = sorted({member for member, _, _ in keys})
    fns, fds = [fn for _, fn, _ in keys], [fd for _, _, fd in keys]
    rows = await kit_db.fetch_all(db, Earlier, EARLIER, [members, fns, fds])
    return {(row.member_id, row.fn, row.fd): row for row in rows}


PRINTED = """
SELECT claim.fn, claim.fd, receipt.wall_time
FROM receipts.claim JOIN receipts.receipt USING (member_id, receipt_id)
WHERE (claim.fn, claim.fd) IN (SELECT * FROM unnest(%s::bigint[], %s::bigint[]))
"""


async def printed(db: Db, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], datetime]:
    """The till's time on the papers of these (fn, fd) that somebody has shown."""
    asked = [[fn for fn, _ in keys], [fd for _, fd in keys]]
    rows = await (await db.execute(PRINTED, asked)).fetchall()
    return {(fn, fd): wall_time for fn, fd, wall_time in rows if wall_time is not None}


QUEUES = """
SELECT step, parked_because IS NOT NULL, count(*) FROM receipts.verification GROUP BY 1, 2
"""


async def queues(db: Db) -> dict[tuple[str, bool], int]:
    """How many checks there are by step and whether they are parked, for metrics."""
    rows = await (await db.execute(QUEUES)).fetchall()
    return {(row[0], row[1]): row[2] for row in rows}


PROVIDERS: LiteralString = """
SELECT one.name, place, price_kopecks, asks_per_day, budget_kopecks_per_day, failures,
    paused_because, paused_note, paused_by, paused_wall, until_wall, probed_until_wall, warned_of,
    warned_wall, coalesce(asked, 0) AS asked, coalesce(found, 0) AS found,
    coalesce(failed, 0) AS failed, coalesce(spent_kopecks, 0) AS spent_kopecks
FROM receipts.provider AS one
LEFT JOIN receipts.provider_day AS today ON today.name = one.name AND today.day = %s
WHERE one.name = ANY(%s)
"""


async def providers(db: Db, names: Sequence[str], *, wall: datetime) -> list[Standing]:
    """These providers with what was asked and spent today, in the order in which they are asked.

    Those that an operator gave a place come first, then the others in the order of `names`; one
    that was never asked stands as it would.
    """
    today = [standing.day(wall), list(names)]
    rows = {one.name: one for one in await kit_db.fetch_all(db, Standing, PROVIDERS, today)}
    known = [rows.get(name, Standing(name)) for name in names]
    return sorted(known, key=lambda one: one.place or standing.LAST)


# By receipt_by_id: ids are in the order of the wall, days are the programme's.
TALLY: LiteralString = """
SELECT status, coalesce(sales_channel, '') AS sales_channel,
    coalesce(seller_name, '') AS seller_name,
    count(*) AS number, coalesce(sum(total_kopecks), 0)::bigint AS total_kopecks
FROM receipts.receipt
WHERE receipt_id >= %s AND receipt_id < %s AND registered_at >= %s AND registered_at < %s
GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Counted:
    """Receipts of one status, channel and shop ("" where it is not known), and their sums."""

    status: str
    sales_channel: str
    seller_name: str
    number: int
    total_kopecks: int


async def tally(
    db: Db, *, since: datetime, until: datetime, first_id: UUID, last_id: UUID
) -> list[Counted]:
    """Receipts registered in this time, as they are now; the ids bound what is read."""
    return await kit_db.fetch_all(db, Counted, TALLY, [first_id, last_id, since, until])
