"""Decisions as rows: the columns, and what of a fact has none (compact, ids and numbers)."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.kit import money
from vezde.ledger.model import Part
from vezde.program.model import LINES_RECOGNISED, Decision, Fact, FactLine, Standing, Variant

_dump = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision with the fact and the standing it was made on.

    The fact's proof is not kept here: the ledger has it with the points.
    """

    fact: Fact
    standing: Standing
    decision: Decision
    actor: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The columns that say what a fact was worth."""

    member_id: UUID
    fact_id: UUID
    version: int
    refusal: str | None
    wanted: int
    points: int
    effects: list[list[Any]]
    active_at: datetime | None
    expires_at: datetime | None
    at_once: int

    def decision(self) -> Decision:
        return Decision(
            self.fact_id,
            self.version,
            self.refusal,
            self.wanted,
            self.points,
            tuple(Part(*effect) for effect in self.effects),
            self.active_at,
            self.expires_at,
            self.at_once,
        )


@dataclass(frozen=True, slots=True)
class Row(Outcome):
    """A whole row of program.decision."""

    kind: str
    purchase_id: UUID
    occurred_at: datetime
    registered_at: datetime
    recorded_at: datetime
    earned_that_day: int
    shown_that_day: int
    fact: dict[str, Any]
    actor: str

    def decided(self) -> Decided:
        recognised = self.kind == LINES_RECOGNISED
        return Decided(
            fact=self._fact(),
            standing=Standing(
                self.earned_that_day,
                self.shown_that_day,
                # Such lines are refused for nothing but what their purchase was refused for.
                self.refusal if recognised else None,
            ),
            decision=self.decision(),
            actor=self.actor,
        )

    def _fact(self) -> Fact:
        return Fact(
            id=self.fact_id,
            kind=self.kind,
            member_id=self.member_id,
            purchase_id=self.purchase_id,
            occurred_at=self.occurred_at,
            wall_time=datetime.fromisoformat(self.fact["wall_time"]),
            registered_at=self.registered_at,
            recorded_at=self.recorded_at,
            sales_channel=self.fact["sales_channel"],
            lines=tuple(_line(*line) for line in self.fact["lines"]),
        )


def _line(line: int, sku: str, category: str, tags: list[str], *rest: Any) -> FactLine:
    quantity_micro, sum_kopecks, decided, *more = rest
    known = next((one for one in more if isinstance(one, dict)), {})
    return FactLine(
        line,
        sku,
        category,
        tuple(tags),
        quantity_micro,
        sum_kopecks,
        bool(decided),
        "not_earnable" not in more,
        known.get("line"),
        tuple(
            Variant(tuple(skus), kind, tuple(marks), name)
            for skus, kind, marks, name in known.get("variants", ())
        ),
    )


@dataclass(frozen=True, slots=True)
class Given:
    """What one op of the ledger gave for a decision; None: active when it was recorded."""

    op_key: str
    parts: tuple[Part, ...]
    active_at: datetime | None


def given(decision: Decision) -> list[Given]:
    """The accruals of a decision: what was active at once, if any, then what waited."""
    key = f"fact:{decision.fact_id}"
    if not decision.at_once:
        return [Given(key, decision.parts, decision.active_at)]
    shares = money.largest_remainder(decision.at_once, [part.points for part in decision.parts])
    now, later = [], []
    for part, share in zip(decision.parts, shares, strict=True):
        if share:
            now.append(replace(part, points=share))
        if part.points > share:
            later.append(replace(part, points=part.points - share))
    found = [Given(f"{key}:now", tuple(now), None)]
    return [*found, Given(key, tuple(later), decision.active_at)] if later else found


def parameters(decided: Decided) -> tuple[Any, ...]:
    """The row's values in the order of `operations.applying.KEEP`."""
    fact, standing, decision = decided.fact, decided.standing, decided.decision
    return (
        fact.member_id,
        fact.id,
        fact.purchase_id,
        fact.occurred_at,
        fact.registered_at,
        fact.recorded_at,
        decision.wanted,
        decision.points,
        decision.active_at,
        decision.expires_at,
        decision.at_once,
        standing.earned_that_day,
        standing.shown_that_day,
        decision.version,
        fact.kind,
        decision.refusal,
        decided.actor,
        Jsonb(_compact(fact), _dump),
        Jsonb(
            [[part.line, part.rule, part.rate_bp, part.points] for part in decision.parts], _dump
        ),
    )


def _compact(fact: Fact) -> dict[str, Any]:
    return {
        "sales_channel": fact.sales_channel,
        "wall_time": fact.wall_time.isoformat(),
        "lines": [
            [
                line.line,
                line.sku,
                line.category,
                line.tags,
                line.quantity_micro,
                line.sum_kopecks,
                int(line.decided),
                *([] if line.earnable else ["not_earnable"]),
                *_product_line(line),
            ]
            for line in fact.lines
        ],
    }


def _product_line(line: FactLine) -> list[dict[str, Any]]:
    """What only lines have that a product line is known of."""
    known: dict[str, Any] = {}
    if line.product_line is not None:
        known["line"] = line.product_line
    if line.variants:
        known["variants"] = [
            [one.skus, one.category, one.tags, one.product_line] for one in line.variants
        ]
    return [known] if known else []
