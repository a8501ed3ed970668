"""API keys for other programs."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="API keys for other programs.")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for; unique among live keys.")],
    scopes: Annotated[
        list[str],
        typer.Option(help="What it opens, separated by commas: all, or members,receipts…"),
    ],
) -> None:
    """Make a key and print it, alone; it is never shown again."""
    from vezde.access import operations
    from vezde.cli import screen, session

    words = [word for given in scopes for word in given.replace(",", " ").split()]
    text, _ = session.transact(
        lambda db, now: operations.create_key(
            db, name=name, scopes=words, now=now, actor=session.OPERATOR
        )
    )
    screen.show(text)


@app.command("list")
def listed() -> None:
    """Show all keys: what they open, when they were used last."""
    from rich.table import Table

    from vezde.access import queries
    from vezde.cli import screen, session

    keys = session.transact(lambda db, _now: queries.keys(db))
    if not keys:
        screen.say(f"No keys yet; make one: {screen.myself()} keys create --name NAME --scopes all")
        return
    table = Table("Name", "Scopes", "Created", "Last used", "State")
    for key in keys:
        table.add_row(
            key.name,
            ", ".join(sorted(key.scopes)),
            f"{key.created_at:%Y-%m-%d}",
            f"{key.last_used_wall:%Y-%m-%d %H:%M}" if key.last_used_wall else "never",
            f"revoked {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "live",
        )
    screen.console().print(table)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="The live key's name.")]) -> None:
    """Close a key for good."""
    from datetime import datetime

    from vezde.access import operations, queries
    from vezde.access.model import Key
    from vezde.cli import screen, session
    from vezde.kit.db import Db

    async def work(db: Db, now: datetime) -> Key:
        key = await queries.key_by_name(db, name)
        return await operations.revoke_key(db, key.key_id, now=now, actor=session.OPERATOR)

    key = session.transact(work)
    screen.say(
        f"The key «{key.name}» is revoked; programs that use it are turned away from now on."
    )
