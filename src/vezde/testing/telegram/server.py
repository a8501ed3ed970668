"""The Bot API over HTTP: `/bot<token>/<method>`, `/file/bot<token>/<path>`.

https://core.telegram.org/bots/api#making-requests: GET and POST; query, form, JSON or multipart;
every answer is `{"ok": …}`. Faults that were ordered come here.
"""

import asyncio
import json
import socket
from contextlib import suppress
from typing import Any

from aiohttp import web

from vezde.testing.telegram.faults import Fault
from vezde.testing.telegram.files import DOWNLOAD_LIMIT, UPLOAD_LIMIT
from vezde.testing.telegram.methods import editing, profile, sending, updating
from vezde.testing.telegram.methods.request import Method, Request, Upload
from vezde.testing.telegram.model import JSON, ApiError, bad_request
from vezde.testing.telegram.simulator import Simulator
from vezde.testing.telegram.webhooks import Delivery
from vezde.testing.telegram.world import Bot, World

# Half a second of grace for what is being answered, so that all is closed within a second.
SHUTDOWN_SECONDS = 0.3
SETTLE_SECONDS = 0.02
SILENCE_SECONDS = 3600
METHODS: dict[str, Method] = sending.METHODS | editing.METHODS | profile.METHODS | updating.METHODS
PICTURES = frozenset({"sendphoto", "sendmediagroup", "editmessagemedia"})


class Server:
    """The fake's sockets; `serve` runs until `stop` is set."""

    def __init__(self, world: World, *, webhook_pause_seconds: float) -> None:
        self.world = world
        self.webhook_pause_seconds = webhook_pause_seconds
        self._deliveries: dict[str, asyncio.Task[None]] = {}

    async def serve(self, listener: socket.socket, stop: asyncio.Event) -> None:
        runner = web.AppRunner(
            self.app(),
            access_log=None,
            handle_signals=False,
            handler_cancellation=True,
            shutdown_timeout=SHUTDOWN_SECONDS,
        )
        await runner.setup()
        await web.SockSite(runner, listener, backlog=1024).start()
        try:
            await stop.wait()
        finally:
            for task in self._deliveries.values():
                task.cancel()
            await asyncio.gather(*self._deliveries.values(), return_exceptions=True)
            await runner.cleanup()
            # What was closed lets go of its socket some turns of the loop later.
            await asyncio.sleep(SETTLE_SECONDS)

    def app(self) -> web.Application:
        app = web.Application(client_max_size=UPLOAD_LIMIT + 1024 * 1024)
        app.router.add_route("*", "/bot{token:[^/]+}/{method:[^/]*}", self._bot)
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self._file)
        Simulator(self.world).add_routes(app)
        app.router.add_route("*", "/{rest:.*}", _not_found)
        return app

    async def _bot(self, http: web.Request) -> web.StreamResponse:
        method = http.match_info["method"].lower()
        try:
            bot = self._of(http.match_info["token"])
            params, uploads = await _parameters(http)
        except ApiError as error:
            return _answer(error.answer(), error.code)
        except web.HTTPRequestEntityTooLarge:
            return _answer(ApiError(413, "Request Entity Too Large").answer(), 413)
        request = Request(self.world, bot, method, params, uploads)
        with self.world.lock:
            fault = self.world.faults.next_for(method, _chat_id(params))
        spoilt = await _spoil(http, fault) if fault is not None and not fault.taken else None
        if spoilt is not None:
            self._record(request, spoilt.status)
            return spoilt
        answer = await self._execute(request)
        if fault is not None and fault.taken and (spoilt := await _spoil(http, fault)) is not None:
            return spoilt
        return answer

    async def _execute(self, request: Request) -> web.Response:
        if request.uploads and request.method in PICTURES:
            await self._shrink(request)
        try:
            if request.method == "getupdates":
                body = await updating.get_updates(request)
            else:
                body = json.dumps(self._carry_out(request), ensure_ascii=False)
        except ApiError as error:
            self._record(request, error.code, error.description)
            return _answer(error.answer(), error.code)
        self._record(request)
        return web.Response(text=f'{{"ok":true,"result":{body}}}', content_type="application/json")

    def _carry_out(self, request: Request) -> Any:
        method = METHODS.get(request.method)
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        try:
            with self.world.lock:
                done = method(request)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise bad_request(f"a parameter has a wrong type: {error}") from error
        if request.method == "setwebhook" and request.bot.webhook is not None:
            self._start_delivery(request.bot)
        return done

    async def _shrink(self, request: Request) -> None:
        """Sizes of uploaded photos, made outside the lock; the method finds them remembered."""
        for upload in request.uploads.values():
            with suppress(ApiError):  # it is told by the method itself
                await asyncio.to_thread(self.world.files.sizes, upload.content)

    def _start_delivery(self, bot: Bot) -> None:
        running = self._deliveries.get(bot.token)
        if running is None or running.done():
            delivery = Delivery(
                self.world,
                bot.token,
                self._in_answer,
                pause_seconds=self.webhook_pause_seconds,
            )
            self._deliveries[bot.token] = asyncio.create_task(delivery.run())

    def _in_answer(self, bot: Bot, method: str, params: JSON) -> None:
        """A method that a webhook answered with."""
        request = Request(self.world, bot, method, params)
        try:
            self._carry_out(request)
        except ApiError as error:
            self._record(request, error.code, error.description)
        else:
            self._record(request)

    async def _file(self, http: web.Request) -> web.StreamResponse:
        try:
            self._of(http.match_info["token"])
        except ApiError as error:
            return _answer(error.answer(), error.code)
        with self.world.lock:
            fault = self.world.faults.next_for("file", None)
            file = self.world.files.by_path(http.match_info["path"])
        if fault is not None and (spoilt := await _spoil(http, fault)) is not None:
            return spoilt
        if file is None or file.content is None or file.size > DOWNLOAD_LIMIT:
            return _answer(ApiError(404, "Not Found").answer(), 404)
        return web.Response(body=file.content, content_type="application/octet-stream")

    def _of(self, token: str) -> Bot:
        bot = self.world.bots.get(token)
        if bot is None:
            said = "Unauthorized" if ":" in token else "Unauthorized: invalid token specified"
            raise ApiError(401, said)
        return bot

    def _record(self, request: Request, refusal: int | None = None, description: str = "") -> None:
        with self.world.lock:
            self.world.record(request.bot, request.method, request.params, refusal, description)


