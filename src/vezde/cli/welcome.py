"""What `vezde serve` says once it answers: where, with which key, what to try, how to stop."""

import asyncio
import contextlib
import time
from dataclasses import dataclass

import structlog
import typer

from vezde.cli import screen
from vezde.cli.session import Logins
from vezde.kit.db import Database
from vezde.settings import Http, Settings, own_address

LOOK_SECONDS, WORRY_SECONDS = 0.05, 30
PHONE = "+79000000001"  # of a range that nobody is given

log = structlog.get_logger(__name__)


async def greet(settings: Settings, logins: Logins, stop: asyncio.Event, *, began: float) -> None:
    """Wait until the installation is ready, then say so; runs beside the supervisor's children."""
    worried = False
    while not await _is_ready(settings.http):
        if not worried and time.monotonic() - began > WORRY_SECONDS:
            worried = True
            log.warning("not_ready_yet", seconds=WORRY_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await stop.wait()
        if stop.is_set():
            return
    lines = _sandbox(settings) if settings.sandbox else _real(await _missing(logins))
    console = await _console(settings, logins)
    seconds = time.monotonic() - began
    screen.show(_head(settings, seconds), *_play(settings), *console, *_doors(settings))
    screen.show(*lines, _foot(settings))


def _head(settings: Settings, seconds: float) -> str:
    what = "Vezde is ready, as a sandbox" if settings.sandbox else "Vezde is ready"
    return "\n" + typer.style(f"{what} ({seconds:.1f} s).", bold=True) + "\n"


def _play(settings: Settings) -> list[str]:
    """Where to begin: in a browser."""
    if settings.playground_url is None:
        return []
    page = typer.style(settings.playground_url, bold=True, fg="green")
    return [
        f"  Open      {page}",
        "            a phone with the bot, receipts to show, a clock",
        "",
    ]


async def _console(settings: Settings, logins: Logins) -> list[str]:
    """The pages for the brand's people; in a sandbox with a link that opens them once."""
    if not settings.sandbox:
        return [f"  Console   {settings.public_url.rstrip('/')}/console"]
    from vezde.access import staff
    from vezde.cli import playground
    from vezde.kit.clock import utc_now

    async with Database(logins.app, size=1) as database, database.transaction() as db:
        secret = await playground.invitation(db, wall=utc_now())
    page = typer.style(staff.console_link(own_address(settings.http), secret), fg="green")
    return [
        f"  Console   {page}",
        "            the pages for the brand's people; this link signs in once, the next:",
        f"            {screen.myself()} operators invite {playground.ADMIN}",
        "",
    ]


def _doors(settings: Settings) -> list[str]:
    return [
        f"  API       {own_address(settings.http)}/v1",
        f"  Docs      {own_address(settings.http)}/docs",
    ]


def _foot(settings: Settings) -> str:
    place = screen.near(settings.data_dir)
    kept = "the database" if settings.database.url else f"{place}/"
    return f"\nStop with Ctrl-C; everything stays in {kept} until the next start.\n"


def _sandbox(settings: Settings) -> list[str]:
    url, me = own_address(settings.http), screen.myself()
    folder = screen.near(settings.data_dir)
    key = f"$(cat {folder}/api.key)"
    return [
        f"  Key       {folder}/api.key, opens everything",
        f"  Samples   {folder}/samples, receipts of the last days",
        "",
        "Points for some receipts (from another terminal, in this folder):",
        "",
        f"  {me} receipts submit --enrol --phone {PHONE} {folder}/samples/*.json",
        f"  {me} receipts submit --phone {PHONE} {folder}/samples",
        "",
        "The member and the points, then two weeks later:",
        "",
        f'  curl -H "Authorization: Bearer {key}" "{url}/v1/members?phone=%2B{PHONE[1:]}"',
        f"  {me} clock advance P14D",
        "",
        "And all of it afresh:",
        "",
        f'  curl -X POST -H "Authorization: Bearer {key}" {url}/v1/sandbox/reset',
    ]


@dataclass(frozen=True)
class Missing:
    """What a new installation still lacks."""

    programme: bool
    products: bool
    key: bool
    administrator: bool


def _real(missing: Missing) -> list[str]:
    me = screen.myself()
    steps = [
        (missing.programme, "publish a programme", f"{me} program publish FILE.yaml"),
        (missing.products, "import the catalogue", f"{me} catalog import FILE.csv"),
        (missing.key, "create an API key", f"{me} keys create --name NAME --scopes all"),
        (
            missing.administrator,
            "take on somebody",
            f"{me} operators create --name NAME --role admin; {me} operators invite NAME",
        ),
    ]
    wanted = [f"  {what:<22}{how}" for lacks, what, how in steps if lacks]
    return ["", "To begin, from another terminal:", "", *wanted] if wanted else []


async def _missing(logins: Logins) -> Missing:
    from vezde.access import queries as access
    from vezde.access.staff import Role
    from vezde.catalog import queries as catalog
    from vezde.kit.clock import utc_now
    from vezde.program import queries as program

    async with Database(logins.app, size=1) as database, database.transaction() as db:
        return Missing(
            programme=await program.in_force(db, at=utc_now()) is None,
            products=await catalog.count(db) == 0,
            key=all(key.revoked_at for key in await access.keys(db)),
            administrator=all(
                one.left_at or one.role is not Role.ADMIN for one in await access.operators(db)
            ),
        )


async def _is_ready(http: Http) -> bool:
    """Whether /readyz says so; by hand, as a supervisor needs no HTTP client for it."""
    host = own_address(http).removeprefix("http://").rpartition(":")[0].strip("[]")
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(host, http.port)
            try:
                writer.write(
                    b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                )
                status = await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
