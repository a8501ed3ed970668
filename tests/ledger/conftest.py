from datetime import datetime
from uuid import UUID

import pytest

from vezde.kit import ids
from vezde.kit.db import Db
from vezde.ledger import operations


@pytest.fixture
async def anna(db: Db, now: datetime) -> UUID:
    return await _enrolled(db, now)


@pytest.fixture
async def boris(db: Db, now: datetime) -> UUID:
    return await _enrolled(db, now)


async def _enrolled(db: Db, now: datetime) -> UUID:
    member_id = ids.new()
    await operations.open_accounts(db, [member_id], now=now)
    return member_id
