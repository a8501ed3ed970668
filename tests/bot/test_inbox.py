"""Updates: repeated, reordered, malformed, too many; Telegram away; failures that stand alone."""

import asyncio

import pytest

from bot.conftest import Door, working
from vezde.bot import telegram
from vezde.bot.conversation import core
from vezde.bot.model import Other
from vezde.testing.receipts import line, picture
from vezde.testing.telegram import faults


class TestUpdates:
    async def test_repeated_are_worked_once(self, door: Door) -> None:
        anna = await door.member()
        await anna.photo(picture(door.paper(1)))
        await anna.sees("+83 балла")
        before = len(anna.messages)
        door.telegram.repeat(5)
        await asyncio.sleep(1)
        assert await door.value("SELECT count(*) FROM receipts.receipt") == 1
        assert len(anna.messages) <= before + 1  # the phone's question may have come meanwhile

    async def test_of_one_batch_are_put_in_order(self, door: Door) -> None:
        anna = await door.member()
        door.telegram.hold()
        await anna.send("/balance")
        await anna.send("/help")
        door.telegram.release(backwards=True)
        await anna.sees("Где вы покупали?")
        texts = [one.text for one in anna.messages if not one.mine][-2:]
        assert "Баллов пока нет" in texts[0]

    async def test_of_groups_and_edits_are_nobodys_business(self, door: Door) -> None:
        anna = await door.member()
        said = await anna.send("привет")
        await anna.sees("Пришлите фото")
        group = door.telegram.group("Покупки", anna)
        await anna.send("/balance", chat=group)
        await anna.edit(said, "/balance")
        await anna.sees_nothing(within=1)

    @pytest.mark.parametrize(
        "odd",
        [
            {"message": {"chat": None}},
            {"message": {"chat": {"id": "x", "type": "private"}, "from": {"id": 1}}},
            {"callback_query": {"id": "1"}},
            {"never_heard_of": {"id": 1}},
            {"message": 17},
            {},
        ],
    )
    async def test_that_are_malformed_or_unknown_harm_nobody(self, door: Door, odd) -> None:
        door.telegram.update(odd)
        anna = door.telegram.user("Анна")
        await anna.start()
        await anna.sees("Здравствуйте")
        fates = await door.fates()
        assert fates["taken"] == 1
        assert fates.get("malformed", 0) + fates.get("ignored", 0) <= 1

    async def test_that_flood_are_answered_once(self, door: Door) -> None:
        anna = await door.member()
        door.telegram.hold()
        message = anna.messages[-1].id
        for _ in range(50):
            await anna.tap_data("balance", message_id=message)
        door.telegram.release()
        await anna.sees("Слишком быстро", within=20)
        assert sum("Слишком быстро" in one.text for one in anna.messages) == 1
        assert sum("Баллов пока нет" in one.text for one in anna.messages) <= 12
        assert (await door.fates())["flooded"] >= 25
        await anna.send("/help")
        await anna.sees("Где вы покупали?", within=30)
        await until(door, "SELECT count(*) FROM bot.event", 0)
        await until(door, "SELECT count(*) FROM messaging.queue", 0)

    async def test_of_odd_names_do_no_harm(self, door: Door) -> None:
        odd = door.telegram.user("<b>א</b> 🦄 & co", username="x" * 32)
        await odd.start()
        await odd.sees("Здравствуйте")

    async def test_of_odd_goods_are_shown_as_they_are(self, door: Door) -> None:
        odd = "<b>Крем для рук</b> LUNARIA 75 мл 🦄 & אבג"
        await door.stock([{"sku": "ODD", "name": odd, "brand": "LUNARIA", "size": "75 мл"}])
        anna = await door.member("<i>אנה</i> 🦄")
        await anna.photo(picture(door.paper(1, lines=[line(odd, 83_000)])))
        told = await anna.sees("+83 балла", "<b>Крем для рук</b> LUNARIA 75 мл 🦄 & ")
        assert "אבג" in told.text


class TestTelegramAway:
    async def test_loses_nothing(self, door: Door) -> None:
        anna = await door.member()
        door.telegram.outage(3)
        await anna.photo(picture(door.paper(1)))
        await anna.sees("+83 балла", within=30)

    async def test_for_a_file_alone_is_tried_again(self, door: Door) -> None:
        anna = await door.member()
        door.telegram.order(faults.http(502), method="file")
        await anna.photo(picture(door.paper(1)))
        await anna.sees("+83 балла", within=15)

    async def test_for_good_is_told_kindly_and_holds_up_nobody(self, door: Door) -> None:
        anna, boris = await door.member(), await door.member("Борис")
        door.telegram.order(faults.http(502), method="file", times=None)
        await anna.photo(picture(door.paper(1)))
        await boris.send("/balance")
        await boris.sees("Баллов пока нет")
        await anna.sees("сломалось на нашей стороне", within=20)
        door.telegram.recover()
        await anna.send("/balance")
        await anna.sees("Баллов пока нет")
        assert await door.value("SELECT count(*) FROM bot.event WHERE state = 'parked'") == 1


class TestFailure:
    async def test_parks_alone_and_is_answered_for(self, door: Door, monkeypatch) -> None:
        async def broken(*_given):
            raise RuntimeError("broken")

        anna = await door.member()
        monkeypatch.setitem(core.COMMANDS, "/history", broken)
        await anna.send("/history")
        await anna.sees("сломалось на нашей стороне", within=20)
        await anna.send("/balance")
        await anna.sees("Баллов пока нет")


class TestBlocked:
    async def test_is_noted_and_taken_back(self, door: Door) -> None:
        anna = await door.member()
        await anna.block()
        await until(door, "SELECT count(*) FROM members.unreachable", 1)
        await anna.unblock()
        await until(door, "SELECT count(*) FROM members.unreachable", 0)

    async def test_by_telegrams_word_is_noted_until_they_write_again(self, door: Door) -> None:
        anna = await door.member()
        door.telegram.order(faults.blocked(), method="sendMessage", chat=anna)
        await anna.send("/balance")
        await until(door, "SELECT count(*) FROM members.unreachable WHERE reason = 'blocked'", 1)
        await anna.send("/help")
        await anna.sees("Где вы покупали?")
        await until(door, "SELECT count(*) FROM members.unreachable", 0)


class TestPoller:
    async def test_works_alone_of_several(self, still: Door) -> None:
        async with working(still), working(still, polling=True):
            anna = await still.member()
            await anna.send("/balance")
            await anna.sees("Баллов пока нет")
            await asyncio.sleep(0.5)
        assert sum("Баллов пока нет" in one.text for one in anna.messages) == 1

    async def test_takes_up_where_the_last_one_stopped(self, still: Door) -> None:
        anna = still.telegram.user("Анна")
        async with working(still):
            await anna.start()
            await anna.sees("Здравствуйте")
        await anna.tap("Дальше")
        async with working(still):
            await anna.sees("согласие", within=15)


class TestMeaning:
    def test_of_a_start_is_its_payload(self) -> None:
        said = {"message": {"from": {"id": 7}, "text": "/start blogger-17"}}
        assert telegram.meaning(said).event.payload == "blogger-17"

    def test_of_an_odd_message_is_other(self) -> None:
        said = {"message": {"from": {"id": 7}, "photo": []}}
        assert telegram.meaning(said).event == Other()


async def until(door: Door, query: str, wanted: int) -> None:
    for _ in range(100):
        if await door.value(query) == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(query)
