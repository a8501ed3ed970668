"""Who calls: a program by its key, a page by its key and origin, an operator by their session."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param

from vezde.access import operations as access_operations
from vezde.access.doors import Session, SessionOver
from vezde.access.model import (
    Key,
    OriginRefused,
    Page,
    PublishableOnly,
    Scope,
    Unauthenticated,
)
from vezde.access.operations.staffing import PREFIX
from vezde.access.staff import Door, Right, Shift, ShiftOver
from vezde.api import origins
from vezde.api.tools import Tools, of, tools

bearer = HTTPBearer(auto_error=False, description="An API key: `vezde keys create`")
SESSION_HEADER = "Vezde-Session"
TILL_COOKIE, CONSOLE_COOKIE = "vezde_till", "vezde_console"
READS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class PageCaller:
    """A page of `origin` with its publishable key."""

    key: Key
    origin: str

    @property
    def page(self) -> Page:
        assert self.key.page is not None, "`page` sees to it"
        return self.key.page


async def caller(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    using: Annotated[Tools, Depends(tools)],
) -> Key:
    """The key of the request; raises `Unauthenticated`, and `OriginRefused` for foreign pages."""
    return await _caller(request, None if given is None else given.credentials, using)


async def _caller(request: Request, given: str | None, using: Tools) -> Key:
    if given is None:
        raise Unauthenticated
    origins.refuse_foreign(request, using.doors.public_url)
    return await _known(given, using)


async def _known(given: str, using: Tools) -> Key:
    return await using.keys.by_text(given, database=using.database, clock=using.clock)


@dataclass(frozen=True)
class Having:
    """A dependency: the caller's key, which must have this scope."""

    scope: Scope

    async def __call__(self, key: Annotated[Key, Depends(caller)]) -> Key:
        key.require(self.scope)
        return key

    async def of(self, request: Request) -> Key:
        """The same without FastAPI."""
        scheme, given = get_authorization_scheme_param(request.headers.get("authorization"))
        bearing = given if given and scheme.lower() == "bearer" else None
        return await self(await _caller(request, bearing, of(request)))


def scope(name: Scope) -> Having:
    """A dependency: the caller's key, which must have this scope."""
    return Having(name)


async def page(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    using: Annotated[Tools, Depends(tools)],
) -> PageCaller:
    """The page of the request; raises `Unauthenticated`, `PublishableOnly`, `OriginRefused`."""
    if given is None:
        raise Unauthenticated
    key = await _known(given.credentials, using)
    if key.page is None:
        raise PublishableOnly(
            "The widget's routes take a publishable key: vezde keys create --publishable"
        )
    origin = origins.of(request)
    if origin is None or origin not in key.page.origins:
        raise OriginRefused(
            "This key is not for pages of this origin; its origins: " + ", ".join(key.page.origins)
        )
    return PageCaller(key, origin)


async def member_session(
    request: Request,
    caller: Annotated[PageCaller, Depends(page)],
    using: Annotated[Tools, Depends(tools)],
) -> Session:
    """The member signed in on the page that asks; raises `SessionOver`."""
    token = request.headers.get(SESSION_HEADER)
    if token is None:
        raise SessionOver(f"Send the session's token in the header {SESSION_HEADER}")
    async with using.database.transaction() as db:
        return await access_operations.session(
            db, token, key=caller.key, origin=caller.origin, wall=using.clock.wall()
        )


async def till(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    using: Annotated[Tools, Depends(tools)],
) -> Shift:
    """The operator signed in at the till that asks; raises `ShiftOver`, `OriginRefused`."""
    return await _on_shift(request, given, using, TILL_COOKIE, Door.TILL)


async def adjuster(shift: Annotated[Shift, Depends(till)]) -> Shift:
    """As `till`, of somebody who may give and take points; raises `RightMissing`, too."""
    shift.operator.require(Right.ADJUST)
    return shift


async def console(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    using: Annotated[Tools, Depends(tools)],
) -> Shift:
    """The operator signed in to the console; raises `ShiftOver`, `OriginRefused`."""
    return await _on_shift(request, given, using, CONSOLE_COOKIE, Door.CONSOLE)


def right(name: Right) -> Callable[..., Awaitable[Shift]]:
    """A dependency: the operator signed in to the console, whose role includes this."""

    async def having(found: Annotated[Shift, Depends(console)]) -> Shift:
        found.operator.require(name)
        return found

    return having


async def _on_shift(
    request: Request,
    given: HTTPAuthorizationCredentials | None,
    using: Tools,
    cookie: str,
    door: Door,
) -> Shift:
    """By cookie a change must come from a page of ours that says so: SameSite keeps the cookie from
    other sites, this from those beside us under the same site.
    """
    origins.refuse_foreign(request, using.doors.public_url)
    token = given.credentials if given is not None else request.cookies.get(cookie)
    if given is None and request.method not in READS and origins.of(request) is None:
        raise OriginRefused("Only a page of this installation may do this with the cookie")
    if token is None or not token.startswith(f"{PREFIX[door]}_"):
        raise ShiftOver
    async with using.database.transaction() as db:
        return await access_operations.shift(db, token, wall=using.clock.wall(), door=door)
