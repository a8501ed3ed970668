"""The catalogue: the brand's products."""

from collections import Counter
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.catalog.model import Outcome

app = typer.Typer(no_args_is_help=True, help="The brand's products.")
SHOWN = 50


class Absent(StrEnum):
    """What becomes of products that the file does not name."""

    MERGE = "merge"
    REPLACE = "replace"


@app.callback()
def _group() -> None:
    """A group, also while it has one command."""


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="CSV or XLSX, any layout."),
    ],
    mode: Annotated[
        Absent, typer.Option(help="Products the file does not name: kept, or archived.")
    ] = Absent.MERGE,
) -> None:
    """Create and change products from a table; wrong rows are named and stop nothing."""
    from vezde.catalog import operations, reading
    from vezde.catalog.model import Mode
    from vezde.cli import screen, session
    from vezde.kit.db import Db

    with screen.console(stderr=True).status(f"Reading {file.name}…") as status:
        table = reading.read(file.read_bytes())
        status.update(f"Importing {len(table.rows)} products…")

        async def work(db: Db, now: datetime) -> "list[Outcome]":
            return await operations.import_products(
                db, table.rows, mode=Mode(mode.value), now=now, actor=session.OPERATOR
            )

        outcomes = session.transact(work)
    if table.ignored:
        screen.say(f"Columns that say nothing to us: {', '.join(table.ignored)}.")
    _report(outcomes)


def _report(outcomes: "list[Outcome]") -> None:
    from vezde.catalog.model import Change
    from vezde.cli import screen

    counts = Counter(one.outcome for one in outcomes)
    screen.show(", ".join(f"{counts[change]} {change.value}" for change in Change))
    wrong = [one for one in outcomes if one.outcome is Change.INVALID]
    if not wrong:
        return
    from rich.table import Table

    table = Table("Row", "Article", "What to correct")
    for one in wrong[:SHOWN]:
        table.add_row(str(one.row), one.sku or "", one.error)
    screen.console().print(table)
    if len(wrong) > SHOWN:
        screen.say(f"… and {len(wrong) - SHOWN} rows more.")
    screen.say("The other rows are imported. Correct these and import the file again.")
    raise typer.Exit(1)
