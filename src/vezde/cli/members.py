"""Members: brought along with their points, and parted who were merged by mistake."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.members.model import Member
    from vezde.wiring import House

app = typer.Typer(no_args_is_help=True, help="Members: brought along, parted again.")


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


@app.command()
def unmerge(
    member: Annotated[str, typer.Argument(help="The id of the member who stayed, mem_….")],
    gone: Annotated[str, typer.Argument(help="The id of the one who became part of them.")],
) -> None:
    """Undo a merge within its term: each has again what was theirs and is still there."""
    from vezde.cli import screen, session
    from vezde.kit import ids
    from vezde.members import operations
    from vezde.wiring import STEPS

    (into,), (back,) = ids.parse("mem", member), ids.parse("mem", gone)

    async def work(house: "House") -> "Member":
        async with house.database.transaction() as db:
            return await operations.unmerge(
                db,
                into,
                back,
                within=house.settings.unmerge_within,
                steps=STEPS,
                vault=house.vault,
                now=await house.clock.programme(db),
                actor=session.OPERATOR,
            )

    session.in_house(work)
    screen.show(f"{gone} is a member by themselves again")
