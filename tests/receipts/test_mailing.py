"""Letters: kept once, worked once, whoever dies in between; merged and forgotten with members."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.kit.work import leases
from vezde.receipts.mailing import operations as mailing
from vezde.receipts.mailing.work import Postman
from vezde.receipts.reading.model import Excerpt
from vezde.receipts.reading.reader import Reader
from vezde.testing.documents import details_text, letter
from vezde.testing.receipts import line, receipt

NOW = datetime.now(UTC).replace(microsecond=0)
PAPER = receipt(
    1,
    lines=[line("Крем", 83_000)],
    at=(NOW - timedelta(days=1)).replace(tzinfo=None, second=0),
)


@dataclass
class Office:
    database: Database
    vault: Vault
    postman: Postman
    anna: UUID
    boris: UUID

    async def keep(self, *whose: UUID, name: str = "<1@shop>", raw: bytes = b"Subject: a") -> int:
        async with self.database.transaction() as db:
            return await mailing.keep(
                db, whose or [self.anna], raw, message_id=name, vault=self.vault, wall=NOW
            )

    async def claim(self, wall: datetime) -> list[mailing.Letter]:
        lease = leases.take(wall=wall, seconds=60)
        async with self.database.transaction() as db:
            return await mailing.claim(db, lease, vault=self.vault, wall=wall, limit=10)

    async def value(self, query: str) -> object:
        async with self.database.transaction() as db:
            row = await (await db.execute(query.encode())).fetchone()
            return row[0] if row else None


@pytest.fixture
async def office(shop, anna: UUID, boris: UUID) -> AsyncIterator[Office]:
    looking = Reader()
    postman = Postman(shop.database, Clock(sandbox=False), shop.vault, looking)
    yield Office(shop.database, shop.vault, postman, anna, boris)
    looking.close()


class TestLetters:
    async def test_are_kept_once_for_each_member(self, office: Office) -> None:
        assert await office.keep(office.anna, office.boris) == 2
        assert await office.keep(office.anna, office.boris) == 0
        assert await office.keep(name="<2@shop>") == 1

    async def test_of_a_dead_worker_are_worked_by_another(self, office: Office) -> None:
        await office.keep()
        assert len(await office.claim(NOW)) == 1
        assert await office.claim(NOW) == []
        (again,) = await office.claim(NOW + timedelta(seconds=61))
        assert (again.raw, again.attempts) == (b"Subject: a", 2)

    async def test_register_their_receipts_once_and_are_erased(self, office: Office) -> None:
        await office.keep(raw=letter("Чек", text=details_text(PAPER)))
        await office.keep(name="<2@shop>", raw=letter("Fwd", text=details_text(PAPER)))
        while await office.postman.run():
            pass
        assert await office.value("SELECT count(*) FROM receipts.receipt") == 1
        assert await office.value("SELECT count(*) FROM receipts.letter WHERE state = 'done'") == 2
        assert await office.value("SELECT count(sealed) FROM receipts.letter") == 0
        facts = "SELECT count(*) FROM outbox.fact WHERE kind = 'receipts.letter_read/1'"
        assert await office.value(facts) == 1

    async def test_that_fail_are_tried_again_then_parked(self, office: Office) -> None:
        await office.keep()
        wall = NOW
        for _ in range(4):
            lease = leases.take(wall=wall, seconds=60)
            async with office.database.transaction() as db:
                (one,) = await mailing.claim(db, lease, vault=office.vault, wall=wall, limit=1)
                await mailing.failed(db, one, lease, "broken", wall=wall)
            wall += timedelta(hours=3)
        assert await office.value("SELECT state FROM receipts.letter") == "parked"

    async def test_of_two_members_become_ones(self, office: Office) -> None:
        async with office.database.transaction() as db:
            names = {await mailing.mailbox(db, one, now=NOW) for one in (office.anna, office.boris)}
        await office.keep(office.anna, office.boris)
        async with office.database.transaction() as db:
            await mailing.merge(db, office.anna, office.boris)
            owners = await mailing.owners(db, names)
        assert set(owners.values()) == {office.anna}
        assert await office.value("SELECT count(*) FROM receipts.letter") == 1

    async def test_go_with_their_member(self, office: Office) -> None:
        async with office.database.transaction() as db:
            name = await mailing.mailbox(db, office.anna, now=NOW)
        await office.keep(office.anna, office.boris)
        async with office.database.transaction() as db:
            await mailing.forget(db, office.anna)
            assert await mailing.owners(db, [name]) == {}
        assert await office.value("SELECT count(*) FROM receipts.letter") == 1

    async def test_that_are_old_are_swept(self, office: Office) -> None:
        await office.keep()
        async with office.database.transaction() as db:
            assert await mailing.sweep(db, wall=NOW, limit=10) == 0
            assert await mailing.sweep(db, wall=NOW + timedelta(days=61), limit=10) == 1

    async def test_tell_what_they_want_once(self, office: Office) -> None:
        await office.keep()
        lease = leases.take(wall=NOW, seconds=60)
        excerpt = Excerpt("ozon.ru", "Подтвердите", "1234")
        async with office.database.transaction() as db:
            (one,) = await mailing.claim(db, lease, vault=office.vault, wall=NOW, limit=1)
            assert await mailing.mine(db, one, lease)
            await mailing.done(db, one, [], excerpt, vault=office.vault, now=NOW)
            place = (one.member_id, one.letter_id)
            assert await mailing.take_excerpt(db, *place, vault=office.vault) == excerpt
            assert await mailing.take_excerpt(db, *place, vault=office.vault) is None
