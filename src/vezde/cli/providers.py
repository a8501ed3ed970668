"""Who is asked for documents of receipts: how they do, what they cost, paused and resumed."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from vezde.receipts.standing import Standing
    from vezde.wiring import House

app = typer.Typer(no_args_is_help=True, help="Who is asked for documents of receipts.")
Name = Annotated[str, typer.Argument(help="As `list` shows it.")]
NONE = "none"
STATUSES = {"working": "works", "probing": "is being probed", "paused": "paused"}


@app.command("list")
def listed() -> None:
    """Show every provider in the order of asking: how it does, and what today has cost."""
    from rich.table import Table

    from vezde.cli import screen, session
    from vezde.receipts import queries

    async def work(house: "House") -> "tuple[list[Standing], datetime]":
        wall = house.clock.wall()
        async with house.database.transaction() as db:
            names = [one.name for one in house.providers]
            return await queries.providers(db, names, wall=wall), wall

    found, wall = session.in_house(work)
    if not found:
        screen.say("Nobody is asked: set the token of a provider, or VEZDE_DOCUMENTS_DIR.")
        return
    table = Table("Provider", "State", "Asked today", "Found", "Failed", "Spent", "Left today")
    for one in found:
        table.add_row(
            one.name,
            _state(one, wall),
            _of(one.asked, one.asks_per_day),
            str(one.found),
            str(one.failed),
            _rubles(one),
            "no limit" if one.left is None else str(one.left),
        )
    screen.console().print(table)


@app.command()
def pause(
    name: Name,
    note: Annotated[str, typer.Option(help="Why, for whoever looks later.")] = "",
    until: Annotated[
        datetime | None, typer.Option(help="When it is to be probed again; none: when resumed.")
    ] = None,
) -> None:
    """Ask it no more."""
    _change(name, status="paused", note=note, until=until and until.astimezone())


@app.command()
def resume(name: Name) -> None:
    """Ask it again from now on, whatever it was paused for."""
    _change(name, status="working")


@app.command("set")
def set_(
    name: Name,
    price: Annotated[int | None, typer.Option(help="Kopecks an ask costs.")] = None,
    asks: Annotated[str | None, typer.Option(help="Asks a day at most, or none.")] = None,
    budget: Annotated[str | None, typer.Option(help="Kopecks a day at most, or none.")] = None,
    place: Annotated[str | None, typer.Option(help="1 is asked first; none: as set up.")] = None,
) -> None:
    """Say what an ask costs, how far a day goes, who comes first."""
    given: dict[str, Any] = {} if price is None else {"price_kopecks": price}
    for field, text in {
        "asks_per_day": asks,
        "budget_kopecks_per_day": budget,
        "place": place,
    }.items():
        if text is not None:
            given[field] = None if text == NONE else _whole(text)
    if not given:
        raise typer.BadParameter("Give --price, --asks, --budget or --place")
    _change(name, **given)


def _change(name: str, **given: Any) -> None:
    from vezde.api import providers
    from vezde.cli import screen, session

    changes = providers.ChangesIn(**given)

    async def work(house: "House") -> "tuple[Standing, datetime]":
        wall = house.clock.wall()
        async with house.database.transaction() as db:
            one = await providers.changed(
                db,
                [each.name for each in house.providers],
                name,
                changes,
                now=await house.clock.programme(db),
                wall=wall,
                actor=session.OPERATOR,
            )
        return one, wall

    one, wall = session.in_house(work)
    screen.say(f"{name}: {_state(one, wall)}.")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text} is not a whole number; give one, or {NONE}") from error


def _state(one: "Standing", wall: datetime) -> str:
    from vezde.receipts import standing

    said = STATUSES[standing.status(one, wall=wall)]
    if one.paused_because is not None:
        until = f" until {one.until_wall:%Y-%m-%d %H:%M} UTC" if one.until_wall else ""
        said += f" ({one.paused_because}{until})" + (
            f": {one.paused_note}" if one.paused_note else ""
        )
    elif one.used_up is not None:
        said += f" (the day's {one.used_up} are used up)"
    return said


def _of(used: int, most: int | None) -> str:
    return str(used) if most is None else f"{used} of {most}"


def _rubles(one: "Standing") -> str:
    spent = f"{one.spent_kopecks / 100:.2f}"
    budget = one.budget_kopecks_per_day
    return spent if budget is None else f"{spent} of {budget / 100:.2f}"
