"""Every POST is done once: the answer is stored in the transaction of its effect.

With an `Idempotency-Key` the same request gets the stored answer for 48 hours, another one under
the same key is refused, and a second request while the first runs waits on the first one's row.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from fastapi import Request, Response
from fastapi.encoders import jsonable_encoder
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from vezde.access import model as access_model
from vezde.access import operations as access
from vezde.access.model import IdempotencyKeyRequired
from vezde.api import tools
from vezde.api.tools import Tools
from vezde.kit.db import Db

HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class Done:
    """An answer and whose it is: stored answers of a member go when the member is forgotten.

    `body` is rendered as JSON, unless it is bytes of `media_type` already.
    """

    status: int
    body: Any
    member_id: UUID | None = None
    media_type: str = "application/json"

    def rendered(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return bytes(JSONResponse(jsonable_encoder(self.body)).body)


class Asker(Protocol):
    """Whose keys are told apart from others': an API key, an operator."""

    @property
    def key_id(self) -> UUID: ...


@dataclass(frozen=True)
class Till:
    """An operator as one who asks."""

    key_id: UUID


Work = Callable[[Db, datetime], Awaitable[Done]]


async def once(
    request: Request,
    caller: Asker,
    content: BaseModel | dict[str, Any] | None,
    work: Work,
    *,
    files: Sequence[bytes] = (),
    required: bool = False,
    pipeline: bool = False,
) -> Response:
    """Run `work(db, now)` in one transaction with its stored answer, or answer what is stored.

    `content` and `files` (with the path) are what makes two requests the same. The transaction is
    committed before the response is made; with `pipeline` what it writes is sent together with the
    next read. Raises `IdempotencyKeyRequired` when `required`.
    """
    using: Tools = tools.of(request)
    key = request.headers.get(HEADER)
    if key is None and required:
        raise IdempotencyKeyRequired
    async with using.database.transaction(pipeline=pipeline) as db:
        now = await using.clock.programme(db)
        if key is None:
            done = await work(db, now)
            body, status, media_type = done.rendered(), done.status, done.media_type
        else:
            body, status, media_type = await _stored(
                db, request, caller, key, _fields(request, content), files, work, now
            )
    return Response(body, status, media_type=media_type)


async def _stored(
    db: Db,
    request: Request,
    caller: Asker,
    key: str,
    fields: dict[str, Any],
    files: Sequence[bytes],
    work: Work,
    now: datetime,
) -> tuple[bytes, int, str]:
    using = tools.of(request)
    route = f"{request.method} {request.scope['route'].path}"
    stored = await access.claim_answer(
        db,
        key_id=caller.key_id,
        route=route,
        idempotency_key=key,
        vault=using.vault,
        fingerprint=access_model.fingerprint(fields, files, vault=using.vault),
        wall=using.clock.wall(),
    )
    if stored is not None:
        return stored.body, stored.status, stored.media_type
    done = await work(db, now)
    body = done.rendered()
    await access.store_answer(
        db,
        key_id=caller.key_id,
        route=route,
        idempotency_key=key,
        vault=using.vault,
        status=done.status,
        body=body,
        member_id=done.member_id,
        media_type=done.media_type,
    )
    return body, done.status, done.media_type


def _fields(request: Request, content: BaseModel | dict[str, Any] | None) -> dict[str, Any]:
    given = content.model_dump() if isinstance(content, BaseModel) else content
    return {"path": dict(request.path_params), "body": given}
