"""A table of opening balances through the members' operation, some batches side by side."""

import asyncio
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from vezde.cli import screen
from vezde.kit import ids
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations as members
from vezde.members.balances import reading
from vezde.members.balances.model import Broken, Row
from vezde.members.operations import Import, Imported
from vezde.program import days
from vezde.program import queries as program
from vezde.program.decide import expires_after

if TYPE_CHECKING:
    from vezde.wiring import House

AT_ONCE = 200
SIDE_BY_SIDE = 3


@dataclass(frozen=True)
class Asked:
    """What the command was asked to import, under which name, and where it tells broken rows."""

    file: Path
    batch: str
    title: str
    errors: Path


@dataclass
class Counts:
    """Rows by what became of them; `credited` got points now."""

    rows: int = 0
    credited: int = 0
    enrolled: int = 0
    repeated: int = 0
    broken: int = 0


class _Table:
    """The file's rows in batches, and what became of them."""

    def __init__(self, rows: Iterator[Row | Broken], told: TextIO) -> None:
        self.counts = Counts()
        self._rows = rows
        self._told = csv.writer(told)
        self._told.writerow(("row", "what to correct"))

    def take(self) -> list[Row]:
        """The next rows that can be tried; none at the end. Broken ones are told on the way."""
        found: list[Row] = []
        for one in self._rows:
            if isinstance(one, Row):
                found.append(one)
            else:
                self.tell([one])
            if len(found) == AT_ONCE:
                break
        return found

    def tell(self, outcomes: Sequence[Imported | Broken]) -> None:
        for one in outcomes:
            self.counts.rows += 1
            if isinstance(one, Broken):
                self.counts.broken += 1
                self._told.writerow((one.line, one.why))
            elif one.repeated:
                self.counts.repeated += 1
            else:
                self.counts.credited += 1
                self.counts.enrolled += one.enrolled


async def run(house: "House", asked: Asked) -> Counts:
    """Import the whole file, a bounded number of its rows in memory at a time."""
    given = await _import(house, asked)
    size = asked.file.stat().st_size
    with (
        screen.share_done(asked.file.name, size) as done,
        asked.errors.open("w", encoding="utf-8-sig", newline="") as told,
    ):
        table = _Table(reading.read(asked.file, done=done), told)
        workers = [_work(house, given, table) for _ in range(SIDE_BY_SIDE)]
        for ended in await asyncio.gather(*workers, return_exceptions=True):
            if isinstance(ended, BaseException):
                raise ended
    if not table.counts.broken:
        asked.errors.unlink()
    return table.counts


async def _import(house: "House", asked: Asked) -> Import:
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
    return Import(
        batch=asked.batch,
        run=ids.new().hex,
        title=asked.title,
        valid_until=partial(days.end_of, programme.zone),
        by_default=expires_after(programme, now),
    )


async def _work(house: "House", given: Import, table: _Table) -> None:
    while rows := table.take():
        try:
            table.tell(await _write(house, given, rows))
        except DomainError:
            # One of them spoilt all: each alone, so that only it is broken.
            for row in rows:
                table.tell([await _alone(house, given, row)])


async def _alone(house: "House", given: Import, row: Row) -> Imported | Broken:
    try:
        (outcome,) = await _write(house, given, [row])
    except DomainError as error:
        if error.kind is Kind.UNAVAILABLE:
            raise
        return Broken(row.line, error.detail)
    return outcome


async def _write(house: "House", given: Import, rows: Sequence[Row]) -> list[Imported | Broken]:
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        return await members.import_balances(db, rows, given, vault=house.vault, now=now)
