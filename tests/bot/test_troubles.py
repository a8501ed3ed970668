"""What the bot could not work or send: an operator sees it, and tries again."""

from typing import Any

import pytest

from bot.conftest import Door
from vezde import wiring
from vezde.kit import troubles
from vezde.kit.troubles import NotRetriable, Trouble
from vezde.testing.telegram import faults


async def given_up(door: Door) -> list[Trouble]:
    async with door.house.database.transaction() as db:
        return await troubles.listed(db, wiring.TROUBLES, limit=10)


async def act(door: Door, what: Any, one: Trouble) -> None:
    (source,) = (each for each in wiring.TROUBLES if each.kind == one.kind)
    row = one.row
    async with door.house.database.transaction() as db:
        wall = door.house.clock.wall()
        await what(db, source, row.first, row.second, wall=wall, actor="operator:cli")


async def section(door: Door, version: int, text: str) -> None:
    async with door.house.database.transaction() as db:
        now = await door.house.clock.programme(db)
        await db.execute(
            b"INSERT INTO bot.section (version, valid_from, section) VALUES (%s, %s, %s::jsonb)",
            [version, now, text],
        )


class TestTroubles:
    async def test_of_an_event_are_shown_and_tried_again(self, door: Door) -> None:
        anna = await door.member()
        await section(door, 98, '{"guest_days": "broken"}')
        await anna.send("/balance")
        await anna.sees("Что-то сломалось на нашей стороне", within=15)
        (one,) = await given_up(door)
        assert (one.kind, one.row.about, one.row.attempts) == ("update", "telegram", 3)
        assert one.row.because is not None
        assert "ValidationError" in one.row.because
        assert "balance" not in str(one)
        assert one.row.member_id is not None
        await section(door, 99, "{}")
        await act(door, troubles.retry, one)
        await anna.sees("Баллов пока нет")
        assert await given_up(door) == []

    async def test_of_a_message_that_may_have_arrived_are_seen_and_dropped(
        self, door: Door
    ) -> None:
        anna = await door.member()
        door.telegram.order(faults.cut(taken=True), method="sendMessage")
        await anna.send("/balance")
        await door.until("SELECT count(*) > 0 FROM messaging.send WHERE state = 'unknown'")
        (one,) = await given_up(door)
        assert (one.kind, one.row.about) == ("send", "reply telegram")
        with pytest.raises(NotRetriable):
            await act(door, troubles.retry, one)
        await act(door, troubles.drop, one)
        assert await given_up(door) == []

    async def test_are_not_that_somebody_blocked_the_bot(self, door: Door) -> None:
        anna = await door.member()
        door.telegram.order(faults.blocked(), method="sendMessage")
        await anna.send("/balance")
        await door.until("SELECT count(*) > 0 FROM messaging.send WHERE state = 'refused'")
        assert await given_up(door) == []
