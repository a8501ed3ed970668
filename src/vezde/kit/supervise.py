"""A small supervisor: keeps child processes running and lets none of them outlive it.

Each child runs in a session of its own, so a Ctrl-C in the terminal reaches the supervisor alone,
and is bound to it: a kill -9 of the supervisor ends the children as well. Runs in the event loop
of the main thread.
"""

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from vezde.kit import bound

FINAL_EXIT = 78  # EX_CONFIG of sysexits.h: starting again will not help
FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 30.0
HEALTHY_SECONDS = 30.0  # who lived that long starts the next time without a longer delay

Beside = Callable[[asyncio.Event], Awaitable[None]]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Child:
    """A process to keep running; the first word of `argv` is a path, `env` is its whole world."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)


async def run(
    children: Sequence[Child], *, beside: Sequence[Beside] = (), grace_seconds: float = 10
) -> int:
    """Keep the children running until SIGINT or SIGTERM; returns the exit code for this process.

    Then they get SIGTERM, `grace_seconds` to finish, and SIGKILL; a Ctrl-C while they finish kills
    at once. A child that ends by itself is started again, after a delay that doubles; one that ends
    with `FINAL_EXIT` stops everything, and that is the answer. `beside` are coroutines of this
    process that get the event of the stop (the watch over the database); an error in one of them
    stops everything and is raised at the end.
    """
    bound.require_main_thread()
    state = _State(grace_seconds)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, state.on_signal, number)
    try:
        tasks = [asyncio.create_task(_kept(child, state)) for child in children]
        tasks += [asyncio.create_task(_beside(work, state)) for work in beside]
        # Children end only by the stop; so does whatever is beside them, or it set the stop itself.
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    return state.exit_code


def delay_seconds(failures: int) -> float:
    """The pause before the start that follows so many quick deaths in a row."""
    return min(FIRST_DELAY_SECONDS * 2.0 ** min(failures, 16), LONGEST_DELAY_SECONDS)


class _State:
    """What the tasks of one run share."""

    def __init__(self, grace_seconds: float) -> None:
        self.grace_seconds = grace_seconds
        self.stop = asyncio.Event()
        self.kill = asyncio.Event()
        self.exit_code = 0

    def on_signal(self, number: signal.Signals) -> None:
        if not self.stop.is_set():
            log.info("stopping", signal=number.name)
        elif number == signal.SIGINT:
            # Only a person's second Ctrl-C: SIGTERM may reach us twice in one orderly stop, from
            # the service manager and through make.
            self.kill.set()
        self.stop.set()


async def _kept(child: Child, state: _State) -> None:
    failures = 0
    try:
        while not state.stop.is_set():
            began = time.monotonic()
            code = await _lived(child, state)
            if code is None:
                return
            failures = 0 if time.monotonic() - began >= HEALTHY_SECONDS else failures
            if code == FINAL_EXIT:
                log.error("child_gave_up", child=child.name, exit_code=code)
                state.exit_code = FINAL_EXIT
                return
            pause = delay_seconds(failures)
            failures += 1
            log.warning("child_ended", child=child.name, exit_code=code, again_in_seconds=pause)
            await _happens(state.stop, within_seconds=pause)
    finally:  # by a final exit, or an error of ours: the others cannot do without it
        state.stop.set()


async def _lived(child: Child, state: _State) -> int | None:
    """One life of the child: its exit code, or None when it ended because everything stops."""
    process = await asyncio.create_subprocess_exec(
        *bound.command(child.argv, death_signal=signal.SIGKILL),
        env=dict(child.env),
        start_new_session=True,
    )
    log.info("child_started", child=child.name, pid=process.pid)
    try:
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(state.stop.wait())
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if ended.done():
            return ended.result()
        await _dismissed(child, process, ended, state)
        return None
    finally:
        if process.returncode is None:  # cancelled: nothing of ours stays behind
            _kill(process)


async def _dismissed(
    child: Child, process: Process, ended: asyncio.Task[int], state: _State
) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    killed = asyncio.create_task(state.kill.wait())
    await asyncio.wait(
        (ended, killed), timeout=state.grace_seconds, return_when=asyncio.FIRST_COMPLETED
    )
    killed.cancel()
    if not ended.done():
        log.warning("child_killed", child=child.name, pid=process.pid)
        _kill(process)
    await ended


def _kill(process: Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # with whatever it started itself


async def _beside(work: Beside, state: _State) -> None:
    try:
        await work(state.stop)
    except BaseException:
        state.stop.set()
        raise


async def _happens(event: asyncio.Event, *, within_seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), within_seconds)
