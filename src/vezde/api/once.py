"""Every POST is done once: the answer is stored in the transaction of its effect.

With an `Idempotency-Key` the same request gets the stored answer for 48 hours, another one under
the same key is refused, and a second request while the first runs waits for it.
"""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from fastapi import Request, Response
from pydantic import BaseModel

from vezde.access import model as access_model
from vezde.access import operations as access
from vezde.access.model import IdempotencyKeyRequired, Stored
from vezde.api import tools
from vezde.api.tools import Tools
from vezde.kit import db as kit_db
from vezde.kit.db import Db

HEADER = "Idempotency-Key"


@dataclass(frozen=True)
class Done:
    """An answer and whose it is: stored answers of a member go when the member is forgotten.

    `body` is rendered as JSON, unless it is bytes of `media_type` already.
    """

    status: int
    body: BaseModel | bytes
    member_id: UUID | None = None
    media_type: str = "application/json"

    def answer(self) -> Stored:
        body = self.body
        if not isinstance(body, bytes):
            body = body.model_dump_json(by_alias=True).encode()
        return Stored(self.status, self.media_type, body, self.member_id)


class Asker(Protocol):
    """Whose keys are told apart from others': an API key, an operator."""

    @property
    def key_id(self) -> UUID: ...


@dataclass(frozen=True)
class Till:
    """An operator as one who asks."""

    key_id: UUID


Work = Callable[[Db, datetime], Coroutine[Any, Any, Done]]


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
    try:
        async with using.database.transaction(pipeline=pipeline) as db:
            now = await using.clock.programme(db)
            if key is None:
                answer = (await work(db, now)).answer()
            else:
                fields = _fields(request, content)
                answer = await _kept(db, request, caller, key, fields, files, work, now)
    except _AnsweredBefore as before:
        answer = before.stored
    return Response(answer.body, answer.status, media_type=answer.media_type)


class _AnsweredBefore(Exception):
    """The request has its answer: no error, but what the work asked ahead is to be rolled back."""

    def __init__(self, stored: Stored) -> None:
        super().__init__()
        self.stored = stored


async def _kept(
    db: Db,
    request: Request,
    caller: Asker,
    key: str,
    fields: dict[str, Any],
    files: Sequence[bytes],
    work: Work,
    now: datetime,
) -> Stored:
    """What the work does, its answer kept; raises `_AnsweredBefore` instead of doing it twice."""
    using = tools.of(request)
    asked = access.asked(
        key_id=caller.key_id,
        route=f"{request.method} {request.scope['route'].path}",
        idempotency_key=key,
        fingerprint=access_model.fingerprint(fields, files, vault=using.vault),
        wall=using.clock.wall(),
        vault=using.vault,
    )

    async def claim() -> None:
        stored = await access.claim_answer(db, asked, vault=using.vault)
        if stored is not None:
            raise _AnsweredBefore(stored)

    done = await kit_db.ahead(db, claim(), work(db, now))
    answer = done.answer()
    await access.store_answer(db, asked, answer, vault=using.vault)
    return answer


def _fields(request: Request, content: BaseModel | dict[str, Any] | None) -> dict[str, Any]:
    given = content.model_dump() if isinstance(content, BaseModel) else content
    return {"path": dict(request.path_params), "body": given}
