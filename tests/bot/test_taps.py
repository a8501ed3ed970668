"""Taps are answered at once, past the ledger of sends, and by it when that does not do."""

import asyncio

from bot.conftest import Door
from vezde.bot import taps
from vezde.messaging.model import Tap
from vezde.messaging.transports.protocol import Delivered
from vezde.testing.telegram import faults

ANSWER = "answerCallbackQuery"


def answered(door: Door) -> int:
    """Taps whose waiting sign is gone."""
    with door.telegram.world.lock:
        return sum(one.answer is not None for one in door.telegram.bot.callbacks.values())


async def until_answered(door: Door, count: int) -> None:
    for _ in range(600):
        if answered(door) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{answered(door)} taps are answered, not {count}")


class TestTap:
    async def test_is_answered_while_the_ledger_of_sends_is_held_up(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees_button("Дальше")
        await door.until("SELECT count(*) = 0 FROM messaging.queue")
        async with door.house.database.transaction() as db:
            await db.execute("SELECT FROM messaging.allowance FOR UPDATE")
            await anna.tap("Дальше")
            await until_answered(door, 1)
            assert not any("согласие" in one.text for one in anna.messages)
        await anna.sees("согласие")

    async def test_that_never_got_there_goes_through_the_ledger(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees_button("Дальше")
        door.telegram.order(faults.http(502), method=ANSWER, times=2)
        await anna.tap("Дальше")
        await anna.sees("согласие")
        await until_answered(door, 1)
        assert door.telegram.statistics()["requests"][ANSWER.lower()] >= 2
        await door.until("SELECT count(*) = 0 FROM messaging.queue")

    async def test_that_is_too_old_is_let_go(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees_button("Дальше")
        gone = "Bad Request: query is too old and response timeout expired or query ID is invalid"
        door.telegram.order(faults.refused(400, gone), method=ANSWER)
        await anna.tap("Дальше")
        await anna.sees("согласие")
        await door.until("SELECT count(*) = 0 FROM messaging.queue")
        assert answered(door) == 0


class TestManyTaps:
    async def test_beyond_what_is_under_way_go_through_the_ledger(self, door: Door) -> None:
        """Whoever answers is slow; what is not taken is written, nothing waits in memory."""
        go_on = asyncio.Event()

        class Slow:
            async def deliver(self, _address, _item):
                await go_on.wait()
                return Delivered(None)

        async def later(tap: Tap) -> None:
            raise AssertionError(tap)

        member_id = await door.value("SELECT gen_random_uuid()")
        bare = [Tap(member_id, "telegram", str(number)) for number in range(taps.AT_ONCE + 5)]
        toast = Tap(member_id, "telegram", "said", "slow_down")
        many = taps.Taps({"telegram": Slow()}, later)
        first, rest = many.sort_out([toast, *bare])
        assert (len(first), rest) == (taps.AT_ONCE, [toast, *bare[taps.AT_ONCE :]])
        many.answer(first)
        assert many.sort_out(bare) == ([], bare)
        go_on.set()
        await asyncio.gather(*many.under_way)
        assert many.sort_out(bare[:5]) == (bare[:5], [])
