"""A person decides a line that the matcher was not sure of, checks one that it was, undoes it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from vezde.catalog import operations as catalog
from vezde.catalog import queries as catalog_queries
from vezde.catalog.measuring import Verdict
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox import operations as outbox
from vezde.purchases import operations as purchases
from vezde.purchases.model import MOST_TURNS
from vezde.purchases.operations import Recognised
from vezde.receipts import events, queries
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import looking, writing
from vezde.receipts.operations.looking import Look
from vezde.receipts.operations.settling import Matched
from vezde.receipts.queries import Receipt

LOCK = """
SELECT receipt_id FROM receipts.receipt WHERE member_id = %s AND receipt_id = %s FOR UPDATE
"""
COME_TO = """
UPDATE receipts.receipt SET status = %s, reason = %s, decided_at = %s
WHERE member_id = %s AND receipt_id = %s
"""
MODERATION = "moderation"


class LineNotInDoubt(DomainError):
    """The line was decided already, or nothing in it resembled the brand's goods."""

    code = "line_not_in_doubt"
    kind = Kind.CONFLICT


class LineChanged(DomainError):
    """Somebody decided or undid the line since it was read; `extra` has how it is now."""

    code = "line_changed"
    kind = Kind.CONFLICT


class NothingToUndo(DomainError):
    """The line is not decided, or by a later decision than this one."""

    code = "nothing_to_undo"
    kind = Kind.CONFLICT


class UnknownProduct(DomainError):
    code = "unknown_product"
    kind = Kind.INVALID


@dataclass(frozen=True)
class _Line:
    """A line in hand: its receipt, locked, what is known of it, and the look at it if there is."""

    receipt: Receipt
    known: Matched
    look: Look | None


async def decide_line(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    *,
    line: int,
    sku: str | None,
    turn: int | None = None,
    decision_id: UUID | None = None,
    now: datetime,
    actor: str,
) -> Receipt:
    """Say which product a line is (`sku`), or that it is none of the brand's (None).

    Of a doubtful line, or of one that was accepted and is to be checked: then the same product
    confirms it, another one takes back what it earned. The name is learned as an alias of the
    shop, so the next receipt needs nobody. Points are priced under the purchase's own day.

    `turn` is of the look that whoever decides has seen: raises `LineChanged` when it is another by
    now. `decision_id` joins lines decided at once. The same decision again changes nothing; another
    one raises `LineNotInDoubt`. The id of a member who was merged since does as well.
    """
    member_id = await _present(db, member_id)
    found = await _line(db, member_id, receipt_id, line, turn)
    if found is None or _said_before(found, sku):
        return await queries.receipt(db, member_id, receipt_id)
    receipt, known = found.receipt, found.known
    was = await _standing(db, found)
    name = _name(receipt, line)
    if name:  # before any account is locked: the catalogue's lock comes first
        await catalog.learn_alias(
            db, seller_inn=receipt.seller_inn, name=name, sku=sku, now=now, actor=actor
        )
    if known.sku is None:
        decided = await _priced(db, found, sku, now=now, actor=actor)
    elif known.sku == sku:
        decided = known
    else:
        await purchases.retract(db, member_id, receipt_id, line=line, now=now, actor=actor)
        unpaid = replace(found, known=replace(known, points=0, active_at=None))
        decided = await _priced(db, unpaid, sku, now=now, actor=actor)
    matches = await _keep(db, receipt, decided)
    await _come_to(db, receipt, matches, now=now)
    if found.look is not None:
        decision_id = decision_id or ids.new()
        await _judge(db, found, sku, decision_id, now=now)
        await looking.close(
            *(db, found.look),
            sku=sku,
            decision_id=decision_id,
            was=was,
            now=now,
            actor=actor,
        )
    return await queries.receipt(db, member_id, receipt_id)


