"""Members: brought along from elsewhere, with their points."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Members, brought along with their points.")


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
            help="CSV with points and phone, email or card; also name, birthday, expires_on, id.",
        ),
    ],
    batch: Annotated[
        str | None,
        typer.Option(help="The import's name: rows of the same name are imported once. [FILE's]"),
    ] = None,
    errors: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Where broken rows are told. [FILE.errors.csv]"),
    ] = None,
    title: Annotated[
        str, typer.Option(help="What members read in their history.")
    ] = "Перенос баллов",
) -> None:
    """Enrol members and credit their opening balances; again with the same file changes nothing."""
    from vezde.cli import balances, screen, session

    told = errors or file.with_name(f"{file.name}.errors.csv")
    asked = balances.Asked(file, batch or file.stem, title, told)
    counts = session.in_house(lambda house: balances.run(house, asked))
    screen.show(
        f"{counts.rows} rows: {counts.credited} balances, {counts.enrolled} new members, "
        f"{counts.repeated} imported before, {counts.broken} broken"
    )
    if counts.broken:
        screen.say(f"Broken rows are told in {screen.near(told)}; correct them and import again.")
        raise typer.Exit(1)
