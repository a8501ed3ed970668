"""A small programme, people with accounts, and purchases to price."""

from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from vezde.kit import ids
from vezde.kit.db import Database, Db
from vezde.ledger import operations as ledger
from vezde.program import compiling
from vezde.program import document as documents
from vezde.program.model import BEGINNING, PURCHASE_RECORDED, Fact, FactLine, Programme
from vezde.program.sections import Section
from vezde.sellers import operations as sellers
from vezde.sellers.section import SellersSection

NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)
DOCUMENT: dict[str, Any] = {
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {
        "default_rate_bp": 500,
        "channels": {
            "ozon": {"rate_bp": 500, "hold_days": 14},
            "own_site": {"rate_bp": 1000, "hold_days": 0},
        },
        "exclude": {"skus": ["LN-99"], "categories": ["Подарки"], "tags": ["gift"]},
        "points_per_day": 5000,
    },
    "receipts": {"window_days": 30, "per_day": 10},
    "expiry": {"months": 12},
    "sellers": {"own_inns": ["7801234564"]},
}


@pytest.fixture
def document() -> Callable[..., dict[str, Any]]:
    """`document({"earning.points_per_day": None})`: the small document with changes by path."""

    def make(changes: dict[str, Any] | None = None) -> dict[str, Any]:
        made = deepcopy(DOCUMENT)
        for path, value in (changes or {}).items():
            *parents, last = path.split(".")
            place = made
            for parent in parents:
                place = place[parent]
            place[last] = value
        return made

    return make


@pytest.fixture
def programme(document) -> Callable[..., Programme]:
    """A version of the small document with changes by path."""

    def make(changes: dict[str, Any] | None = None, version: int = 1) -> Programme:
        parsed = documents.own(document(changes))
        return compiling.programme(parsed, version=version, in_force_from=BEGINNING)

    return make


@pytest.fixture
def line() -> Callable[..., FactLine]:
    """`line(1, 129900)`: a product of the brand, sold once for 1 299,00 ₽."""

    def make(number: int, sum_kopecks: int, **changes: Any) -> FactLine:
        given = {
            "line": number,
            "sku": f"LN-{number}",
            "category": "Уход",
            "tags": (),
            "quantity_micro": 1_000_000,
            "sum_kopecks": sum_kopecks,
            "decided": False,
        }
        return FactLine(**{**given, **changes})

    return make


@pytest.fixture
def purchase(line) -> Callable[..., Fact]:
    """`purchase(100_00, 250_00)`: bought, shown and recorded at noon in a chain."""

    def make(*sums_kopecks: int, **changes: Any) -> Fact:
        at = changes.get("occurred_at", NOON)
        given = {
            "id": ids.new(),
            "kind": PURCHASE_RECORDED,
            "member_id": UUID(int=1),
            "purchase_id": ids.new(),
            "occurred_at": at,
            "wall_time": (at + timedelta(hours=3)).replace(tzinfo=None),
            "registered_at": NOON,
            "recorded_at": changes.get("registered_at", NOON),
            "sales_channel": "chain",
            "lines": tuple(line(at, kopecks) for at, kopecks in enumerate(sums_kopecks, 1)),
        }
        return Fact(**{**given, **changes})

    return make


@pytest.fixture(scope="session")
def sections() -> list[Section]:
    return [Section("sellers", SellersSection, sellers.install_section)]


async def enrolled(db: Db) -> UUID:
    member_id = ids.new()
    await ledger.open_accounts(db, [member_id], now=NOON)
    return member_id


@pytest.fixture
async def anna(db: Db) -> UUID:
    return await enrolled(db)


@pytest.fixture
async def boris(db: Db) -> UUID:
    return await enrolled(db)


@pytest.fixture
async def vera(database: Database) -> UUID:
    """A member of the database that really commits."""
    async with database.transaction() as db:
        return await enrolled(db)
