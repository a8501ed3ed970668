"""A small programme, a small catalogue, people: what a receipt meets."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from vezde.catalog import operations as catalog
from vezde.catalog.model import Mode
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.pace import Mark, Pace
from vezde.kit.vault import Vault
from vezde.ledger import queries as ledger
from vezde.ledger.model import Points
from vezde.members import operations as members
from vezde.members.model import NewMember
from vezde.program import operations as program
from vezde.receipts import intake, queries, work
from vezde.receipts.intake import Desk, Line, Result
from vezde.receipts.model import FiscalDocument, QrFields
from vezde.receipts.operations import registering
from vezde.receipts.operations.registering import Registered, Submission
from vezde.receipts.providers.protocol import Provider
from vezde.testing.people import ANNA, BORIS, Person
from vezde.wiring import SECTIONS, STEPS

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
PROGRAM: dict[str, Any] = {
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {
        "default_rate_bp": 500,
        "channels": {
            "ozon": {"rate_bp": 500, "hold_days": 14},
            "wildberries": {"rate_bp": 500, "hold_days": 14},
            "chain": {"rate_bp": 1000, "hold_days": 0},
        },
    },
    "receipts": {"window_days": 30, "per_day": 10},
    "sellers": {"own_inns": ["7801234564"]},
}
PRODUCTS = [
    {"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"},
    {"sku": "MASK-100", "name": "Маска для волос LUNARIA 100 мл", "brand": "LUNARIA",
     "size": "100 мл", "gtin": "4605035006964"},
    {"sku": "LIP-01", "name": "Помада LUNARIA тон 01", "brand": "LUNARIA", "shade": "01"},
    {"sku": "LIP-02", "name": "Помада LUNARIA тон 02", "brand": "LUNARIA", "shade": "02"},
]  # fmt: skip


@dataclass
class Shop:
    """An installation for a test, with its clock stopped where the test puts it."""

    database: Database
    vault: Vault
    at: datetime = NOW
    people: dict[str, UUID] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        return Clock(wall=lambda: self.at)

    def passes(self, **time: float) -> None:
        self.at += timedelta(**time)

    def desk(self, *, verified: bool = True) -> Desk:
        return Desk(self.database, self.clock, self.vault, "key:test", "key:test", verified)

    async def enrol(self, person: Person) -> UUID:
        async with self.database.transaction() as db:
            (member,) = await members.enrol(
                db,
                [NewMember(phone=person.phone)],
                vault=self.vault,
                now=self.at,
                actor="system",
            )
        self.people[person.name] = member.member_id
        return member.member_id

    async def take(
        self, member_id: UUID, *papers: FiscalDocument, verified: bool = True
    ) -> list[Result]:
        """Show documents through the batch's intake."""
        lines = [Line(ref=uuid4(), member_id=member_id, document=one) for one in papers]
        return await intake.take_in(self.desk(verified=verified), lines)

    async def show(
        self,
        member_id: UUID,
        *,
        qr: QrFields | None = None,
        document: FiscalDocument | None = None,
    ) -> Registered:
        """Show one receipt at the front door."""
        async with self.database.transaction() as db:
            (one,) = await registering.register(
                db,
                [Submission(member_id, qr=qr, document=document, evidence="key:test")],
                now=self.at,
                wall=self.at,
                actor=f"member:{member_id}",
            )
        return one

    async def work(self, *providers: Provider) -> None:
        """Ask and settle until nothing is due."""
        while await work.ask_once(
            self.database, providers, clock=self.clock
        ) + await work.settle_once(self.database, clock=self.clock):
            pass

    async def receipt(self, member_id: UUID, receipt_id: UUID) -> queries.Receipt:
        async with self.database.transaction() as db:
            return await queries.receipt(db, member_id, receipt_id)

    async def merge(self, into: UUID, gone: UUID) -> None:
        async with self.database.transaction() as db:
            await members.merge(
                db, into, gone, steps=STEPS, vault=self.vault, now=self.at, actor="system"
            )

    async def unmerge(self, into: UUID, gone: UUID) -> None:
        async with self.database.transaction() as db:
            await members.unmerge(
                *(db, into, gone),
                within=timedelta(days=30),
                steps=STEPS,
                vault=self.vault,
                now=self.at,
                actor="system",
            )

    async def forget(self, member_id: UUID) -> None:
        async with self.database.transaction() as db:
            await members.forget(db, member_id, steps=STEPS, now=self.at, actor="system")

    async def points(self, member_id: UUID) -> Points:
        async with self.database.transaction() as db:
            return await ledger.points(db, member_id, as_of=self.at)

    async def publish(self, **changes: Any) -> None:
        async with self.database.transaction() as db:
            await program.publish(
                db,
                {**PROGRAM, **changes},
                sections=SECTIONS,
                valid_from=None,
                now=self.at,
                actor="system",
            )

    async def stock(self, products: Sequence[dict[str, Any]]) -> None:
        async with self.database.transaction() as db:
            outcomes = await catalog.import_products(
                db, products, mode=Mode.MERGE, now=self.at, actor="system"
            )
        assert not [one for one in outcomes if one.error], outcomes


@pytest.fixture
async def shop(database: Database) -> Shop:
    made = Shop(database, Vault(bytes(range(32))))
    await made.publish()
    await made.stock(PRODUCTS)
    return made


@pytest.fixture
async def paced(shop: Shop) -> AsyncIterator[tuple[Shop, list[Pace]]]:
    """The shop, and the paces of those of its transactions that are in bulk."""
    paces: list[Pace] = []

    def pace() -> Pace:
        paces.append(Pace(Mark()))
        return paces[-1]

    async with Database(shop.database.pool.conninfo, size=2, pace=pace) as database:
        yield replace(shop, database=database), paces


@pytest.fixture
async def anna(shop: Shop) -> UUID:
    return await shop.enrol(ANNA)


@pytest.fixture
async def boris(shop: Shop) -> UUID:
    return await shop.enrol(BORIS)
