"""The parts of an installation, each a process of its own: the HTTP face, a worker.

Both are plain `vezde serve --role …`; the supervisor starts them with the database's address in
their environment, where nobody but this user can read it.
"""

import asyncio
import gc
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import psycopg

from vezde import settings as setting
from vezde.cli import screen, session
from vezde.kit import db as kit_db
from vezde.kit import migrate, share
from vezde.kit.errors import DomainError, Kind, Unavailable
from vezde.kit.supervise import FINAL_EXIT
from vezde.settings import Settings
from vezde.worker import process

if TYPE_CHECKING:
    from vezde.wiring import Application

POOL = 10
MAIL_POOL = 4
GRACE_SECONDS = 5
NEW_OBJECTS = 20_000  # that the collector waits for; most of ours go by themselves


class NotMigrated(DomainError):
    """The database is not the one this version needs."""

    code = "not_migrated"
    kind = Kind.REFUSED


class NoMail(DomainError):
    """Letters are not taken by this installation."""

    code = "no_mail"
    kind = Kind.REFUSED


class CannotTakeMail(DomainError):
    """The mail face's address cannot be had, or its certificate not be read."""

    code = "cannot_take_mail"
    kind = Kind.UNAVAILABLE


Part = Callable[[Settings, str, asyncio.Event], Coroutine[Any, Any, None]]


def run(settings: Settings, role: str, *, supervised: bool, face: int = 0) -> int:
    """Run the part until SIGTERM or SIGINT; the exit code.

    Under the supervisor an error that another start would not cure ends with `FINAL_EXIT`. `face`
    is the number of a web process that shares its port with others, 0 of one that does not.
    """
    conninfo = settings.database.url
    try:
        if conninfo is None:
            raise session.NoDatabase(role)
        settings = session.with_samples(settings) if settings.sandbox else settings
        parts: dict[str, Part] = {
            "web": partial(_web, face=face),
            "worker": _worker,
            "mail": _mail,
        }
        import uvloop

        # What an installation is made of stays: looking it through stops everything for 200 ms.
        gc.collect()
        gc.freeze()
        gc.set_threshold(NEW_OBJECTS, 20, 20)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(process.until_signalled(partial(parts[role], settings, conninfo)))
    except DomainError as error:
        if not supervised or error.kind is Kind.UNAVAILABLE:
            raise
        screen.complain(error)
        return FINAL_EXIT
    return 0


async def _web(settings: Settings, conninfo: str, stop: asyncio.Event, *, face: int) -> None:
    from vezde.cli import listening

    with listening.listen(settings.http, beside_others=face > 0) as listener:
        await _require_migrated(conninfo)
        from vezde import wiring
        from vezde.cli import playground
        from vezde.kit.vault import Vault

        vault = Vault(setting.secret_key(settings))
        async with wiring.open_house(
            *(settings, conninfo),
            vault=vault,
            size=POOL,
            planned_once=True,
            waiting=session.mark(settings),
        ) as house:
            if not settings.sandbox:
                await _answer(wiring.web(house, face=face), listener, stop)
                return
            await playground.prepare(house)
            async with playground.opened(house) as app:
                await _answer(app, listener, stop)


async def _worker(settings: Settings, conninfo: str, stop: asyncio.Event) -> None:
    await _require_migrated(conninfo)
    from vezde import wiring
    from vezde.kit.vault import Vault

    vault = Vault(setting.secret_key(settings))
    async with wiring.open_house(
        *(settings, conninfo),
        vault=vault,
        size=POOL,
        planned_once=True,
        waiting=session.mark(settings),
    ) as house:
        work = process.run(wiring.stages(house), house.database, house.waker, house.clock, stop)
        listener = wiring.listener(house, conninfo)
        async with asyncio.TaskGroup() as group:
            group.create_task(work)
            if listener is not None:
                group.create_task(listener.run(stop))


async def _mail(settings: Settings, conninfo: str, stop: asyncio.Event) -> None:
    given = settings.mail
    if given.domain is None:
        raise NoMail("There are no members' addresses: set VEZDE_MAIL_DOMAIN.")
    await _require_migrated(conninfo)
    from vezde import wiring
    from vezde.kit.vault import Vault
    from vezde.mail import server

    vault = Vault(setting.secret_key(settings))
    async with wiring.open_house(settings, conninfo, vault=vault, size=MAIL_POOL) as house:
        box = server.Box(house.database, house.clock, house.vault, given.domain)
        try:
            listening = await server.listen(
                box, host=given.host, port=given.port, certificate=given.certificate
            )
        except (OSError, ssl.SSLError) as error:
            raise CannotTakeMail(
                f"Mail cannot be taken at {given.host}:{given.port} ({error.strerror}); see to "
                "VEZDE_MAIL_HOST, VEZDE_MAIL_PORT and VEZDE_MAIL_CERTIFICATE."
            ) from error
        async with listening:
            await stop.wait()


async def _answer(app: "Application", listener: socket.socket, stop: asyncio.Event) -> None:
    """Serve the application on this socket until `stop`; requests in hand get some seconds."""
    import uvicorn

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Generator[None]:
            """Signals are ours: `process.until_signalled`."""
            yield

    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,  # it prints addresses, and addresses hold phones
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving


async def _require_migrated(conninfo: str) -> None:
    wanted = max(one.number for one in migrate.read(share.folder("migrations")))
    try:
        async with await kit_db.connect(conninfo) as db:
            found = await migrate.newest(db)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege):
        found = 0
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not let us in: {session.words(error)}") from error
    if found != wanted:
        raise NotMigrated(
            f"The database has migration {found}, this version of Vezde needs {wanted}. Run "
            "`vezde db migrate` of the newer version, then start again."
        )
