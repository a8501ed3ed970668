"""Where the brand's own operator of fiscal data pushes documents to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from vezde.access.model import Key, Scope
from vezde.api import bodies
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument
from vezde.receipts.operations import pushing
from vezde.receipts.parsers import UnreadableDocument
from vezde.receipts.providers.protocol import PUSHED

router = APIRouter(tags=["receipts"])
Caller = Annotated[Key, Depends(scope(Scope.RECEIPTS_VERIFIED))]
Using = Annotated[Tools, Depends(tools)]
MOST_BYTES = 4 * 1024 * 1024


class OfdOff(DomainError):
    """Pushed documents are not asked for here."""

    code = "ofd_off"
    kind = Kind.REFUSED


class PushedOut(BaseModel):
    """A document, in the order in which it was sent; `fn` and `fd` null where it was not read."""

    outcome: Literal["stored", "known", "differs", "unreadable"]
    fn: str | None
    fd: int | None
    detail: str | None = None


class PushedListOut(BaseModel):
    items: list[PushedOut]


@router.post("/v1/ofd/documents", response_model=PushedListOut, openapi_extra=bodies.ANY_JSON)
async def push(request: Request, caller: Caller, using: Using) -> Response:
    """Keep fiscal documents, one or a list, of any shape; a broken one stops nothing.

    The receipts that wait for them are decided; the others are kept for whoever shows them later.
    Sent again they change nothing.
    """
    if PUSHED not in using.providers:
        raise OfdOff("Set VEZDE_OFD_DOCUMENTS=1 and restart: pushed documents are not asked for.")
    body = await bodies.read(request, most_bytes=MOST_BYTES)
    read = _read(body)
    good = [one for one in read if isinstance(one, FiscalDocument)]

    async def work(db: Db, now: datetime) -> Done:
        outcomes = await pushing.push(
            db, good, now=now, wall=using.clock.wall(), actor=caller.actor
        )
        return Done(200, PushedListOut(items=_shown(read, outcomes)))

    return await once(request, caller, None, work, files=(body,))


def _read(body: bytes) -> list[FiscalDocument | UnreadableDocument]:
    read = list(parsers.read_each(body, most_bytes=MOST_BYTES))
    if not read:
        raise Malformed("There is no document in it.")
    if len(read) > pushing.MOST:
        raise Malformed(f"Send up to {pushing.MOST} documents at once.")
    return read


def _shown(
    read: Sequence[FiscalDocument | UnreadableDocument], outcomes: Sequence[pushing.Kept]
) -> list[PushedOut]:
    left = iter(outcomes)
    shown = []
    for one in read:
        if isinstance(one, UnreadableDocument):
            shown.append(PushedOut(outcome="unreadable", fn=None, fd=None, detail=one.detail))
            continue
        outcome = next(left)
        differs = outcome is pushing.Kept.DIFFERS
        shown.append(
            PushedOut(
                outcome=outcome.value,
                fn=f"{one.key.fn:016d}",
                fd=one.key.fd,
                detail=DIFFERS if differs else None,
            )
        )
    return shown


DIFFERS = "Another document of this fiscal drive and number was pushed before; that one stays."
