"""Price facts: the only writer that calls `decide`."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger import operations as ledger
from vezde.ledger.model import Accrual
from vezde.members import queries as members
from vezde.outbox import operations as outbox
from vezde.program import events, queries, records, standings
from vezde.program.decide import counts_as_activity, decide, expires_after, inactive_after
from vezde.program.model import (
    LINES_RECOGNISED,
    ORDER_RECORDED,
    PACK_SCANNED,
    PURCHASE_RECORDED,
    Activity,
    Decision,
    Fact,
    FactLine,
    Programme,
    Programmes,
    Standing,
)
from vezde.program.records import Decided, Given, Outcome
from vezde.program.standings import Asked, Former

DECIDED: LiteralString = """
SELECT d.member_id, d.fact_id, d.version, d.refusal, d.wanted, d.points, d.effects, d.active_at,
    d.expires_at, d.at_once
FROM unnest(%s::uuid[], %s::uuid[]) AS asked (member_id, fact_id)
JOIN program.decision d USING (member_id, fact_id)
"""
KEEP: LiteralString = """
INSERT INTO program.decision
    (member_id, fact_id, purchase_id, occurred_at, registered_at, recorded_at, wanted, points,
     active_at, expires_at, at_once, earned_that_day, shown_that_day, version, kind, refusal, actor,
     fact, effects)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

TITLES = {
    PURCHASE_RECORDED: "Покупка",
    LINES_RECOGNISED: "Покупка, товар распознан позже",
    PACK_SCANNED: "Бонус за код на упаковке",
}

MOST_TITLE = 120

Key = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Ground:
    """What members' facts are decided on, whatever they say: who they were, and the versions."""

    former: Former
    programmes: Programmes


async def ground(db: Db, members_of: Sequence[UUID]) -> Ground:
    """Read it for these members, whose accounts this transaction has locked."""
    former, programmes = await kit_db.together(
        db, members.former(db, members_of), queries.programmes(db)
    )
    return Ground(former, programmes)


async def apply(
    db: Db,
    facts: Sequence[Fact],
    *,
    now: datetime,
    actor: str,
    on: Ground | None = None,
) -> list[Decision]:
    """Price each fact under the version of its time and give the points; answers in the same order.

    A fact decided before, here or earlier in the same call, answers its first decision and does
    nothing. Facts of one member see the earlier ones of the call. Locks the members' accounts in
    id order, unless this transaction has, and read what they are decided `on`. Raises `NoProgramme`
    and what the ledger raises; then nothing may be kept.
    """
    if not facts:
        return []
    if on is None:
        members_of = sorted({fact.member_id for fact in facts})
        await ledger.lock(db, members_of)
        on = await ground(db, members_of)
    former, programmes = on.former, on.programmes
    first: dict[Key, Fact] = {}
    for fact in facts:
        first.setdefault(_key(fact), fact)
    every = [standings.ask(programmes, fact) for fact in first.values()]
    known, stored = await kit_db.together(
        db, _decided_before(db, facts, former), standings.read(db, every, former)
    )
    fresh = [
        (one, standing)
        for one, standing in zip(every, stored, strict=True)
        if _key(one.fact) not in known
    ]
    asked = [one for one, _ in fresh]
    decided = _decide_all(asked, [standing for _, standing in fresh], actor)
    await _keep(db, asked, decided, now=now, actor=actor)
    known.update((_key(one.fact), one.decision) for one in decided)
    return [known[_key(fact)] for fact in facts]


def _title(fact: Fact) -> str:
    if fact.kind == ORDER_RECORDED:
        return f"Заказ {fact.place or ''}".strip()[:MOST_TITLE]
    title = TITLES.get(fact.kind, TITLES[PURCHASE_RECORDED])
    return f"{title}: {fact.place}"[:MOST_TITLE] if fact.place else title


def _key(fact: Fact) -> Key:
    return fact.member_id, fact.id


async def _decided_before(db: Db, facts: Sequence[Fact], former: Former) -> dict[Key, Decision]:
    asked = [
        (who, fact.id)
        for fact in facts
        for who in (fact.member_id, *former.get(fact.member_id, ()))
    ]
    now_called = {gone: member_id for member_id, all_of in former.items() for gone in all_of}
    rows = await kit_db.fetch_all(
        db, Outcome, DECIDED, [[who for who, _ in asked], [fact_id for _, fact_id in asked]]
    )
    return {
        (now_called.get(row.member_id, row.member_id), row.fact_id): row.decision() for row in rows
    }


