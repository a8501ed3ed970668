"""A worker that kills itself with -9 at a step of a send: `dying_worker.py CONNINFO BASE TOKEN STEP`.

Steps: claiming (in the claiming transaction), calling (claimed, not called), called (answered, not
noted), noting (in the noting transaction), noted (all is done).
"""

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.messaging import work
from vezde.messaging.model import Rendered
from vezde.messaging.transports.protocol import Answer
from vezde.messaging.transports.telegram import Telegram
from vezde.messaging.work import Channel


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingVault(Vault):
    def decrypt(self, sealed: bytes, *, context: bytes) -> bytes:
        die()
        raise AssertionError(sealed, context)


@dataclass(frozen=True)
class DyingClock(Clock):
    async def programme(self, db: Db) -> datetime:
        die()
        return datetime.now(UTC)


class DyingTelegram(Telegram):
    step = ""

    async def deliver(self, address: str, item: Rendered) -> Answer:
        if self.step == "calling":
            die()
        answer = await super().deliver(address, item)
        if self.step == "called":
            die()
        return answer


async def main(conninfo: str, base: str, token: str, step: str) -> None:
    bot = DyingTelegram(token, api_base=base)
    bot.step = step
    key = bytes(range(32))
    given: dict[str, Any] = {
        "vault": (DyingVault if step == "claiming" else Vault)(key),
        "clock": (DyingClock if step == "noting" else Clock)(),
    }
    async with Database(conninfo) as database:
        while await work.deliver_once(database, Channel(bot, 1000), **given):
            pass
    die()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
