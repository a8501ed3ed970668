"""The brand's people: those at the tills and those in the console."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

    from vezde.access.staff import Operator
    from vezde.kit.db import Db
    from vezde.wiring import House

app = typer.Typer(no_args_is_help=True, help="The brand's people: at the tills and in the console.")


class RoleName(StrEnum):
    """As `vezde.access.staff.Role`, which would load too much for `--help`."""

    CASHIER = "cashier"
    OPERATOR = "operator"
    MARKETER = "marketer"
    ANALYST = "analyst"
    ADMIN = "admin"


Name = Annotated[str, typer.Argument(help="The operator's name.")]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Who they are; unique among those who are there.")],
    role: Annotated[RoleName, typer.Option(help="What they may do.")] = RoleName.CASHIER,
    phone: Annotated[
        str | None, typer.Option(help="Gets their codes by SMS when they ask for one.")
    ] = None,
    telegram: Annotated[
        str | None, typer.Option(help="Their account's number, when they use the bot.")
    ] = None,
    sales_channel: Annotated[
        str, typer.Option(help="Of which channel sales at their till are.")
    ] = "own_shop",
) -> None:
    """Take somebody on and print a code they sign in by once, within a quarter of an hour."""
    from vezde.access import operations
    from vezde.cli import screen, session

    async def work(house: "House") -> tuple[str, "Operator"]:
        async with house.database.transaction() as db:
            made = await operations.take_on(
                db,
                name=name,
                role=role.value,
                sales_channel=sales_channel,
                phone=phone,
                telegram=telegram,
                vault=house.vault,
                now=await house.clock.programme(db),
                actor=session.OPERATOR,
            )
            return await _code(house, db, made), made

    code, made = session.in_house(work)
    screen.show(code)
    screen.say(f"«{made.name}» signs in with this code, once and within a quarter of an hour.")


@app.command("code")
def code_(name: Name) -> None:
    """Print a fresh one-time code; the one before is not good any more."""
    from vezde.access.operations import staffing
    from vezde.cli import screen, session

    async def work(house: "House") -> str:
        async with house.database.transaction() as db:
            return await _code(house, db, await staffing.operator_by_name(db, name))

    screen.show(session.in_house(work))


@app.command()
def invite(name: Name) -> None:
    """Print a link that signs somebody in to the console, once and within a day."""
    from vezde.access import operations, staff
    from vezde.access.operations import staffing
    from vezde.cli import screen, session

    async def work(house: "House") -> str:
        async with house.database.transaction() as db:
            found = await staffing.operator_by_name(db, name)
            secret, _ = await operations.invite(db, found.operator_id, wall=house.clock.wall())
            return staff.console_link(house.settings.public_url, secret)

    screen.show(session.in_house(work))
    screen.say("Good once and for a day; the link before is not good any more.")


@app.command()
def role(
    name: Name, role: Annotated[RoleName, typer.Argument(help="What they may do from now on.")]
) -> None:
    """Give somebody another role, at once, also where they are signed in."""
    from vezde.access.operations import staffing
    from vezde.cli import screen, session

    async def work(db: "Db", _now: "datetime") -> "Operator":
        found = await staffing.operator_by_name(db, name)
        return (await staffing.change_role(db, found.operator_id, role.value))[1]

    changed = session.transact(work)
    screen.say(f"«{changed.name}» is {changed.role} now.")


@app.command("list")
def listed() -> None:
    """Show everybody there ever was."""
    from rich.table import Table

    from vezde.access import queries
    from vezde.cli import screen, session

    found = session.transact(lambda db, _now: queries.operators(db))
    if not found:
        screen.say(f"Nobody yet: {screen.myself()} operators create --name NAME --role cashier")
        return
    table = Table("Name", "Role", "Sales channel", "Since", "Left")
    for one in found:
        left = f"{one.left_at:%Y-%m-%d}" if one.left_at else ""
        table.add_row(one.name, one.role, one.sales_channel, f"{one.created_at:%Y-%m-%d}", left)
    screen.console().print(table)


@app.command()
def leave(name: Name) -> None:
    """Somebody left: their sessions and codes end at once."""
    from vezde.access.operations import staffing
    from vezde.cli import screen, session

    async def work(db: "Db", now: "datetime") -> "Operator":
        found = await staffing.operator_by_name(db, name)
        return await staffing.leave(db, found.operator_id, now=now, actor=session.OPERATOR)

    screen.say(f"«{session.transact(work).name}» is signed out everywhere and cannot sign in.")


async def _code(house: "House", db: "Db", who: "Operator") -> str:
    from vezde.access import operations

    code, _ = await operations.operator_code(
        db, who.operator_id, vault=house.vault, wall=house.clock.wall()
    )
    return code
