import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from vezde.kit import ids
from vezde.ledger import operations as ledger_ops
from vezde.ledger import queries as ledger
from vezde.ledger.model import NextExpiry
from vezde.program import operations as program
from vezde.program import queries
from vezde.program.model import LINES_RECOGNISED, NoProgramme

from .conftest import NOON

ACTOR = "system"


@pytest.fixture
def apply():
    async def apply(db, *facts, now=NOON):
        return await program.apply(db, facts, now=now, actor=ACTOR)

    return apply


@pytest.fixture
def publish(document, sections):
    """Publish the small document with changes by path."""

    async def publish(db, changes=None, *, now=NOON):
        return await program.publish(
            db, document(changes), sections=sections, valid_from=None, now=now, actor=ACTOR
        )

    return publish


async def count(db, table):
    cursor = await db.execute(f"SELECT count(*) FROM {table}")
    return (await cursor.fetchone())[0]


async def active(db, member_id):
    return (await ledger.points(db, member_id, as_of=NOON)).active


class TestApply:
    async def test_gives_the_points(self, db, anna, publish, purchase, apply):
        await publish(db)
        (decision,) = await apply(db, purchase(1_000_00, 299_00, member_id=anna))
        assert decision.points == 64
        assert await active(db, anna) == 64

    async def test_ends_points_by_inactivity_where_the_programme_says_so(
        self, db, anna, publish, purchase, apply
    ):
        await publish(db, {"expiry": {"inactivity": {"days": 30}}})
        await apply(db, purchase(1_000_00, member_id=anna, sales_channel="ozon"))
        await apply(db, purchase(1_000_00, member_id=anna))
        # The one in the market place is active in a fortnight, and thirty days run from then.
        ends_at = datetime(2027, 1, 1, 21, tzinfo=UTC)
        points = await ledger.points(db, anna, as_of=NOON)
        assert (points.active, points.next_expiry) == (50, NextExpiry(50, ends_at))
        late = await ledger.points(db, anna, as_of=ends_at)
        assert (late.active, late.pending) == (0, 0)

    async def test_keeps_held_points_pending(self, db, anna, publish, purchase, apply):
        await publish(db)
        await apply(db, purchase(1_000_00, member_id=anna, sales_channel="ozon"))
        points = await ledger.points(db, anna, as_of=NOON)
        assert (points.active, points.pending) == (0, 50)

    async def test_answers_in_the_order_asked(self, db, anna, boris, publish, purchase, apply):
        await publish(db)
        facts = [
            purchase(100_00 * at, member_id=member)
            for at, member in enumerate([boris, anna, boris, anna], 1)
        ]
        decisions = await apply(db, *facts)
        assert [one.fact_id for one in decisions] == [fact.id for fact in facts]
        assert [one.points for one in decisions] == [5, 10, 15, 20]

    async def test_does_nothing_for_nothing(self, db, apply):
        assert await apply(db) == []

    async def test_writes_the_proof_with_the_points(self, db, anna, publish, purchase, line, apply):
        await publish(db)
        fact = purchase(
            member_id=anna,
            lines=(
                line(1, 100_00),
                line(2, 100_00, tags=("gift",)),
                line(3, 50_00, sku=None),
                line(4, 10_00, decided=True),
            ),
            proof={"receipt_id": "r-1", "match": {"1": {"method": "gtin", "score": 1}}},
        )
        await apply(db, fact)
        (entry,) = await ledger.history(db, anna, limit=10)
        explained = await ledger.entry(db, anna, entry.seq)
        assert entry.op_key == f"fact:{fact.id}"
        assert entry.occurred_at == fact.occurred_at
        assert explained.proof == {
            "receipt_id": "r-1",
            "match": {"1": {"method": "gtin", "score": 1}},
            "fact_id": str(fact.id),
            "kind": "purchase.recorded/1",
            "purchase_id": str(fact.purchase_id),
            "sales_channel": "chain",
            "version": 1,
            "rules": ["earning.default"],
            "wanted": 5,
            "lines": [
                {"line": 1, "sku": "LN-1", "sum_kopecks": 10000, "rate_bp": 500, "points": 5},
                {"line": 2, "sku": "LN-2", "sum_kopecks": 10000, "rate_bp": 0, "points": 0},
            ],
        }
        assert [(part.line, part.points) for part in explained.parts] == [(1, 5)]

    async def test_records_a_fact_of_what_was_earned(self, db, anna, publish, purchase, apply):
        await publish(db)
        fact = purchase(1_000_00, member_id=anna)
        await apply(db, fact, purchase(1_00, member_id=anna))
        rows = await db.execute(
            "SELECT member_id, data FROM outbox.fact WHERE kind = 'points.accrued/1'"
        )
        assert await rows.fetchall() == [
            (
                anna,
                {
                    "fact_id": str(fact.id),
                    "purchase_id": str(fact.purchase_id),
                    "points": 50,
                    "active_at": NOON.isoformat(),
                },
            )
        ]

    async def test_keeps_decisions_without_points_apart_from_the_ledger(
        self, db, anna, publish, purchase, apply
    ):
        await publish(db)
        await apply(
            db,
            purchase(1_00, member_id=anna),
            purchase(100_00, member_id=anna, occurred_at=NOON - timedelta(days=31)),
        )
        assert await count(db, "program.decision") == 2
        assert await ledger.history(db, anna, limit=10) == []

    async def test_needs_a_programme(self, db, anna, purchase, apply):
        with pytest.raises(NoProgramme):
            await apply(db, purchase(100_00, member_id=anna))

    async def test_needs_an_account(self, db, publish, purchase, apply):
        await publish(db)
        with pytest.raises(ledger_ops.AccountMissing):
            await apply(db, purchase(100_00, member_id=ids.new()))

    async def test_works_inside_a_pipeline(self, database, vera, publish, purchase, apply):
        async with database.transaction() as db:
            await publish(db)
        async with database.transaction(pipeline=True) as db:
            decisions = await apply(db, *(purchase(100_00, member_id=vera) for _ in range(5)))
        assert [one.points for one in decisions] == [5] * 5
        async with database.transaction() as db:
            assert await active(db, vera) == 25

    async def test_lets_nobody_change_a_decision(self, db, anna, publish, purchase, apply):
        await publish(db)
        await apply(db, purchase(100_00, member_id=anna))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.execute("DELETE FROM program.decision")


