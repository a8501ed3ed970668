"""A client that costs next to nothing: the generator shares the machine with what it measures."""

import asyncio
import json
from collections import deque
from typing import Any, Self, cast

END = b"\r\n\r\n"
LENGTH = b"\ncontent-length:"


class Client:
    """Keep-alive connections to one address, used in turn, as many shops would use theirs.

    So several faces at one port get like shares. Used as an async context manager.
    """

    def __init__(self, port: int, headers: dict[str, str], *, connections: int) -> None:
        self.port = port
        self.connections = connections
        self.headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.idle: deque[_Connection] = deque()

    async def __aenter__(self) -> Self:
        for _ in range(self.connections):
            self.idle.append(await self.connect())
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for one in self.idle:
            one.transport.close()

    async def connect(self) -> "_Connection":
        loop = asyncio.get_running_loop()
        _, made = await loop.create_connection(_Connection, "127.0.0.1", self.port)
        return made

    async def send(
        self, method: str, path: str, body: bytes = b"", **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of the answer; a connection more where all are in use."""
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{self.headers}{more}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        used = None
        while self.idle and (used is None or used.transport.is_closing()):
            used = self.idle.popleft()
        if used is None or used.transport.is_closing():
            used = await self.connect()
        answer = await used.ask(head.encode() + body)
        self.idle.append(used)
        return answer

    async def post(self, path: str, given: Any, key: str) -> tuple[int, bytes]:
        """JSON with an Idempotency-Key."""
        body = json.dumps(given).encode()
        return await self.send(
            "POST", path, body, content_type="application/json", idempotency_key=key
        )


class _Connection(asyncio.Protocol):
    """One request at a time; answers must say how long they are, as ours do."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self.waiting: asyncio.Future[tuple[int, bytes]] | None = None
        self.came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.waiting is not None and not self.waiting.done():
            self.waiting.set_exception(exc or ConnectionResetError("closed without an answer"))

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        try:
            return await self.waiting
        finally:
            self.waiting = None

    def data_received(self, data: bytes) -> None:
        self.came += data
        head, end, body = self.came.partition(END)
        if not end or self.waiting is None:
            return
        length = int(head.lower().split(LENGTH, 1)[1].split(b"\r\n", 1)[0])
        if len(body) >= length:
            self.came = b""
            self.waiting.set_result((int(head[9:12]), body))
