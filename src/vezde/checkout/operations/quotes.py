"""Quotes: what points could pay of a basket and what it would earn. Nothing is written."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vezde.checkout import allocating, quoting
from vezde.checkout.model import Basket, Reason
from vezde.checkout.operations import pricing
from vezde.checkout.operations.pricing import Setting
from vezde.checkout.quoting import Terms
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.kit.vault import Vault
from vezde.ledger import queries as ledger
from vezde.members import queries as members
from vezde.program import queries as program


class PriceChanged(DomainError):
    """The lines are not the quote's, or cost other points by now; `quote` is a fresh one."""

    code = "price_changed"
    kind = Kind.CONFLICT


class QuoteExpired(DomainError):
    """The quote is too old to hold points by; `quote` is a fresh one."""

    code = "quote_expired"
    kind = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class QuotedLine:
    """Its share of the most points, and of what the order would earn paid in money alone."""

    line: int
    max_points: int
    earn_points: int


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs in points; `min_points` is the least that a hold may be of."""

    quote_id: str
    expires_at: datetime
    point_value_kopecks: int
    min_points: int
    max_points: int
    earn_points: int
    lines: tuple[QuotedLine, ...]
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """As the contract has it, inside an error, too."""
        return {
            "quote_id": self.quote_id,
            "expires_at": self.expires_at.isoformat().replace("+00:00", "Z"),
            "point_value_kopecks": self.point_value_kopecks,
            "min_points": self.min_points,
            "max_points": self.max_points,
            "earn_points": self.earn_points,
            "lines": [
                {"line": one.line, "max_points": one.max_points, "earn_points": one.earn_points}
                for one in self.lines
            ],
            "benefits": [],
            "reasons": [
                {"code": one.code, "line": one.line, "because": one.because} for one in self.reasons
            ],
        }


async def quote(db: Db, basket: Basket, *, vault: Vault, now: datetime) -> Quote:
    """Price a basket for its member.

    Raises `MemberNotFound`, `MemberMerged`, `MemberClosed`, `UnknownChannel`, `NoProgramme`.
    """
    active, found, points = await kit_db.together(
        db,
        members.active(db, [basket.member_id]),
        pricing.setting(db, basket, at=now),
        ledger.points(db, basket.member_id, as_of=now),
    )
    if not active:
        raise await members.refusal(db, basket.member_id)
    terms = found.terms(basket, now=now)
    return await _quoted(db, basket, found, terms, points.active, vault=vault, now=now)


async def fresh(
    db: Db, basket: Basket, found: Setting, terms: Terms, *, vault: Vault, now: datetime
) -> Quote:
    """The quote of a basket whose terms are known: the member's balance and standing come in."""
    points = await ledger.points(db, basket.member_id, as_of=now)
    return await _quoted(db, basket, found, terms, points.active, vault=vault, now=now)


async def _quoted(
    db: Db,
    basket: Basket,
    found: Setting,
    terms: Terms,
    balance: int,
    *,
    vault: Vault,
    now: datetime,
) -> Quote:
    worth = await program.forecast(db, found.programmes, terms.fact)
    reasons = list(terms.reasons)
    most = min(terms.payable.most_points, balance)
    if balance < terms.payable.most_points:
        reasons.append(Reason("balance", f"{balance} points are active."))
    if most < terms.payable.min_points:
        if most > 0:
            because = f"An order is paid with {terms.payable.min_points} points or more."
            reasons.append(Reason("min_points", because))
        most = 0
    earned: dict[int, int] = {}
    for part in worth.parts:
        earned[part.line] = earned.get(part.line, 0) + part.points
    shares = allocating.split(terms.payable, most, basket.lines)
    expires_at = now + quoting.QUOTE_LIVES
    return Quote(
        quote_id=quoting.seal(basket, terms.digest, expires_at=expires_at, vault=vault),
        expires_at=expires_at,
        point_value_kopecks=terms.payable.value_kopecks,
        min_points=terms.payable.min_points,
        max_points=most,
        earn_points=worth.points,
        lines=tuple(
            QuotedLine(line.line, share.points, earned.get(line.line, 0))
            for line, share in zip(basket.lines, shares, strict=False)  # the delivery is last
        ),
        reasons=tuple(reasons),
    )
