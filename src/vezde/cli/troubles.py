"""What was given up on: looked at, tried again, dropped."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.kit.db import Db
    from vezde.kit.troubles import Trouble

app = typer.Typer(no_args_is_help=True, help="What was given up on and waits for somebody to look.")
MOST = 200


class KindName(StrEnum):
    """As the sources of `vezde.wiring.TROUBLES`, which would load too much for `--help`."""

    UPDATE = "update"
    SEND = "send"
    REACTION = "reaction"
    DELIVERY = "delivery"
    JOB = "job"
    RECEIPT = "receipt"
    PROVIDER = "provider"
    LETTER = "letter"


OfKind = Annotated[KindName | None, typer.Option("--kind", help="Of this kind alone.")]
Ids = Annotated[list[str] | None, typer.Argument(help="As `list` shows them.")]


@app.command("list")
def listed(kind: OfKind = None) -> None:
    """Show what was given up on, the newest first, and why."""
    from rich.table import Table

    from vezde import wiring
    from vezde.api import names
    from vezde.cli import screen, session
    from vezde.kit import troubles

    async def work(db: "Db", _now: datetime) -> "list[Trouble]":
        return await troubles.listed(db, wiring.TROUBLES, kind=kind, limit=MOST + 1)

    found = session.transact(work)
    if not found:
        screen.say("Nothing was given up on.")
        return
    table = Table("Id", "Kind", "When", "About", "Because", "Attempts")
    for one in found[:MOST]:
        row = one.row
        table.add_row(
            names.trouble(one.kind, row.first, row.second),
            one.kind,
            f"{row.at:%Y-%m-%d %H:%M}",
            row.about,
            row.because or "",
            "" if row.attempts is None else str(row.attempts),
        )
    table.columns[0].no_wrap = True
    screen.console().print(table)
    if len(found) > MOST:
        screen.say("… and older ones; GET /v1/troubles shows all, page by page.")


@app.command()
def retry(given: Ids = None, kind: OfKind = None) -> None:
    """Try again from the first attempt: those named, or all of a kind."""
    from vezde.kit import troubles

    _each(given, kind, troubles.retry, "wait to be tried again")


@app.command()
def drop(given: Ids = None, kind: OfKind = None) -> None:
    """Have done with those named, or with all of a kind: they are not tried again."""
    from vezde.kit import troubles

    _each(given, kind, troubles.drop, "are dropped")


def _each(
    given: list[str] | None, kind: KindName | None, act: Callable[..., Awaitable[None]], done: str
) -> None:
    from vezde import wiring
    from vezde.api.troubles import found
    from vezde.cli import screen, session
    from vezde.kit import clock, troubles

    if bool(given) == bool(kind):
        raise typer.BadParameter("Name some by their ids, or all of one --kind")

    async def work(db: "Db", _now: datetime) -> int:
        if kind is not None:
            source = next(one for one in wiring.TROUBLES if one.kind == kind)
            rows = await troubles.listed(db, [source], limit=MOST)
            keys = [(source, one.row.first, one.row.second) for one in rows]
        else:
            keys = [found(wiring.TROUBLES, one) for one in given or ()]
        wall = clock.utc_now()
        for source, first, second in keys:
            await act(db, source, first, second, wall=wall, actor=session.OPERATOR)
        return len(keys)

    count = session.transact(work)
    screen.say(f"{count} {done}." + (" There are more." if count == MOST else ""))