class TestApplyAgain:
    async def test_answers_the_first_decision_and_does_nothing(
        self, db, anna, publish, purchase, apply
    ):
        await publish(db)
        fact = purchase(1_000_00, 299_00, member_id=anna, sales_channel="ozon")
        first = await apply(db, fact)
        await publish(db, {"earning.channels.ozon": {"rate_bp": 9_000}})
        again = await apply(db, fact, now=NOON + timedelta(days=3))
        assert again == first
        assert (await ledger.points(db, anna, as_of=NOON)).pending == 64
        assert await count(db, "program.decision") == 1

    async def test_decides_a_fact_once_within_a_call(self, db, anna, publish, purchase, apply):
        await publish(db)
        fact, other = purchase(1_000_00, member_id=anna), purchase(100_00, member_id=anna)
        decisions = await apply(db, fact, other, fact, replace(fact))
        assert decisions[0] == decisions[2] == decisions[3]
        assert await active(db, anna) == 55

    async def test_answers_a_refusal_again(self, db, anna, publish, purchase, apply):
        await publish(db)
        fact = purchase(100_00, member_id=anna, occurred_at=NOON - timedelta(days=31))
        (first,) = await apply(db, fact)
        (again,) = await apply(db, fact)
        assert first == again
        assert again.refusal == "too_old"

    async def test_decides_the_rest_of_a_call(self, db, anna, publish, purchase, apply):
        await publish(db)
        old, new = purchase(100_00, member_id=anna), purchase(200_00, member_id=anna)
        await apply(db, old)
        assert [one.points for one in await apply(db, new, old)] == [10, 5]
        assert await active(db, anna) == 15

    async def test_decides_once_when_two_come_together(
        self, database, vera, publish, purchase, apply
    ):
        async with database.transaction() as db:
            await publish(db)
        fact = purchase(1_000_00, member_id=vera)

        async def once():
            async with database.transaction() as db:
                return await apply(db, fact)

        answers = await asyncio.gather(*(once() for _ in range(6)))
        assert all(answer == answers[0] for answer in answers)
        async with database.transaction() as db:
            assert await active(db, vera) == 50
            assert await count(db, "program.decision") == 1


