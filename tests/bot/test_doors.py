"""Signing in on a page by the bot, and the card for the till."""

from datetime import timedelta

import pytest

from vezde.access import operations as access
from vezde.access.doors import CardUnknown, State
from vezde.receipts.qr import images

ORIGIN = "https://shop.example"


@pytest.fixture
async def key(door):
    async with door.house.database.transaction() as db:
        _, key = await access.create_publishable_key(
            db,
            name="site",
            origins=[ORIGIN],
            sales_channel="own_site",
            enrols=True,
            now=door.house.clock.wall(),
            actor="operator:cli",
        )
    return key


async def link_of(door, key):
    async with door.house.database.transaction() as db:
        return await access.begin_by_link(db, key=key, origin=ORIGIN, wall=door.house.clock.wall())


async def state_of(door, key, begun):
    async with door.house.database.transaction() as db:
        return await access.sign_in(
            db,
            begun.handle,
            key=key,
            origin=ORIGIN,
            vault=door.house.vault,
            wall=door.house.clock.wall(),
        )


async def expire(door) -> None:
    async with door.house.database.transaction() as db:
        late = door.house.clock.wall() - timedelta(seconds=1)
        await db.execute("UPDATE access.sign_in SET expires_wall = %s", [late])


class TestLogin:
    async def test_is_one_tap_on_the_site_by_name(self, door, key):
        anna = await door.member()
        begun = await link_of(door, key)
        await anna.start(begun.link)
        asked = await anna.sees("Войти на сайт shop.example?", str(begun.number))
        assert asked.buttons == ("Войти на shop.example", "Это не я")
        await anna.tap("Войти на shop.example")
        await anna.sees("вы вошли на shop.example")
        found = await state_of(door, key, begun)
        assert found.state is State.PROVED
        assert asked.id == anna.messages[-1].id, "the question becomes the answer"

    async def test_tapped_again_says_the_same(self, door, key):
        anna = await door.member()
        begun = await link_of(door, key)
        await anna.start(begun.link)
        asked = await anna.sees("Войти на сайт")
        data = f"login:yes:{begun.link.removeprefix('login-')}"
        for _ in range(3):
            await anna.tap_data(data, message_id=asked.id)
        await anna.sees("вы вошли")
        assert (await state_of(door, key, begun)).state is State.PROVED
        await anna.start(begun.link)
        await anna.sees("уже сработала или устарела")

    async def test_declined_lets_nobody_in(self, door, key):
        anna = await door.member()
        begun = await link_of(door, key)
        await anna.start(begun.link)
        await anna.sees_button("Это не я")
        await anna.tap("Это не я")
        await anna.sees("никого не впустили")
        assert (await state_of(door, key, begun)).state is State.DECLINED

    async def test_late_tap_is_answered_kindly(self, door, key):
        anna = await door.member()
        begun = await link_of(door, key)
        await anna.start(begun.link)
        await anna.sees_button("Это не я")
        await expire(door)
        await anna.tap("Войти на shop.example")
        await anna.sees("устарела")
        assert (await state_of(door, key, begun)).state is State.EXPIRED

    async def test_by_somebody_elses_link_is_theirs_who_tapped_first(self, door, key):
        anna, boris = await door.member(), await door.member("Борис")
        begun = await link_of(door, key)
        for one in (anna, boris):
            await one.start(begun.link)
            await one.sees_button("Войти на shop.example")
        await anna.tap("Войти на shop.example")
        await anna.sees("вы вошли")
        await boris.tap("Войти на shop.example")
        await boris.sees("уже сработала")

    async def test_waits_for_a_newcomers_consent(self, door, key):
        anna = door.telegram.user("Анна")
        begun = await link_of(door, key)
        await anna.start(begun.link)
        await anna.sees_button("Даю согласие")
        await anna.tap("Даю согласие")
        await anna.sees("Войти на сайт shop.example?")

    async def test_of_an_unknown_link_is_answered_kindly(self, door, key):
        anna = await door.member()
        await anna.start("login-AAAAAAAAAAAAAAAAAAAAAA")
        await anna.sees("уже сработала или устарела")


class TestCard:
    async def code(self, door, message) -> str:
        return "".join(char for char in message.text.splitlines()[0] if char.isdigit())

    async def read(self, door, code):
        async with door.house.database.transaction() as db:
            return await access.read_card(
                db, code, vault=door.house.vault, wall=door.house.clock.wall()
            )

    async def test_is_a_picture_that_a_scanner_reads_and_digits(self, door):
        anna = await door.member()
        await anna.send("/card")
        shown = await anna.sees("Покажите код на кассе", "15 минут")
        code = await self.code(door, shown)
        assert len(code) == 9
        assert images.decode(await anna.content(shown)) == [code]
        member_id = await door.value("SELECT member_id FROM access.card")
        assert await self.read(door, code) == member_id
        with pytest.raises(CardUnknown):
            await self.read(door, code)

    async def test_is_made_anew_in_its_place(self, door):
        anna = await door.member()
        await anna.send("/card")
        first = await anna.sees("Покажите код")
        old = await self.code(door, first)
        await anna.tap("Новый код")
        second = await anna.until(
            lambda one: "Покажите код" in one.text and not one.text.startswith(first.text[:11])
        )
        assert second.id == first.id
        with pytest.raises(CardUnknown):
            await self.read(door, old)
        new = await self.code(door, second)
        assert images.decode(await anna.content(second)) == [new]

    async def test_pictures_of_cards_are_not_kept(self, door):
        anna = await door.member()
        before = await door.value("SELECT count(*) FROM messaging.picture")
        await anna.send("/card")
        await anna.sees("Покажите код")
        assert await door.value("SELECT count(*) FROM messaging.picture") == before
