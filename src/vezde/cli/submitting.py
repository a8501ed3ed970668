"""Register an operator's receipts and wait until they are decided."""

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from vezde import wiring
from vezde.api import names
from vezde.catalog import queries as catalog
from vezde.cli import inputs, screen, session
from vezde.cli.inputs import Shown, Unread
from vezde.cli.summary import Report, Row
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.work import heartbeat
from vezde.kit.work.pause import Turnstile
from vezde.members import identities
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.program import queries as program
from vezde.receipts import intake, queries
from vezde.receipts.intake import Desk, Line, NoSuchMember
from vezde.receipts.model import Status
from vezde.receipts.operations.registering import ASK, SETTLE
from vezde.receipts.reading.model import Findings
from vezde.receipts.reading.reader import Reader, of_text
from vezde.wiring import House

AT_ONCE = 100
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Owner:
    """Whose the receipts are: a phone or a member's public id, one of them."""

    phone: str | None
    member: str | None
    enrol: bool


@dataclass(frozen=True, slots=True)
class _Registered:
    """A receipt of this run: the how many-th, where it came from."""

    number: int
    source: str
    member_id: UUID
    receipt_id: UUID
    repeated: bool

    @property
    def key(self) -> tuple[UUID, UUID]:
        return self.member_id, self.receipt_id


async def submit(
    house: House, owner: Owner, paths: Sequence[Path], *, wait_seconds: float, as_json: bool
) -> bool:
    """Register all receipts of these files and show what became of them; False: some were not read.

    Works through slices, so that a long export fits: what is shown as a table has a limit, the
    totals have none.
    """
    if house.settings.sandbox:
        await wiring.furnish(house)
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        programme = (await program.programmes(db)).at(now)
        member_id = await _member(db, house, owner)
    report = Report(house.settings.locale, programme, as_json=as_json)
    checking: list[_Registered] = []
    with screen.counting("receipts") as counted:
        number = 0
        looked = _slices(inputs.files(paths), _Look(house.reader, asyncio.get_running_loop()))
        nothing: list[Shown | Unread] = []
        while part := await asyncio.to_thread(next, looked, nothing):
            for unread in (one for one in part if isinstance(one, Unread)):
                report.unread(unread.source, unread.why)
            shown = [one for one in part if isinstance(one, Shown)]
            checking += await _take_in(house, member_id, shown, report, first=number)
            number += len(shown)
            counted(len(shown))
        await _wait(house, checking, wait_seconds)
    for start in range(0, len(checking), AT_ONCE):
        await _show(house, checking[start : start + AT_ONCE], report)
    report.close(asked=bool(house.providers))
    return report.all_read


async def _member(db: Db, house: House, owner: Owner) -> UUID:
    if owner.member is not None:
        member_id = names.member_id(owner.member)
        if member_id in await member_queries.active(db, [member_id]):
            return member_id
        raise NoSuchMember("There is no such member; check the id.")
    phone = identities.phone(owner.phone or "")
    if owner.enrol:
        enrolled = await members.enrol_missing(
            db,
            [phone],
            vault=house.vault,
            now=await house.clock.programme(db),
            actor=session.OPERATOR,
            source="cli",
        )
        return enrolled[phone]
    known = await member_queries.ids_by_phone(db, [phone], vault=house.vault)
    if phone not in known:
        raise NoSuchMember("Nobody is enrolled with this phone; check it, or add --enrol.")
    return known[phone]


@dataclass(frozen=True)
class _Look:
    """The doors' reader, asked from the thread in which files are gone through."""

    reader: Reader
    loop: asyncio.AbstractEventLoop

    def file(self, data: bytes) -> Findings:
        return asyncio.run_coroutine_threadsafe(self.reader.file(data), self.loop).result()

    def text(self, given: str) -> Findings:
        found = of_text(given)
        if not found.links:
            return found
        return asyncio.run_coroutine_threadsafe(self.reader.text(given), self.loop).result()


def _slices(files: Sequence[Path], look: inputs.Look) -> Iterator[list[Shown | Unread]]:
    every = itertools.chain.from_iterable(inputs.read(path, look) for path in files)
    while part := list(itertools.islice(every, AT_ONCE)):
        yield part


async def _take_in(
    house: House, member_id: UUID, shown: Sequence[Shown], report: Report, *, first: int
) -> list[_Registered]:
    """Register a slice and report what is decided; returns what is still being checked."""
    desk = Desk(
        database=house.database,
        clock=house.clock,
        vault=house.vault,
        actor=session.OPERATOR,
        evidence=session.OPERATOR,
        verified=True,
    )
    lines = [
        Line(
            ref=ids.new(),
            member_id=member_id,
            document=one.document,
            qr=one.qr,
            unreadable=one.unreadable,
            note=one.note,
        )
        for one in shown
    ]
    decided: list[_Registered] = []
    checking: list[_Registered] = []
    results = await intake.take_in(desk, lines)
    for number, (one, result) in enumerate(zip(shown, results, strict=True), start=first):
        if result.error is not None:
            report.add(Row(number, one.source, house.clock.wall(), error=result.error.detail))
            continue
        assert result.receipt_id, "a line without error has a receipt"
        registered = _Registered(
            number, one.source, member_id, result.receipt_id, repeated=result.repeated
        )
        waits = result.status is Status.CHECKING
        (checking if waits else decided).append(registered)
    await _show(house, decided, report)
    return checking


async def _show(house: House, registered: Sequence[_Registered], report: Report) -> None:
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        found = await queries.receipts(db, [one.key for one in registered])
        skus = {line.sku for one in found.values() for line in one.matched if line.sku}
        products = await catalog.products_by_sku(db, sorted(skus))
    for one in registered:
        receipt = found[one.receipt_id]
        report.add(
            Row(
                one.number,
                one.source,
                now,
                receipt,
                {sku: products[sku].name for sku in skus},
                repeated=one.repeated,
            )
        )


async def _wait(house: House, checking: Sequence[_Registered], seconds: float) -> None:
    """Wait for the workers; where none is alive, do their part for these receipts."""
    deadline = time.monotonic() + seconds
    left = [one.key for one in checking]
    while time.monotonic() < deadline and (left := await _undecided(house, left)):
        async with house.database.transaction() as db:
            alive = await heartbeat.alive(db, wall=house.clock.wall())
        if not alive and not await _work(house):
            return  # what is left waits for a later time, or for a provider
        if alive:
            await asyncio.sleep(LOOK_SECONDS)


async def _undecided(house: House, keys: Sequence[tuple[UUID, UUID]]) -> list[tuple[UUID, UUID]]:
    if not keys:
        return []
    async with house.database.transaction() as db:
        found = await queries.receipts(db, keys)
    return [key for key in keys if found[key[1]].status is Status.CHECKING]


async def _work(house: House) -> int:
    """A round of what workers do for receipts; while a sandbox moves its clock, wait as they do."""
    turnstile = Turnstile(house.database)
    try:
        async with turnstile.inside():
            stages = [one for one in wiring.stages(house) if one.name in (ASK, SETTLE)]
            return sum([await stage.run() for stage in stages])
    finally:
        await turnstile.close()
