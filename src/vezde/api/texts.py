"""The programme's texts as members would read them, before they are published."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from vezde.access.model import Key, Scope
from vezde.api.callers import scope
from vezde.api.once import Done, once
from vezde.api.problems import Malformed
from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.kit.i18n import Locale
from vezde.messaging import catalogue, samples
from vezde.messaging.samples import Brand
from vezde.program import checking, compiling, queries
from vezde.program.model import BEGINNING, NoProgramme
from vezde.program.sections import Section

router = APIRouter(tags=["program"])
Caller = Annotated[Key, Depends(scope(Scope.PROGRAM))]
Using = Annotated[Tools, Depends(tools)]


class PreviewIn(BaseModel):
    """`document` as in check. Left out: the one in force; every text; both locales."""

    model_config = ConfigDict(extra="forbid")
    document: dict[str, Any] | str | None = None
    text: str | None = None
    locale: Locale | None = None


class TextOut(BaseModel):
    """`own`: the words are the document's, else shipped; `shown` is HTML of a few plain tags."""

    text: str
    locale: Locale
    own: bool
    shown: str


class TextsOut(BaseModel):
    items: list[TextOut]


@router.post("/v1/program/texts/preview", response_model=TextsOut)
async def preview(request: Request, given: PreviewIn, caller: Caller, using: Using) -> Response:
    """Texts with made-up values, as members would read them; nothing is published or sent.

    A document that is no programme is refused as by publishing: 400 `program_invalid`.
    """

    async def work(db: Db, now: datetime) -> Done:
        document: Mapping[str, Any] | str | None = given.document
        if document is None:
            version = await queries.in_force(db, at=now)
            if version is None:
                raise NoProgramme("No programme is published yet. Give the document with this.")
            document = version.document
        # A quarter of a megabyte of YAML takes a second to read: not in the loop of all requests.
        items = await asyncio.to_thread(
            previews, document, using.sections, text=given.text, locale=given.locale
        )
        return Done(200, TextsOut(items=items))

    return await once(request, caller, given, work)


def previews(
    document: Mapping[str, Any] | str | bytes,
    sections: Sequence[Section],
    *,
    text: str | None = None,
    locale: Locale | None = None,
) -> list[TextOut]:
    """Texts of a document, all or of one name and locale.

    Raises `ProgramInvalid`, and `Malformed` for a text that there is not.
    """
    if text is not None and text not in catalogue.shipped():
        raise Malformed(f"There is no text «{text[:60]}»; docs/reference/texts.md lists them.")
    checked = checking.check(document, sections=sections)
    programme = compiling.programme(checked.sound(), version=0, in_force_from=BEGINNING)
    own = checked.document.get("texts") or {}
    brand = Brand(
        programme.name or "Vezde", programme.point_value_kopecks, programme.points_name, own
    )
    return [
        TextOut(
            text=key,
            locale=each,
            own=key in (own.get(each) or {}),
            shown=samples.shown(key, each, brand),
        )
        for key in ([text] if text is not None else catalogue.shipped())
        for each in ([locale] if locale is not None else Locale)
    ]