async def undo(
    db: Db,
    member_id: UUID,
    receipt_id: UUID,
    *,
    line: int,
    decision_id: UUID,
    now: datetime,
    actor: str,
) -> Receipt:
    """Take a decision back: the line waits again, what it earned goes, the name is unlearned.

    Raises `NothingToUndo` when the line was decided anew or undone since.
    """
    member_id = await _present(db, member_id)
    await db.execute(LOCK, [member_id, receipt_id])
    look = await looking.one(db, member_id, receipt_id, line)
    if look is None or look.decision_id != decision_id or look.was is None:
        raise NothingToUndo("This decision does not stand any more; look at the line as it is now.")
    receipt = await queries.receipt(db, member_id, receipt_id)
    await _unlearn(db, look, now=now, actor=actor)
    (before,) = writing.from_json([look.was["match"]])
    known = next(one for one in receipt.matched if one.line == line)
    if known.sku != before.sku and known.sku is not None:
        await purchases.retract(db, member_id, receipt_id, line=line, now=now, actor=actor)
    if known.sku != before.sku and before.sku is not None:
        again = _Line(receipt, replace(before, sku=None, points=0, active_at=None), look)
        priced = await _priced(db, again, before.sku, now=now, actor=actor)
        before = replace(before, points=priced.points, active_at=priced.active_at)
    matches = await _keep(db, receipt, before)
    await catalog.drop_verdict(db, _verdict_id(look, decision_id))
    await looking.reopen(db, look)
    if look.was["status"] == Status.IN_REVIEW and not any(one.sku for one in matches):
        await _become(db, receipt, Status.IN_REVIEW, Reason.DOUBTFUL_MATCH, matches, now=now)
    return await queries.receipt(db, member_id, receipt_id)


async def doubt(
    db: Db, member_id: UUID, receipt_id: UUID, *, line: int, now: datetime, actor: str
) -> bool:
    """A line recognised by a name that was learned wrongly waits for a person; the points go back.

    False: the line was nothing of ours, or is in doubt already.
    """
    member_id = await _present(db, member_id)
    await db.execute(LOCK, [member_id, receipt_id])
    receipt = await queries.receipt(db, member_id, receipt_id)
    known = next((one for one in receipt.matched if one.line == line), None)
    if known is None or known.sku is None or receipt.document is None:
        return False
    if receipt.purchase_id is None:  # held or refused: it gave nothing
        return False
    await purchases.retract(db, member_id, receipt_id, line=line, now=now, actor=actor)
    said = receipt.document.lines[line - 1]
    open_again = replace(
        *(known,), sku=None, candidate=known.sku, points=0, active_at=None, score=0.0
    )
    await _keep(db, receipt, open_again)
    look = await looking.one(db, member_id, receipt_id, line)
    if look is None:
        await looking.enter_again(
            db, member_id, receipt_id, said, seller_inn=receipt.seller_inn, now=now
        )
    elif look.decided_at is not None:
        await looking.reopen(db, look)
    return True


async def _present(db: Db, member_id: UUID) -> UUID:
    """Whose the receipt is now; they stay so until this ends. Raises `MemberClosed`."""
    owner = await member_queries.surviving(db, member_id)
    if not await members.present(db, [owner]):
        raise await member_queries.refusal(db, owner)
    return owner


async def _line(
    db: Db, member_id: UUID, receipt_id: UUID, line: int, turn: int | None
) -> _Line | None:
    """The line in hand; None: it cannot be told from here, its receipt is as it was."""
    await db.execute(LOCK, [member_id, receipt_id])
    receipt = await queries.receipt(db, member_id, receipt_id)
    look = await looking.one(db, member_id, receipt_id, line)
    if turn is not None and (look is None or look.turn != turn):
        raise _changed(look)
    if look is not None and look.turn >= MOST_TURNS - 1:
        raise LineNotInDoubt(f"Line {line} was decided and undone too often; leave it as it is.")
    known = next((one for one in receipt.matched if one.line == line), None)
    if receipt.reason is Reason.QUARANTINED:
        raise LineNotInDoubt("The whole receipt waits to be released; its lines are decided after.")
    if known is None:
        raise _not_in_doubt(line)
    return _Line(receipt, known, look)


def _said_before(found: _Line, sku: str | None) -> bool:
    """Whether this very decision was made before; raises `LineNotInDoubt` for another one."""
    receipt, known, look = found.receipt, found.known, found.look
    if known.method == MODERATION and known.sku == sku:
        return True
    if look is not None and look.decided_at is not None and look.sku == sku:
        return True
    checked = look is not None and look.decided_at is None and known.sku is not None
    if (known.candidate is None and not checked) or receipt.status not in looking.OPEN:
        raise _not_in_doubt(known.line)
    if sku is None and known.sku is None and known.points:
        raise LineNotInDoubt(
            f"Line {known.line} surely is one of {', '.join(known.line_skus[:5])} and has earned "
            "by its product line. Say which of them it is."
        )
    return False


