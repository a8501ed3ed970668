"""Files by name: in the database by default, in a directory by setting.

A name is any text; it is written once. What is deleted or expired is gone for readers with the
transaction that says so, and for good by `sweep`.
"""

import asyncio
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import LiteralString, Protocol
from uuid import uuid4

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind

MOST_BYTES = 25 * 1024 * 1024
DELETED = datetime(1970, 1, 1, tzinfo=UTC)

PUT: LiteralString = """
INSERT INTO kit.file (name, media_type, size, expires_at, content) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (name) DO NOTHING
RETURNING name
"""
GET: LiteralString = """
SELECT media_type, size, content FROM kit.file
WHERE name = %s AND expires_at IS DISTINCT FROM %s
"""
DELETE: LiteralString = "UPDATE kit.file SET expires_at = %s, content = NULL WHERE name = ANY(%s)"
EXPIRED: LiteralString = """
SELECT name FROM kit.file WHERE expires_at <= %s ORDER BY expires_at LIMIT %s
FOR UPDATE SKIP LOCKED
"""
FORGET: LiteralString = "DELETE FROM kit.file WHERE name = ANY(%s)"


class FileTooLarge(DomainError):
    code = "too_large"
    kind = Kind.INVALID


class FileExists(DomainError):
    code = "file_exists"
    kind = Kind.CONFLICT


class FileMissing(DomainError):
    code = "file_missing"
    kind = Kind.MISSING


@dataclass(frozen=True)
class File:
    media_type: str
    content: bytes


class Files(Protocol):
    """Where files are kept; `DatabaseFiles` and `DirectoryFiles` behave alike."""

    async def put(
        self, db: Db, *, name: str, content: bytes, media_type: str, expires_at: datetime | None
    ) -> None:
        """Keep it until `expires_at` (programme time); raises `FileTooLarge`, `FileExists`."""

    async def get(self, db: Db, *, name: str) -> File:
        """The file of this name; raises `FileMissing`."""

    async def delete(self, db: Db, *, names: Sequence[str]) -> None:
        """These names are gone, those that never were too."""

    async def sweep(self, db: Db, *, now: datetime, limit: int) -> int:
        """Remove for good what is deleted or expired; how many."""


class DatabaseFiles:
    """The bytes lie in `kit.file`: backed up with everything else, one service less."""

    async def put(
        self, db: Db, *, name: str, content: bytes, media_type: str, expires_at: datetime | None
    ) -> None:
        _check_size(content)
        await _remember(db, [name, media_type, len(content), expires_at, content])

    async def get(self, db: Db, *, name: str) -> File:
        row = await _find(db, name)
        assert row.content is not None, "kept by DirectoryFiles: set the directory again"
        return File(row.media_type, row.content)

    async def delete(self, db: Db, *, names: Sequence[str]) -> None:
        await db.execute(DELETE, [DELETED, list(names)])

    async def sweep(self, db: Db, *, now: datetime, limit: int) -> int:
        names = await _expired(db, now, limit)
        await db.execute(FORGET, [names])
        return len(names)


class DirectoryFiles:
    """The bytes lie in a directory, the names in `kit.file`.

    A path is made from the hash of the name, so no name leads out of the directory. A file is
    written whole before its row commits; one whose transaction is rolled back stays behind unseen
    and is written over by the next of its name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(
        self, db: Db, *, name: str, content: bytes, media_type: str, expires_at: datetime | None
    ) -> None:
        _check_size(content)
        await _remember(db, [name, media_type, len(content), expires_at, None])
        await asyncio.to_thread(_write, self.path(name), content)

    async def get(self, db: Db, *, name: str) -> File:
        row = await _find(db, name)
        try:
            content = await asyncio.to_thread(self.path(name).read_bytes)
        except FileNotFoundError as error:
            raise _missing(name) from error
        return File(row.media_type, content)

    async def delete(self, db: Db, *, names: Sequence[str]) -> None:
        await db.execute(DELETE, [DELETED, list(names)])

    async def sweep(self, db: Db, *, now: datetime, limit: int) -> int:
        names = await _expired(db, now, limit)
        for name in names:  # before the rows: a death in between repeats it
            await asyncio.to_thread(self.path(name).unlink, missing_ok=True)
        await db.execute(FORGET, [names])
        return len(names)

    def path(self, name: str) -> Path:
        """Two levels of 256 folders, then the hash."""
        digest = hashlib.sha256(name.encode()).hexdigest()
        return self._folder / digest[:2] / digest[2:4] / digest


@dataclass(frozen=True)
class _Row:
    media_type: str
    size: int
    content: bytes | None


def _check_size(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise FileTooLarge(f"The file has {len(content)} bytes; send at most {MOST_BYTES}")


def _missing(name: str) -> FileMissing:
    return FileMissing("There is no such file, or its time is over", extra={"name": name})


async def _remember(db: Db, row: Sequence[object]) -> None:
    if await kit_db.fetch_value(db, PUT, row) is None:
        raise FileExists("A file of this name is kept already; a name is written once")


async def _find(db: Db, name: str) -> _Row:
    row = await kit_db.fetch_one(db, _Row, GET, [name, DELETED])
    if row is None:
        raise _missing(name)
    return row


async def _expired(db: Db, now: datetime, limit: int) -> list[str]:
    rows = await (await db.execute(EXPIRED, [now, limit])).fetchall()
    return [row[0] for row in rows]


def _write(path: Path, content: bytes) -> None:
    """Whole or not at all, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{uuid4().hex}")
    try:
        with part.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
