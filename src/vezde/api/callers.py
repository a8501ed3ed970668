"""Who calls: the bearer key and its scopes."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from vezde.access import operations as access_operations
from vezde.access import queries as access
from vezde.access.model import Key, Scope, Unauthenticated
from vezde.api.tools import Tools, tools

bearer = HTTPBearer(auto_error=False, description="An API key: `vezde keys create`")


async def caller(
    given: Annotated[HTTPAuthorizationCredentials | None, Security(bearer)],
    using: Annotated[Tools, Depends(tools)],
) -> Key:
    """The key of the request; raises `Unauthenticated`."""
    if given is None:
        raise Unauthenticated
    async with using.database.transaction() as db:
        key = await access.key_by_text(db, given.credentials)
        await access_operations.touch_key(db, key, wall=using.clock.wall())
        return key


def scope(name: Scope) -> Callable[..., Awaitable[Key]]:
    """A dependency: the caller's key, which must have this scope."""

    async def having(key: Annotated[Key, Depends(caller)]) -> Key:
        key.require(name)
        return key

    return having
