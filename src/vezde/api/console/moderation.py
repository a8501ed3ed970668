"""Lines that wait for a person: listed, decided, one or all alike, and undone."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access import operations as access
from vezde.access import queries as access_queries
from vezde.access.staff import Right, Shift
from vezde.api import names
from vezde.api.callers import right
from vezde.api.console.lines import LookOut, looks_out
from vezde.api.console.sessions import PATH
from vezde.api.once import Done, Till, once
from vezde.api.pages import BadCursor, Cursor, Limit, cursor_of, page
from vezde.api.tools import Tools, tools
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.receipts import looks, queries, section
from vezde.receipts.looks import Key, Order, Place
from vezde.receipts.operations import looking, moderating
from vezde.receipts.operations.looking import Look
from vezde.receipts.photos import operations as photos

router = APIRouter(tags=["console"])
Moderator = Annotated[Shift, Depends(right(Right.MODERATE))]
Using = Annotated[Tools, Depends(tools)]
OfKind = Annotated[str | None, Query(pattern="^(doubt|audit|first)$")]
# Nothing on the way keeps it, and no browser takes it for a page.
PRIVATE = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Content-Disposition": "inline",
}
AT_ONCE = 50  # lines of one request, each in a transaction of its own


class WaitingOut(BaseModel):
    """Counted up to ten thousand; `late`: the first is over its promised time."""

    kind: str
    lines: int
    since: datetime
    late: bool


class QueueOut(BaseModel):
    items: list[LookOut]
    next_cursor: str | None
    waiting: list[WaitingOut]
    promised_hours: int


class DecisionIn(BaseModel):
    """Which product the line is; null: none of ours. `turn` is of the line as it was read.

    `alike`: all that wait with the same name at the same seller as well.
    """

    model_config = ConfigDict(extra="forbid")
    turn: Annotated[int, Field(ge=0)]
    product_sku: Annotated[str, Field(max_length=200)] | None
    alike: bool = False


class DecidedOut(BaseModel):
    """`lines` were decided (or undone) by this request; `left`: ask again for the others."""

    decision_id: str
    lines: int
    skipped: int
    left: bool


@router.get(f"{PATH}/moderation")
async def queue(
    _shift: Moderator,
    using: Using,
    order: Order = Order.AGE,
    kind: OfKind = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> QueueOut:
    """Lines that wait, the oldest or the dearest first, each with its receipt and guesses."""
    after = _place(cursor)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        promised = (await section.in_force(db, now)).promised_hours
        rows = await looks.page(db, order=order, kind=kind, after=after, limit=limit + 1)
        shown = await looks_out(db, rows[:limit], promised=timedelta(hours=promised), now=now)
        waiting = await looks.counted(db)
    listed = page(rows, limit, show=lambda one: one.printed, position=_position)
    return QueueOut(
        items=shown,
        next_cursor=listed.next_cursor,
        waiting=[
            WaitingOut(
                kind=one.kind,
                lines=one.lines,
                since=one.since,
                late=one.since + timedelta(hours=promised) < now,
            )
            for one in waiting
        ],
        promised_hours=promised,
    )


@router.get(
    f"{PATH}/moderation/{{receipt_id}}/photo",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
)
async def photo(receipt_id: str, shift: Moderator, using: Using) -> Response:
    """The picture of a receipt whose lines wait, a JPEG. Who looks at it is in the journal."""
    member_id, internal = names.receipt_ids(receipt_id)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        receipt = await queries.receipt(db, member_id, internal)
        jpeg = await photos.picture(db, receipt.member_id, internal, vault=using.vault)
        details = {"receipt_id": receipt_id}
        await access.note(
            *(db, shift.operator, "photo_seen"), now=now, member_id=member_id, details=details
        )
    return Response(jpeg, media_type="image/jpeg", headers=PRIVATE)


@router.post(f"{PATH}/moderation/{{receipt_id}}/lines/{{line}}/decision")
async def decide(
    request: Request, receipt_id: str, line: int, given: DecisionIn, shift: Moderator
) -> Response:
    """Decide a line; 409 `line_changed` says what somebody else decided meanwhile.

    With `alike`, `left` says whether there are others to decide so: by `…/decisions/{id}/alike`.
    """
    member_id, internal = names.receipt_ids(receipt_id)
    decision_id = ids.new()

    async def work(db: Db, now: datetime) -> Done:
        look = await looking.seen(db, member_id, internal, line)
        before = _sku(await queries.receipt(db, member_id, internal), line)
        try:
            await moderating.decide_line(
                *(db, member_id, internal),
                line=line,
                sku=given.product_sku,
                turn=given.turn,
                decision_id=decision_id,
                now=now,
                actor=shift.operator.actor,
            )
        except moderating.LineChanged as error:
            raise await _by_name(db, error) from error
        details = {"receipt_id": receipt_id, "line": line, "kind": look.kind if look else None}
        changed = {"before": {"product_sku": before}, "after": {"product_sku": given.product_sku}}
        await access.note(
            *(db, shift.operator, "line_decided"),
            now=now,
            member_id=member_id,
            details={**details, **changed, "decision_id": names.decision(decision_id)},
        )
        left = given.alike and look is not None and bool(await looks.same(db, look, limit=1))
        shown = DecidedOut(decision_id=names.decision(decision_id), lines=1, skipped=0, left=left)
        return Done(200, shown, member_id)

    return await once(request, Till(shift.operator.operator_id), given, work)


@router.post(f"{PATH}/decisions/{{decision_id}}/alike")
async def decide_alike(decision_id: str, shift: Moderator, using: Using) -> DecidedOut:
    """Decide more lines as this one was: the same name at the same seller. Again while `left`."""
    internal = names.decision_id(decision_id)
    async with using.database.transaction() as db:
        first = await looks.of_decision(db, internal, limit=1)
        look = await looking.seen(db, *first[0]) if first else None
        if look is None:
            raise moderating.NothingToUndo("This decision does not stand any more.")
        keys = await looks.same(db, look, limit=AT_ONCE + 1)

    async def work(db: Db, key: Key, now: datetime) -> None:
        member_id, receipt_id, line = key
        await moderating.decide_line(
            *(db, member_id, receipt_id),
            line=line,
            sku=look.sku,
            decision_id=internal,
            now=now,
            actor=shift.operator.actor,
        )

    return await _each(keys, work, internal, "lines_decided_alike", shift, using)


@router.post(f"{PATH}/decisions/{{decision_id}}/undo")
async def undo(decision_id: str, shift: Moderator, using: Using) -> DecidedOut:
    """Take a decision back, of all lines it was made for. Again while `left`."""
    internal = names.decision_id(decision_id)
    async with using.database.transaction() as db:
        keys = await looks.of_decision(db, internal, limit=AT_ONCE + 1)
    if not keys:
        raise moderating.NothingToUndo("This decision does not stand any more.")

    async def work(db: Db, key: Key, now: datetime) -> None:
        member_id, receipt_id, line = key
        await moderating.undo(
            *(db, member_id, receipt_id),
            line=line,
            decision_id=internal,
            now=now,
            actor=shift.operator.actor,
        )

    return await _each(keys, work, internal, "decision_undone", shift, using)


async def _each(
    keys: Sequence[Key],
    work: Any,
    decision_id: UUID,
    what: str,
    shift: Shift,
    using: Tools,
) -> DecidedOut:
    """Each line in a transaction of its own; one that somebody else changed is left to them."""
    done = skipped = 0
    for key in keys[:AT_ONCE]:
        try:
            async with using.database.transaction() as db:
                await work(db, key, await using.clock.programme(db))
        except DomainError:
            skipped += 1
        else:
            done += 1
    shown = names.decision(decision_id)
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        details = {"decision_id": shown, "lines": done, "skipped": skipped}
        await access.note(db, shift.operator, what, now=now, details=details)
    # Where nothing could be done, asking again would not end.
    left = len(keys) > AT_ONCE and done > 0
    return DecidedOut(decision_id=shown, lines=done, skipped=skipped, left=left)


async def _by_name(db: Db, error: moderating.LineChanged) -> moderating.LineChanged:
    """Who decided it is said by their name."""
    people = {one.actor: one.name for one in await access_queries.operators(db)}
    who = str(error.extra.get("decided_by", ""))
    return moderating.LineChanged(
        error.detail, extra={**error.extra, "decided_by": people.get(who, who)}
    )


def _sku(receipt: queries.Receipt, line: int) -> str | None:
    return next((one.sku for one in receipt.matched if one.line == line), None)


def _position(look: Look) -> str:
    return f"{look.since.isoformat()} {look.sum_kopecks} {look.receipt_id} {look.line}"


def _place(cursor: str | None) -> Place | None:
    position = cursor_of(cursor)
    if position is None:
        return None
    try:
        since, total, receipt_id, line = position.split(" ")
        place = Place(datetime.fromisoformat(since), int(total), UUID(receipt_id), int(line))
        aware = place.since.tzinfo is not None and abs(place.sum_kopecks) < 2**62
    except ValueError:
        aware = False
    if not aware:
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return place
