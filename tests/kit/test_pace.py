"""Transactions in bulk rest while somebody waits and cores are short; others never do."""

import asyncio
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from vezde.kit import db as kit_db
from vezde.kit import pace
from vezde.kit.db import Database
from vezde.kit.pace import Mark, Pace

MS = 1_000_000  # ns
OTHER = """
import sys
from pathlib import Path
from vezde.kit.pace import Mark
Mark(Path(sys.argv[1])).set()
"""


@pytest.fixture
def waiting() -> Mark:
    """A mark that stays fresh for a test."""

    class Always(Mark):
        def is_fresh(self) -> bool:
            return True

    return Always()


def counts(mark: Mark, *shares: tuple[int, int] | None) -> Pace:
    """Of a thread that has run and waited so many ms at each look; the last one stays."""
    looks = list(shares)

    def counted() -> tuple[int, int] | None:
        share = looks.pop(0) if len(looks) > 1 else looks[0]
        return share and (share[0] * MS, share[1] * MS)

    return Pace(mark, counted)


def rests(one: Pace) -> bool:
    """Whether it has its caller wait; how long is not looked at."""
    time.sleep(0.02)
    resting = one.rest()
    try:
        resting.send(None)
    except StopIteration:
        return False
    resting.close()
    return True


class TestMark:
    def test_is_seen_by_other_processes(self, tmp_path: Path) -> None:
        mark = Mark(tmp_path / "waiting")
        assert mark.moment == 0
        subprocess.run([sys.executable, "-c", OTHER, str(tmp_path / "waiting")], check=True)
        assert 0 < mark.moment < time.monotonic_ns()

    def test_is_fresh_once_it_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(pace, "FRESH_SECONDS", 60)
        mark = Mark()
        assert not mark.is_fresh()
        mark.set()
        assert mark.is_fresh()

    def test_fades(self) -> None:
        mark = Mark()
        mark.set()
        time.sleep(pace.FRESH_SECONDS)
        assert not mark.is_fresh()

    def test_of_a_machine_that_was_started_again_is_not_fresh(self) -> None:
        mark = Mark()
        mark._moment[0] = time.monotonic_ns() + 3_600 * 10**9
        assert not mark.is_fresh()

    def test_is_of_one_process_where_there_is_no_folder(self, tmp_path: Path) -> None:
        mark = Mark(tmp_path / "none" / "waiting")
        mark.set()
        assert mark.moment > 0
        assert not (tmp_path / "none").exists()


class TestPace:
    async def test_rests_as_long_as_it_worked(self, waiting: Mark) -> None:
        one = counts(waiting, (100, 10), (120, 25))
        await asyncio.sleep(0.02)
        began = time.monotonic()
        await one.rest()
        assert time.monotonic() - began >= 0.02

    def test_does_not_rest_while_cores_are_free(self, waiting: Mark) -> None:
        assert not rests(counts(waiting, (100, 10), (120, 15)))

    def test_does_not_rest_while_nobody_waits(self) -> None:
        assert not rests(counts(Mark(), (100, 10), (120, 90)))

    def test_does_not_rest_where_nobody_counts(self, waiting: Mark) -> None:
        assert not rests(counts(waiting, None))
        assert not rests(counts(waiting, (100, 10), None))

    async def test_there_is_an_end_to_its_rests(
        self, waiting: Mark, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "MOST_SECONDS", 0.03)
        one = counts(waiting, (0, 0), (10, 10), (20, 20))
        assert [rests(one) for _ in range(3)] == [True, True, False]


class TestAccount:
    def test_is_kept_by_this_system(self) -> None:
        before = pace.account()
        assert (before is not None) == pace.ACCOUNT.exists()
        time.sleep(0.05)
        after = pace.account()
        assert before is None or (after is not None and after[0] > before[0])

    def test_that_cannot_be_read_is_none(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pace, "ACCOUNT", tmp_path / "schedstat")
        assert pace.account() is None
        (tmp_path / "schedstat").write_text("0\n")
        assert pace.account() is None


class TestTransaction:
    @pytest.mark.parametrize("pipeline", [True, False])
    async def test_in_bulk_rests_after_each_trip(
        self, database: Database, waiting: Mark, *, pipeline: bool
    ) -> None:
        made: list[Pace] = []

        def short() -> Pace:
            made.append(counts(waiting, (0, 0), (10, 10)))
            return made[-1]

        async with Database(database.pool.conninfo, size=1, pace=short) as one:
            async with one.transaction(pipeline=pipeline, gives_way=True) as db:
                left = made[0]._left
                for _ in range(2):
                    assert await kit_db.fetch_value(db, "SELECT 1") == 1
                    assert made[0]._left < left
                    left = made[0]._left
            with pytest.raises(ZeroDivisionError):
                async with one.transaction(pipeline=pipeline, gives_way=True):
                    raise ZeroDivisionError
            async with one.transaction(pipeline=pipeline) as db:
                assert db.pace is None
        assert len(made) == 2

    @pytest.mark.parametrize("pipeline", [True, False])
    async def test_cancelled_while_it_rests_is_rolled_back_and_leaves_a_sound_connection(
        self, database: Database, waiting: Mark, *, pipeline: bool
    ) -> None:
        resting = asyncio.Event()

        class Long(Pace):
            async def rest(self) -> None:
                resting.set()
                await asyncio.sleep(60)

        async def bulk(one: Database) -> None:
            async with one.transaction(pipeline=pipeline, gives_way=True) as db:
                await db.execute("CREATE TEMPORARY TABLE made (n integer)")
                await kit_db.fetch_value(db, "SELECT 1")

        pace = partial(Long, waiting)
        async with Database(database.pool.conninfo, size=1, pace=pace) as one:
            task = asyncio.create_task(bulk(one))
            await resting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 10)
            async with one.transaction(pipeline=pipeline) as db:
                assert await kit_db.fetch_value(db, "SELECT to_regclass('made') IS NULL")
                assert await kit_db.fetch_value(db, "SELECT 2") == 2
