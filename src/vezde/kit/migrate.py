"""Forward-only migrations: plain SQL files, in order, once each, under one advisory lock.

A file is `NNNN_<domain>_<what>.sql`. It names the application's login as `vezde_app`; the runner
puts the real login there. A file that was applied and has changed since stops the start.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psycopg
from psycopg import sql

from vezde.kit.db import Db, fetch_value
from vezde.kit.errors import DomainError, Kind

LOCK = 7_386_001  # any constant; one runner at a time in a database
APP_LOGIN = re.compile(r"\bvezde_app\b")
NAME = re.compile(r"^(\d{4})_([a-z]+)_([a-z0-9_]+)\.sql$")

TAKE_TURN = "SELECT pg_advisory_lock(%s)"
END_TURN = "SELECT pg_advisory_unlock(%s)"
JOURNAL = """
CREATE SCHEMA IF NOT EXISTS kit;
CREATE TABLE IF NOT EXISTS kit.migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL
);
"""
APPLIED = "SELECT number, name, sha256 FROM kit.migration ORDER BY number"
NEWEST = "SELECT max(number) FROM kit.migration"
REMEMBER = "INSERT INTO kit.migration (number, name, sha256, applied_at) VALUES (%s, %s, %s, %s)"


class MigrationRefused(DomainError):
    code = "migration_refused"
    kind = Kind.REFUSED


@dataclass(frozen=True)
class Migration:
    number: int
    domain: str
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read(folder: Path) -> list[Migration]:
    """The folder's migrations by number; raises `MigrationRefused` on a bad name or number."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        match = NAME.match(path.name)
        if not match:
            raise MigrationRefused(f"{path.name}: a migration is named NNNN_domain_what.sql")
        found.append(Migration(int(match[1]), match[2], path.name, path.read_text("utf-8")))
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise MigrationRefused("Two migrations have the same number; give the newer one the next")
    return found


def apply(owner_conninfo: str, folder: Path, *, app_login: str, now: datetime) -> list[str]:
    """Apply what is missing, each file in its own transaction; returns the names applied.

    Raises `MigrationRefused` when an applied file has changed or the database is ahead of the
    folder. Safe to call from several processes at once.
    """
    wanted = read(folder)
    with psycopg.connect(owner_conninfo, autocommit=True, options="-c timezone=UTC") as db:
        db.execute(TAKE_TURN, [LOCK])
        try:
            db.execute(JOURNAL)
            done = {row[0]: (row[1], row[2]) for row in db.execute(APPLIED)}
            _check(wanted, done)
            missing = [migration for migration in wanted if migration.number not in done]
            for migration in missing:
                _apply_one(db, migration, app_login, now)
            return [migration.name for migration in missing]
        finally:
            db.execute(END_TURN, [LOCK])


async def newest(db: Db) -> int:
    """The number of the newest migration applied; 0 when there is none."""
    return int(await fetch_value(db, NEWEST) or 0)


def _check(wanted: list[Migration], done: dict[int, tuple[str, str]]) -> None:
    known = {migration.number: migration for migration in wanted}
    for number, (name, sha256) in done.items():
        if number not in known:
            raise MigrationRefused(
                f"The database has migration {name}, this version of Vezde does not. "
                "Start the newer version, or restore a backup made before the upgrade."
            )
        if known[number].sha256 != sha256:
            raise MigrationRefused(
                f"{name} was changed after it had been applied. Restore the file and put the "
                "change into a new migration."
            )


def _apply_one(db: psycopg.Connection, migration: Migration, app_login: str, now: datetime) -> None:
    login = sql.Identifier(app_login).as_string(db)
    with db.transaction():
        # A file holds many statements; psycopg sends them as one simple query.
        db.execute(APP_LOGIN.sub(lambda _: login, migration.text).encode())
        db.execute(REMEMBER, [migration.number, migration.name, migration.sha256, now])
