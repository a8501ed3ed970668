import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest

from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.errors import Unavailable
from vezde.kit.work import Runner, Waker, failures
from vezde.outbox import model, operations, queries, work
from vezde.outbox.model import FactRow, Reaction

KIND = "purchase.recorded/1"
ANNA, BORIS = (
    UUID("01930000-0000-7000-8000-0000000000a1"),
    UUID("01930000-0000-7000-8000-0000000000b2"),
)


class Hands:
    """A wall clock that a test turns by hand."""

    def __init__(self, at):
        self.at = at

    def clock(self):
        return Clock(wall=lambda: self.at)


@pytest.fixture
def hands(now):
    return Hands(now)


@pytest.fixture
def clock(hands):
    return hands.clock()


def fact(now, member=ANNA, *, number=0):
    return FactRow(ids.new(), member, None, KIND, now, now, {"number": number})


async def record(database, facts):
    async with database.transaction() as db:
        await operations.subscribe(db, [KIND])
        await operations.record(db, facts)


def remembering(name="crm"):
    """A reaction that keeps the facts it was given, committed or not."""
    seen = []

    async def run(_db, given):
        seen.append(given)

    return Reaction(name, frozenset({KIND}), run), seen


def failing(name="crm", *, on=lambda _fact: True):
    seen = []

    async def run(db, given):
        await db.execute(
            "INSERT INTO kit.timetable VALUES (%s, 1, 0, false, %s, 0)",
            [str(given.id), given.recorded_at],
        )
        seen.append(given)
        if on(given):
            raise ValueError("anna@example.org")

    return Reaction(name, frozenset({KIND}), run), seen


async def count(database, query):
    async with database.transaction() as db:
        return (await (await db.execute(query)).fetchone())[0]


