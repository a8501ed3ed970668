"""Proxies on loopback that speak the real protocols: SOCKS5 and HTTP CONNECT, on one port.

    async with Proxy() as proxy:
        proxy.url("socks5"), proxy.url("http")
        ...
    assert proxy.asked == ["api.telegram.test:80"]

What is asked for is reached under the address of `names`, as a name that only the proxy knows.
"""

import asyncio
import ipaddress
from collections.abc import Mapping
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

VERSION, CONNECT, BY_NAME = 5, 1, 3
CHUNK = 65_536
Address = tuple[str, int]


class Proxy:
    """`names` says where a host and port really are; others are reached as they are named."""

    def __init__(self, names: Mapping[str, Address] | None = None) -> None:
        self.names = dict(names or {})
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    def url(self, scheme: str) -> str:
        assert self._server is not None, "a proxy is used inside its block"
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{scheme}://{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None, "it was entered"
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that goes away in the middle, or nobody there: the closed connection says so.
        with suppress(OSError, asyncio.IncompleteReadError, ValueError), closing(writer):
            first = await reader.readexactly(1)
            shake = self._socks if first[0] == VERSION else self._http
            asked, answer = await shake(first, reader, writer)
            self.asked.append(f"{asked[0]}:{asked[1]}")
            address = self.names.get(f"{asked[0]}:{asked[1]}", asked)
            there, back = await asyncio.open_connection(*address)
            writer.write(answer)
            await asyncio.gather(_pump(reader, back), _pump(there, writer))

    async def _socks(
        self, _first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> tuple[Address, bytes]:
        """RFC 1928 without authentication."""
        await reader.readexactly((await reader.readexactly(1))[0])
        writer.write(bytes((VERSION, 0)))
        _version, command, _reserved, kind = await reader.readexactly(4)
        if command != CONNECT:
            raise ValueError("only CONNECT")
        if kind == BY_NAME:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2), "big")
        return (host, port), bytes((VERSION, 0, 0, 1)) + bytes(6)

    async def _http(
        self, first: bytes, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter
    ) -> tuple[Address, bytes]:
        """RFC 9110, 9.3.6."""
        head = first + await reader.readuntil(b"\r\n\r\n")
        method, target, _version = head.split(b"\r\n", 1)[0].decode().split(" ")
        if method != "CONNECT":
            raise ValueError("only CONNECT")
        host, _, port = target.rpartition(":")
        return (host, int(port)), b"HTTP/1.1 200 Connection established\r\n\r\n"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
