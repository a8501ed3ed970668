"""The playground's routes, all below its path."""

from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from vezde.kit import clock, durations
from vezde.kit.errors import DomainError, Kind
from vezde.program import queries as program
from vezde.web import problems
from vezde.web.guard import Loopback
from vezde.web.pages import Pages
from vezde.web.playground import looking, tray
from vezde.web.playground.model import Card, Play

MOST_AHEAD = timedelta(days=366)


class NothingAhead(DomainError):
    """Nothing waits for its time."""

    code = "nothing_ahead"
    kind = Kind.CONFLICT


def create(play: Play, pages: Pages, *, path: str, address: str) -> ASGIApp:
    """The playground at `path`; `address` is where a browser of this machine opens it."""
    desk = Desk(play, pages)
    routes = [
        Route("/", desk.page),
        Mount("/sim", play.simulator),
        Route("/api/state", desk.state),
        Route("/api/samples", desk.samples),
        Route("/api/samples/{name}/taken", desk.take, methods=["POST"]),
        Route("/api/clock", desk.move, methods=["POST"]),
        Route("/api/reset", desk.reset, methods=["POST"]),
        Route("/api/members/{user:int}", desk.member),
        Route("/{file:path}", desk.page),
    ]
    app = Starlette(
        routes=[Route(path, desk.page), Mount(path, routes=routes)],
        exception_handlers={DomainError: problems.answer},
    )
    return Loopback(app, page=path, address=address)


class Desk:
    """Answers the page."""

    def __init__(self, play: Play, pages: Pages) -> None:
        self._play = play
        self._pages = pages

    async def page(self, request: Request) -> Response:
        return self._pages.answer(request.path_params.get("file", ""))

    async def state(self, _request: Request) -> Response:
        """The programme's time and zone, and when something falls due next."""
        return problems.shown(await self._state())

    async def samples(self, _request: Request) -> Response:
        return problems.shown([tray.shown(card) for card in await self._play.tray()])

    async def take(self, request: Request) -> Response:
        """Somebody else shows this receipt first; again, it is already so."""
        card = await self._card(request.path_params["name"])
        await tray.take(self._play, card)
        return problems.shown({"taken": card.name})

    async def move(self, request: Request) -> Response:
        """`{"advance": "P3D"}`, or `{"to": "next"}` for the next thing that falls due."""
        given = await problems.body(request)
        async with self._play.database.transaction() as db:
            now = await self._play.clock.programme(db)
            if given.get("to") == "next":
                until = await self._play.next_event(db)
                if until is None:
                    raise NothingAhead("Nothing waits for its time.")
            else:
                until = now + _ahead(given.get("advance"))
        await self._play.advance(max(until, now))
        return problems.shown(await self._state())

    async def reset(self, _request: Request) -> Response:
        await self._play.reset()
        return problems.shown(await self._state())

    async def member(self, request: Request) -> Response:
        """What the brand sees of the person with this number in the messenger."""
        return problems.shown(await looking.member(self._play, request.path_params["user"]))

    async def _card(self, name: str) -> Card:
        for card in await self._play.tray():
            if card.name == name:
                return card
        raise tray.NoSuchCard(f"There is no receipt {name[:40]!r} in the tray.")

    async def _state(self) -> dict[str, Any]:
        play = self._play
        async with play.database.transaction() as db:
            now = await play.clock.programme(db)
            programme = (await program.programmes(db)).at(now)
            due = await play.next_event(db)
            moved = await clock.offset_seconds(db)
        return {
            "now": _instant(now),
            "moved_seconds": moved,
            "next_event": _instant(due) if due else None,
            "zone": programme.zone.key,
            "brand": programme.name,
        }


def _ahead(text: object) -> timedelta:
    if not isinstance(text, str):
        raise problems.Malformed('Send {"advance": "P3D"} or {"to": "next"}.')
    ahead = durations.parse(text)
    if ahead > MOST_AHEAD:
        raise problems.Malformed("A jump is a year at most.")
    return ahead


def _instant(when: datetime) -> str:
    return when.isoformat()
