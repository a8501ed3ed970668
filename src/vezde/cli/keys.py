"""API keys for other programs."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="API keys for other programs.")


@app.command()
def create(
    name: Annotated[str, typer.Option(help="What the key is for; unique among live keys.")],
    scopes: Annotated[
        list[str] | None,
        typer.Option(help="What it opens, separated by commas: all, or members,receipts…"),
    ] = None,
    publishable: Annotated[
        bool, typer.Option("--publishable", help="A key for the widget in a page, not a secret.")
    ] = False,
    origin: Annotated[
        list[str] | None,
        typer.Option(help="Whose pages may use it, like https://shop.example; repeatable."),
    ] = None,
    sales_channel: Annotated[
        str, typer.Option(help="Of which channel orders on these pages are.")
    ] = "own_site",
    enrols: Annotated[
        bool, typer.Option("--enrols", help="Whoever proves a new phone there becomes a member.")
    ] = False,
) -> None:
    """Make a key and print it, alone; it is never shown again."""
    from datetime import datetime

    from vezde.access import operations
    from vezde.access.model import Key
    from vezde.cli import screen, session
    from vezde.kit.db import Db

    if publishable != bool(origin) or publishable == bool(scopes):
        raise typer.BadParameter("Give --scopes, or --publishable with --origin")
    words = [word for given in scopes or () for word in given.replace(",", " ").split()]

    async def work(db: Db, now: datetime) -> tuple[str, Key]:
        if not publishable:
            return await operations.create_key(
                db, name=name, scopes=words, now=now, actor=session.OPERATOR
            )
        return await operations.create_publishable_key(
            db,
            name=name,
            origins=origin or (),
            sales_channel=sales_channel,
            enrols=enrols,
            now=now,
            actor=session.OPERATOR,
        )

    text, _ = session.transact(work)
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
    table = Table("Name", "Scopes", "Pages of", "Created", "Last used", "State")
    for key in keys:
        table.add_row(
            key.name,
            ", ".join(sorted(key.scopes)),
            "\n".join(key.page.origins) if key.page else "",
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
