"""Requests to the Bot API, and what is known of one that failed: that it never left, or nothing.

The token is a part of every address: no address, and no error of the HTTP library, which quotes
them, leaves this file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vezde.kit.errors import DomainError, Kind, Unavailable

if TYPE_CHECKING:
    import aiohttp

CONNECT_SECONDS = 5.0
AT_ONCE = 128
# Telegram and proxies close what is idle; a message written to a closed connection is lost.
IDLE_SECONDS = 10.0
FILE_BYTES = 20 * 1024 * 1024  # https://core.telegram.org/bots/api#getfile
FILE_SECONDS = 60.0
CHUNK_BYTES = 64 * 1024


class TelegramUnreachable(Unavailable):
    """Telegram does not answer."""

    code = "telegram_unreachable"


class TelegramRefuses(DomainError):
    """Telegram answers that it will not; `status` is its error_code (401: the token is not known,
    409: another process polls, or a webhook is set).
    """

    code = "telegram_refuses"
    kind = Kind.REFUSED

    def __init__(self, status: int, said: str) -> None:
        super().__init__(f"Telegram refuses ({status}): {said}")
        self.status = status


class TelegramFileTooBig(DomainError):
    code = "file_too_big"
    kind = Kind.INVALID


class TelegramFileMissing(DomainError):
    code = "file_missing"
    kind = Kind.MISSING


class NotSent(Exception):
    """The request never left."""


class NoAnswer(Exception):
    """The request left, and no answer that can be read came."""


@dataclass(frozen=True)
class Reply:
    """The Bot API's answer; `status` is its error_code, 200 when it is `ok`."""

    status: int
    result: Any = None
    description: str = ""
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return self.status == 200


@dataclass
class _Leaving:
    """Whether a request began to leave."""

    sent: bool = False


class Client:
    """Calls methods of one bot; its connections are kept until `close`."""

    def __init__(
        self, token: str, *, api_base: str, proxy: str | None, timeout_seconds: float
    ) -> None:
        import aiohttp  # here, so that it costs nobody else a third of a second

        self._base = api_base.rstrip("/")
        self._token = token
        self._proxy = proxy
        self._timeout_seconds = timeout_seconds
        self._aiohttp = aiohttp
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"<Telegram at {self._base}>"

    async def call(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        files: Mapping[str, bytes] | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """The answer to a method, whatever it is; raises `NotSent`, `NoAnswer`."""
        leaving = _Leaving()
        try:
            async with self._open().post(
                f"{self._base}/bot{self._token}/{method}",
                **self._body(params, files),
                timeout=self._limit(seconds or self._timeout_seconds),
                allow_redirects=False,
                trace_request_ctx=leaving,
            ) as response:
                body = await response.read()
        except (TimeoutError, OSError, self._aiohttp.ClientError) as error:
            raise _failure(error, leaving) from None
        except (
            Exception
        ) as error:  # a proxy's connector has errors of its own, before anything left
            if leaving.sent:
                raise
            raise NotSent(type(error).__name__) from None
        return _read(response.status, body)

    async def demand(
        self, method: str, params: Mapping[str, Any], *, seconds: float | None = None
    ) -> Any:
        """The result of a method; raises `TelegramUnreachable`, `TelegramRefuses`."""
        try:
            reply = await self.call(method, params, seconds=seconds)
        except (NotSent, NoAnswer) as error:
            raise TelegramUnreachable(f"Telegram does not answer ({error})") from None
        if reply.status >= 500 or reply.status == 429:
            raise TelegramUnreachable(
                f"Telegram is busy ({reply.status})",
                retry_after_seconds=round(reply.retry_after) if reply.retry_after else None,
            )
        if not reply.ok:
            raise TelegramRefuses(reply.status, reply.description)
        return reply.result

    async def download(self, path: str) -> bytes:
        """The content of a file; raises `TelegramFileTooBig`, `TelegramFileMissing` and
        `TelegramUnreachable`.
        """
        address = f"{self._base}/file/bot{self._token}/{quote(path)}"
        limit = self._limit(FILE_SECONDS)
        try:
            async with self._open().get(address, timeout=limit, allow_redirects=False) as response:
                if response.status in {400, 404}:
                    raise TelegramFileMissing("Telegram does not have this file any more")
                if response.status != 200:
                    raise TelegramUnreachable(f"Telegram gives no files ({response.status})")
                return await _bounded(response)
        except (TimeoutError, OSError, self._aiohttp.ClientError) as error:
            raise TelegramUnreachable(
                f"Telegram's file did not come ({type(error).__name__})"
            ) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> "aiohttp.ClientSession":
        if self._session is None:
            aiohttp = self._aiohttp
            tracing = aiohttp.TraceConfig()
            tracing.on_request_headers_sent.append(_note_leaving)
            self._session = aiohttp.ClientSession(
                connector=self._connector(), trace_configs=[tracing], trust_env=False
            )
        return self._session

    def _connector(self) -> "aiohttp.TCPConnector":
        if self._proxy is None:
            return self._aiohttp.TCPConnector(limit=AT_ONCE, keepalive_timeout=IDLE_SECONDS)
        from aiohttp_socks import ProxyConnector

        # Names are resolved by the proxy: where it is needed, names lie.
        return ProxyConnector.from_url(
            self._proxy, rdns=True, limit=AT_ONCE, keepalive_timeout=IDLE_SECONDS
        )

    def _limit(self, seconds: float) -> "aiohttp.ClientTimeout":
        connect = min(CONNECT_SECONDS, seconds)
        return self._aiohttp.ClientTimeout(total=seconds, sock_connect=connect)

    def _body(self, params: Mapping[str, Any], files: Mapping[str, bytes] | None) -> dict[str, Any]:
        """JSON, or with files a form whose fields are JSON where they are no texts."""
        if not files:
            text = json.dumps(params, ensure_ascii=False, separators=(",", ":"))
            return {"data": text.encode(), "headers": {"content-type": "application/json"}}
        form = self._aiohttp.FormData()
        for name, value in params.items():
            form.add_field(name, value if isinstance(value, str) else json.dumps(value))
        for name, content in files.items():
            form.add_field(name, content, filename=name, content_type="application/octet-stream")
        return {"data": form}


async def _note_leaving(_session: Any, context: Any, _params: Any) -> None:
    if isinstance(context.trace_request_ctx, _Leaving):
        context.trace_request_ctx.sent = True


def _failure(error: BaseException, leaving: _Leaving) -> NotSent | NoAnswer:
    name = "timeout" if isinstance(error, TimeoutError) else type(error).__name__
    return NoAnswer(name) if leaving.sent else NotSent(name)


def _read(status: int, body: bytes) -> Reply:
    """Anything but the Bot API's own JSON says nothing of what was done: raises `NoAnswer`."""
    try:
        said = json.loads(body)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("ok"), bool):
        raise NoAnswer(f"http_{status}")
    if said["ok"]:
        return Reply(200, said.get("result"))
    code = said.get("error_code")
    parameters = said.get("parameters")
    retry_after = parameters.get("retry_after") if isinstance(parameters, dict) else None
    return Reply(
        code if isinstance(code, int) and code != 200 else max(status, 400),
        description=str(said.get("description", "")),
        retry_after=float(retry_after) if isinstance(retry_after, int | float) else None,
    )


async def _bounded(response: "aiohttp.ClientResponse") -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_chunked(CHUNK_BYTES):
        content += chunk
        if len(content) > FILE_BYTES:
            raise too_big()
    return bytes(content)


def too_big() -> TelegramFileTooBig:
    return TelegramFileTooBig(f"Bots get files of {FILE_BYTES // 1024**2} MB at most")
