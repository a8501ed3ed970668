"""Disputes: a member says that a receipt another has shown is theirs; a person decides."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from vezde.access.model import Key, Scope
from vezde.api import bodies, names, receipts
from vezde.api.callers import scope
from vezde.api.console.lines import PaperOut, PlaceOut, paper_out
from vezde.api.once import Done, once
from vezde.api.pages import BadCursor, Cursor, Limit, Page, cursor_of, page
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.purchases import marking
from vezde.purchases import operations as purchases
from vezde.purchases import queries as purchase_queries
from vezde.purchases.queries import PackDispute
from vezde.receipts import disputes, queries, section
from vezde.receipts.disputes import After, Case, Proof, Showing
from vezde.receipts.model import ClaimState
from vezde.receipts.operations import disputing, rechecking, resolving
from vezde.receipts.operations.disputing import Dispute, DisputeMissing, Given, NoProof
from vezde.receipts.operations.rechecking import Recheck
from vezde.receipts.photos import operations as photos
from vezde.receipts.queries import Receipt
from vezde.receipts.reading.model import Findings

router = APIRouter(tags=["receipts"])
Using = Annotated[Tools, Depends(tools)]
Caller = Annotated[Key, Depends(scope(Scope.RECEIPTS))]
Decider = Annotated[Key, Depends(scope(Scope.CATALOG))]
Of = Literal["receipt", "pack", "recheck"]

FILE_BYTES = 10 * 1024 * 1024
KEPT_FOR = timedelta(days=180)  # a proof's file, after it was given


class ProofIn(BaseModel):
    """`code`: the marking code of the pack; without it nothing is proved yet."""

    model_config = ConfigDict(extra="forbid")
    code: Annotated[str, Field(max_length=1_000)] | None = None


class DisputeOut(BaseModel):
    """A claim to a receipt. `state`: `needs_proof`, `waiting` (until `due_at`), then how it ended:
    `moved` (the receipt is the claimant's), `kept`, `dropped` (show it again).
    """

    id: str
    receipt_id: str
    state: Literal["needs_proof", "waiting", "moved", "kept", "dropped"]
    opened_at: datetime
    due_at: datetime | None


class ShowingOut(BaseModel):
    """`came_as`: `text, file, slip` (the shop's PDF), `letter, document`; null: not kept then."""

    receipt_id: str
    at: datetime
    came_as: str | None
    status: str


class SideOut(BaseModel):
    """One of the two with the times they showed it; `points`: what it brings them."""

    member_id: str
    showings: list[ShowingOut]
    points: int = 0


class ProofOut(BaseModel):
    """`side` has given it. `file`: the console shows it; `photo`: it shows that of `receipt_id`."""

    id: str
    side: Literal["claimant", "holder"]
    kind: str
    given_at: datetime
    gtin: str | None
    serial: str | None
    receipt_id: str | None
    file: bool
    photo: photos.State = photos.State.NONE


class CaseOut(BaseModel):
    """A dispute about a receipt or a pack with both sides; `verified`: it may move.

    Of a receipt that was asked for again (`recheck`) `because` and `note` say what differs; there
    is one side, `claimant`.
    """

    id: str
    about: Of
    since: datetime
    due_at: datetime
    late: bool
    verified: bool
    outcome: str | None
    decided_at: datetime | None
    decided_by: str | None
    claimant: SideOut
    holder: SideOut | None
    proofs: list[ProofOut]
    gtin: str | None = None
    serial: str | None = None
    because: Literal["gone", "changed"] | None = None
    note: str | None = None
    seller: PlaceOut | None = None
    receipt: PaperOut | None = None


class VerdictIn(BaseModel):
    """`move`: true: it is the claimant's; false: it stays.

    Of a receipt that was asked for again: true: the points stay taken; false: they are given again.
    """

    model_config = ConfigDict(extra="forbid")
    move: bool


@router.post(
    "/v1/receipts/{receipt_id}/dispute",
    response_model=DisputeOut,
    openapi_extra=bodies.json_or_multipart(ProofIn),
)
async def claim(request: Request, receipt_id: str, caller: Caller, using: Using) -> Response:
    """The member says that this receipt, refused as another's, is theirs.

    With a proof it is queued for a person: `code` of a pack on the receipt, or as multipart
    (`member_id`, `file`) a photo of the paper or the jar, the shop's PDF, a letter. Again with
    another proof adds it; without any it says how it stands.
    """
    member_id, internal = names.receipt_ids(receipt_id)
    content: dict[str, Any]
    files: tuple[bytes, ...] = ()
    found: Findings | None = None
    if request.headers.get("content-type", "").startswith("multipart/"):
        form = await bodies.read_multipart(request, most_bytes=FILE_BYTES)
        member, file = form.member_id, form.file
        if names.member_id(member) != member_id:
            raise Malformed("member_id is not of the member whose receipt this is.")
        found = await receipts.read_sent(receipts.Sent.FILE, file, using)
        content, files = {"member_id": member}, (file,)
        given = _read(found)
    else:
        body = await bodies.read_json(request, ProofIn, most_bytes=10_000)
        content = body.model_dump()
        given = [] if body.code is None else [_pack(body.code)]

    async def work(db: Db, now: datetime) -> Done:
        dispute = await disputing.claim(db, member_id, internal, now=now)
        if given and dispute.decided_at is None:
            fits = _fitting(given, found, dispute)
            kept = await _kept(db, fits, files, using.vault, now=now)
            dispute = await disputing.prove(db, dispute.dispute_id, kept, now=now)
        return Done(200, await dispute_out(db, dispute), dispute.member_id)

    return await once(request, caller, content, work, files=files, required=True)


@router.get("/v1/disputes")
async def listed(
    _caller: Decider,
    using: Using,
    about: Of = "receipt",
    decided: bool = False,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[CaseOut]:
    """Disputes about receipts or packs that wait, or that were decided."""
    async with using.database.transaction() as db:
        now = await using.clock.programme(db)
        return await cases_out(db, about, decided=decided, limit=limit, cursor=cursor, now=now)


@router.post("/v1/disputes/{dispute_id}/decision", response_model=CaseOut)
async def decide(request: Request, dispute_id: str, given: VerdictIn, caller: Decider) -> Response:
    """Say whose the receipt (or the pack) is; the same again answers the same."""
    internal = names.dispute_id(dispute_id)

    async def work(db: Db, now: datetime) -> Done:
        about = await decide_any(db, internal, move=given.move, now=now, actor=caller.actor)
        shown = await case_out(db, internal, about, now=now)
        return Done(200, shown, names.member_id(shown.claimant.member_id))

    return await once(request, caller, given, work)


async def decide_any(db: Db, dispute_id: UUID, *, move: bool, now: datetime, actor: str) -> Of:
    """Decide a dispute of any kind; says which it was."""
    if await rechecking.one(db, dispute_id) is not None:
        await rechecking.decide(db, dispute_id, release=not move, now=now, actor=actor)
        return "recheck"
    try:
        await disputing.one(db, dispute_id)
    except DisputeMissing:
        await purchases.decide_pack(db, dispute_id, move=move, now=now, actor=actor)
        return "pack"
    await resolving.decide(db, dispute_id, move=move, now=now, actor=actor)
    return "receipt"


def _pack(code: str) -> Given:
    pack = marking.read(code)
    if pack is None:
        raise purchases.NotAMarkingCode(
            "This is not the marking code of a pack: scan the small square code on the jar or box."
        )
    return Given("pack", pack=pack)


def _read(found: Findings) -> list[Given]:
    """What a file proves: packs in it, else a picture that a person looks at."""
    packs = [pack for code in found.packs if (pack := marking.read(code)) is not None]
    if packs:
        return [Given("pack", pack=pack) for pack in packs]
    return [Given("picture")]


def _fitting(given: Sequence[Given], found: Findings | None, dispute: Dispute) -> list[Given]:
    """A receipt in the file has to be the disputed one; the shop's PDF is told from a photo."""
    if found is None or not found.receipts:
        return list(given)
    same = [one for one in found.receipts if (one.qr.fn, one.qr.fd) == dispute.key]
    if not same:
        raise NoProof("This is another receipt; send the one that you say is yours.")
    return [Given("slip" if same[0].slip is not None else "picture")]


async def _kept(
    db: Db, given: Sequence[Given], files: Sequence[bytes], vault: Vault, *, now: datetime
) -> list[Given]:
    """The proofs with their file, kept sealed for who decides; a code needs no picture."""
    if not files or given[0].pack is not None:
        return list(given)
    name = f"receipts.proof/{ids.new()}"
    sealed = vault.encrypt(files[0], context=name.encode())
    await disputing.FILES.put(
        db,
        name=name,
        content=sealed,
        media_type="application/octet-stream",
        expires_at=now + KEPT_FOR,
    )
    return [Given(given[0].kind, file=name)]


async def dispute_out(db: Db, dispute: Dispute) -> DisputeOut:
    """A dispute as its claimant sees it."""
    due_at = None
    if dispute.queued_at is not None and dispute.decided_at is None:
        hours = (await section.in_force(db, dispute.queued_at)).promised_hours
        due_at = dispute.queued_at + timedelta(hours=hours)
    state: Any = dispute.outcome or ("waiting" if due_at else "needs_proof")
    return DisputeOut(
        id=names.dispute(dispute.dispute_id),
        receipt_id=names.receipt(dispute.member_id, dispute.receipt_id),
        state=state,
        opened_at=dispute.opened_at,
        due_at=due_at,
    )


async def cases_out(
    db: Db, about: Of, *, decided: bool, limit: int, cursor: str | None, now: datetime
) -> Page[CaseOut]:
    """A page of disputes of one kind."""
    after = _place(cursor)
    hours = timedelta(hours=(await section.in_force(db, now)).promised_hours)
    if about == "recheck":
        place = (after.queued_at, after.dispute_id) if after else None
        held = await rechecking.page(db, decided=decided, after=place, limit=limit + 1)
        papers = await queries.receipts(db, [(one.member_id, one.receipt_id) for one in held])
        return page(
            held,
            limit,
            show=lambda one: _recheck_out(one, papers.get(one.receipt_id), hours, now),
            position=lambda one: f"{_since(one).isoformat()} {one.recheck_id}",
        )
    if about == "pack":
        before = (after.queued_at, after.dispute_id) if after else None
        packs = await purchase_queries.pack_disputes(
            db, decided=decided, before=before, limit=limit + 1
        )
        return page(
            packs,
            limit,
            show=lambda one: _pack_out(one, hours, now),
            position=lambda one: f"{one.disputed_at.isoformat()} {one.dispute_id}",
        )
    found = await disputes.page(db, decided=decided, after=after, limit=limit + 1)
    show = await _shower(db, found[:limit], hours, now)
    return page(found, limit, show=show, position=_position)


async def case_out(db: Db, dispute_id: UUID, about: Of, *, now: datetime) -> CaseOut:
    """One dispute, as it is now."""
    hours = timedelta(hours=(await section.in_force(db, now)).promised_hours)
    if about == "pack":
        return _pack_out(await purchase_queries.pack_dispute(db, dispute_id), hours, now)
    if about == "recheck":
        one = await rechecking.one(db, dispute_id)
        assert one is not None, "it was decided a moment ago"
        papers = await queries.receipts(db, [(one.member_id, one.receipt_id)])
        return _recheck_out(one, papers.get(one.receipt_id), hours, now)
    found = await disputes.cases(db, [await disputing.one(db, dispute_id)])
    return (await _shower(db, found, hours, now))(found[0])


def _position(case: Case) -> str:
    assert case.dispute.queued_at is not None, "what is listed was queued"
    return f"{case.dispute.queued_at.isoformat()} {case.dispute.dispute_id}"


def _place(cursor: str | None) -> After | None:
    position = cursor_of(cursor)
    if position is None:
        return None
    try:
        at, dispute_id = position.split(" ")
        place = After(datetime.fromisoformat(at), UUID(dispute_id))
    except ValueError as error:
        raise BadCursor("Take the cursor from next_cursor of the page before.") from error
    if place.queued_at.tzinfo is None:
        raise BadCursor("Take the cursor from next_cursor of the page before.")
    return place


async def _shower(
    db: Db, found: Sequence[Case], hours: timedelta, now: datetime
) -> Callable[[Case], CaseOut]:
    """How each case is shown, with the receipts of all of them read at once."""
    wanted = {(one.dispute.member_id, one.dispute.receipt_id) for one in found}
    wanted |= {had for one in found if (had := one.had) is not None}
    known = await queries.receipts(db, sorted(wanted))
    shown = [
        (proof.member_id, proof.receipt_id)
        for one in found
        for proof in one.proofs
        if proof.receipt_id is not None
    ]
    states = await photos.states(db, shown) if shown else {}
    return lambda case: _case_out(case, known, states, hours, now)


def _case_out(
    case: Case,
    known: dict[UUID, Receipt],
    states: dict[UUID, photos.State],
    hours: timedelta,
    now: datetime,
) -> CaseOut:
    dispute, had = case.dispute, case.had
    since = dispute.queued_at or dispute.opened_at
    # Of what moved the document lies with the claimant.
    held = known.get(had[1]) if had else None
    mine = known.get(dispute.receipt_id)
    paper = mine if mine and mine.document else held
    return CaseOut(
        id=names.dispute(dispute.dispute_id),
        about="receipt",
        since=since,
        due_at=since + hours,
        late=dispute.decided_at is None and since + hours < now,
        verified=case.holder is not None and case.holder.state == ClaimState.CONFIRMED,
        outcome=dispute.outcome,
        decided_at=dispute.decided_at,
        decided_by=dispute.decided_by,
        claimant=_side(dispute.member_id, case.showings, mine),
        holder=_side(had[0], case.showings, held) if had else None,
        proofs=[_proof(one, dispute, states) for one in case.proofs],
        seller=_seller(paper),
        receipt=paper_out(paper) if paper else None,
    )


def _side(member_id: UUID, showings: Sequence[Showing], receipt: Receipt | None) -> SideOut:
    return SideOut(
        member_id=names.member(member_id),
        showings=[
            ShowingOut(
                receipt_id=names.receipt(one.member_id, one.receipt_id),
                at=one.registered_at,
                came_as=one.came_as,
                status=one.status,
            )
            for one in showings
            if one.member_id == member_id
        ],
        points=sum(one.points for one in receipt.matched) if receipt else 0,
    )


def _seller(receipt: Receipt | None) -> PlaceOut | None:
    if receipt is None:
        return None
    return PlaceOut(
        inn=receipt.seller_inn,
        name=receipt.seller_name,
        kind=receipt.seller_kind,
        sales_channel=receipt.sales_channel,
    )


def _proof(one: Proof, dispute: Dispute, states: dict[UUID, photos.State]) -> ProofOut:
    nothing = photos.State.NONE
    return ProofOut(
        id=str(one.proof_id),
        side="claimant" if one.member_id == dispute.member_id else "holder",
        kind=one.kind,
        given_at=one.given_at,
        gtin=one.gtin,
        serial=one.sernum,
        receipt_id=names.receipt(one.member_id, one.receipt_id) if one.receipt_id else None,
        file=one.file is not None,
        photo=states.get(one.receipt_id, nothing) if one.receipt_id else nothing,
    )


def _since(one: Recheck) -> datetime:
    assert one.held_at is not None, "what is listed is or was held"
    return one.held_at


def _recheck_out(one: Recheck, receipt: Receipt | None, hours: timedelta, now: datetime) -> CaseOut:
    since = _since(one)
    side = SideOut(member_id=names.member(one.member_id), showings=[])
    if receipt is not None:
        shown = ShowingOut(
            receipt_id=names.receipt(one.member_id, one.receipt_id),
            at=receipt.registered_at,
            came_as=None,
            status=receipt.status,
        )
        side = side.model_copy(update={"showings": [shown]})
    return CaseOut(
        id=names.dispute(one.recheck_id),
        about="recheck",
        since=since,
        due_at=since + hours,
        late=one.decided_at is None and since + hours < now,
        verified=True,
        outcome=one.state if one.decided_at else None,
        decided_at=one.decided_at,
        decided_by=one.decided_by,
        claimant=side,
        holder=None,
        proofs=[],
        because="gone" if one.because == rechecking.GONE else "changed",
        note=one.note,
        seller=_seller(receipt),
        receipt=paper_out(receipt) if receipt else None,
    )


def _pack_out(one: PackDispute, hours: timedelta, now: datetime) -> CaseOut:
    shown = [] if one.receipt_id is None else [_shown(one.member_id, one.receipt_id, one)]
    holder = None
    if one.holder_id is not None:
        of = [] if one.holder_receipt is None else [_shown(one.holder_id, one.holder_receipt, one)]
        holder = SideOut(member_id=names.member(one.holder_id), showings=of)
    return CaseOut(
        id=names.dispute(one.dispute_id),
        about="pack",
        since=one.disputed_at,
        due_at=one.disputed_at + hours,
        late=one.decided_at is None and one.disputed_at + hours < now,
        verified=one.holder_id is not None,
        outcome=one.outcome,
        decided_at=one.decided_at,
        decided_by=one.decided_by,
        claimant=SideOut(member_id=names.member(one.member_id), showings=shown),
        holder=holder,
        proofs=[],
        gtin=one.gtin,
        serial=one.sernum,
    )


def _shown(member_id: UUID, receipt_id: UUID, one: PackDispute) -> ShowingOut:
    return ShowingOut(
        receipt_id=names.receipt(member_id, receipt_id),
        at=one.disputed_at,
        came_as=None,
        status="accepted",
    )