class TestHandOver:
    async def test_gives_each_fact_to_every_reaction_once(self, database, clock, now):
        crm, crm_saw = remembering("crm")
        journeys, journeys_saw = remembering("journeys")
        facts = [fact(now, ids.new(), number=i) for i in range(40)]
        await record(database, facts)
        while await work.hand_over(database, [crm, journeys], clock=clock, limit=20):
            pass
        assert {f.id for f in crm_saw} == {f.id for f in journeys_saw} == {f.id for f in facts}
        assert len(crm_saw) == 40
        async with database.transaction() as db:
            assert await queries.backlog(db) == queries.Backlog(0, None, 0, 0)

    async def test_returns_facts_as_they_were_recorded(self, database, clock, now):
        crm, saw = remembering()
        written = replace(fact(now), member_id=None, subject="7801234564")
        await record(database, [written])
        assert await work.hand_over(database, [crm], clock=clock, limit=10) == 1
        assert saw == [written]

    async def test_is_idle_without_facts(self, database, clock):
        assert await work.hand_over(database, [remembering()[0]], clock=clock, limit=10) == 0

    async def test_keeps_the_order_of_a_member_over_batches(self, database, clock, now):
        crm, saw = remembering()
        facts = [fact(now + timedelta(seconds=i % 7), number=i) for i in range(50)]
        await record(database, facts)
        while await work.hand_over(database, [crm], clock=clock, limit=3):
            pass
        ordered = sorted(facts, key=lambda f: (f.recorded_at, f.id))
        assert [f.data["number"] for f in saw] == [f.data["number"] for f in ordered]

    async def test_visits_members_in_the_order_accounts_are_locked(self, database, clock, now):
        crm, saw = remembering()
        people = [ids.new() for _ in range(20)]
        await record(
            database, [fact(now - timedelta(seconds=i), who) for i, who in enumerate(people)]
        )
        await work.hand_over(database, [crm], clock=clock, limit=1000)
        assert [f.member_id for f in saw] == sorted(f.member_id for f in saw)

    async def test_rolls_back_what_a_failed_reaction_wrote_and_nothing_else(
        self, database, clock, now
    ):
        crm, _ = failing("crm")
        journeys, journeys_saw = failing("journeys", on=lambda _fact: False)
        await record(database, [fact(now)])
        await work.hand_over(database, [crm, journeys], clock=clock, limit=10)
        assert len(journeys_saw) == 1
        assert await count(database, "SELECT count(*) FROM kit.timetable") == 1
        assert await count(database, "SELECT count(*) FROM outbox.retry") == 1

    async def test_gives_a_batch_at_once_and_one_by_one_when_it_fails(self, database, clock, now):
        poison = fact(now)
        batches: list[int] = []

        async def run_all(_db, facts):
            batches.append(len(facts))
            if poison.id in {given.id for given in facts}:
                raise RuntimeError("poison")

        counting = model.by_the_batch("counting", frozenset({KIND}), run_all)
        await record(database, [poison, fact(now, BORIS), fact(now, BORIS)])
        assert await work.hand_over(database, [counting], clock=clock, limit=100) == 3
        assert sorted(batches) == [1, 1, 1, 3]
        assert await count(database, "SELECT count(*) FROM outbox.retry") == 1
        await record(database, [fact(now, BORIS), fact(now)])
        await work.hand_over(database, [counting], clock=clock, limit=100)
        assert batches[-1] == 2

    async def test_holds_up_neither_the_member_nor_others_for_a_poison_fact(
        self, database, clock, now
    ):
        poison = fact(now)
        facts = [poison, fact(now + timedelta(seconds=1)), fact(now, BORIS)]
        crm, saw = failing(on=lambda given: given.id == poison.id)
        await record(database, facts)
        await work.hand_over(database, [crm], clock=clock, limit=10)
        assert {f.id for f in saw} == {f.id for f in facts}
        async with database.transaction() as db:
            assert await queries.backlog(db) == queries.Backlog(0, None, 1, 0)

    async def test_never_stores_what_an_error_says(self, database, clock, now):
        crm, _ = failing()
        await record(database, [fact(now)])
        await work.hand_over(database, [crm], clock=clock, limit=10)
        said = await count(database, "SELECT error FROM outbox.retry")
        assert said.startswith("ValueError at ")
        assert "anna" not in said

    async def test_hands_a_member_s_facts_in_order_with_parallel_workers(self, fresh, now):
        people = [ids.new() for _ in range(12)]
        facts = [
            fact(now + timedelta(seconds=i), who, number=i) for i in range(15) for who in people
        ]
        seen = defaultdict(list)
        under_way = set()

        async def run(db, given):
            assert given.member_id not in under_way
            under_way.add(given.member_id)
            await db.execute("SELECT pg_sleep(0.001)")
            seen[given.member_id].append(given.data["number"])
            under_way.remove(given.member_id)

        async def worker():
            async with Database(fresh.app, size=2) as database:
                reaction = Reaction("crm", frozenset({KIND}), run)
                while sum(map(len, seen.values())) < len(facts):
                    await work.hand_over(database, [reaction], clock=Clock(), limit=10)

        async with Database(fresh.app, size=2) as database:
            await record(database, facts)
            await asyncio.wait_for(asyncio.gather(*(worker() for _ in range(3))), 20)
            assert await count(database, "SELECT count(*) FROM outbox.todo") == 0
        assert seen == {who: list(range(15)) for who in people}

    async def test_hands_over_again_what_a_killed_backend_had(self, server, fresh, now):
        crm, saw = remembering()
        started = asyncio.Event()

        async def slow(db, _given):
            started.set()
            await db.execute("SELECT pg_sleep(10)")

        async with Database(fresh.app, size=3) as database:
            await record(database, [fact(now)])
            reaction = Reaction("crm", frozenset({KIND}), slow)
            first = asyncio.create_task(
                work.hand_over(database, [reaction], clock=Clock(), limit=10)
            )
            await started.wait()
            await asyncio.sleep(0.1)
            kill_sleeping(server, fresh)
            with pytest.raises(Unavailable):
                await first
            assert await work.hand_over(database, [crm], clock=Clock(), limit=10) == 1
        assert len(saw) == 1


def kill_sleeping(server, fresh):
    with psycopg.connect(server.superuser, dbname=fresh.name, autocommit=True) as db:
        killed = db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE '%pg_sleep(10)%' "
            "AND pid <> pg_backend_pid()"
        ).fetchall()
    assert len(killed) == 1


