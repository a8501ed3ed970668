"""Updates that Telegram posts (core.telegram.org/bots/api#setwebhook), instead of asking for them.

Answered once they are committed to the inbox: what gets no 200 is posted again.
"""

import hmac
import json
from dataclasses import dataclass, field

import structlog
from starlette.requests import Request
from starlette.responses import Response

from vezde.bot import inbox, telegram
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault

log = structlog.get_logger(__name__)

SECRET = "x-telegram-bot-api-secret-token"  # noqa: S105 (a header's name)


@dataclass(frozen=True)
class Receiver:
    """Takes posted updates in; `bot` is like `telegram:7000000001`."""

    bot: str
    secret: str = field(repr=False)
    database: Database
    vault: Vault
    clock: Clock

    async def receive(self, request: Request) -> Response:
        """200 for what is kept and for what nobody can read, 403 without the secret."""
        shown = request.headers.get(SECRET, "").encode()
        if not hmac.compare_digest(shown, self.secret.encode()):
            return Response(status_code=403)
        update = _read(await request.body())
        if update is None:
            log.warning("posted update not readable")
            return Response()
        async with self.database.transaction() as db:
            wall = self.clock.wall()
            await inbox.take(db, self.bot, [update], vault=self.vault, wall=wall)
        return Response()


def _read(body: bytes) -> inbox.Update | None:
    try:
        return telegram.received(json.loads(body))
    except (ValueError, RecursionError):
        return None
