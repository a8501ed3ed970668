"""Points of an order move back: spent ones to their lots, earned ones to where they came from."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.checkout import section
from vezde.checkout.model import Rules
from vezde.checkout.queries import Order, Return
from vezde.kit.db import Db
from vezde.ledger import model as ledger_model
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger.model import Part
from vezde.members import operations as members
from vezde.program import days, records
from vezde.program import queries as program
from vezde.program.model import Programme
from vezde.purchases import queries as purchases

RETURN, CANCEL = "return", "cancel"


@dataclass(frozen=True, slots=True)
class Earned:
    """Points of one part that a line brought, and the ledger's entry that gave them."""

    account_id: UUID
    op_key: str
    part: Part


ByLine = defaultdict[int, list[Earned]]


@dataclass(frozen=True, slots=True)
class _Policy:
    rules: Rules
    programme: Programme


async def earned_by(db: Db, order: Order) -> ByLine:
    """By line, what it brought: by the order itself, then by receipts that came before it."""
    found: ByLine = defaultdict(list)
    receipts = await purchases.earned_before(db, order.member_id, order.order_ref)
    facts = [order.order_ref, *dict.fromkeys(one.fact_id for one in receipts)]
    decided = {
        one.fact.id: one for one in await program.decisions(db, order.member_id, fact_ids=facts)
    }
    if order.order_ref in decided:
        own = decided[order.order_ref]
        for part in own.decision.parts:
            found[part.line].append(Earned(own.fact.member_id, f"fact:{own.fact.id}", part))
    for one in receipts:
        priced = decided[one.fact_id]
        parts = [
            (given.op_key, part)
            for given in records.given(priced.decision)
            for part in given.parts
            if part.line == one.receipt_line
        ]
        for op_key, part in _first(parts, one.points):
            found[one.order_line].append(Earned(priced.fact.member_id, op_key, part))
    return found


def _first(parts: Sequence[tuple[str, Part]], points: int) -> Iterator[tuple[str, Part]]:
    """So many points of the parts one after the other, as parts of the ops that gave them."""
    left = points
    for op_key, part in parts:
        taken = min(left, part.points)
        left -= taken
        if taken:
            yield op_key, replace(part, points=taken)


async def move(
    db: Db,
    order: Order,
    done: Return,
    before: Sequence[Return],
    earned: ByLine,
    *,
    now: datetime,
    actor: str,
) -> Return:
    """Restore first: what comes back may cover what is taken back.

    Of a member who is gone for good no points move; the money is the shop's to give back.
    """
    if not await members.present(db, [order.member_id]):
        gone = tuple(replace(line, restored=0, reversed=0) for line in done.lines)
        return replace(done, restored_points=0, reversed_points=0, lines=gone)
    programmes = await program.programmes(db)
    programme = programmes.at(now)
    policy = _Policy(await section.rules(db, programmes, version=programme.version), programme)
    expired = await _restore(db, order, done, policy, now=now, actor=actor)
    forgiven = debt = 0
    for index, (account_id, op_key, parts) in enumerate(_taken(done, before, earned)):
        seq = await ledger_queries.seq_of(db, account_id, op_key)
        assert seq is not None, "a decision with points has its accrual"
        reversal = ledger_model.Reversal(
            member_id=order.member_id,
            op_key=f"{_key(order, done)}:{index}",
            occurred_at=done.returned_at,
            title=_title(order, done),
            proof=_proof(order, done),
            accrual_seq=seq,
            points=sum(part.points for part in parts),
            parts=tuple(parts),
            debt=policy.rules.debt,
            accrual_member=None if account_id == order.member_id else account_id,
        )
        outcome = await ledger.reverse(db, reversal, now=now, actor=actor)
        forgiven += outcome.forgiven
        debt += outcome.debt
    return replace(done, expired_points=expired, forgiven_points=forgiven, debt_points=debt)


async def _restore(
    db: Db, order: Order, done: Return, policy: _Policy, *, now: datetime, actor: str
) -> int:
    if done.restored_points == 0:
        return 0
    assert order.spent_seq is not None, "points that are restored were spent"
    grace = policy.rules.grace_days
    restoration = ledger_model.Restoration(
        member_id=order.member_id,
        op_key=f"{_key(order, done)}:restore",
        occurred_at=done.returned_at,
        title=_title(order, done),
        proof=_proof(order, done),
        debit_seq=order.spent_seq,
        points=done.restored_points,
        grace_until=days.end_after_days(policy.programme.zone, now, grace) if grace else None,
        debit_member=None if order.account_id == order.member_id else order.account_id,
    )
    return (await ledger.restore(db, restoration, now=now, actor=actor)).expired


def _taken(
    done: Return, before: Sequence[Return], earned: ByLine
) -> list[tuple[UUID, str, list[Part]]]:
    """What this return takes back, by the accrual it came from: (account, op, parts)."""
    found: dict[tuple[UUID, str], list[Part]] = {}
    for line in done.lines:
        start = sum(one.reversed for back in before for one in back.lines if one.line == line.line)
        at = 0
        for one in earned[line.line]:
            first, last = max(start, at), min(start + line.reversed, at + one.part.points)
            at += one.part.points
            if first < last:
                parts = found.setdefault((one.account_id, one.op_key), [])
                parts.append(replace(one.part, points=last - first))
    return [(account_id, op_key, parts) for (account_id, op_key), parts in found.items()]


def _key(order: Order, done: Return) -> str:
    return f"{done.kind}:{order.order_ref}:{done.return_id}"


def _title(order: Order, done: Return) -> str:
    what = "Отмена заказа" if done.kind == CANCEL else "Возврат по заказу"
    return f"{what} {order.order_id}"


def _proof(order: Order, done: Return) -> dict[str, Any]:
    return {
        "sales_channel": order.sales_channel,
        "order_id": order.order_id,
        "order_ref": str(order.order_ref),
        "return_id": done.return_id,
    }
