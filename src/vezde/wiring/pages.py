"""The pages that stand beside the API: their built files, and what each is given."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vezde.kit import share
from vezde.settings import PLAYGROUND
from vezde.wiring import sandbox
from vezde.wiring.house import PLAYGROUND_SMS, House

if TYPE_CHECKING:
    from vezde.web.playground.model import Card

Application = Callable[..., Awaitable[None]]  # ASGI
WIDGET, TILL, CONSOLE, SHOP = "/widget.js", "/till", "/console", "/shop"


@dataclass(frozen=True)
class Scenery:
    """What a sandbox's playground stands in.

    `tray()` are the receipts to show, with fresh dates; `simulator` is the door to the people and
    chats of its fake messenger; `shop` is a sample site that sells the brand's goods.
    """

    tray: "Callable[[], Awaitable[Sequence[Card]]]"
    simulator: Application
    shop: Application


def beside(
    api: Application,
    house: House,
    scenery: Scenery | None,
    *,
    reset: Callable[[], Awaitable[datetime]],
) -> Application:
    """The API with the pages of this installation beside it."""
    from vezde.web.front import Front

    pages: dict[str, Application] = {WIDGET: _widget(), TILL: _till(), CONSOLE: _console()}
    if scenery is not None:
        pages[PLAYGROUND] = _playground(house, scenery, reset)
        pages[SHOP] = scenery.shop
    if house.clock.sandbox and house.settings.sms.token is None:
        pages[PLAYGROUND_SMS] = _gateway()
    return Front(api, pages)


def built(page: str) -> Path | None:
    """Where a page's built files are; None: it was not built (`make run` does that)."""
    try:
        return share.folder(f"pages/{page}")
    except FileNotFoundError:
        return None


def _widget() -> Any:
    from vezde.web.script import Script

    folder = built("widget")
    return Script(folder / "widget.js" if folder is not None else None)


def _till() -> Any:
    from vezde.web.pages import Pages, served

    return served(Pages(built("till"), camera=True), TILL)


def _console() -> Any:
    from vezde.web.pages import Pages, served

    return served(Pages(built("console")), CONSOLE)


def _gateway() -> Any:
    """A sandbox's SMS, for its own workers and a page of this machine to read."""
    from vezde.testing.sms.gateway import FakeGateway
    from vezde.web.guard import Loopback, below

    return Loopback(below(PLAYGROUND_SMS, FakeGateway().app()))


def _playground(house: House, scenery: Scenery, reset: Callable[[], Awaitable[datetime]]) -> Any:
    from vezde.web.pages import Pages
    from vezde.web.playground import app
    from vezde.web.playground.model import Play

    play = Play(
        house.database,
        house.clock,
        house.vault,
        advance=partial(sandbox.advance, house),
        next_event=sandbox.next_event,
        reset=reset,
        tray=scenery.tray,
        simulator=scenery.simulator,
    )
    address = house.settings.playground_url or ""
    return app.create(play, Pages(built("playground")), path=PLAYGROUND, address=address)
