"""A receipt as signals see it."""

import hashlib
from collections.abc import Mapping
from typing import Final

from vezde.catalog.model import Product
from vezde.purchases import model as purchase
from vezde.purchases.model import Paid
from vezde.receipts.model import FiscalDocument
from vezde.receipts.signals.model import Past, Shown
from vezde.sellers.model import Kind, Place

SALE: Final = 1
SOLD: Final = frozenset({Paid.SETTLED, Paid.ON_CREDIT})
AT_A_DISTANCE: Final = frozenset({Kind.MARKETPLACE, Kind.DELIVERY, Kind.OWN_SITE})


def is_sale(fiscal: FiscalDocument, sold: purchase.Document) -> bool:
    """Whether goods were handed over by it: advances, returns and corrections are not looked at."""
    handed_over = any(line.paid in SOLD for line in sold.lines)
    return fiscal.operation == SALE and not fiscal.correction and handed_over


def shown(
    fiscal: FiscalDocument,
    sold: purchase.Document,
    place: Place,
    products: Mapping[str, Product],
) -> Shown:
    """`sold` is what of the document matters to the brand."""
    past = Past(
        receipt_id=sold.receipt_id,
        registered_at=sold.registered_at,
        occurred_at=sold.occurred_at,
        wall_time=sold.wall_time,
        seller_inn=place.inn,
        shop=_shop(fiscal, place),
        subject=place.subject,
        fn=fiscal.key.fn,
        fd=fiscal.key.fd,
    )
    percents = (_percent(line, products) for line in sold.lines)
    return Shown(
        member_id=sold.member_id,
        past=past,
        named=place.known,
        stance=place.stance,
        packs=tuple(
            (line.pack.gtin, line.pack.serial)
            for line in sold.lines
            if line.pack is not None and line.paid in SOLD
        ),
        price_percent=tuple(one for one in percents if one is not None),
    )


def _shop(fiscal: FiscalDocument, place: Place) -> int | None:
    """A number for the seller at its address; an unknown seller stands somewhere, whatever it says.

    Where no address is printed, its tills are all one shop.
    """
    if place.inn is None or place.kind in AT_A_DISTANCE or (fiscal.internet and place.known):
        return None
    address = " ".join((fiscal.address or "").casefold().split())
    digest = hashlib.blake2b(f"{place.inn}\n{address}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _percent(line: purchase.Line, products: Mapping[str, Product]) -> int | None:
    """What a piece cost, of what is recommended; None of what is weighed, free or not priced."""
    product = products.get(line.sku) if line.sku else None
    pieces, rest = divmod(line.quantity_micro, 1_000_000)
    if product is None or not product.price_kopecks or not pieces or rest:
        return None
    return line.sum_kopecks * 100 // (pieces * product.price_kopecks)
