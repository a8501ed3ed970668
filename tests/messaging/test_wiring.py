"""The stage as an installation runs it: settings to transport, a sandbox that begins anew."""

from datetime import timedelta

import pytest

from vezde import settings as setting
from vezde import wiring
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.members.model import NewIdentity, NewMember
from vezde.messaging import operations, queries
from vezde.messaging.model import Outgoing, Purpose, View


@pytest.fixture
async def house(fresh, fake, tmp_path):
    environment = {
        "VEZDE_SANDBOX": "1",
        "VEZDE_DATABASE_URL": fresh.app,
        "VEZDE_DATABASE_OWNER_URL": fresh.owner,
        "VEZDE_DATA_DIR": str(tmp_path),
        "VEZDE_TELEGRAM_TOKEN": fake.token,
        "VEZDE_TELEGRAM_API_BASE": fake.base_url,
    }
    settings = setting.load(environment)
    async with wiring.open_house(settings, fresh.app, vault=Vault(bytes(32))) as house:
        yield house


async def reserve(house, person) -> None:
    async with house.database.transaction() as db:
        now, wall = await house.clock.programme(db), house.clock.wall()
        known = NewIdentity("telegram", str(person.id))
        (made,) = await members.enrol(
            db, [NewMember(identities=(known,))], vault=house.vault, now=now, actor="test"
        )
        hello = Outgoing(made.member_id, "telegram", "k", Purpose.REPLY, View("button_next"))
        await operations.reserve(db, [hello], vault=house.vault, now=now, wall=wall, actor="test")


async def deliver(house) -> int:
    (stage,) = [one for one in wiring.stages(house) if one.name == "messaging.deliver"]
    return await stage.run()


class TestStage:
    async def test_sends_by_the_settings(self, house, fake):
        anna = fake.user("Анна")
        await anna.start()
        await reserve(house, anna)
        assert await deliver(house) == 1
        assert anna.messages[-1].text == "Дальше"

    async def test_is_not_waited_for_by_a_moved_clock(self, house, fake):
        anna = fake.user("Анна")
        await anna.start()
        await wiring.furnish(house)
        await reserve(house, anna)
        async with house.database.transaction() as db:
            until = await house.clock.programme(db) + timedelta(days=1)
        await wiring.advance(house, until)
        async with house.database.transaction() as db:
            assert (await queries.backlog(db)).waiting == 1

    async def test_begins_anew_with_the_sandbox(self, house, fake):
        anna = fake.user("Анна")
        await anna.start()
        await reserve(house, anna)
        await wiring.reset(house)
        async with house.database.transaction() as db:
            assert await queries.backlog(db) == queries.Backlog(0, 0)
        await reserve(house, anna)
        assert await deliver(house) == 1

    async def test_there_is_none_without_a_token(self, house):
        bare = wiring.House(
            *(setting.load({}), house.database, house.clock, house.vault, house.waker),
            providers=(),
            waiting=house.waiting,
        )
        assert not [one for one in wiring.stages(bare) if one.name == "messaging.deliver"]
