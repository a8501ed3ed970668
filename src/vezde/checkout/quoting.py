"""What a basket's price in points stands on, and the sealed text that a quote is known by.

A quote leaves no row: its id carries whose it is, of which basket, under which terms and until
when, sealed by the vault.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from vezde.catalog.model import Product
from vezde.checkout import allocating
from vezde.checkout.allocating import Payable
from vezde.checkout.model import Basket, Reason, Rules, Share, canonical_lines, fingerprint
from vezde.kit import ids
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import CannotUnseal, UnknownKey, Vault
from vezde.program.decide import decide
from vezde.program.model import Fact, Programme, Standing
from vezde.purchases import model as purchase
from vezde.purchases import operations as purchases
from vezde.purchases.model import Paid

QUOTE_LIVES = timedelta(minutes=15)
CONTEXT = b"checkout.quote"
PREFIX = "quo_"
DIGEST_BYTES = 16


class BadQuote(DomainError):
    """The quote's id is not one that we gave."""

    code = "bad_quote"
    kind = Kind.INVALID


@dataclass(frozen=True, slots=True)
class Terms:
    """A basket under one version: what points could pay of it, and the fact it would be.

    `reasons` says of each line why it earns nothing or takes no points.
    """

    programme: Programme
    payable: Payable
    fact: Fact
    reasons: tuple[Reason, ...]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Token:
    """What a quote's id says: whose basket, which lines, which terms, until when."""

    member_id: UUID
    sales_channel: str
    delivery_kopecks: int
    lines: bytes
    terms: bytes
    expires_at: datetime


def terms(
    basket: Basket,
    programme: Programme,
    rules: Rules,
    products: Mapping[str, Product],
    *,
    now: datetime,
) -> Terms:
    """What a basket is worth under these rules, whatever the member has and has earned so far."""
    payable = allocating.payable(
        basket, products, rules, value_kopecks=programme.point_value_kopecks
    )
    shares = allocating.split(payable, 0, basket.lines)
    document = purchase_document(
        basket, shares, rules, products, order_ref=ids.new(), at=now, now=now, zone=programme.zone
    )
    fact = purchases.fact_of(
        document, purchase_id=document.receipt_id, met=dict.fromkeys(_numbers(basket), 0), now=now
    )
    # Without the day's cap, which other purchases change: it is no price.
    worth = decide(programme, Standing(), fact)
    digest = fingerprint(
        payable.value_kopecks,
        payable.room,
        payable.most_points,
        payable.min_points,
        [[part.line, part.rate_bp, part.points] for part in worth.parts],
    )
    reasons = (*payable.reasons, *_unknown(basket, products))
    return Terms(programme, payable, fact, reasons, digest[:DIGEST_BYTES])


def purchase_document(
    basket: Basket,
    shares: list[Share],
    rules: Rules,
    products: Mapping[str, Product],
    *,
    order_ref: UUID,
    at: datetime,
    now: datetime,
    zone: ZoneInfo,
    order_id: str = "-",
    proof: dict[str, object] | None = None,
) -> purchase.Document:
    """The order as `purchases` records it: of each line the money that earns.

    A product the catalogue does not know is not the brand's, as on a receipt.
    """
    pays = {share.line: share.pay_kopecks for share in shares}
    lines = []
    for line in basket.lines:
        product = products.get(line.sku)
        discounted = pays[line.line]
        lines.append(
            purchase.Line(
                line=line.line,
                sku=line.sku if product else None,
                category=product.category if product else None,
                tags=product.tags if product else (),
                goods="",
                provider_inn=None,
                quantity_micro=line.quantity_micro,
                sum_kopecks=line.sum_kopecks if rules.earn_on_points else discounted,
                paid=Paid.SETTLED,
                earnable=line.earnable,
                product_line=product.line if product else None,
            )
        )
    return purchase.Document(
        member_id=basket.member_id,
        receipt_id=order_ref,
        seller_inn=None,
        sales_channel=basket.sales_channel,
        occurred_at=at,
        wall_time=at.astimezone(zone).replace(tzinfo=None),
        registered_at=now,
        total_kopecks=sum(pays.values()),
        prepaid_kopecks=0,
        lines=tuple(lines),
        proof=proof or {},
        place=order_id,
        order_id=order_id,
    )


def lines_digest(basket: Basket) -> bytes:
    """Equal for equal lines."""
    return fingerprint(canonical_lines(basket.lines))[:DIGEST_BYTES]


def seal(basket: Basket, terms_digest: bytes, *, expires_at: datetime, vault: Vault) -> str:
    """The id of a quote."""
    content = [
        basket.member_id.hex,
        basket.sales_channel,
        basket.delivery_kopecks,
        lines_digest(basket).hex(),
        terms_digest.hex(),
        expires_at.timestamp(),
    ]
    sealed = vault.encrypt(json.dumps(content).encode(), context=CONTEXT)
    return PREFIX + base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def unseal(quote_id: str, *, vault: Vault) -> Token:
    """What a quote's id says; raises `BadQuote` for any text that `seal` did not make."""
    body = quote_id.removeprefix(PREFIX)
    try:
        if body == quote_id or not body.isascii():
            raise CannotUnseal("This is no quote's id")
        sealed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        content = json.loads(vault.decrypt(sealed, context=CONTEXT))
    except (CannotUnseal, UnknownKey, binascii.Error) as error:
        raise BadQuote("Send quote_id as POST /v1/checkout/quotes answered it.") from error
    member_id, sales_channel, delivery, lines, terms_digest, expires_at = content
    return Token(
        UUID(hex=member_id),
        sales_channel,
        delivery,
        bytes.fromhex(lines),
        bytes.fromhex(terms_digest),
        datetime.fromtimestamp(expires_at, UTC),
    )


def _numbers(basket: Basket) -> list[int]:
    return [line.line for line in basket.lines]


def _unknown(basket: Basket, products: Mapping[str, Product]) -> list[Reason]:
    return [
        Reason(
            "unknown_product",
            f"The catalogue has no product {line.sku}, so line {line.line} earns nothing.",
            line.line,
        )
        for line in basket.lines
        if line.earnable and line.sku not in products
    ]
