"""A line that waits, with all that helps to decide it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from vezde.api import names
from vezde.catalog import explaining
from vezde.catalog import queries as catalog
from vezde.catalog.matcher import Guess
from vezde.catalog.model import Product
from vezde.kit import money
from vezde.kit.db import Db
from vezde.receipts import looks, queries
from vezde.receipts.operations.looking import DOUBT, Look
from vezde.receipts.operations.settling import Matched
from vezde.receipts.photos import operations as photos
from vezde.receipts.photos.operations import State
from vezde.receipts.queries import Receipt

MOST_LINES = 60
GUESSES = 3


class GuessOut(BaseModel):
    """A product it may be: `agrees` are words both say, `lacks` those the line leaves out.

    `size_agrees` null: the line prints no size, or the product has none.
    """

    product_sku: str
    name: str
    size: str | None
    shade: str | None
    price_kopecks: int | None
    score: float
    agrees: list[str]
    lacks: list[str]
    size_agrees: bool | None


class PaperLineOut(BaseModel):
    line: int
    name: str | None
    quantity: int | float
    sum_kopecks: int
    product_sku: str | None
    in_doubt: bool


class PaperOut(BaseModel):
    """The receipt, as it was printed; of very long ones the lines around this one."""

    id: str
    member_id: str
    status: str
    wall_time: datetime | None
    total_kopecks: int | None
    address: str | None
    lines: list[PaperLineOut]
    lines_in_all: int


class PlaceOut(BaseModel):
    inn: str | None
    name: str | None
    kind: str | None
    sales_channel: str | None


class LookOut(BaseModel):
    """`kind`: in doubt, accepted and drawn to be checked, or among the first names of a catalogue.

    `accepted_sku` of the latter two is what it was taken for; `line_certain`: which product line it
    is is known, its size or colour is not. `alike` counts lines that wait with the same name at the
    same seller, this one with them. `photo`: whether there is a picture of the receipt to ask for,
    or one that is still on its way.
    """

    receipt_id: str
    line: int
    kind: str
    turn: int
    since: datetime
    due_at: datetime
    late: bool
    printed: str
    quantity: int | float
    sum_kopecks: int
    accepted_sku: str | None
    method: str | None
    score: float
    line_certain: bool
    guesses: list[GuessOut]
    alike: int
    photo: State
    seller: PlaceOut
    receipt: PaperOut


async def looks_out(
    db: Db, rows: Sequence[Look], *, promised: timedelta, now: datetime
) -> list[LookOut]:
    """The lines with their receipts, guesses and how many are alike; a few set reads."""
    places = [(one.member_id, one.receipt_id) for one in rows]
    receipts = await queries.receipts(db, places)
    pictured = await photos.states(db, places)
    counts = await looks.alike(db, rows)
    known = [_matched(receipts[one.receipt_id], one.line) for one in rows]
    guesses = await _guesses(db, rows, known)
    skus = {guess.sku for each in guesses for guess in each}
    products = await catalog.products_by_sku(db, sorted(skus)) if skus else {}
    return [
        _shown(
            *(one, receipts[one.receipt_id], match, found, products, alike, promised, now),
            photo=pictured.get(one.receipt_id, State.NONE),
        )
        for one, match, found, alike in zip(rows, known, guesses, counts, strict=True)
    ]


async def _guesses(
    db: Db, rows: Sequence[Look], known: Sequence[Matched | None]
) -> list[tuple[Guess, ...]]:
    """What the matcher thought then; of lines that were accepted the product, and what is near."""
    accepted = [one.printed for one in rows if one.kind != DOUBT]
    near = iter((await catalog.matcher(db)).guesses(accepted) if accepted else [])
    found = []
    for one, match in zip(rows, known, strict=True):
        sku = match.sku if match else None
        others = next(near) if one.kind != DOUBT else match.guesses if match else ()
        first = [Guess(sku, match.score)] if match and sku else []
        if not others and match and match.candidate:
            first = [Guess(match.candidate, match.score)]
        rest = [guess for guess in others if guess.sku not in {each.sku for each in first}]
        found.append(tuple([*first, *rest][:GUESSES]))
    return found


def _matched(receipt: Receipt, line: int) -> Matched | None:
    return next((one for one in receipt.matched if one.line == line), None)


def _shown(
    look: Look,
    receipt: Receipt,
    match: Matched | None,
    guesses: Sequence[Guess],
    products: dict[str, Product],
    alike: int,
    promised: timedelta,
    now: datetime,
    *,
    photo: State,
) -> LookOut:
    paper = paper_out(receipt, around=look.line)
    return LookOut(
        receipt_id=paper.id,
        line=look.line,
        kind=look.kind,
        turn=look.turn,
        since=look.since,
        due_at=look.since + promised,
        late=look.since + promised < now,
        printed=look.printed,
        quantity=next((one.quantity for one in paper.lines if one.line == look.line), 1),
        sum_kopecks=look.sum_kopecks,
        accepted_sku=match.sku if match else None,
        method=match.method if match else None,
        score=match.score if match else 0.0,
        line_certain=bool(match and match.line_skus),
        guesses=[
            _guess(look.printed, guess, products[guess.sku])
            for guess in guesses
            if guess.sku in products
        ],
        alike=alike,
        photo=photo,
        seller=PlaceOut(
            inn=receipt.seller_inn,
            name=receipt.seller_name,
            kind=receipt.seller_kind,
            sales_channel=receipt.sales_channel,
        ),
        receipt=paper,
    )


def _guess(printed: str, guess: Guess, product: Product) -> GuessOut:
    why = explaining.why(printed, product)
    return GuessOut(
        product_sku=product.sku,
        name=product.name,
        size=product.size,
        shade=product.shade,
        price_kopecks=product.price_kopecks,
        score=guess.score,
        agrees=list(why.agrees),
        lacks=list(why.lacks),
        size_agrees=why.size_agrees,
    )


def paper_out(receipt: Receipt, *, around: int = 1) -> PaperOut:
    """The receipt's paper, at most `MOST_LINES` lines of it."""
    matched = {one.line: one for one in receipt.matched}
    document = receipt.document
    lines = document.lines if document else ()
    first = max(0, min(around - MOST_LINES // 2, len(lines) - MOST_LINES))
    return PaperOut(
        id=names.receipt(receipt.member_id, receipt.receipt_id),
        member_id=names.member(receipt.member_id),
        status=receipt.status,
        wall_time=receipt.wall_time,
        total_kopecks=receipt.total_kopecks,
        address=document.address if document else None,
        lines=[
            PaperLineOut(
                line=one.line,
                name=one.name,
                quantity=money.quantity_number(one.quantity_micro),
                sum_kopecks=one.sum_kopecks,
                product_sku=matched[one.line].sku if one.line in matched else None,
                in_doubt=one.line in matched and matched[one.line].candidate is not None,
            )
            for one in lines[first : first + MOST_LINES]
        ],
        lines_in_all=len(lines),
    )
