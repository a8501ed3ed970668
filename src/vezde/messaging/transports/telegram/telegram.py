"""A bot in Telegram: what it sends, and where its updates come from."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog

from vezde.kit.db import Contested
from vezde.kit.errors import Unavailable
from vezde.messaging import pictures
from vezde.messaging.model import Rendered
from vezde.messaging.transports.protocol import Answer, Lost, Unreached
from vezde.messaging.transports.telegram import answers, rendering
from vezde.messaging.transports.telegram.client import (
    Client,
    NoAnswer,
    NotSent,
    Reply,
    TelegramFileMissing,
    TelegramRefuses,
    too_big,
)

log = structlog.get_logger(__name__)

API_BASE = "https://api.telegram.org"
# What the bot wants to hear of; the rest Telegram keeps to itself.
UPDATES = ("message", "callback_query", "my_chat_member")
ALIVE_SECONDS = 5.0
UPLOAD_SECONDS = 25.0
POLL_MARGIN_SECONDS = 10.0
PICTURE = "picture"


class Uploads(Protocol):
    """Remembers what this bot uploaded: Telegram's id of a picture's bytes.

    Raises `Unavailable`, `Contested` when it cannot say.
    """

    async def find(self, content: bytes) -> str | None: ...
    async def note(self, content: bytes, file_id: str) -> None: ...


class Telegram:
    """A `Transport`, and the bot's other methods, which raise `TelegramUnreachable` and
    `TelegramRefuses`.
    """

    name = "telegram"

    def __init__(
        self,
        token: str,
        *,
        api_base: str = API_BASE,
        proxy: str | None = None,
        timeout_seconds: float = 15,
        picture: Callable[[str], bytes] = pictures.content,
        uploads: Uploads | None = None,
    ) -> None:
        """`proxy` is like socks5://login:password@host:1080 or http://host:3128.

        `uploads` outlives this process; without it a picture is uploaded once a process.
        """
        self._client = Client(
            token, api_base=api_base, proxy=proxy, timeout_seconds=timeout_seconds
        )
        self._picture = picture
        self._uploads = uploads
        self._uploaded: dict[str, str] = {}  # picture -> Telegram's id of it, good for this bot

    def __repr__(self) -> str:
        return repr(self._client)

    # --- a transport ---------------------------------------------------------------------------

    async def deliver(self, address: str, item: Rendered) -> Answer:
        try:
            if item.answers is not None:
                reply = await self._client.call(*rendering.tap(item))
            elif item.photo is not None:
                reply = await self._show(address, item, item.photo)
            else:
                reply = await self._write(address, item)
        except NotSent as error:
            return Unreached(str(error))
        except NoAnswer as error:
            return Lost(str(error))
        return answers.meaning(item, reply)

    async def alive(self) -> bool:
        try:
            return (await self._client.call("getMe", {}, seconds=ALIVE_SECONDS)).ok
        except (NotSent, NoAnswer):
            return False

    async def close(self) -> None:
        await self._client.close()

    async def _write(self, address: str, item: Rendered) -> Reply:
        """A text. A picture cannot be made into one: it is taken away, the text comes anew."""
        reply = await self._client.call(*rendering.text(address, item))
        if item.edits and answers.is_a_picture(reply):
            await self._client.call(*rendering.removal(address, item))
        return reply

    async def _show(self, address: str, item: Rendered, name: str) -> Reply:
        """A picture by the id of its first upload, uploaded again when Telegram lost it."""
        content = self._picture(name)
        once = pictures.is_drawn(name)
        if not once and (known := await self._known(name, content)):
            reply = await self._client.call(*rendering.photo(address, item, known))
            if not answers.is_file_gone(reply):
                return reply
        method, params = rendering.photo(address, item, f"attach://{PICTURE}")
        files = {PICTURE: content}
        reply = await self._client.call(method, params, files=files, seconds=UPLOAD_SECONDS)
        if reply.ok and not once and (uploaded := _largest(reply.result)):
            await self._remember(name, content, uploaded)
        return reply

    async def _known(self, name: str, content: bytes) -> str | None:
        """Telegram's id of the picture. Without a database to ask it is uploaded once more."""
        if name not in self._uploaded and self._uploads is not None:
            try:
                found = await self._uploads.find(content)
            except (Unavailable, Contested) as error:
                log.warning("upload_not_looked_up", error=error.code)
                found = None
            if found:
                self._uploaded[name] = found
        return self._uploaded.get(name)

    async def _remember(self, name: str, content: bytes, file_id: str) -> None:
        self._uploaded[name] = file_id
        if self._uploads is not None:
            try:
                await self._uploads.note(content, file_id)
            except (Unavailable, Contested) as error:
                log.warning("upload_not_noted", error=error.code)

    # --- the bot -------------------------------------------------------------------------------

    async def get_updates(
        self, offset: int | None, *, timeout: float = 25, limit: int = 100
    ) -> list[dict[str, Any]]:
        """Updates from `offset` on as they came, waiting up to `timeout` seconds for the first.

        Every update has its `update_id`; texts are such as PostgreSQL can keep.
        """
        params = {
            "timeout": int(timeout),
            "limit": limit,
            "allowed_updates": UPDATES,
            **({} if offset is None else {"offset": offset}),
        }
        seconds = timeout + POLL_MARGIN_SECONDS
        found = await self._client.demand("getUpdates", params, seconds=seconds)
        updates = found if isinstance(found, list) else []
        good = [one for one in updates if isinstance(one, dict) and _is_id(one.get("update_id"))]
        if len(good) < len(updates):
            log.warning("updates_without_id", count=len(updates) - len(good))
        return [storable(one) for one in good]

    async def get_file(self, file_id: str) -> bytes:
        """A file that somebody sent, 20 MB at most.

        Raises also `TelegramFileTooBig`, `TelegramFileMissing`.
        """
        try:
            found = await self._client.demand("getFile", {"file_id": file_id})
        except TelegramRefuses as error:
            if "too big" in error.detail:
                raise too_big() from None
            if error.status == 400:
                raise TelegramFileMissing("Telegram does not have this file any more") from None
            raise
        path = found.get("file_path") if isinstance(found, dict) else None
        if not isinstance(path, str):
            raise TelegramFileMissing("Telegram does not say where this file is")
        return await self._client.download(path)

    async def set_webhook(self, url: str, secret: str) -> None:
        """Updates are posted there from now on, with the secret in a header."""
        params = {"url": url, "secret_token": secret, "allowed_updates": UPDATES}
        await self._client.demand("setWebhook", params)

    async def delete_webhook(self) -> None:
        """Updates wait to be asked for again; none is lost."""
        await self._client.demand("deleteWebhook", {"drop_pending_updates": False})

    async def set_commands(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """The menu of commands by locale; the first locale's is also that of all other ones."""
        for place, (locale, named) in enumerate(commands.items()):
            menu = [{"command": command, "description": text} for command, text in named]
            await self._client.demand("setMyCommands", {"commands": menu, "language_code": locale})
            if place == 0:
                await self._client.demand("setMyCommands", {"commands": menu})

    async def get_me(self) -> dict[str, Any]:
        """Who the bot is: `id`, `username`, …"""
        found = await self._client.demand("getMe", {})
        return found if isinstance(found, dict) else {}


def storable(value: Any) -> Any:
    """The value without what JSON may hold and PostgreSQL may not: NUL, half of a character."""
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [storable(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): storable(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_id(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _largest(message: Any) -> str | None:
    sizes = message.get("photo") if isinstance(message, dict) else None
    if not isinstance(sizes, list) or not sizes or not isinstance(sizes[-1], dict):
        return None
    found = sizes[-1].get("file_id")
    return found if isinstance(found, str) else None