class TestCaps:
    async def test_cut_within_a_call(self, db, anna, boris, publish, purchase, apply):
        await publish(db, {"earning.points_per_day": 70})
        decisions = await apply(
            db, *(purchase(1_000_00, member_id=member) for member in (anna, boris, anna, anna))
        )
        assert [(one.wanted, one.points) for one in decisions] == [
            (50, 50),
            (50, 50),
            (50, 20),
            (50, 0),
        ]

    async def test_cut_across_calls(self, db, anna, publish, purchase, apply):
        await publish(db, {"earning.points_per_day": 70})
        points = [(await apply(db, purchase(1_000_00, member_id=anna)))[0].points for _ in range(3)]
        assert points == [50, 20, 0]

    async def test_count_the_day_of_the_purchase_in_the_programmes_zone(
        self, db, anna, publish, purchase, apply
    ):
        await publish(db, {"earning.points_per_day": 70})
        midnight = NOON.replace(day=17, hour=21)  # 18 November in Moscow begins
        times = (midnight - timedelta(seconds=1), midnight, NOON, NOON - timedelta(days=5))
        for at in times:
            await apply(db, purchase(1_000_00, member_id=anna, occurred_at=at))
        rows = await db.execute("SELECT points FROM program.decision ORDER BY occurred_at")
        assert await rows.fetchall() == [(50,), (50,), (50,), (20,)]

    async def test_refuse_the_purchase_after_the_last_of_the_day(
        self, db, anna, boris, publish, purchase, apply
    ):
        await publish(db, {"receipts.per_day": 2})
        await apply(db, purchase(100_00, member_id=anna))
        decisions = await apply(
            db, *(purchase(100_00, member_id=member) for member in (anna, boris, anna))
        )
        assert [one.refusal for one in decisions] == [None, None, "daily_limit"]

    async def test_count_the_day_of_the_showing(self, db, anna, publish, purchase, apply):
        await publish(db, {"receipts.per_day": 1})
        midnight = NOON.replace(hour=21)  # 19 November in Moscow begins
        shown = (midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23))
        decisions = await apply(
            db, *(purchase(100_00, member_id=anna, registered_at=at) for at in shown)
        )
        assert [one.refusal for one in decisions] == [None, None, "daily_limit"]

    async def test_count_no_refused_purchase(self, db, anna, publish, purchase, apply):
        await publish(db, {"receipts.per_day": 1})
        old = NOON - timedelta(days=31)
        for _ in range(2):
            await apply(db, purchase(100_00, member_id=anna, occurred_at=old))
        decisions = await apply(
            db,
            purchase(100_00, member_id=anna, occurred_at=old),
            purchase(100_00, member_id=anna),
        )
        assert [one.refusal for one in decisions] == ["too_old", None]

    async def test_hold_when_two_calls_come_together(
        self, database, vera, publish, purchase, apply
    ):
        async with database.transaction() as db:
            await publish(db, {"earning.points_per_day": 70, "receipts.per_day": 3})

        async def once():
            async with database.transaction() as db:
                return (await apply(db, purchase(1_000_00, member_id=vera)))[0]

        decisions = await asyncio.gather(*(once() for _ in range(6)))
        assert sorted(one.points for one in decisions) == [0, 0, 0, 0, 20, 50]
        assert sum(one.refusal == "daily_limit" for one in decisions) == 3
        async with database.transaction() as db:
            assert await active(db, vera) == 70


class TestBatches:
    async def test_decide_as_one_by_one(self, db, anna, boris, publish, purchase, apply):
        await publish(db, {"earning.points_per_day": 120, "receipts.per_day": 4})
        dice = random.Random(7)
        happened = [
            {
                "occurred_at": NOON - timedelta(hours=dice.randrange(72)),
                "registered_at": NOON + timedelta(hours=dice.randrange(48)),
            }
            for _ in range(24)
        ]

        def facts(member_id):
            return [
                purchase(1_000_00, 37_00 * at, member_id=member_id, **times)
                for at, times in enumerate(happened)
            ]

        at_once = await apply(db, *facts(anna))
        one_by_one = [(await apply(db, fact))[0] for fact in facts(boris)]
        told = [
            [(one.refusal, one.wanted, one.points, one.parts) for one in decisions]
            for decisions in (at_once, one_by_one)
        ]
        assert told[0] == told[1]
        assert {one.refusal for one in at_once} == {None, "daily_limit"}
        assert any(one.points < one.wanted for one in at_once)


