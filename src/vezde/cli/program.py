"""The programme's document."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.program.model import Version

app = typer.Typer(no_args_is_help=True, help="The programme's document.")
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="YAML or JSON.")
]


@app.command()
def check(file: File) -> None:
    """Say what is wrong with a document, by line; nothing is published."""
    from vezde import wiring
    from vezde.cli import screen
    from vezde.program import operations

    found = operations.check(file.read_bytes(), sections=wiring.SECTIONS).errors
    for one in found:
        screen.show(_at(file, one.line, one.path, one.detail))
    if found:
        screen.say(f"{len(found)} to correct.")
        raise typer.Exit(1)
    screen.say(f"{file} is a programme. Publish it: {screen.myself()} program publish {file}")


@app.command()
def publish(
    file: File,
    valid_from: Annotated[
        str | None,
        typer.Option(help="From when, with a zone: 2026-12-01T00:00:00+03:00. Default: now."),
    ] = None,
) -> None:
    """Publish a document as the next version; the first one is in force for all earlier time."""
    from vezde import wiring
    from vezde.cli import screen, session
    from vezde.kit.db import Db
    from vezde.program import operations

    start = _instant(valid_from)

    async def work(db: Db, now: datetime) -> "Version":
        return await operations.publish(
            db,
            file.read_bytes(),
            sections=wiring.SECTIONS,
            valid_from=start,
            now=now,
            actor=session.OPERATOR,
        )

    try:
        version = session.transact(work)
    except operations.ProgramInvalid as invalid:
        for one in invalid.errors:
            screen.show(_at(file, one.line, one.path, one.detail))
        screen.say(f"vezde: {invalid.detail}")
        raise typer.Exit(1) from invalid
    since = "the beginning" if version.version == 1 else f"{version.valid_from:%Y-%m-%d %H:%M} UTC"
    screen.show(f"Version {version.version}, in force from {since}.")


@app.command()
def texts(
    file: File,
    text: Annotated[
        list[str] | None, typer.Option(help="Names of texts; default: those that are your own.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Shipped texts too.")] = False,
) -> None:
    """Show what members would read, with made-up values; nothing is published or sent."""
    from vezde import wiring
    from vezde.api import texts as previewing
    from vezde.cli import screen
    from vezde.messaging import templates
    from vezde.program.operations import ProgramInvalid

    try:
        found = previewing.previews(file.read_bytes(), wiring.SECTIONS)
    except ProgramInvalid as invalid:
        for wrong in invalid.errors:
            screen.show(_at(file, wrong.line, wrong.path, wrong.detail))
        screen.say(f"{len(invalid.errors)} to correct.")
        raise typer.Exit(1) from invalid
    wanted = set(text or ())
    if strange := wanted - {one.text for one in found}:
        raise typer.BadParameter(f"There is no text «{min(strange)}»")
    shown = [one for one in found if one.text in wanted or everything or (one.own and not wanted)]
    for one in shown:
        screen.show(f"--- {one.text} ({one.locale}{', your own' if one.own else ''})")
        screen.show(templates.plain(one.shown))
    if not shown:
        screen.say("This document has no texts of its own; --all shows the shipped ones.")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("expected like 2026-12-01T00:00:00+03:00") from error
    if at.utcoffset() is None:
        raise typer.BadParameter("needs a zone, like 2026-12-01T00:00:00+03:00")
    return at.astimezone(UTC)


def _at(file: Path, line: int | None, path: str, detail: str) -> str:
    """As compilers write it, so that editors jump there."""
    return ": ".join(
        part for part in (f"{file}:{line}" if line else str(file), path, detail) if part
    )
