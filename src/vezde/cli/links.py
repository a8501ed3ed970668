"""Links that people come by: made, printed, counted."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vezde.kit.db import Db
    from vezde.members.links.model import CountedLink, Link
    from vezde.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Links and printed QR codes that people come by.")
MOST = 1_000

Code = Annotated[str, typer.Argument(help="The link's code, the last part of its address.")]
Png = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="Write the QR code for print here: 1,000 pixels or more."),
]
Svg = Annotated[Path | None, typer.Option(dir_okay=False, help="Write it as SVG, of any size.")]


class DoorName(StrEnum):
    """As `vezde.members.links.model.Door`, which would load too much for `--help`."""

    TELEGRAM = "telegram"
    MAX = "max"
    VK = "vk"
    WEB = "web"


@app.command()
def create(
    source: Annotated[str, typer.Option(help="Where people will come from, like blogger-17.")],
    campaign: Annotated[str | None, typer.Option(help="Of which campaign, like autumn.")] = None,
    medium: Annotated[str | None, typer.Option(help="By what: story, box, shelf…")] = None,
    door: Annotated[DoorName, typer.Option(help="The door it leads to.")] = DoorName.TELEGRAM,
    note: Annotated[str | None, typer.Option(help="For yourselves.")] = None,
    png: Png = None,
    svg: Svg = None,
) -> None:
    """Make a link and print its address, alone; with --png and --svg its QR code as well."""
    from vezde.cli import screen, session
    from vezde.members.links import operations
    from vezde.members.links.model import NewLink

    given = NewLink(source, campaign, medium, door.value, note)
    settings = session.begin()

    async def work(db: "Db", now: datetime) -> "Link":
        link = await operations.create(db, given, now=now, actor=session.OPERATOR)
        _draw(settings, link.code, png, svg)  # a file that cannot be written undoes the link
        return link

    link = session.transact(work)
    screen.show(_url(settings, link.code))
    _warn(settings, link)


@app.command()
def qr(code: Code, png: Png = None, svg: Svg = None) -> None:
    """Write a link's QR code again."""
    from vezde.cli import screen, session
    from vezde.members.links import queries

    if png is None and svg is None:
        raise typer.BadParameter("Say where to: --png FILE, --svg FILE, or both")
    settings = session.begin()
    link = session.transact(lambda db, _now: queries.link(db, code))
    _draw(settings, link.code, png, svg)
    screen.show(_url(settings, link.code))
    _warn(settings, link)


@app.command("list")
def listed(
    archived: Annotated[bool, typer.Option("--archived", help="Those put away as well.")] = False,
) -> None:
    """Show the links, the newest first, and how often people opened them."""
    from rich.table import Table

    from vezde.cli import screen, session
    from vezde.members.links import queries

    settings = session.begin()
    links: list[CountedLink] = session.transact(
        lambda db, _now: queries.links(db, archived=archived, limit=MOST + 1)
    )
    if not links:
        screen.say(f"No links yet; make one: {screen.myself()} links create --source NAME")
        return
    table = Table("Address", "Source", "Campaign", "Medium", "Door", "Scans", "Created", "Note")
    for link in links[:MOST]:
        table.add_row(
            _url(settings, link.code),
            link.source,
            link.campaign or "",
            link.medium or "",
            link.door,
            str(link.scans),
            f"{link.created_at:%Y-%m-%d}" + (" (archived)" if link.archived_at else ""),
            link.note or "",
        )
    screen.console().print(table)
    if len(links) > MOST:
        screen.say("… and older ones; GET /v1/links shows all, page by page.")


@app.command()
def archive(code: Code) -> None:
    """Put a link away: it leaves the list, and goes on to work wherever it is printed."""
    from vezde.cli import screen, session
    from vezde.members.links import operations

    link = session.transact(
        lambda db, now: operations.archive(db, code, now=now, actor=session.OPERATOR)
    )
    screen.say(f"The link {link.code} of «{link.source}» is put away; printed, it works on.")


def _url(settings: "Settings", code: str) -> str:
    from vezde import wiring

    return wiring.doors(settings).url(code)


def _draw(settings: "Settings", code: str, png: Path | None, svg: Path | None) -> None:
    """Write the pictures that are asked for."""
    from vezde.members.links import printing

    url = _url(settings, code)
    if png is not None:
        _write(png, printing.png(url))
    if svg is not None:
        _write(svg, printing.svg(url).encode())


def _write(path: Path, content: bytes) -> None:
    from vezde.cli import screen

    try:
        path.write_bytes(content)
    except OSError as error:
        raise typer.BadParameter(f"{path} cannot be written: {error.strerror}") from error
    screen.say(f"Wrote {screen.near(path.absolute())}")


def _warn(settings: "Settings", link: "Link") -> None:
    """What should be known before a thousand boxes are printed."""
    from urllib.parse import urlsplit

    from vezde import wiring
    from vezde.cli import screen

    host = urlsplit(settings.public_url).hostname
    if host in {"127.0.0.1", "::1", "localhost"} and not settings.sandbox:
        screen.say(
            "This address leads to this machine alone: set VEZDE_PUBLIC_URL to the one customers "
            "reach before you print it."
        )
    if wiring.doors(settings).target(link.door, link.code) is None:
        advice = "set VEZDE_TELEGRAM_BOT to the bot's name" if link.door == "telegram" else "wait"
        screen.say(
            f"The door {link.door} has no address yet, so the link asks people to come later; "
            f"{advice} before you hand it out."
        )
