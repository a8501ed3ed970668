"""A person decides a line that the matcher was not sure of."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.catalog import operations as catalog
from vezde.catalog import queries as catalog_queries
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox import operations as outbox
from vezde.purchases import operations as purchases
from vezde.purchases.operations import Recognised
from vezde.receipts import events, queries
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import writing
from vezde.receipts.operations.settling import Matched
from vezde.receipts.queries import Receipt

LOCK = """
SELECT receipt_id FROM receipts.receipt WHERE member_id = %s AND receipt_id = %s FOR UPDATE
"""
COME_TO = """
UPDATE receipts.receipt SET status = %s, reason = %s, decided_at = %s
WHERE member_id = %s AND receipt_id = %s
"""


class LineNotInDoubt(DomainError):
    """The line was decided already, or nothing in it resembled the brand's goods."""

    code = "line_not_in_doubt"
    kind = Kind.CONFLICT


class UnknownProduct(DomainError):
    code = "unknown_product"
    kind = Kind.INVALID


async def decide_line(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    *,
    line: int,
    sku: str | None,
    now: datetime,
    actor: str,
) -> Receipt:
    """Say which product a doubtful line is (`sku`), or that it is none of the brand's (None).

    The name is learned as an alias of the shop, so the next receipt needs nobody. Points are
    priced under the purchase's own day. The same decision again changes nothing; another one
    raises `LineNotInDoubt`. The id of a member who was merged since does as well.
    """
    member_id = await _present(db, member_id)
    await db.execute(LOCK, [member_id, receipt_id])
    receipt = await queries.receipt(db, member_id, receipt_id)
    doubt = _doubt(receipt, line, sku)
    if doubt is None:
        return receipt
    assert receipt.document is not None, "a line in doubt stands in a document"
    name = receipt.document.lines[line - 1].name
    if name:  # before any account is locked: the catalogue's lock comes first
        await catalog.learn_alias(
            db, seller_inn=receipt.seller_inn, name=name, sku=sku, now=now, actor=actor
        )
    matched = await _priced(db, receipt, doubt, sku, now=now, actor=actor)
    matches = tuple(matched if one.line == line else one for one in receipt.matched)
    await db.execute(writing.MATCH, [Jsonb(writing.to_json(matches)), member_id, receipt_id])
    await _come_to(db, receipt, matches, now=now)
    return await queries.receipt(db, member_id, receipt_id)


async def _present(db: Db, member_id: UUID) -> UUID:
    """Whose the receipt is now; they stay so until this ends. Raises `MemberClosed`."""
    owner = await member_queries.surviving(db, member_id)
    if not await members.present(db, [owner]):
        raise await member_queries.refusal(db, owner)
    return owner


def _doubt(receipt: Receipt, line: int, sku: str | None) -> Matched | None:
    """The match in doubt; None when this very decision was made before."""
    known = next((one for one in receipt.matched if one.line == line), None)
    open_to_doubt = receipt.status in {
        Status.IN_REVIEW,
        Status.ACCEPTED,
        Status.AWAITING_SETTLEMENT,
    }
    if known and known.method == "moderation" and known.sku == sku:
        return None
    if known is None or known.candidate is None or not open_to_doubt:
        raise LineNotInDoubt(
            f"Line {line} is not in doubt: it was decided before, or nothing in it was like ours."
        )
    if sku is None and known.points:
        raise LineNotInDoubt(
            f"Line {line} surely is one of {', '.join(known.line_skus[:5])} and has earned by its "
            "product line. Say which of them it is."
        )
    return known


async def _priced(
    db: Db, receipt: Receipt, doubt: Matched, sku: str | None, *, now: datetime, actor: str
) -> Matched:
    decided = replace(
        doubt,
        sku=sku,
        candidate=None,
        method="moderation",
        score=1.0,
        line_score=0.0,
        line_skus=(),
        guesses=(),
    )
    if sku is None:
        return decided
    product = (await catalog_queries.products_by_sku(db, [sku])).get(sku)
    if product is None:
        raise UnknownProduct(f"There is no product «{sku}» in the catalogue; import it first.")
    decision = await purchases.recognise(
        db,
        receipt.member_id,
        receipt.receipt_id,
        [
            Recognised(
                line=doubt.line,
                sku=sku,
                category=product.category,
                tags=product.tags,
                evidence={"method": "moderation", "score": 1.0},
                product_line=product.line,
            )
        ],
        now=now,
        actor=actor,
    )
    if decision is None or decision.points == 0:
        return decided
    return replace(decided, points=decision.points, active_at=decision.active_at)


async def _come_to(
    db: Db, receipt: Receipt, matches: tuple[Matched, ...], *, now: datetime
) -> None:
    """A receipt in review ends when nothing in it is in doubt, or something in it is ours."""
    if receipt.status is not Status.IN_REVIEW:
        return
    reason: Reason | None = None
    if any(one.sku for one in matches):
        status = Status.ACCEPTED
    elif any(one.candidate for one in matches):
        return
    else:
        status, reason = Status.REJECTED, Reason.NOT_OURS
    await db.execute(COME_TO, [status, reason, now, receipt.member_id, receipt.receipt_id])
    await outbox.record(
        db,
        [
            events.came_to(
                status,
                member_id=receipt.member_id,
                receipt_id=receipt.receipt_id,
                occurred_at=receipt.occurred_at,
                now=now,
                reason=reason,
                purchase_id=receipt.purchase_id,
                points=sum(one.points for one in matches),
            )
        ],
    )
