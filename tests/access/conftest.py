import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from vezde.access import operations
from vezde.access.model import Key
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.members.model import NewIdentity, NewMember

ORIGIN = "https://shop.example"
PHONE = "+79000000001"
NAMES = itertools.count()


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))


@dataclass
class Shop:
    """A page with its key, on the connection of a test."""

    db: Db
    key: Key
    vault: Vault
    now: datetime

    def at(self, **passed: float) -> datetime:
        return self.now + timedelta(**passed)


async def page_key(db: Db, now: datetime, *origins: str, enrols: bool = False) -> Key:
    text, key = await operations.create_publishable_key(
        db,
        name=f"page {next(NAMES)}",
        origins=origins or [ORIGIN],
        sales_channel="own_site",
        enrols=enrols,
        now=now,
        actor="operator:cli",
    )
    assert text.startswith("vezde_pub_")
    return key


@pytest.fixture
async def shop(db: Db, vault: Vault, now: datetime) -> Shop:
    return Shop(db, await page_key(db, now), vault, now)


async def enrolled(db: Db, vault: Vault, now: datetime, phone: str = PHONE, *ids: NewIdentity):
    (made,) = await members.enrol(
        db, [NewMember(phone=phone, identities=ids)], vault=vault, now=now, actor="test"
    )
    return made.member_id
