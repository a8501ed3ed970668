"""The phone, mailings, points looked up, help, leaving."""

import asyncio

from bot.conftest import CREAM, PROGRAM, Door, working
from vezde import wiring
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.model import NewMember
from vezde.messaging.model import Rendered
from vezde.testing.receipts import picture


class TestPhone:
    async def test_is_kept_with_the_points(self, door: Door) -> None:
        anna = await door.guest(phone="+79000000001")
        await anna.tap("Поделиться телефоном")
        await anna.sees("баллы закреплены за вами", "83")
        assert anna.keyboard == []
        owners = await owner_of(door, "+79000000001")
        assert len(owners) == 1
        assert await door.value("SELECT count(*) FROM bot.chat WHERE guest_since IS NOT NULL") == 0

    async def test_of_somebody_else_is_refused_kindly(self, door: Door) -> None:
        anna = await door.guest()
        boris = door.telegram.user("Борис", phone="+79000000002")
        await anna.contact(boris)
        await anna.sees("чужой контакт")
        assert await owner_of(door, "+79000000002") == {}

    async def test_without_a_user_id_is_refused_kindly(self, door: Door) -> None:
        anna = await door.guest(phone="+79000000001")
        await anna.contact(with_user_id=False)
        await anna.sees("чужой контакт")
        assert await owner_of(door, "+79000000001") == {}

    async def test_that_is_known_makes_the_guest_that_member(self, door: Door) -> None:
        async with door.house.database.transaction() as db:
            now = await door.house.clock.programme(db)
            (known,) = await members.enrol(
                db,
                [NewMember(phone="+79000000001")],
                vault=door.house.vault,
                now=now,
                actor="system",
            )
        anna = await door.guest(phone="+79000000001")
        await anna.tap("Поделиться телефоном")
        await anna.sees("Мы вас узнали", "83 балла")
        assert set((await owner_of(door, "+79000000001")).values()) == {known.member_id}
        await anna.photo(picture(door.paper(2)))
        await anna.sees("+83 балла")
        await anna.send("/balance")
        await anna.sees("166 баллов")

    async def test_of_several_at_once_is_everybodys_own(self, door: Door) -> None:
        people = [await door.member(phone=f"+7900000000{number}") for number in range(1, 6)]
        await asyncio.gather(*(one.contact() for one in people), people[0].send("/balance"))
        for number, one in enumerate(people, 1):
            await one.sees("телефон записан")
            assert len(await owner_of(door, f"+7900000000{number}")) == 1
        members = "SELECT count(*) FROM members.identity WHERE kind = 'phone'"
        assert await door.value(members) == 5

    async def test_that_two_give_at_once_joins_them(self, still: Door) -> None:
        async with working(still):
            both = [await still.guest(name, number=number, phone="+79000000001")
                    for number, name in enumerate(("Анна", "Она же"), 1)]  # fmt: skip
        for one in both:
            await one.contact()
        async with working(still):
            for one in both:
                await one.until(lambda seen: "закреплены" in seen.text or "узнали" in seen.text)
            await both[0].send("/balance")
            await both[0].sees("166 баллов")
        assert len(await owner_of(still, "+79000000001")) == 1

    async def test_given_twice_changes_nothing(self, door: Door) -> None:
        anna = await door.guest(phone="+79000000001")
        await anna.contact()
        await anna.sees("закреплены за вами")
        await anna.contact()
        await anna.sees("уже записан за вами")

    async def test_before_any_receipt_is_thanked_for_without_a_nought(self, door: Door) -> None:
        anna = await door.member(phone="+79000000001")
        await anna.contact()
        await anna.sees("телефон записан")
        await anna.send("/settings")
        await anna.sees_button("Выйти и стереть данные")
        await anna.tap("Выйти и стереть данные")
        await anna.sees("Точно выходите?")
        assert not any(" 0 баллов" in one.text.replace("\u00a0", " ") for one in anna.messages)


