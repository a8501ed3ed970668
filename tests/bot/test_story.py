"""The story that must work: from /start to points, each receipt with its own answer."""

import asyncio
from datetime import timedelta

from bot.conftest import CREAM, Door
from vezde.members import operations as members
from vezde.members.links.model import NewLink
from vezde.receipts import quarantine
from vezde.receipts.operations import quarantining
from vezde.testing.receipts import OZON, line, picture, receipt


class TestStart:
    async def test_says_what_points_are_worth_then_asks_consent_by_itself(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees("100 баллов = 100 ₽")
        await anna.tap("Дальше")
        asked = await anna.sees("согласие на обработку персональных данных")
        assert asked.buttons == ("Прочитать документ", "Даю согласие", "Не сейчас")
        await anna.tap("Даю согласие")
        await anna.sees("фото чека")

    async def test_keeps_the_consent_as_evidence(self, door: Door) -> None:
        await door.member()
        kept = await door.value(
            "SELECT (purpose, document_version, length(text_sha256), how)::text FROM members.consent"
        )
        assert kept == "(personal_data,2026-11,64,bot_button)"

    async def test_by_a_link_says_where_they_come_from(self, door: Door) -> None:
        async with door.house.database.transaction() as db:
            now = await door.house.clock.programme(db)
            link = await members.create_link(db, NewLink("blogger-17"), now=now, actor="system")
        anna = door.telegram.user("Анна")
        await anna.start(link.code)
        await anna.sees("Здравствуйте")
        assert await door.value("SELECT source FROM members.member") == "blogger-17"

    async def test_speaks_english_to_those_who_do(self, door: Door) -> None:
        ann = door.telegram.user("Ann", language_code="en")
        await ann.start()
        await ann.sees("100 points = ₽100")

    async def test_greets_with_the_points_whoever_comes_back(self, door: Door) -> None:
        anna = await door.guest()
        await anna.start()
        await anna.sees("С возвращением", "83")

    async def test_waits_for_those_who_do_not_agree_yet(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees_button("Дальше")
        await anna.tap("Дальше")
        await anna.sees_button("Не сейчас")
        await anna.tap("Не сейчас")
        await anna.sees("/start — продолжим")


class TestReceipt:
    async def test_brings_points_in_one_message(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(door.paper(1)))
        told = await anna.sees("+83 балла", CREAM, "Пят")
        asked = await anna.sees("Оставьте телефон, чтобы баллы не пропали")
        assert {one.id for one in anna.answers} == {told.id, asked.id}

    async def test_of_a_marketplace_says_when_its_points_are_active(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("/balance")
        await anna.sees("Баллов пока нет")
        await anna.photo(picture(door.paper(1, seller=OZON)))
        await anna.sees("+41 балл! Баллы станут активны")
        await anna.send("/balance")
        await anna.sees("В ожидании 41 балл")
        await anna.photo(picture(door.paper(2)))
        await anna.sees("+83 балла")
        await anna.send("/balance")
        await anna.sees("На счёте 83 балла", "Ещё 41 балл в ожидании")

    async def test_comes_as_text_too(self, door: Door) -> None:
        anna = await door.member()
        await anna.send(door.paper(1).qr.text())
        await anna.sees("+83 балла")

    async def test_comes_as_a_file_too(self, door: Door) -> None:
        anna = await door.member()
        await anna.document(picture(door.paper(1)), name="чек.png")
        await anna.sees("+83 балла")

    async def test_shown_before_the_consent_is_kept_and_goes_on_after(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.photo(picture(door.paper(1)))
        await anna.sees("Спасибо, чек у нас", "согласие")
        assert await door.value("SELECT count(*) FROM receipts.receipt") == 0
        await anna.tap("Даю согласие")
        await anna.sees("Проверяем ваш чек")
        await anna.sees("+83 балла")

    async def test_album_gives_one_reply(self, door: Door) -> None:
        anna = await door.member()
        await anna.album([picture(door.paper(number)) for number in (1, 2, 3)])
        told = await anna.sees("+249 баллов, чеков: 3", "Приняты: 3", within=10)
        others = [one for one in anna.answers if one.id != told.id]
        assert ["Оставьте телефон" in one.text for one in others] in ([], [True])

    async def test_album_without_a_point_in_it_is_told_plainly(self, door: Door) -> None:
        anna = await door.member()
        bread = [line("Хлеб бородинский", 6_000)]
        await anna.album([picture(door.paper(number, lines=bread)) for number in (1, 2)])
        await anna.sees("0 баллов, чеков: 2", "Не подошли: 2", within=10)
        assert not any("+0" in one.text for one in anna.messages)

    async def test_album_before_the_consent_is_asked_about_once(self, door: Door) -> None:
        anna = door.telegram.user("Анна")
        await anna.album([picture(door.paper(number)) for number in (1, 2)])
        await anna.sees("Спасибо, чек у нас")
        await anna.sees_button("Даю согласие")
        assert len(anna.answers) == 1
        await anna.tap("Даю согласие")
        await anna.sees("+166 баллов", within=10)


class TestRefusal:
    async def test_of_the_same_receipt_again(self, door: Door) -> None:
        anna = await door.guest()
        await anna.photo(picture(door.paper(1)))
        await anna.sees("вы уже показывали")

    async def test_of_somebody_elses_receipt(self, door: Door) -> None:
        anna, paper = await door.member(), door.paper(1)  # of one minute, however long this takes
        await anna.photo(picture(paper))
        await anna.sees("+83 балла")
        boris = await door.member("Борис")
        await boris.photo(picture(paper))
        await boris.sees("другой участник")

    async def test_of_a_receipt_without_our_products(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(door.paper(1, lines=[line("Хлеб бородинский", 6_000)])))
        await anna.sees("товаров «Лунария» мы в нём не нашли")

    async def test_of_a_blurred_photo(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(door.paper(1), blurred=True))
        await anna.sees("смазан", within=10)

    async def test_of_another_code(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture("https://example.org/menu"))
        await anna.sees("другой QR-код", within=10)

    async def test_of_a_return(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(door.paper(1, operation=2)))
        await anna.sees("чек возврата")

    async def test_of_an_old_receipt(self, door: Door) -> None:
        anna = await door.member()
        long_ago = door.house.clock.wall().replace(tzinfo=None) - timedelta(days=90)
        await anna.photo(picture(door.paper(1, at=long_ago)))
        await anna.sees("слишком много дней")

    async def test_of_a_file_that_telegram_does_not_hand_over(self, door: Door) -> None:
        anna = await door.member()
        await anna.document(25_000_000)
        await anna.sees("больше 20 МБ")
        assert door.telegram.asked("getFile") == []

    async def test_of_chatter_is_a_hint(self, door: Door) -> None:
        anna = await door.member()
        await anna.send("привет")
        await anna.sees("Пришлите фото чека", "/balance")


class TestHeld:
    async def test_is_told_kindly_by_when_and_hears_of_the_end(self, door: Door) -> None:
        signals = {"quarantine_at": 100, "pack_seen": {"score": 100}}
        await door.publish(signals=signals)
        jar = [line(CREAM, 83_000, gtin="04605035006964", serial="A1b2C3")]
        anna = await door.member()
        await anna.photo(picture(door.paper(1, lines=jar)))
        await anna.sees("+83 балла")
        boris = await door.member("Борис")
        await boris.photo(picture(door.paper(2, lines=jar)))
        await boris.sees("его посмотрит человек", within=10)
        async with door.house.database.transaction() as db:
            now = await door.house.clock.programme(db)
            (held,) = await quarantine.page(db, after=None, limit=5)
            await quarantining.release(
                db, held.member_id, held.receipt_id, now=now, actor="operator:x"
            )
        await boris.sees("+83 балла", within=10)


class TestAdvance:
    async def test_waits_for_the_second_receipt_and_reminds_of_it(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(advance(door, 1)))
        await anna.sees("Пришлите второй чек, когда заберёте заказ")
        await door.passes(days=3, minutes=1)
        await anna.sees("Уже забрали заказ?", since=0)
        await anna.tap("Ещё нет")
        await door.passes(days=4)
        await until_reminded(anna, times=2)
        await anna.tap("Не напоминать")
        await anna.sees_button("Не напоминать")
        await until_quiet(door)
        await door.passes(days=8)
        assert reminders(anna) == 2

    async def test_says_so_when_the_second_receipt_came(self, door: Door) -> None:
        anna = await door.member()
        yesterday = door.house.clock.wall().replace(tzinfo=None) - timedelta(days=1)
        await anna.photo(picture(advance(door, 1, at=yesterday - timedelta(hours=5))))
        await anna.sees("второй чек, когда заберёте")
        second = receipt(
            2,
            lines=[line(CREAM, 83_000, payment_type=4, product_type=1)],
            seller=OZON,
            at=yesterday,
            prepaid_kopecks=83_000,
        )
        await anna.photo(picture(door.known(second)))
        await anna.sees("+41 балл")
        await anna.sees("Второй чек по этому заказу получен")
        await door.passes(days=4)
        assert reminders(anna) == 0


def advance(door, number, **changes):
    lines = [line(CREAM, 83_000, payment_type=1, product_type=10)]
    return door.paper(number, lines=lines, seller=OZON, **changes)


def reminders(person) -> int:
    return sum("Уже забрали заказ?" in one.text for one in person.messages)


async def until_reminded(person, *, times: int) -> None:
    """The reminder is on its way when the clock has moved; wait for it to arrive."""
    for _ in range(100):
        if reminders(person) == times:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{reminders(person)} reminders, not {times}")


async def until_quiet(door: Door) -> None:
    for _ in range(100):
        if await door.value("SELECT count(*) FROM bot.shown WHERE quiet_since IS NOT NULL"):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the tap was not worked")
