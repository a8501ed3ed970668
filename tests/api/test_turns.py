"""Requests that take turns: few at once, in order, and nobody who waits holds up the others."""

import asyncio

from vezde.api.turns import Turns


async def test_few_work_at_once_and_in_the_order_they_came():
    turns, working, most, order = Turns(2), 0, 0, []

    async def one(number: int) -> None:
        nonlocal working, most
        async with turns.next():
            working += 1
            most = max(most, working)
            order.append(number)
            await asyncio.sleep(0)
            working -= 1

    await asyncio.gather(*(one(number) for number in range(20)))
    assert most == 2
    assert order == list(range(20))


async def test_who_waits_for_something_else_lets_others_go_on():
    turns, locked = Turns(1, seconds=0.01), asyncio.Event()

    async def waiting() -> None:
        async with turns.next():
            await locked.wait()

    async def going_on() -> None:
        async with turns.next():
            locked.set()

    async with asyncio.timeout(10):
        await asyncio.gather(waiting(), going_on())
        for _ in range(3):  # the turn was given back once, not twice
            async with turns.next():
                assert turns._free.locked()


async def test_what_fails_or_is_cancelled_gives_its_turn_back():
    turns = Turns(1)

    async def failing() -> None:
        async with turns.next():
            raise LookupError

    assert isinstance(await asyncio.gather(failing(), return_exceptions=True), list)
    async with turns.next():
        waiting = asyncio.create_task(failing())
        await asyncio.sleep(0)
        waiting.cancel()
    async with asyncio.timeout(10), turns.next():
        pass