class TestLinesRecognised:
    async def test_earn_beside_their_purchase(self, db, anna, publish, purchase, line, apply):
        await publish(db, {"receipts.per_day": 1})
        fact = purchase(member_id=anna, lines=(line(1, 100_00), line(2, 60_00, sku=None)))
        await apply(db, fact)
        later = purchase(
            member_id=anna,
            kind=LINES_RECOGNISED,
            purchase_id=fact.purchase_id,
            lines=(line(1, 100_00, decided=True), line(2, 60_00)),
        )
        (decision,) = await apply(db, later)
        assert [(part.line, part.points) for part in decision.parts] == [(2, 3)]
        assert await active(db, anna) == 8

    async def test_earn_nothing_of_a_refused_purchase(self, db, anna, publish, purchase, apply):
        await publish(db, {"receipts.per_day": 1})
        refused = purchase(100_00, member_id=anna)
        await apply(db, purchase(100_00, member_id=anna), refused)
        later = purchase(
            60_00, member_id=anna, kind=LINES_RECOGNISED, purchase_id=refused.purchase_id
        )
        (decision,) = await apply(db, later)
        assert (decision.refusal, decision.points) == ("daily_limit", 0)

    async def test_see_the_refusal_within_a_call(self, db, anna, publish, purchase, apply):
        await publish(db, {"receipts.per_day": 1})
        refused = purchase(100_00, member_id=anna)
        later = purchase(
            60_00, member_id=anna, kind=LINES_RECOGNISED, purchase_id=refused.purchase_id
        )
        decisions = await apply(db, purchase(100_00, member_id=anna), refused, later)
        assert [one.refusal for one in decisions] == [None, "daily_limit", "daily_limit"]


class TestVersions:
    async def test_price_by_the_time_of_the_purchase(self, db, anna, publish, purchase, apply):
        await publish(db)
        await publish(db, {"earning.default_rate_bp": 1_000})
        decisions = await apply(
            db,
            *(
                purchase(100_00, member_id=anna, occurred_at=at)
                for at in (NOON - timedelta(microseconds=1), NOON, NOON - timedelta(days=25))
            ),
        )
        assert [(one.version, one.points) for one in decisions] == [(1, 5), (2, 10), (1, 5)]

    async def test_change_for_the_next_call_of_any_process(
        self, database, vera, publish, purchase, apply
    ):
        async with database.transaction() as db:
            await publish(db)
            await apply(db, purchase(100_00, member_id=vera))
        async with database.transaction() as db:
            await publish(db, {"earning.default_rate_bp": 1_000})
        async with database.transaction() as db:
            (decision,) = await apply(db, purchase(100_00, member_id=vera))
        assert (decision.version, decision.points) == (2, 10)


class TestDecisions:
    async def test_keep_the_fact_and_the_standing(self, db, anna, publish, purchase, line, apply):
        await publish(db)
        fact = purchase(
            member_id=anna,
            sales_channel="ozon",
            lines=(line(1, 100_00, tags=("new",)), line(2, 50_00, sku=None, category=None)),
        )
        (_, decision) = await apply(db, purchase(1_000_00, member_id=anna), fact)
        (kept,) = await queries.decisions(db, anna, fact_ids=[fact.id, ids.new()])
        assert kept.fact == fact
        assert kept.decision == decision
        assert (kept.standing.earned_that_day, kept.standing.shown_that_day) == (50, 1)
        assert kept.actor == ACTOR

    async def test_are_found_by_purchase(self, db, anna, boris, publish, purchase, apply):
        await publish(db)
        fact = purchase(100_00, member_id=anna)
        later = purchase(60_00, member_id=anna, kind=LINES_RECOGNISED, purchase_id=fact.purchase_id)
        await apply(db, fact, purchase(10_00, member_id=anna))
        await apply(db, later)
        found = await queries.purchase_decisions(db, anna, fact.purchase_id)
        assert {one.fact.id for one in found} == {fact.id, later.id}
        assert await queries.purchase_decisions(db, boris, fact.purchase_id) == []

    async def test_tell_why_not_under_their_own_version(
        self, db, anna, publish, purchase, line, apply
    ):
        await publish(db, {"earning.points_per_day": 70})
        fact = purchase(member_id=anna, lines=(line(1, 1_000_00), line(2, 100_00, tags=("gift",))))
        await apply(db, purchase(1_000_00, member_id=anna), fact)
        await publish(db, {"earning.points_per_day": None, "earning.exclude.tags": []})
        told = await queries.misses(db, anna, fact.id)
        assert [(miss.code, miss.line) for miss in told] == [
            ("excluded_tag", 2),
            ("daily_points", None),
        ]

    async def test_tell_why_lines_of_a_refused_purchase_earned_nothing(
        self, db, anna, publish, purchase, apply
    ):
        await publish(db, {"receipts.per_day": 1})
        refused = purchase(100_00, member_id=anna)
        later = purchase(
            60_00, member_id=anna, kind=LINES_RECOGNISED, purchase_id=refused.purchase_id
        )
        await apply(db, purchase(100_00, member_id=anna), refused, later)
        (told,) = await queries.misses(db, anna, later.id)
        assert told.code == "daily_limit"

    async def test_tell_nothing_of_an_undecided_fact(self, db, anna):
        with pytest.raises(queries.DecisionMissing):
            await queries.misses(db, anna, UUID(int=5))
