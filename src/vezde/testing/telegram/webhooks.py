"""Posting updates to a bot's address, as https://core.telegram.org/bots/api#setwebhook says.

Updates of one chat go one after another, different chats at the same time. Anything but 2xx is
repeated: at once, then with growing pauses; a `Retry-After` is kept to. The answer may hold a
method to call.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from vezde.testing.telegram.model import JSON, Update
from vezde.testing.telegram.world import Bot, Webhook, World

ANSWER_SECONDS = 60
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 3600.0
LOOKED_THROUGH = 1_000

Execute = Callable[[Bot, str, JSON], object]


@dataclass
class Lane:
    """A chat's turn: one update at a time, and when the next try is due."""

    busy: bool = False
    failures: int = 0
    due: float = 0.0


class Delivery:
    """One bot's updates to its webhook, whenever it has one."""

    def __init__(self, world: World, token: str, execute: Execute, *, pause_seconds: float) -> None:
        self.world = world
        self.token = token
        self.execute = execute
        self.pause_seconds = pause_seconds
        self.lanes: dict[int, Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._webhook: Webhook | None = None  # whose lanes these are
        self._put_off = False  # a repetition was set since the pause was reckoned

    async def run(self) -> None:
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            try:
                while bot := self.world.bots.get(self.token):
                    for update in await bot.bell.until(self._ready, self._pause()) or []:
                        task = asyncio.create_task(self._deliver(http, update))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)

    def _ready(self) -> list[Update] | None:
        """Updates to post now, the first of each chat; an empty list is to look again."""
        bot = self.world.bots[self.token]
        if bot.webhook is not self._webhook:
            self._webhook, self.lanes = bot.webhook, {}
        if bot.webhook is None:
            return None
        now, seen, ready = time.monotonic(), set[int](), list[Update]()
        free = bot.webhook.max_connections - sum(lane.busy for lane in self.lanes.values())
        for index in range(min(len(bot.updates.pending), LOOKED_THROUGH)):
            update = bot.updates.pending[index]
            number = _lane(update)
            if number in seen or len(ready) >= free:
                continue
            seen.add(number)
            lane = self.lanes.setdefault(number, Lane())
            if not lane.busy and lane.due <= now:
                lane.busy = True
                update.owed = False
                ready.append(update)
        bot.statistics.handed(ready)
        again, self._put_off = self._put_off, False
        return ready or ([] if again else None)

    def _pause(self) -> float:
        """Seconds until the next repetition is due."""
        now = time.monotonic()
        due = [lane.due for lane in self.lanes.values() if not lane.busy and lane.due > now]
        return max(0.001, min([*due, now + 1]) - now)

    async def _deliver(self, http: aiohttp.ClientSession, update: Update) -> None:
        with self.world.lock:
            bot, lane = self.world.bots[self.token], self.lanes.get(_lane(update))
            webhook = bot.webhook
        if webhook is None or lane is None:
            return  # deleted or set anew meanwhile
        headers = {"Content-Type": "application/json"}
        if webhook.secret_token:
            headers["X-Telegram-Bot-Api-Secret-Token"] = webhook.secret_token
        retry_after, answer = 0.0, b""
        try:
            async with http.post(
                webhook.url, data=update.body.encode(), headers=headers, allow_redirects=False
            ) as got:
                answer = await got.read()
                retry_after = _seconds(got.headers.get("Retry-After", ""))
                failure = "" if got.status // 100 == 2 else _wrong(got.status, got.reason)
        except (aiohttp.ClientError, TimeoutError) as error:
            failure = f"Connection failed: {type(error).__name__}"
        with self.world.lock:
            self._settle(bot, webhook, lane, update, failure, retry_after)
        if not failure:
            self._carry_out(bot, answer)

    def _settle(
        self,
        bot: Bot,
        webhook: Webhook,
        lane: Lane,
        update: Update,
        failure: str,
        retry_after: float,
    ) -> None:
        lane.busy = False
        if failure:
            webhook.failed += 1
            webhook.last_error_date, webhook.last_error_message = int(time.time()), failure
            pause = self.pause_seconds * 2**lane.failures if lane.failures else 0.0
            lane.failures += 1
            self._put_off = True
            lane.due = time.monotonic() + (retry_after or min(pause, LONGEST_PAUSE))
        else:
            webhook.delivered += 1
            bot.updates.confirm_one(update)
            if self.lanes.get(_lane(update)) is lane:
                del self.lanes[_lane(update)]
        bot.bell.ring()

    def _carry_out(self, bot: Bot, answer: bytes) -> None:
        """A method named in the answer; what comes of it nobody learns, as with the vendor."""
        try:
            told = json.loads(answer or b"null")
        except ValueError:
            return
        method = str(told.get("method", "")).lower() if isinstance(told, dict) else ""
        if method and not method.startswith(("get", "setwebhook", "deletewebhook")):
            self.execute(bot, method, {name: told[name] for name in told if name != "method"})


def _lane(update: Update) -> int:
    return update.chat_id if update.chat_id is not None else update.id


def _wrong(status: int, reason: str | None) -> str:
    return f"Wrong response from the webhook: {status} {reason or ''}".rstrip()


def _seconds(header: str) -> float:
    return min(float(header), LONGEST_RETRY_AFTER) if header.isdigit() else 0.0
