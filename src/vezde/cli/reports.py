"""Seller reports of marketplaces."""

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.purchases.reports import loading
    from vezde.wiring import House

app = typer.Typer(no_args_is_help=True, help="Seller reports: what came back to marketplaces.")


@app.callback()
def _group() -> None:
    """A group, also while it has one command."""


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            exists=True,
            dir_okay=False,
            readable=True,
            help="XLSX, CSV, JSON, or a ZIP with one: Wildberries, Ozon or Yandex Market.",
        ),
    ],
    errors: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Where broken rows are told. [FILE.errors.csv]"),
    ] = None,
) -> None:
    """Load a report; points of what came back are taken. Again with the same file: no change."""
    from vezde.cli import screen, session

    told = errors or file.with_name(f"{file.name}.errors.csv")
    loaded = session.in_house(lambda house: _load(house, file, told))
    screen.show(
        f"{loaded.kind}: {loaded.sold} sales and {loaded.returned} returns are new, "
        f"{loaded.repeated} known before, {loaded.broken} broken; "
        f"{loaded.lines} lines of purchases, {loaded.points} points taken back"
    )
    if loaded.broken:
        screen.say(f"Broken rows are told in {screen.near(told)}.")
        raise typer.Exit(1)


async def _load(house: "House", file: Path, told: Path) -> "loading.Loaded":
    from vezde.purchases.reports import loading

    broken: list[tuple[int, str]] = []
    loaded = await loading.load(
        house.database,
        file.read_bytes(),
        name=file.name,
        clock=house.clock,
        actor="cli",
        tell=lambda one: broken.append((one.row, one.why)),
    )
    if broken:
        with told.open("w", encoding="utf-8-sig", newline="") as out:
            csv.writer(out).writerows([("row", "what to correct"), *broken])
    return loaded
