"""The HTTP application, where links lead and where webhooks may go."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from vezde.access.operations.entering import Document
from vezde.access.operations.telling import Channels
from vezde.bot import section as bot_section
from vezde.kit import migrate, share
from vezde.kit.db import Db
from vezde.members.links.model import Door, Doors
from vezde.settings import PLAYGROUND, Settings
from vezde.wiring import messengers, pages, sandbox
from vezde.wiring.house import House, reach
from vezde.wiring.lists import SECTIONS, STEPS, TROUBLES
from vezde.wiring.pages import Application


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


def channels(house: House) -> Channels:
    """What codes are sent by."""
    per_day = house.settings.sms.per_day if house.sms is not None else 0
    return Channels(house.messengers, per_day)


async def _document(db: Db, now: datetime) -> Document:
    """The consent to personal data that the bot asks for, too."""
    agreed = (await bot_section.in_force(db, now)).personal_data
    return Document(agreed.version, agreed.url)


def web(
    house: House,
    *,
    after_reset: Callable[[], Awaitable[None]] | None = None,
    scenery: pages.Scenery | None = None,
    face: int = 0,
) -> Application:
    """The HTTP application of this process: the API, and the pages beside it.

    `after_reset` is run when a sandbox began anew. With a `scenery` it has a playground. `face` is
    its number among several.
    """
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
            providers=tuple(one.name for one in house.providers),
            channels=channels(house),
            document=_document,
            adjust_alone=house.settings.adjust_alone,
            unmerge_within=house.settings.unmerge_within,
            waiting=house.waiting,
            sandbox=moved if house.clock.sandbox else None,
            face=face,
        )
    )
    posted, url = messengers.telegram_posts(house), house.settings.telegram.webhook_url
    if posted is not None and url is not None:
        application.add_route(urlsplit(url).path or "/", posted.receive, methods=["POST"])
    return pages.beside(application, house, scenery, reset=partial(begin_anew, None, None))
