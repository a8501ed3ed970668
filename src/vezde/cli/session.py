"""What a short command stands on: settings, the running server's database or one for this command.

A command beside a running `vezde serve` uses its database and is a sandbox's when that is one.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from vezde import settings as setting
from vezde.kit import clock, log, migrate, postgres, share
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, Kind, Unavailable
from vezde.kit.pace import Mark
from vezde.kit.postgres import folder
from vezde.settings import Settings

if TYPE_CHECKING:
    from vezde.wiring import House

Answer = TypeVar("Answer")
OPERATOR = "operator:cli"


class OwnerRefused(DomainError):
    """The owner's login may not do what owners do."""

    code = "owner_refused"
    kind = Kind.REFUSED


class SandboxDatabase(DomainError):
    """A real installation must not work in a time that is not real."""

    code = "sandbox_database"
    kind = Kind.REFUSED


class NoDatabase(DomainError):
    """A part of an installation alone has no database to start."""

    code = "no_database"
    kind = Kind.REFUSED

    def __init__(self, role: str) -> None:
        super().__init__(
            f"--role {role} needs VEZDE_DATABASE_URL and VEZDE_DATABASE_OWNER_URL: the embedded "
            "database belongs to one `vezde serve`, which runs all roles."
        )


@dataclass(frozen=True)
class Logins:
    """Conninfos of a migrated database; `applied` are the migrations that were missing."""

    app: str = field(repr=False)
    owner: str = field(repr=False)
    applied: tuple[str, ...] = ()


def begin() -> Settings:
    """A short command's settings, and its log on standard error; raises `SettingsInvalid`."""
    settings = setting.load(os.environ)
    level = settings.log.level if os.environ.get("VEZDE_LOG_LEVEL") else "warning"
    log.configure(level=level, format=settings.log.format)
    embedded = settings.database.url is None
    if embedded and not os.environ.get("VEZDE_SANDBOX"):
        sandbox = bool(folder.told(settings.data_dir).get("sandbox"))
        settings = replace(settings, sandbox=settings.sandbox or sandbox)
    return with_samples(settings) if settings.sandbox else settings


def with_samples(settings: Settings) -> Settings:
    """A sandbox's settings: its samples are confirmed by nobody but itself."""
    samples = settings.data_dir / "samples"
    if settings.documents_dir is None and samples.is_dir():
        return replace(settings, documents_dir=samples)
    return settings


@contextmanager
def logins(settings: Settings) -> Iterator[Logins]:
    """The installation's database while the block lasts, migrated.

    Raises what `kit.postgres` and `migrate.apply` raise, `Unavailable`, `OwnerRefused`,
    `SandboxDatabase`.
    """
    if settings.database.url is not None and settings.database.owner_url is not None:
        yield migrated(settings.database.url, settings.database.owner_url, settings)
        return
    with postgres.attach_or_start(settings.data_dir) as access:
        yield migrated(access.app, access.owner, settings)


def migrated(app: str, owner: str, settings: Settings) -> Logins:
    """Apply what is missing to a database."""
    try:
        psycopg.connect(app).close()  # the migrations grant rights to this login
        applied = migrate.apply(
            owner,
            share.folder("migrations"),
            app_login=str(conninfo_to_dict(app)["user"]),
            now=clock.utc_now(),
        )
        _check_clock(app, settings)
    except psycopg.OperationalError as error:
        raise Unavailable(f"The database does not let us in: {words(error)}") from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise OwnerRefused(
            "The login of VEZDE_DATABASE_OWNER_URL must own the database, and grant to that of "
            f"VEZDE_DATABASE_URL: {words(error)}"
        ) from error
    return Logins(app, owner, tuple(applied))


def transact(work: Callable[[Db, datetime], Awaitable[Answer]]) -> Answer:
    """Run `work(db, now)` in a transaction of the application's login; `now` is the programme's."""
    settings = begin()
    with logins(settings) as found:

        async def run() -> Answer:
            async with Database(found.app, size=1) as database, database.transaction() as db:
                return await work(db, await Clock(sandbox=settings.sandbox).programme(db))

        return asyncio.run(run())


def in_house(work: Callable[["House"], Awaitable[Answer]]) -> Answer:
    """Run `work(house)` with everything that a process of the installation has."""
    settings = begin()
    with logins(settings) as found:
        from vezde import wiring
        from vezde.kit.vault import Vault

        async def run() -> Answer:
            vault = Vault(setting.secret_key(settings))
            async with wiring.open_house(
                settings, found.app, vault=vault, size=4, waiting=mark(settings)
            ) as house:
                return await work(house)

        return asyncio.run(run())


def mark(settings: Settings) -> Mark:
    """What the installation's processes on this machine share of who waits."""
    return Mark(settings.data_dir / "waiting")


def _check_clock(app: str, settings: Settings) -> None:
    with psycopg.connect(app, autocommit=True) as db:
        row = db.execute(clock.OFFSET).fetchone()
    if not settings.sandbox and row is not None and row[0] > 0:
        raise SandboxDatabase(
            "This database is a sandbox's, its clock was moved ahead. Set VEZDE_SANDBOX=1, or take "
            "another VEZDE_DATA_DIR or VEZDE_DATABASE_URL."
        )


def words(error: psycopg.Error) -> str:
    """What PostgreSQL says, on one line."""
    return " ".join(str(error).split())
