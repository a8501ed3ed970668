"""Many verified documents at once, decided in the same transaction, each answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.receipts import queries
from vezde.receipts.model import FiscalDocument, Reason
from vezde.receipts.operations import claims, turns, writing
from vezde.receipts.operations.claims import Turn
from vezde.receipts.operations.settling import Item, Outcome, settle
from vezde.receipts.operations.writing import NewReceipt


@dataclass(frozen=True, slots=True)
class Verified:
    """A document that counts as verified, for a member. `batch_ref` marks this very line."""

    member_id: UUID
    document: FiscalDocument
    batch_ref: UUID


@dataclass(frozen=True, slots=True)
class Taken:
    """The receipt that answers for a line; `repeated`: it was there before this line.

    `outcome` is there when this call decided the receipt; otherwise it stands in the database.
    """

    member_id: UUID
    receipt_id: UUID
    repeated: bool
    outcome: Outcome | None = None


async def register_verified(
    db: Db, lines: Sequence[Verified], *, evidence: str, now: datetime, actor: str
) -> list[Taken]:
    """Register and decide each document, in order; their members are `present` already.

    A repeat by the same member makes no row and answers the first one's; a line that is worked
    again after a crash is no repeat of itself. A document of somebody else is written as taken.
    """
    wants = [
        claims.want_document(one.document, member_id=one.member_id, receipt_id=ids.new())
        for one in lines
    ]
    answers = await claims.take(db, wants, now=now)
    doubles = [
        _Double(line, want, answer)
        for line, want, answer in zip(lines, wants, answers, strict=True)
        if answer.turn is not Turn.MINE
    ]
    sorted_out = await _sort_out(db, doubles)
    new = [
        Item(one.member_id, want.receipt_id, one.document, now)
        for one, want, answer in zip(lines, wants, answers, strict=True)
        if answer.turn is Turn.MINE
    ]
    outcomes = await settle(db, [*new, *sorted_out.late.values()], now=now, actor=actor)
    refs = {want.receipt_id: one.batch_ref for one, want in zip(lines, wants, strict=True)}
    await writing.add_decided(
        db, outcomes[: len(new)], evidence=evidence, batch_refs=refs, now=now, actor=actor
    )
    await writing.add_documents(
        db,
        [
            (item.member_id, item.receipt_id, evidence, item.document)
            for item in sorted_out.late.values()
            if item.receipt_id not in sorted_out.documented
        ],
    )
    await writing.decide(db, outcomes[len(new) :], now=now)
    await writing.add(db, sorted_out.refused, now=now, actor=actor)
    decided = [want.key for want, one in zip(wants, answers, strict=True) if one.others_wait]
    await turns.confirmed(db, decided, now=now)
    by_receipt = {one.item.receipt_id: one for one in outcomes}
    return [
        sorted_out.taken.get(want.receipt_id)
        or Taken(want.member_id, want.receipt_id, False, by_receipt.get(want.receipt_id))
        for want in wants
    ]


@dataclass(frozen=True, slots=True)
class _Double:
    line: Verified
    want: claims.Want
    answer: claims.Answer


@dataclass(frozen=True, slots=True)
class _SortedOut:
    """Doubles by the receipt id their line would have had.

    `late`: the member's own receipts that were still being checked and are decided by this very
    document; `documented`: those of them that have a document already; `refused`: new rows.
    """

    taken: dict[UUID, Taken]
    late: dict[UUID, Item]
    documented: set[UUID]
    refused: list[NewReceipt]


async def _sort_out(db: Db, doubles: Sequence[_Double]) -> _SortedOut:
    result = _SortedOut({}, {}, set(), [])
    if not doubles:
        return result
    earlier = await queries.earlier(db, [(one.want.member_id, *one.want.key) for one in doubles])
    own = [one for one in doubles if one.answer.turn is Turn.OWN]
    unsettled = await _unsettled(
        db, [(one.want.member_id, one.answer.first_receipt_id) for one in own]
    )
    refused: dict[tuple[UUID, int, int], UUID] = {}
    for one in doubles:
        member_id, would_be = one.want.member_id, one.want.receipt_id
        key = (member_id, *one.want.key)
        known = earlier.get(key)
        if one.answer.turn is Turn.OWN:
            first = one.answer.first_receipt_id
            if (waiting := unsettled.get(first)) is not None:
                result.late[first] = Item(
                    member_id, first, one.line.document, waiting.registered_at
                )
                if waiting.step == "settle":
                    result.documented.add(first)
        elif known is not None:
            first = known.receipt_id
        elif key in refused:
            first = refused[key]
        else:
            refused[key] = would_be
            result.refused.append(_refused(one.line, would_be))
            continue
        itself = known is not None and known.batch_ref == one.line.batch_ref
        result.taken[would_be] = Taken(member_id, first, repeated=not itself)
    return result


UNSETTLED = """
SELECT verification.receipt_id, verification.step, receipt.registered_at
FROM unnest(%s::uuid[], %s::uuid[]) AS given (member_id, receipt_id)
JOIN receipts.receipt USING (member_id, receipt_id)
CROSS JOIN LATERAL (
    SELECT receipt_id, step FROM receipts.verification AS own
    WHERE own.member_id = given.member_id AND own.receipt_id = given.receipt_id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
) AS verification
"""


@dataclass(frozen=True, slots=True)
class _Unsettled:
    receipt_id: UUID
    step: str
    registered_at: datetime


async def _unsettled(db: Db, own: Sequence[tuple[UUID, UUID]]) -> dict[UUID, _Unsettled]:
    """Of these (member, receipt), those still being checked and in nobody's hands just now."""
    if not own:
        return {}
    members, receipts = [member for member, _ in own], [receipt for _, receipt in own]
    rows = await kit_db.fetch_all(db, _Unsettled, UNSETTLED, [members, receipts])
    return {row.receipt_id: row for row in rows}


def _refused(one: Verified, receipt_id: UUID) -> NewReceipt:
    key = one.document.key
    return NewReceipt(
        member_id=one.member_id,
        receipt_id=receipt_id,
        reason=Reason.TAKEN,
        fn=key.fn,
        fd=key.fd,
        fp=key.fp,
        wall_time=one.document.wall_time,
        total_kopecks=one.document.total_kopecks,
        batch_ref=one.batch_ref,
    )
