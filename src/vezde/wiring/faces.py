"""The HTTP application, where links lead and where webhooks may go."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from vezde.kit import migrate, share
from vezde.members.links.model import Door, Doors
from vezde.settings import Settings
from vezde.wiring import messengers, sandbox
from vezde.wiring.house import House, reach
from vezde.wiring.lists import SECTIONS, STEPS, TROUBLES

Application = Callable[..., Awaitable[None]]  # ASGI

# Where the fake messenger of a sandbox is.
PLAYGROUND = "/playground"


def doors(settings: Settings) -> Doors:
    """Where links lead: in a sandbox every door is the playground, else the ones that have a name.

    A payload is 64 characters of [A-Za-z0-9_-] at most (core.telegram.org/bots/features).
    """

    def target(door: str, code: str) -> str | None:
        if settings.sandbox:
            return f"{PLAYGROUND}?start={code}"
        if door == Door.TELEGRAM and settings.telegram.bot:
            return f"https://t.me/{settings.telegram.bot}?start={code}"
        return None

    return Doors(settings.public_url, target)


def web(house: House, *, after_reset: Callable[[], Awaitable[None]] | None = None) -> Application:
    """The HTTP application of this process; `after_reset` is run when a sandbox began anew."""
    from vezde.api import app
    from vezde.api.tools import Sandbox, Tools

    async def begin_anew(
        programme: dict[str, Any] | None, products: Sequence[dict[str, Any]] | None
    ) -> datetime:
        now = await sandbox.reset(house, programme=programme, products=products)
        if after_reset is not None:
            await after_reset()
        return now

    moved = Sandbox(partial(sandbox.advance, house), begin_anew)
    application = app.create(
        Tools(
            database=house.database,
            clock=house.clock,
            vault=house.vault,
            waker=house.waker,
            sections=SECTIONS,
            steps=STEPS,
            migrations=max(one.number for one in migrate.read(share.folder("migrations"))),
            doors=doors(house.settings),
            reach=reach(house.settings),
            troubles=TROUBLES,
            sandbox=moved if house.clock.sandbox else None,
        )
    )
    posted, url = messengers.telegram_posts(house), house.settings.telegram.webhook_url
    if posted is not None and url is not None:
        application.add_route(urlsplit(url).path or "/", posted.receive, methods=["POST"])
    return application