class TestMailings:
    async def test_are_asked_about_after_the_phone_and_never_ticked(self, door: Door) -> None:
        anna = await door.guest(phone="+79000000001")
        await anna.contact()
        await anna.sees("Хотите узнавать", "не обязательно")
        assert await mailings(door) == 0
        await anna.tap("Да, пишите")
        await anna.sees("Спасибо, будем писать")
        assert await mailings(door) == 1

    async def test_are_turned_off_in_settings(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/settings")
        await anna.sees_button("Включить рассылки")
        await anna.tap("Включить рассылки")
        await anna.sees("будем писать")
        await anna.send("/settings")
        await anna.sees_button("Отключить рассылки")
        await anna.tap("Отключить рассылки")
        await anna.sees("рассылок не будет")
        assert await mailings(door) == 0


class TestPoints:
    async def test_are_told_with_what_they_are_worth(self, door: Door) -> None:
        anna = await door.guest()
        await anna.send("/balance")
        await anna.sees("83 балла", "₽ скидки")

    async def test_are_explained(self, door: Door) -> None:
        anna = await door.guest()
        await anna.send("/history")
        await anna.sees("История баллов", "+83")
        await anna.tap("Почему столько")
        await anna.sees(CREAM, "10 %", "+83")

    async def test_of_a_newcomer_are_none_yet(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/history")
        await anna.sees("Пока здесь пусто")


class TestHelp:
    async def test_is_a_ladder_in_one_message(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/help")
        first = await anna.sees("Где вы покупали?")
        assert "Wildberries" in first.buttons
        await anna.tap("Ozon")
        second = await anna.sees("Нужен второй чек")
        assert second.id == first.id
        await anna.tap("Назад")
        assert (await anna.sees("Где вы покупали?")).id == first.id

    async def test_shows_a_picture_of_the_steps_for_every_shop(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/help")
        ladder = await anna.sees("Где вы покупали?")
        seen = {await anna.content(ladder)}
        for shop in ladder.buttons[:-1]:  # the last one is of the address for letters
            await anna.tap(shop)
            shown = await anna.sees(shop)
            assert shown.id == ladder.id
            seen.add(await anna.content(shown))
            await anna.tap("Назад")
            await anna.sees("Где вы покупали?")
        assert len(seen) == 6

    async def test_speaks_the_pictures_language(self, door: Door) -> None:
        anna, ann = await door.member(), door.telegram.user("Ann", language_code="en")
        await ann.photo(picture(door.paper(1)))
        await ann.sees_button("I agree")
        await ann.tap("I agree")
        await ann.sees("We are checking")
        for one, greeting in ((anna, "Где вы покупали?"), (ann, "Where did you buy?")):
            await one.send("/help")
            await one.sees(greeting)
        russian, english = (one.answers[-1] for one in (anna, ann))
        assert await anna.content(russian) != await ann.content(english)

    async def test_uploads_a_picture_once_for_all_workers(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/help")
        await anna.sees("Где вы покупали?")
        await door.until("SELECT count(*) = 1 FROM messaging.picture")
        async with wiring.open_house(
            door.house.settings, door.conninfo, vault=door.house.vault
        ) as other:
            assert other.telegram is not None
            shown = Rendered("Где чек", photo="help.ru")
            await other.telegram.deliver(str(anna.id), shown)
        sent = door.telegram.asked("sendPhoto")
        assert [one.params["photo"].startswith("attach://") for one in sent] == [True, False]

    async def test_is_words_alone_where_the_brand_says_so(self, door: Door) -> None:
        await door.publish(bot={**PROGRAM["bot"], "help_pictures": False})
        anna = await door.member()
        await anna.send("/help")
        assert "photo" not in (await anna.sees("Где вы покупали?")).raw


class TestLeaving:
    async def test_is_asked_about_once_then_erases(self, door: Door) -> None:
        anna = await door.guest(phone="+79000000001")
        await anna.contact()
        await anna.sees("закреплены")
        await anna.send("/settings")
        await anna.sees_button("Выйти и стереть данные")
        await anna.tap("Выйти и стереть данные")
        await anna.sees("Точно выходите?")
        await anna.tap("Да, стереть всё")
        await anna.sees("Через минуту сотрём")
        await door.passes(minutes=2)
        assert await owner_of(door, "+79000000001") == {}
        assert await door.value("SELECT count(*) FROM bot.chat") == 0
        assert await door.value("SELECT count(*) FROM bot.turn") == 0
        assert await door.value("SELECT count(*) FROM members.identity") == 0

    async def test_leaves_the_way_back_open(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/settings")
        await anna.sees_button("Выйти и стереть данные")
        await anna.tap("Выйти и стереть данные")
        await anna.sees_button("Да, стереть всё")
        await anna.tap("Да, стереть всё")
        await anna.sees("Через минуту сотрём")
        await door.passes(minutes=2)
        await anna.start()
        await anna.sees("Здравствуйте")


class TestGuest:
    async def test_without_a_phone_is_warned_then_forgotten(self, door: Door) -> None:
        anna = await door.guest()
        boris = await door.guest("Борис", number=2, phone="+79000000002")
        await boris.contact()
        await boris.sees("закреплены")
        await door.passes(days=26)
        assert not any("потом мы его удалим" in one.text for one in anna.messages)
        await door.passes(days=2)
        await anna.sees("Ваш счёт хранится до", "Сейчас на нём 83 балла", since=0)
        assert anna.keyboard == [["Поделиться телефоном"]]
        await door.passes(days=4)
        assert await door.value("SELECT count(*) FROM bot.chat") == 1
        assert len(await owner_of(door, "+79000000002")) == 1
        assert not any("удалим" in one.text for one in boris.messages)

    async def test_who_gives_the_phone_when_warned_stays(self, door: Door) -> None:
        anna = await door.guest(phone="+79000000001")
        await door.passes(days=28)
        await anna.sees("Ваш счёт хранится до", since=0)
        await anna.tap("Поделиться телефоном")
        await anna.sees("баллы закреплены за вами", "83")
        await door.passes(days=10)
        assert len(await owner_of(door, "+79000000001")) == 1

    async def test_who_never_agreed_is_forgotten_without_a_word(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees("Здравствуйте")
        told = len(anna.messages)
        await door.passes(days=32)
        assert len(anna.messages) == told
        assert await door.value("SELECT count(*) FROM bot.chat") == 0

    async def test_is_warned_first_however_late(self, door: Door) -> None:
        """A shorter term is published, or nothing ran for a while."""
        anna = await door.guest()
        await door.passes(days=20)
        await door.publish(bot={**PROGRAM["bot"], "guest_days": 7})
        await door.passes(days=1)
        await anna.sees("Ваш счёт хранится до", since=0)
        assert await door.value("SELECT count(*) FROM bot.chat") == 1
        await door.passes(days=4)
        assert await door.value("SELECT count(*) FROM bot.chat") == 0


async def owner_of(door: Door, phone: str):
    await asyncio.sleep(0)
    async with door.house.database.transaction() as db:
        return await member_queries.ids_by_phone(db, [phone], vault=door.house.vault)


async def mailings(door: Door) -> int:
    return await door.value(
        "SELECT count(*) FROM members.consent WHERE purpose = 'marketing' AND withdrawn_at IS NULL"
    )
