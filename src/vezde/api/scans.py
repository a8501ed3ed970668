"""A link opened in a browser: counted, and sent on to its door. Open to all, nothing kept of them.

People come here from paper, so whatever goes wrong is said in words, never in JSON.
"""

from datetime import UTC, date
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from vezde.api.tools import Tools, tools
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations
from vezde.members.links import model
from vezde.program import queries as program

router = APIRouter(tags=["sources"])
Using = Annotated[Tools, Depends(tools)]

# A kept redirect would be opened uncounted, and lead to a door of the past.
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
PAGE = """<!doctype html>
<html lang="ru"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark }}
  body {{ font: 1.125rem/1.5 system-ui, sans-serif; max-width: 32rem; margin: 20vh auto 0;
    padding: 0 1.5rem }}
  h1 {{ font-size: 1.5rem; line-height: 1.25 }}
</style>
<h1>{title}</h1>
<p>{text}</p>
</html>
"""
UNKNOWN = (
    "Такой ссылки нет",
    """Проверьте, что адрес набран без ошибки: в нём нет нуля, единицы, букв «o», «i» и «l». Если вы
сканировали код, попробуйте ещё раз при хорошем свете: код должен быть виден целиком.""",
)
CLOSED = (
    "Сюда пока не попасть",
    "Ссылка верная, но бот, в который она ведёт, ещё не открыт. Загляните чуть позже.",
)
BUSY = (
    "Не получилось открыть ссылку",
    "Ссылка верная, дело в нас. Откройте её ещё раз через минуту.",
)


@router.get(
    "/l/{code}",
    status_code=302,
    response_class=RedirectResponse,
    responses={404: {"content": {"text/html": {}}}, 503: {"content": {"text/html": {}}}},
)
@router.head("/l/{code}", include_in_schema=False)
async def opened(request: Request, code: str, using: Using) -> Response:
    """Count an opening of a link by its day, and redirect to the door it leads to."""
    try:
        async with using.database.transaction() as db:
            day = await _today(db, using)
            link = await operations.scan_link(db, code, day=day, preview=_is_preview(request))
    except DomainError as error:
        if error.kind is Kind.MISSING:
            return _page(404, UNKNOWN)
        if error.kind is Kind.UNAVAILABLE:
            return _page(503, BUSY)
        raise
    target = using.doors.target(link.door, link.code)
    if target is None:
        return _page(503, CLOSED)
    return RedirectResponse(target, 302, HEADERS)


async def _today(db: Db, using: Tools) -> date:
    """The day in the programme's zone; of an installation without a programme, in UTC."""
    now = await using.clock.programme(db)
    found = await program.programmes(db)
    return now.astimezone(found.at(now).zone if found.versions else UTC).date()


def _is_preview(request: Request) -> bool:
    purpose = request.headers.get("Sec-Purpose") or request.headers.get("Purpose")
    return request.method == "HEAD" or model.is_preview(
        request.headers.get("User-Agent"), purpose=purpose
    )


def _page(status: int, words: tuple[str, str]) -> Response:
    title, text = words
    retry = {"Retry-After": "60"} if status == 503 else {}
    return HTMLResponse(PAGE.format(title=title, text=text), status, HEADERS | retry)