async def _standing(db: Db, found: _Line) -> dict[str, Any]:
    """What is put back when the decision is undone."""
    receipt, name = found.receipt, _name(found.receipt, found.known.line)
    alias = None
    if name:
        alias = await catalog_queries.alias(db, seller_inn=receipt.seller_inn, name=name)
    return {
        "match": writing.to_json([found.known])[0],
        "status": receipt.status,
        "reason": receipt.reason,
        "alias": [alias.sku] if alias else None,
    }


async def _judge(
    db: Db, found: _Line, sku: str | None, decision_id: UUID, *, now: datetime
) -> None:
    """What the matcher had said, and whether that was right: only of what it said by words."""
    known, look = found.known, found.look
    first = known.sku or known.candidate
    if look is None or first is None or known.method not in looking.BY_WORDS:
        return
    product = (await catalog_queries.products_by_sku(db, [first])).get(first)
    if product is None:
        return
    same_line = (await catalog_queries.matcher(db)).same_line
    verdict = Verdict(
        accepted=known.sku is not None,
        line_score=known.line_score or known.score,
        sku_score=known.score,
        right_line=sku is not None and (sku == first or same_line(sku, first)),
        right_sku=sku == first,
    )
    verdict_id = _verdict_id(look, decision_id)
    await catalog.note_verdict(
        *(db, verdict_id, verdict), brand=product.brand, method=known.method, now=now
    )


def _verdict_id(look: Look, decision_id: UUID) -> UUID:
    return uuid5(decision_id, f"{look.receipt_id}/{look.line}")


async def _unlearn(db: Db, look: Look, *, now: datetime, actor: str) -> None:
    """The name is what it was before: another product's, or nobody's."""
    assert look.was is not None, "of a decided look"
    before = look.was["alias"]
    if not look.printed:
        return
    if before is None:
        await catalog.unlearn_alias(
            db, seller_inn=look.seller_inn, name=look.printed, now=now, actor=actor
        )
        return
    await catalog.learn_alias(
        *(db,), seller_inn=look.seller_inn, name=look.printed, sku=before[0], now=now, actor=actor
    )


def _name(receipt: Receipt, line: int) -> str | None:
    assert receipt.document is not None, "a matched line stands in a document"
    return receipt.document.lines[line - 1].name


async def _keep(db: Db, receipt: Receipt, decided: Matched) -> tuple[Matched, ...]:
    matches = tuple(decided if one.line == decided.line else one for one in receipt.matched)
    kept = [Jsonb(writing.to_json(matches)), receipt.member_id, receipt.receipt_id]
    await db.execute(writing.MATCH, kept)
    return matches


async def _priced(db: Db, found: _Line, sku: str | None, *, now: datetime, actor: str) -> Matched:
    receipt, known = found.receipt, found.known
    decided = replace(
        known,
        sku=sku,
        candidate=None,
        method=MODERATION,
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
                line=known.line,
                sku=sku,
                category=product.category,
                tags=product.tags,
                evidence={"method": MODERATION, "score": 1.0},
                product_line=product.line,
            )
        ],
        turn=found.look.turn if found.look else 0,
        now=now,
        actor=actor,
    )
    if decision is None or decision.points == 0:
        return decided
    return replace(
        decided,
        points=decision.points,
        active_at=decision.active_at,
        at_once=decision.at_once,
    )


async def _come_to(db: Db, receipt: Receipt, matches: Sequence[Matched], *, now: datetime) -> None:
    """A receipt in review ends when nothing in it is in doubt, or something in it is ours."""
    if receipt.status is not Status.IN_REVIEW:
        return
    if any(one.sku for one in matches):
        await _become(db, receipt, Status.ACCEPTED, None, matches, now=now)
    elif not any(one.candidate for one in matches):
        await _become(db, receipt, Status.REJECTED, Reason.NOT_OURS, matches, now=now)


async def _become(
    db: Db,
    receipt: Receipt,
    status: Status,
    reason: Reason | None,
    matches: Sequence[Matched],
    *,
    now: datetime,
) -> None:
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


def _not_in_doubt(line: int) -> LineNotInDoubt:
    return LineNotInDoubt(
        f"Line {line} is not in doubt: it was decided before, or nothing in it was like ours."
    )


def _changed(look: Look | None) -> LineChanged:
    extra: dict[str, Any] = {}
    if look is not None and look.decided_at is not None:
        extra = {
            "decided_by": look.decided_by,
            "decided_at": look.decided_at.isoformat(),
            "product_sku": look.sku,
        }
    return LineChanged(
        "Somebody decided this line meanwhile; look at it as it is now.", extra=extra
    )
