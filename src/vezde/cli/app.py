"""The command `vezde`: which commands there are."""

from typing import Annotated

import typer

from vezde.cli import (
    audit,
    catalog,
    clock,
    db,
    keys,
    letter,
    links,
    members,
    operators,
    program,
    providers,
    receipts,
    reports,
    serve,
    troubles,
)

app = typer.Typer(
    name="vezde",
    help="Loyalty that works wherever people buy.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(serve.serve)
app.add_typer(receipts.app, name="receipts")
app.add_typer(reports.app, name="reports")
app.add_typer(members.app, name="members")
app.add_typer(keys.app, name="keys")
app.add_typer(operators.app, name="operators")
app.add_typer(links.app, name="links")
app.add_typer(catalog.app, name="catalog")
app.add_typer(program.app, name="program")
app.add_typer(providers.app, name="providers")
app.add_typer(troubles.app, name="troubles")
app.add_typer(clock.app, name="clock")
app.add_typer(db.app, name="db")
app.command()(audit.audit)
app.command()(letter.letter)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version

        from vezde.cli import screen

        try:
            screen.show(f"vezde {version('vezde')}")
        except PackageNotFoundError:  # run from a checkout that is not installed
            screen.show("vezde (not installed)")
        raise typer.Exit


@app.callback()
def options(
    _version_asked: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Settings come from VEZDE_* variables: the same for every command."""
