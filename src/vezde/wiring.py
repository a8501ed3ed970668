"""The only file that knows every domain: facts to reactions, stages, sections, adapters by name."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from fastapi import FastAPI

from vezde.access import operations as access
from vezde.api import app, batch
from vezde.api import receipts as api_receipts
from vezde.api.tools import Sandbox, Tools
from vezde.kit import migrate, share
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.kit.work import Stage, Waker, calls, sandbox, timetable
from vezde.kit.work.timetable import Tick
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.members import operations as members
from vezde.outbox import operations as outbox
from vezde.outbox import work as outbox_work
from vezde.outbox.model import Reaction
from vezde.program.sections import Section
from vezde.receipts import reactions as receipt_reactions
from vezde.receipts import work as receipt_work
from vezde.receipts.operations import checking
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.providers.protocol import Provider
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.sellers import operations as sellers
from vezde.sellers.section import SellersSection
from vezde.settings import Settings

SECTIONS: tuple[Section, ...] = (Section("sellers", SellersSection, sellers.install_section),)
REACTIONS: tuple[Reaction, ...] = receipt_reactions.REACTIONS

# Lots that fall due by the thousand are worked by the hundred, so that no account waits long.
ACTIVATE_AT_ONCE = 500
SWEEP_AT_ONCE = 1_000
MONTHS_AHEAD = timedelta(days=62)


@dataclass(frozen=True)
class House:
    """What one process works with; made by `open_house`, closed when its block ends."""

    settings: Settings
    database: Database
    clock: Clock
    vault: Vault
    waker: Waker
    providers: tuple[Provider, ...]


@asynccontextmanager
async def open_house(
    settings: Settings, conninfo: str, *, vault: Vault, size: int = 8, clock: Clock | None = None
) -> AsyncIterator[House]:
    """Connect this process to its database and vendors.

    Raises `Unavailable`, and what `members.operations.pin_index_key` raises for a wrong key.
    """
    clock = clock or Clock(sandbox=settings.sandbox)
    async with Database(conninfo, size=size) as database, Waker(conninfo) as waker:
        database.on_commit = waker.wake
        async with database.transaction() as db:
            now = await clock.programme(db)
            await members.pin_index_key(db, vault=vault, now=now, actor="system")
            await outbox.subscribe(db, {kind for one in REACTIONS for kind in one.kinds})
            await _open_months(db, now, now + MONTHS_AHEAD)
            await timetable.install(db, TICKS, now=now)
        house = House(settings, database, clock, vault, waker, providers(settings))
        try:
            yield house
        finally:
            for provider in house.providers:
                await provider.close()


def providers(settings: Settings) -> tuple[Provider, ...]:
    """Who is asked for documents, in order: a folder first, it costs nothing."""
    found: list[Provider] = []
    if settings.documents_dir is not None:
        found.append(DocumentsFolder(settings.documents_dir))
    if settings.proverkacheka.token is not None:
        found.append(
            Proverkacheka(token=settings.proverkacheka.token, base_url=settings.proverkacheka.base)
        )
    return tuple(found)


async def _open_months(db: Db, first: datetime, last: datetime) -> None:
    await outbox.open_months(db, first=first, last=last)


def stages(house: House) -> list[Stage]:
    """All background work of an installation; every worker process runs every stage."""
    database, clock = house.database, house.clock
    ask = partial(receipt_work.ask_once, database, house.providers, clock=clock)
    settle = partial(receipt_work.settle_once, database, clock=clock)

    handlers = tick_handlers(house)
    round_ = partial(timetable.work_timetable, database, handlers, clock=clock)

    async def activate() -> int:
        async with database.transaction() as db:
            now = await clock.programme(db)
            return await ledger.activate_due(db, now=now, limit=ACTIVATE_AT_ONCE)

    return [
        Stage("receipts.ask", ask, partial(checking.next_due, steps=("ask",))),
        Stage("receipts.settle", settle, partial(checking.next_due, steps=("settle",))),
        Stage("ledger.activate", activate, ledger_queries.next_due),
        *outbox_work.stages(database, REACTIONS, clock=clock),
        Stage(timetable.STAGE, round_, timetable.due),
        Stage(calls.STAGE, partial(calls.work_calls, database, call_handlers(house)), pauses=False),
    ]


TICKS = (
    Tick("outbox.months", period_seconds=86_400),
    Tick("access.answers", period_seconds=600),
)


def tick_handlers(house: House) -> Mapping[str, timetable.Handler]:
    """What each tick of `TICKS` does."""

    async def months(db: Db, now: datetime) -> None:
        await _open_months(db, now, now + MONTHS_AHEAD)

    async def answers(db: Db, _now: datetime) -> None:
        await access.sweep_answers(db, wall=house.clock.wall(), limit=SWEEP_AT_ONCE)

    return {"outbox.months": months, "access.answers": answers}


def call_handlers(house: House) -> Mapping[str, calls.Handler]:
    """CPU and batch work that a face hands to a worker."""
    return {
        batch.TAKE_IN: batch.Worker(house.database, house.clock, house.vault),
        api_receipts.READ_IMAGE: api_receipts.read_image,
    }


def web(house: House, *, reset: Sandbox | None = None) -> FastAPI:
    """The HTTP application of this process."""
    tools = Tools(
        database=house.database,
        clock=house.clock,
        vault=house.vault,
        waker=house.waker,
        sections=SECTIONS,
        migrations=max(one.number for one in migrate.read(share.folder("migrations"))),
        sandbox=reset,
    )
    return app.create(tools)


async def advance(house: House, until: datetime) -> datetime:
    """Move a sandbox's programme clock to `until`, working off what falls due on the way."""
    return await sandbox.advance(
        house.database, house.clock, stages(house), until=until, before_move=_open_months
    )
