"""The database."""

import typer

app = typer.Typer(no_args_is_help=True, help="The database.")


@app.callback()
def _group() -> None:
    """A group, also while it has one command."""


@app.command()
def migrate() -> None:
    """Apply the migrations that are missing; `vezde serve` does it by itself."""
    from vezde.cli import screen, session

    with session.logins(session.begin()) as found:
        for name in found.applied:
            screen.show(name)
        screen.say(
            f"Applied {len(found.applied)}." if found.applied else "Nothing to do: all are applied."
        )
