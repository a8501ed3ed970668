"""How a bot is set up at Telegram: the menu of commands, and where updates go."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.i18n import Locale
from vezde.kit.work import failures, waiting
from vezde.messaging import catalogue
from vezde.messaging.operations import reserving

log = structlog.get_logger(__name__)

COMMANDS = ("card", "balance", "history", "help", "settings")
WITH_MAIL = ("card", "balance", "history", "help", "email", "settings")
PAUSES_SECONDS = (1.0, 5.0, 30.0)


class Account(Protocol):
    """The bot's account at its messenger: `messaging.transports.telegram`."""

    async def set_commands(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None: ...
    async def set_webhook(self, url: str, secret: str) -> None: ...
    async def delete_webhook(self) -> None: ...


@dataclass
class Presence:
    """Sets the account up; with `webhook_url` updates are posted there, else they are asked for.

    `commands` is the menu: `WITH_MAIL` where members have addresses of their own.
    """

    account: Account
    database: Database
    clock: Clock
    webhook_url: str | None = None
    webhook_secret: str | None = field(default=None, repr=False)
    commands: Sequence[str] = COMMANDS

    async def prepare(self) -> None:
        """The menu in both languages, the webhook set or taken away; raises what Telegram says."""
        async with self.database.transaction() as db:
            own = await reserving.own_texts(db, now=await self.clock.programme(db))
        menu = {
            str(locale): [
                (command, catalogue.words(f"command_{command}", locale, own))
                for command in self.commands
            ]
            for locale in Locale
        }
        if self.webhook_url is not None and self.webhook_secret is not None:
            await self.account.set_webhook(self.webhook_url, self.webhook_secret)
        else:
            await self.account.delete_webhook()
        await self.account.set_commands(menu)

    async def run(self, stop: asyncio.Event) -> None:
        """Prepare until it is done or `stop` is set."""
        failed = 0
        while not stop.is_set():
            try:
                await self.prepare()
            except Exception as error:
                log.warning("bot not set up yet", error=failures.describe(error))
                seconds = PAUSES_SECONDS[min(failed, len(PAUSES_SECONDS) - 1)]
                failed += 1
                await waiting.until(stop, seconds=seconds)
            else:
                return
