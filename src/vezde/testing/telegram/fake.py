"""The fake with its own thread and socket, and what tests say to it.

    async with FakeTelegram() as fake:
        bot = aiogram.Bot(fake.token, session=…fake.base_url…)
        anna = fake.user("Анна")
        await anna.send("/start")
        await anna.sees("баллы")

People act at once and from any thread; the server answers in a thread of its own, so a test that
blocks its loop does not stop it.
"""

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any, Self

from vezde.testing.telegram.faults import Fault, Limits, Order, cut
from vezde.testing.telegram.model import JSON, TOKEN, Chat, Update
from vezde.testing.telegram.orders import statistics
from vezde.testing.telegram.person import Person
from vezde.testing.telegram.server import Server
from vezde.testing.telegram.world import Bot, Call, World

STOP_SECONDS = 5


class FakeTelegram:
    """Telegram on loopback; `async with` or `with`. One bot to begin with, `token` is its."""

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = TOKEN,
        username: str = "lunaria_test_bot",
        first_name: str = "Лунария",
        limits: Limits | None = None,
        webhook_pause_seconds: float = 1.0,
    ) -> None:
        """`webhook_pause_seconds` is what the pauses between repetitions grow from."""
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the fake listens on loopback alone: it lets everybody in")
        self.world = World()
        self.token = token
        self.world.add_bot(token, username=username, first_name=first_name)
        if limits is not None:
            self.bot.limits = limits
        self._address = (host, port)
        self._server = Server(self.world, webhook_pause_seconds=webhook_pause_seconds)
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    @property
    def base_url(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def bot(self) -> Bot:
        return self.world.bots[self.token]

    @property
    def calls(self) -> list[Call]:
        """What bots asked, oldest first; the last ten thousand requests."""
        with self.world.lock:
            return list(self.world.calls)

    def asked(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method.lower()]

    def user(
        self, first_name: str = "Анна", *, user_id: int | None = None, **fields: Any
    ) -> Person:
        """A person; `fields`: last_name, username, language_code, phone with `+`."""
        return Person(self, self.world.add_user(first_name, user_id=user_id, **fields))

    def group(self, title: str, *people: Person) -> Chat:
        """A group with the bot in it: `await anna.send("привет", chat=group)`."""
        return self.world.add_group(self.bot, title, [one.user for one in people])

    def update(self, whole: JSON) -> int:
        """Any object as an update, the id is added; the id: unknown kinds, malformed ones."""
        with self.world.lock:
            made = self.world.update(self.bot, next(iter(whole), "nothing"), None, whole=whole)
            assert isinstance(made, Update)
            return made.id

    def order(
        self,
        *faults: Fault,
        method: str | Iterable[str] = (),
        chat: Person | int | None = None,
        times: int | None = 1,
        seconds: float | None = None,
    ) -> None:
        """Each of the faults for the next `times` requests that fit; None is until `recover`.

        With `seconds` it holds that long for however many. A download is method "file".
        """
        methods = frozenset([method] if isinstance(method, str) else method)
        chat_id = chat.id if isinstance(chat, Person) else chat
        until = time.monotonic() + seconds if seconds is not None else None
        with self.world.lock:
            for fault in faults:
                order = Order(fault, methods, chat_id, None if until else times, until)
                self.world.faults.add(order)

    def outage(self, seconds: float | None = None, *, fault: Fault | None = None) -> None:
        """Everything fails, by default with cut connections, until it is over or `recover`."""
        self.order(fault or cut(), times=None, seconds=seconds)

    def recover(self) -> None:
        """No more faults."""
        with self.world.lock:
            self.world.faults.clear()

    def hold(self) -> None:
        """Updates wait until `release`."""
        with self.world.lock:
            self.bot.updates.hold()

    def release(self, order: Iterable[int] | None = None, *, backwards: bool = False) -> int:
        """Held updates go out: as they came, backwards, or in the order of these indexes."""
        with self.world.lock:
            count = self.bot.updates.release(order, backwards=backwards)
            self.bot.bell.ring()
            return count

    def repeat(self, count: int = 1) -> int:
        """The last confirmed updates are handed out once more, ids and all; how many."""
        with self.world.lock:
            done = self.bot.updates.repeat(count)
            self.bot.bell.ring()
            return done

    def statistics(self) -> JSON:
        with self.world.lock:
            return statistics(self.world, self.bot)

    def reset(self) -> None:
        """Forget people, chats, updates, files and faults; bots and webhooks stay."""
        self.world.forget_talk()

    def start(self) -> Self:
        listener = socket.create_server(self._address, backlog=1024)
        self._address = listener.getsockname()[:2]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listener, ready), name="fake-telegram", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def stop(self) -> None:
        """Close within a second, whatever polls are open."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError("the fake Telegram does not stop")
        self._thread = self._loop = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_exc: object) -> None:
        await asyncio.to_thread(self.stop)

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        async def serve() -> Any:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            ready.set()
            await self._server.serve(listener, self._stop)

        asyncio.run(serve())