async def _parameters(http: web.Request) -> tuple[JSON, dict[str, Upload]]:
    params: JSON = dict(http.query)
    uploads: dict[str, Upload] = {}
    if http.content_type == "application/json":
        try:
            sent = await http.json()
        except ValueError as error:
            raise bad_request("can't parse JSON encoded request body") from error
        if not isinstance(sent, dict):
            raise bad_request("object expected as the request body")
        return params | sent, uploads
    for name, value in (await http.post()).items():
        if isinstance(value, web.FileField):
            with value.file as file:
                uploads[name] = Upload(value.filename or name, file.read())
        elif isinstance(value, bytes | bytearray):
            uploads[name] = Upload(name, bytes(value))
        else:
            params[name] = value
    return params, uploads


async def _spoil(http: web.Request, fault: Fault) -> web.StreamResponse | None:
    """What the fault answers; None for the true answer. A cut connection ends here."""
    if fault.delay_seconds:
        await asyncio.sleep(fault.delay_seconds)
    if fault.then == "pass":
        return None
    if fault.then == "hang":
        await asyncio.sleep(SILENCE_SECONDS)
    if fault.then in {"cut", "hang"}:
        if http.transport is not None:
            http.transport.abort()
        return web.Response(status=500)  # nobody is there to get it
    if fault.error is not None:
        return _answer(fault.error.answer(), fault.error.code)
    return web.Response(body=fault.body, status=fault.status, content_type=fault.content_type)


async def _not_found(_http: web.Request) -> web.Response:
    return _answer(ApiError(404, "Not Found").answer(), 404)


def _chat_id(params: JSON) -> int | None:
    try:
        return int(params["chat_id"])
    except (KeyError, TypeError, ValueError):
        return None


def _answer(content: JSON, status: int) -> web.Response:
    headers = {}
    if seconds := content.get("parameters", {}).get("retry_after"):
        headers["Retry-After"] = str(seconds)
    body = json.dumps(content, ensure_ascii=False)
    return web.Response(text=body, status=status, content_type="application/json", headers=headers)
