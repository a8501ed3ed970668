"""kill -9 of a worker between every two steps of a send: never two, and what is unknown is said."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from vezde.messaging.model import Tap

WORKER = Path(__file__).parent / "dying_worker.py"
ROOT = Path(__file__).parents[2]
STEPS = ("claiming", "calling", "called", "noting", "noted")


@pytest.fixture
def killed(fresh, fake):
    """Run a worker that dies at a step."""

    async def run(step: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(WORKER),
            fresh.app,
            fake.base_url,
            fake.token,
            step,
            env={"PYTHONPATH": str(ROOT / "src")},
        )
        assert await process.wait() == -signal.SIGKILL

    return run


class TestKill:
    @pytest.mark.parametrize(
        ("step", "state", "arrived"),
        [
            ("claiming", "sent", 1),
            ("calling", "unknown", 0),
            ("called", "unknown", 1),
            ("noting", "unknown", 1),
            ("noted", "sent", 1),
        ],
    )
    async def test_a_new_message_comes_at_most_once(self, post, killed, step, state, arrived):
        anna = await post.addressee()
        await post.say(anna, "hello")
        await killed(step)
        for _ in range(3):
            await post.deliver()
            post.wall.pass_by(minutes=2)
        assert await post.states(anna) == [state]
        assert len(anna.said) == arrived
        assert await post.waiting() == 0

    @pytest.mark.parametrize("step", STEPS)
    async def test_an_edit_is_done_in_the_end(self, post, killed, step):
        anna = await post.addressee()
        await post.say(anna, "checking", slot="receipt:1")
        await post.deliver()
        await post.say(anna, "accepted", slot="receipt:1")
        await killed(step)
        for _ in range(3):
            await post.deliver()
            post.wall.pass_by(minutes=2)
        assert await post.states(anna) == ["sent", "sent"]
        assert ["accepted" in one for one in anna.said] == [True]

    async def test_what_comes_after_waits_for_the_lease_and_then_goes(self, post, killed):
        anna = await post.addressee()
        await post.reserve(
            post.message(anna, text="first"),
            post.message(anna, text="second"),
            Tap(anna.member_id, "telegram", "1"),
        )
        await killed("calling")
        await post.deliver()
        assert not anna.said
        post.wall.pass_by(minutes=2)
        while await post.deliver():
            pass
        assert ["second" in one for one in anna.said] == [True]
        assert await post.states(anna) == ["unknown", "sent"]
        assert await post.waiting() == 0
