"""The programme's clock, which a sandbox may move ahead."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.wiring import House

app = typer.Typer(help="The programme's clock; a sandbox's can be moved ahead.")


@app.callback(invoke_without_command=True)
def show(context: typer.Context) -> None:
    """Show the programme's time."""
    if context.invoked_subcommand is None:
        from vezde.cli import session

        _print(session.transact(_now))


@app.command()
def advance(
    duration: Annotated[str, typer.Argument(help="How far, like P30D, PT2H or P1DT12H.")],
) -> None:
    """Move a sandbox's clock ahead; what falls due on the way is worked off, each in its time."""
    from vezde.cli import session
    from vezde.kit import durations

    ahead = durations.parse(duration)

    async def work(house: "House") -> datetime:
        from vezde import wiring

        async with house.database.transaction() as db:
            until = await house.clock.programme(db) + ahead
        return await wiring.advance(house, until)

    _print(session.in_house(work))


async def _now(_db: object, now: datetime) -> datetime:
    return now


def _print(now: datetime) -> None:
    from datetime import UTC

    from vezde.cli import screen

    ahead = now - datetime.now(UTC)
    minutes = round(ahead.total_seconds() / 60)
    days, rest = divmod(minutes, 24 * 60)
    moved = f", {days} d {rest // 60} h {rest % 60} min ahead of the wall" if minutes else ""
    screen.show(f"{now:%Y-%m-%d %H:%M:%S} UTC{moved}")