class TestRetryDue:
    async def test_waits_for_the_wall(self, database, hands, now):
        crm, saw = failing()
        await record(database, [fact(now)])
        await work.hand_over(database, [crm], clock=hands.clock(), limit=10)
        hands.at += timedelta(seconds=4)
        assert await work.retry_due(database, [crm], clock=hands.clock(), limit=10) == 0
        hands.at += timedelta(seconds=1)
        assert await work.retry_due(database, [crm], clock=hands.clock(), limit=10) == 1
        assert len(saw) == 2

    async def test_ends_when_the_reaction_succeeds(self, database, hands, now):
        crm, _ = failing()
        healed, saw = remembering()
        await record(database, [fact(now)])
        await work.hand_over(database, [crm], clock=hands.clock(), limit=10)
        hands.at += failures.BACKOFF[0]
        await work.retry_due(database, [healed], clock=hands.clock(), limit=10)
        hands.at += timedelta(days=9)
        assert await work.retry_due(database, [healed], clock=hands.clock(), limit=10) == 0
        assert len(saw) == 1

    async def test_parks_poison_after_the_last_pause(self, database, hands, now):
        crm, saw = failing()
        poison = fact(now)
        await record(database, [poison])
        await work.hand_over(database, [crm], clock=hands.clock(), limit=10)
        for pause in failures.BACKOFF:
            hands.at += pause
            assert await work.retry_due(database, [crm], clock=hands.clock(), limit=10) == 1
        hands.at += timedelta(days=365)
        assert await work.retry_due(database, [crm], clock=hands.clock(), limit=10) == 0
        assert len(saw) == 1 + len(failures.BACKOFF)
        async with database.transaction() as db:
            (parked,) = await queries.parked(db, limit=10)
        assert (parked.fact_id, parked.reaction, parked.member_id) == (poison.id, "crm", ANNA)
        assert parked.attempts == 6

    async def test_parks_at_once_what_no_reaction_wants_any_more(self, database, hands, now):
        crm, _ = failing()
        await record(database, [fact(now)])
        await work.hand_over(database, [crm], clock=hands.clock(), limit=10)
        hands.at += failures.BACKOFF[0]
        await work.retry_due(database, [], clock=hands.clock(), limit=10)
        async with database.transaction() as db:
            (parked,) = await queries.parked(db, limit=10)
        assert parked.error == "ReactionGone"

    async def test_tries_again_what_was_unparked(self, database, hands, now):
        crm, _ = failing()
        poison = fact(now)
        await record(database, [poison])
        await work.hand_over(database, [crm], clock=hands.clock(), limit=10)
        hands.at += failures.BACKOFF[0]
        await work.retry_due(database, [], clock=hands.clock(), limit=10)
        async with database.transaction() as db:
            await operations.unpark(
                db, fact_id=poison.id, reaction="crm", wall=hands.at, actor="operator:cli"
            )
        healed, saw = remembering()
        assert await work.retry_due(database, [healed], clock=hands.clock(), limit=10) == 1
        assert [f.id for f in saw] == [poison.id]

    async def test_cannot_unpark_what_is_not_parked(self, database, now):
        with pytest.raises(operations.NotParked):
            async with database.transaction() as db:
                await operations.unpark(
                    db, fact_id=ids.new(), reaction="crm", wall=now, actor="operator:cli"
                )


class TestStages:
    async def test_hand_over_at_once_when_another_process_records(self, fresh, now):
        given = asyncio.Event()

        async def run(_db, _given):
            given.set()

        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        async with (
            Database(fresh.app) as face,
            Database(fresh.app) as worker,
            Waker(fresh.app) as face_waker,
            Waker(fresh.app) as worker_waker,
        ):
            face.on_commit = face_waker.wake
            await record(face, [])
            await asyncio.gather(face_waker.listening(), worker_waker.listening())
            stages = work.stages(worker, [Reaction("crm", frozenset({KIND}), run)], clock=Clock())
            runner = Runner(worker, stages, worker_waker, Clock(), poll_seconds=30)
            running = asyncio.create_task(runner.run(stop))
            await asyncio.sleep(0.3)
            started = loop.time()
            await record(face, [fact(now)])
            await asyncio.wait_for(given.wait(), 5)
            assert loop.time() - started < 0.5
            stop.set()
            await running
