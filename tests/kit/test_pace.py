"""Transactions in bulk rest while cores are short, others never do."""

import asyncio
import time
from pathlib import Path

import pytest

from vezde.kit import db as kit_db
from vezde.kit import pace
from vezde.kit.db import Database
from vezde.kit.pace import Pace

MS = 1_000_000  # ns


def counts(*shares: tuple[int, int] | None) -> Pace:
    """Of a thread that has run and waited so many ms at each look."""
    looks = iter(shares)

    def counted() -> tuple[int, int] | None:
        share = next(looks)
        return share and (share[0] * MS, share[1] * MS)

    return Pace(counted)


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


async def test_rests_as_long_as_it_worked_while_cores_are_short() -> None:
    one = counts((100, 10), (120, 25))
    await asyncio.sleep(0.02)
    began = time.monotonic()
    await one.rest()
    assert time.monotonic() - began >= 0.02


async def test_does_not_rest_while_cores_are_free() -> None:
    assert not rests(counts((100, 10), (120, 15)))


async def test_does_not_rest_where_nobody_counts() -> None:
    assert not rests(counts(None, None))
    assert not rests(counts((100, 10), None))


async def test_there_is_an_end_to_its_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MOST_SECONDS", 0.03)
    one = counts((0, 0), (10, 10), (20, 20))
    assert [rests(one) for _ in range(3)] == [True, True, False]


def test_this_system_counts() -> None:
    before = pace.account()
    assert (before is not None) == pace.ACCOUNT.exists()
    assert sum(range(300_000))
    after = pace.account()
    assert before is None or (after is not None and after[0] > before[0])


def test_what_cannot_be_read_counts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "ACCOUNT", tmp_path / "schedstat")
    assert pace.account() is None
    (tmp_path / "schedstat").write_text("0\n")
    assert pace.account() is None


@pytest.mark.parametrize("pipeline", [True, False])
async def test_only_a_transaction_in_bulk_is_paced(database: Database, *, pipeline: bool) -> None:
    async with database.transaction(pipeline=pipeline, gives_way=True) as db:
        short = counts((0, 0), *[(10, 10)] * 10)
        db.pace = short
        began = short._left
        assert await kit_db.fetch_value(db, "SELECT 1") == 1
        assert short._left < began
        left = short._left
        assert await kit_db.fetch_value(db, "SELECT 1") == 1
        assert short._left < left
    assert db.pace is None
    async with database.transaction(pipeline=pipeline) as db:
        assert db.pace is None