def _decide_all(asked: Sequence[Asked], stored: Sequence[Standing], actor: str) -> list[Decided]:
    earlier: defaultdict[UUID, list[Decided]] = defaultdict(list)
    decided = []
    for one, standing in zip(asked, stored, strict=True):
        mine = earlier[one.fact.member_id]
        seen = _folded(standing, one, mine) if mine else standing
        outcome = Decided(one.fact, seen, decide(one.programme, seen, one.fact), actor)
        mine.append(outcome)
        decided.append(outcome)
    return decided


def _folded(standing: Standing, asked: Asked, earlier: Sequence[Decided]) -> Standing:
    """The standing with what this call has decided already."""
    earned, shown, refusal = (
        standing.earned_that_day,
        standing.shown_that_day,
        standing.purchase_refusal,
    )
    for one in earlier:
        if asked.earned_day[0] <= one.fact.occurred_at < asked.earned_day[1]:
            earned += one.decision.points
        if one.fact.kind != PURCHASE_RECORDED:
            continue
        if one.decision.refusal is None:
            shown += asked.shown_day[0] <= one.fact.registered_at < asked.shown_day[1]
        if asked.fact.kind == LINES_RECOGNISED and one.fact.purchase_id == asked.fact.purchase_id:
            refusal = one.decision.refusal
    return Standing(earned, shown, refusal)


async def _keep(
    db: Db, asked: Sequence[Asked], decided: Sequence[Decided], *, now: datetime, actor: str
) -> None:
    earning = [one for one in decided if one.decision.points > 0]
    if earning:
        accruals = [
            _accrual(one, of.programme, given)
            for of, one in zip(asked, decided, strict=True)
            if one.decision.points > 0
            for given in records.given(one.decision)
        ]
        await ledger.accrue(db, accruals, now=now, actor=actor)
    await kit_db.execute_many(db, KEEP, [records.parameters(one) for one in decided])
    await outbox.record(
        db, [events.points_accrued(one.fact, one.decision, now=now) for one in earning]
    )


def _accrual(decided: Decided, programme: Programme, given: Given) -> Accrual:
    fact, decision = decided.fact, decided.decision
    active_at = given.active_at or fact.recorded_at
    # Who shows an old receipt is there now, and points that wait are not idle.
    seen_at = max(fact.occurred_at, fact.registered_at, active_at)
    ends_at = inactive_after(programme, seen_at, activity=Activity.PURCHASE)
    return Accrual(
        member_id=fact.member_id,
        op_key=given.op_key,
        points=sum(part.points for part in given.parts),
        active_at=active_at,
        expires_at=expires_after(programme, active_at),
        occurred_at=fact.occurred_at,
        parts=given.parts,
        proof=_proof(fact, decision),
        title=_title(fact),
        counts_as_activity=counts_as_activity(programme, Activity.PURCHASE),
        inactive_at=ends_at or inactive_after(programme, seen_at),
    )


def _proof(fact: Fact, decision: Decision) -> dict[str, Any]:
    """What came with the fact, and what it was priced by: version, rules, the brand's lines."""
    earned = {part.line: part for part in decision.parts}

    def told(line: FactLine) -> dict[str, Any]:
        part = earned.get(line.line)
        some = [] if line.sku else [sku for one in line.variants for sku in one.skus]
        return {
            "line": line.line,
            "sku": line.sku,
            **({"one_of": some} if some else {}),
            "sum_kopecks": line.sum_kopecks,
            "rate_bp": part.rate_bp if part else 0,
            "points": part.points if part else 0,
        }

    return {
        **fact.proof,
        "fact_id": str(fact.id),
        "kind": fact.kind,
        "purchase_id": str(fact.purchase_id),
        "sales_channel": fact.sales_channel,
        "version": decision.version,
        "rules": sorted({part.rule for part in decision.parts}),
        "wanted": decision.wanted,
        "lines": [
            told(line) for line in fact.lines if (line.sku or line.variants) and not line.decided
        ],
    }
