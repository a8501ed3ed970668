"""Receipts to show: as the page draws them, and shown by somebody else beforehand."""

import asyncio
from datetime import timedelta
from functools import cache
from typing import Any

from vezde.kit import money
from vezde.kit.errors import DomainError, Kind
from vezde.members.operations import enrolling
from vezde.receipts import queries
from vezde.receipts.model import FiscalDocument, Status
from vezde.receipts.operations import registering
from vezde.receipts.operations.registering import Submission
from vezde.web.playground.model import Card, Play

NEIGHBOUR = "+79000000099"  # of a range that nobody is given
ACTOR = "playground"
PATIENCE, LOOK = timedelta(seconds=5), timedelta(milliseconds=50)


class NoSuchCard(DomainError):
    """The tray has no such receipt."""

    code = "no_such_card"
    kind = Kind.MISSING


def shown(card: Card) -> dict[str, Any]:
    """The card with its code as rows of modules, "1" black."""
    told: dict[str, Any] = {
        "name": card.name,
        "title": dict(card.title),
        "shows": dict(card.shows),
        "blurred": card.blurred,
        "taken": card.taken,
        "modules": modules(card.code),
        "paper": _paper(card.document) if card.document is not None else None,
    }
    return told


async def take(play: Play, card: Card) -> None:
    """A neighbour shows the receipt and it is checked to its end; a second time does nothing.

    Raises `NoSuchCard` for one that nobody else is to show.
    """
    if not card.taken or card.document is None:
        raise NoSuchCard(f"Nobody else shows the receipt {card.name!r}.")
    async with play.database.transaction() as db:
        now = await play.clock.programme(db)
        found = await enrolling.enrol_missing(
            db, [NEIGHBOUR], vault=play.vault, now=now, actor=ACTOR
        )
        (made,) = await registering.register(
            db,
            [Submission(found[NEIGHBOUR], qr=card.document.qr)],
            now=now,
            wall=play.clock.wall(),
            actor=ACTOR,
            once=True,
        )
    receipt_id = made.first_receipt_id or made.receipt_id
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while True:
            async with play.database.transaction() as db:
                seen = await queries.receipt(db, made.member_id, receipt_id)
            if seen.status is not Status.CHECKING:
                return
            await asyncio.sleep(LOOK.total_seconds())


@cache
def modules(code: str) -> tuple[str, ...]:
    """The QR code of a text without its quiet zone: a row a string."""
    import zxingcpp
    from PIL import Image

    made = zxingcpp.create_barcode(code, zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(zxingcpp.write_barcode_to_image(made, add_quiet_zones=False))
    dark = ["0" if one else "1" for one in drawn.tobytes()]
    return tuple("".join(dark[at : at + drawn.width]) for at in range(0, len(dark), drawn.width))


def _paper(document: FiscalDocument) -> dict[str, Any]:
    return {
        "seller": document.seller_name,
        "inn": (document.seller_inn or "").strip(),
        "place": document.retail_place,
        "address": document.address,
        "online": document.internet,
        "operation": document.operation,
        "correction": document.correction,
        "time": document.wall_time.isoformat(timespec="minutes"),
        "lines": [
            {
                "name": line.name,
                "quantity": money.quantity_number(line.quantity_micro),
                "price_kopecks": line.price_kopecks,
                "sum_kopecks": line.sum_kopecks,
                "paid_ahead": line.payment_type in {1, 2, 3},
            }
            for line in document.lines
        ],
        "total_kopecks": document.total_kopecks,
        "prepaid_kopecks": document.prepaid_kopecks,
        "fn": f"{document.key.fn:016d}",
        "fd": document.key.fd,
        "fp": document.key.fp,
    }
