"""The fake on a socket of its own, for tests."""

import asyncio
import socket
import threading
from typing import Any, Self

import uvicorn

from vezde.testing.sms.faults import Fault
from vezde.testing.sms.gateway import FakeGateway, Sent


class FakeSms:
    """The vendor on a real socket, in a thread of its own; `async with` or `with`."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.gateway = FakeGateway()
        self._address = (host, port)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def token(self) -> str:
        return self.gateway.token

    @property
    def base_url(self) -> str:
        return f"http://{self._address[0]}:{self._address[1]}"

    @property
    def sent(self) -> list[Sent]:
        """What was sent, oldest first."""
        return list(self.gateway.sent)

    def order(self, *given: Fault) -> None:
        self.gateway.order(*given)

    def report(self, phone: str, status: int) -> None:
        self.gateway.report(phone, status)

    def to(self, phone: str) -> list[Sent]:
        return self.gateway.to(phone)

    def reset(self) -> None:
        self.gateway.reset()

    def start(self) -> Self:
        listener = socket.create_server(self._address)
        self._address = listener.getsockname()[:2]
        config = uvicorn.Config(
            self.gateway.app(),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=1,
        )
        server = self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=lambda: server.run(sockets=[listener]), name="fake-sms", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close, whatever is still being answered."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._server = self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(self, *_exc: object) -> None:
        await asyncio.to_thread(self.stop)


def serve(port: int) -> Any:
    """Run the fake alone until it is told to stop."""
    uvicorn.run(FakeGateway().app(), host="127.0.0.1", port=port, log_level="warning")
