"""The transport over real HTTP: what Telegram gets, what its answers mean, what never leaves."""

import asyncio
import io
import json
import logging
import socket
import traceback

import pytest
from PIL import Image

from vezde.messaging.model import Button, Keyboard, Rendered
from vezde.messaging.transports.protocol import Delivered, Later, Lost, Refused, Unreached
from vezde.messaging.transports.telegram import (
    Telegram,
    TelegramFileMissing,
    TelegramFileTooBig,
    TelegramRefuses,
    TelegramUnreachable,
)
from vezde.messaging.transports.telegram.telegram import storable
from vezde.testing.proxy import Proxy
from vezde.testing.telegram import faults

HELLO = Rendered("<b>Здравствуйте</b>")
MENU = Rendered("Меню", ((Button("Дальше", action="next"), Button("Сайт", url="https://x.ru")),))


def picture(colour: str = "red") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (320, 200), colour).save(made, "PNG")
    return made.getvalue()


@pytest.fixture
async def anna(fake):
    person = fake.user("Анна")
    await person.start()
    return person


@pytest.fixture
async def artist(fake):
    """A bot that has a picture for every name."""
    made = Telegram(fake.token, api_base=fake.base_url, picture=lambda _name: picture())
    yield made
    await made.close()


class TestDeliver:
    async def test_a_message_has_its_marks_and_no_preview(self, fake, bot, anna):
        answer = await bot.deliver(str(anna.id), Rendered("<b>Да</b> https://example.ru"))
        shown = anna.messages[-1]
        assert answer == Delivered(str(shown.id))
        assert shown.raw["entities"][0]["type"] == "bold"
        assert fake.asked("sendMessage")[0].params["link_preview_options"] == {"is_disabled": True}

    async def test_buttons_under_it(self, bot, anna):
        await bot.deliver(str(anna.id), MENU)
        (row,) = anna.messages[-1].raw["reply_markup"]["inline_keyboard"]
        assert row == [
            {"text": "Дальше", "callback_data": "next"},
            {"text": "Сайт", "url": "https://x.ru"},
        ]

    async def test_buttons_instead_of_the_phones_keys_and_none_again(self, fake, bot, anna):
        asks = Rendered("Телефон?", ((Button("Дать", contact=True),),), Keyboard.REPLY)
        await bot.deliver(str(anna.id), asks)
        assert anna.keyboard == [["Дать"]]
        markup = fake.asked("sendMessage")[0].params["reply_markup"]
        assert markup["one_time_keyboard"]
        assert markup["resize_keyboard"]
        await bot.deliver(str(anna.id), Rendered("Спасибо", keyboard=Keyboard.REMOVE))
        assert anna.keyboard == []

    async def test_an_edit_changes_text_and_buttons(self, bot, anna):
        sent = await bot.deliver(str(anna.id), MENU)
        edited = await bot.deliver(str(anna.id), Rendered("Готово", edits=sent.message_id))
        assert edited == sent
        assert (anna.messages[-1].text, anna.messages[-1].buttons) == ("Готово", ())

    async def test_an_edit_that_changes_nothing_is_delivered(self, bot, anna):
        sent = await bot.deliver(str(anna.id), HELLO)
        again = Rendered(HELLO.text, edits=sent.message_id)
        assert await bot.deliver(str(anna.id), again) == sent

    async def test_an_edit_of_what_is_gone_says_so(self, bot, anna):
        gone = Rendered("Готово", edits="99999")
        assert await bot.deliver(str(anna.id), gone) == Refused("message_gone")

    async def test_a_tap_is_answered_even_when_it_is_over(self, bot, anna):
        sent = await bot.deliver(str(anna.id), MENU)
        tap = await anna.tap_data("next", message_id=int(sent.message_id))
        assert await bot.deliver("", Rendered("Хорошо", answers=tap)) == Delivered(None)
        assert anna.notices == ["Хорошо"]
        assert await bot.deliver("", Rendered("", answers=tap)) == Delivered(None)
        assert await bot.deliver("", Rendered("", answers="1")) == Delivered(None)

    async def test_a_picture_is_uploaded_once(self, fake, artist, anna):
        shown = Rendered("Где чек", photo="steps")
        for _ in range(2):
            assert isinstance(await artist.deliver(str(anna.id), shown), Delivered)
        first, second = fake.asked("sendPhoto")
        assert first.params["photo"].startswith("attach://")
        assert not second.params["photo"].startswith("attach://")
        assert anna.messages[-1].text == "Где чек"
        assert await anna.content(anna.messages[-1])

    async def test_a_picture_that_telegram_lost_is_uploaded_again(self, fake, artist, anna):
        shown = Rendered("Где чек", photo="steps")
        await artist.deliver(str(anna.id), shown)
        gone = faults.refused(400, "Bad Request: wrong file identifier/HTTP URL specified")
        fake.order(gone, method="sendPhoto")
        assert isinstance(await artist.deliver(str(anna.id), shown), Delivered)
        assert len(fake.asked("sendPhoto")) == 3

    async def test_a_picture_is_edited_too(self, artist, anna):
        sent = await artist.deliver(str(anna.id), Rendered("Шаг 1", photo="one"))
        edit = Rendered("Шаг 2", photo="two", edits=sent.message_id)
        assert await artist.deliver(str(anna.id), edit) == sent
        assert anna.messages[-1].text == "Шаг 2"

    async def test_a_text_is_made_into_a_picture(self, artist, anna):
        sent = await artist.deliver(str(anna.id), Rendered("Слова"))
        edit = Rendered("Шаг 1", photo="one", edits=sent.message_id)
        assert await artist.deliver(str(anna.id), edit) == sent
        assert await anna.content(anna.messages[-1])

    async def test_a_picture_is_taken_away_for_a_text_to_come_anew(self, artist, anna):
        sent = await artist.deliver(str(anna.id), Rendered("Шаг 1", photo="one"))
        text = Rendered("Без картинки", edits=sent.message_id)
        assert await artist.deliver(str(anna.id), text) == Refused("message_gone")
        assert sent.message_id not in {str(one.id) for one in anna.messages}
        assert await artist.deliver(str(anna.id), text) == Refused("message_gone")


class TestMeaning:
    @pytest.mark.parametrize(
        ("fault", "answer"),
        [
            (faults.blocked(), Refused("blocked")),
            (faults.deactivated(), Refused("deactivated")),
            (faults.chat_not_found(), Refused("chat_missing")),
            (
                faults.refused(403, "Forbidden: bot can't initiate conversation with a user"),
                Refused("chat_missing"),
            ),
            (faults.refused(413, "Request Entity Too Large"), Refused("http_413")),
            (faults.too_many(7), Later(7.0)),
            (faults.refused(429, "Too Many Requests"), Later(3.0)),
            (faults.refused(401, "Unauthorized"), Unreached("http_401")),
            (faults.refused(404, "Not Found"), Unreached("http_404")),
            (faults.http(500), Lost("http_500")),
            (faults.http(502), Lost("http_502")),
            (faults.garbage(), Lost("http_200")),
            (faults.garbage(b"[]"), Lost("http_200")),
            (faults.cut(), Lost("ServerDisconnectedError")),
            (faults.silence(), Lost("timeout")),
        ],
    )
    async def test_of_every_answer(self, fake, bot, anna, fault, answer):
        fake.order(fault, method="sendMessage")
        assert await bot.deliver(str(anna.id), HELLO) == answer

    async def test_reasons_quote_nothing_of_the_message(self, fake, bot, anna):
        said = 'Bad Request: can\'t parse entities: tag "Анна" at byte offset 512 «+79000000001»'
        fake.order(faults.refused(400, said), method="sendMessage")
        answer = await bot.deliver(str(anna.id), HELLO)
        assert answer.reason.startswith("bad_request: ")
        assert not any(word in answer.reason for word in ("Анна", "512", "7900"))

    async def test_nobody_there_is_not_reached(self, bot):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        away = Telegram("1:x", api_base=f"http://127.0.0.1:{port}")
        assert await away.deliver("1", HELLO) == Unreached("ClientConnectorError")
        assert not await away.alive()
        await away.close()

    async def test_a_name_that_is_not_there_is_not_reached(self):
        away = Telegram("1:x", api_base="http://telegram.invalid")
        assert isinstance(await away.deliver("1", HELLO), Unreached)
        await away.close()

    async def test_a_proxy_that_is_away_is_not_reached(self, fake):
        for scheme in ("socks5", "http"):
            away = Telegram(fake.token, api_base=fake.base_url, proxy=f"{scheme}://127.0.0.1:9")
            assert isinstance(await away.deliver("1", HELLO), Unreached)
            await away.close()

    @pytest.mark.parametrize("scheme", ["socks5", "http"])
    async def test_a_proxy_is_gone_through_and_knows_the_name(self, fake, anna, scheme):
        address = ("127.0.0.1", int(fake.base_url.rpartition(":")[2]))
        async with Proxy({"api.telegram.test:80": address}) as proxy:
            bot = Telegram(fake.token, api_base="http://api.telegram.test", proxy=proxy.url(scheme))
            assert isinstance(await bot.deliver(str(anna.id), HELLO), Delivered)
            await bot.close()
        assert proxy.asked == ["api.telegram.test:80"]

    async def test_alive_means_the_bot_is_known(self, fake, bot):
        assert await bot.alive()
        fake.order(faults.refused(401, "Unauthorized"), method="getMe")
        assert not await bot.alive()


class TestUpdates:
    async def test_come_as_they_are_from_an_offset_on(self, bot, anna):
        first = await bot.get_updates(None, timeout=1)
        assert [one["message"]["text"] for one in first] == ["/start"]
        await anna.send("привет")
        later = await bot.get_updates(first[-1]["update_id"] + 1, timeout=1)
        assert [one["message"]["text"] for one in later] == ["привет"]

    async def test_unknown_and_malformed_ones_hurt_nobody(self, fake, bot, anna):
        fake.update({"message": {"text": "half and \x00 none", "date": "yesterday"}})
        fake.update({"brand_new_kind": [1, 2, {"deep": None}]})
        fake.update({})
        found = await bot.get_updates(None, timeout=1)
        assert len(found) == 4
        text = json.dumps(found, ensure_ascii=False)
        text.encode()
        assert "\\u0000" not in text

    async def test_wait_for_the_first(self, bot, anna):
        last = (await bot.get_updates(None, timeout=1))[-1]["update_id"]
        waiting = asyncio.create_task(bot.get_updates(last + 1, timeout=20))
        await asyncio.sleep(0.1)
        await anna.send("привет")
        assert len(await asyncio.wait_for(waiting, 5)) == 1

    async def test_a_second_poller_is_told(self, bot):
        waiting = asyncio.create_task(bot.get_updates(None, timeout=20))
        await asyncio.sleep(0.1)
        await bot.get_updates(None, timeout=0)
        with pytest.raises(TelegramRefuses) as refused:
            await waiting
        assert refused.value.status == 409

    @pytest.mark.parametrize(
        "fault", [faults.http(502), faults.cut(), faults.garbage(b'{"ok":tru')]
    )
    async def test_an_outage_is_told_apart(self, fake, bot, fault):
        fake.order(fault, method="getUpdates")
        with pytest.raises(TelegramUnreachable):
            await bot.get_updates(None, timeout=0)
        assert await bot.get_updates(None, timeout=0) == []

    def test_what_is_kept_is_storable(self):
        assert storable({"a\0": ["\ud83d", 1, float("nan"), True, None]}) == {
            "a\ufffd": ["\ufffd", 1, None, True, None]
        }


class TestFiles:
    async def test_come_whole(self, bot, anna):
        sent = await anna.document(b"%PDF" * 1000)
        assert await bot.get_file(sent.raw["document"]["file_id"]) == b"%PDF" * 1000

    async def test_of_25_mb_are_refused_before_they_are_asked_for(self, fake, bot, anna):
        sent = await anna.document(25 * 1024 * 1024)
        with pytest.raises(TelegramFileTooBig):
            await bot.get_file(sent.raw["document"]["file_id"])

    async def test_that_are_longer_than_they_say_are_cut_off(self, bot, anna):
        async def endless(_reader, writer):
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(400):
                writer.write(b"x" * 64 * 1024)
            writer.close()

        async with await asyncio.start_server(endless, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            other = Telegram("1:x", api_base=f"http://127.0.0.1:{port}")
            with pytest.raises(TelegramFileTooBig):
                await other._client.download("photos/1.jpg")
            await other.close()

    async def test_that_are_gone_are_missing(self, fake, bot, anna):
        with pytest.raises(TelegramFileMissing):
            await bot.get_file("no-such-file")
        sent = await anna.document(b"x" * 100)
        fake.order(faults.refused(404, "Not Found"), method="file")
        with pytest.raises(TelegramFileMissing):
            await bot.get_file(sent.raw["document"]["file_id"])

    async def test_that_are_cut_off_may_be_asked_for_again(self, fake, bot, anna):
        sent = await anna.document(b"x" * 100)
        fake.order(faults.http(502), faults.http(503), method="file")
        for _ in range(2):
            with pytest.raises(TelegramUnreachable):
                await bot.get_file(sent.raw["document"]["file_id"])
        assert await bot.get_file(sent.raw["document"]["file_id"])


class TestBot:
    async def test_says_who_it_is(self, bot):
        assert (await bot.get_me())["username"] == "lunaria_test_bot"

    async def test_a_webhook_is_set_and_taken_away(self, fake, bot):
        await bot.set_webhook("https://club.example.ru/telegram", "a-secret-of-16-chars")
        assert fake.bot.webhook.url == "https://club.example.ru/telegram"
        assert fake.bot.webhook.secret_token == "a-secret-of-16-chars"
        await bot.delete_webhook()
        assert fake.bot.webhook is None

    async def test_commands_have_a_language_and_a_default(self, fake, bot):
        await bot.set_commands({"ru": [("balance", "Баланс")], "en": [("balance", "Balance")]})
        told = {
            language: [one["description"] for one in menu]
            for (_scope, language), menu in fake.bot.commands.items()
        }
        assert told == {"ru": ["Баланс"], "en": ["Balance"], "": ["Баланс"]}


class TestSecrecy:
    async def test_the_token_is_in_no_error_and_no_log(self, fake, caplog):
        caplog.set_level(logging.DEBUG)
        secret = "7000000001:test-token-that-must-not-leak"
        bot = Telegram(secret, api_base=fake.base_url, proxy="socks5://u:hunter2@127.0.0.1:9")
        said = [repr(bot)]
        for asked in (bot.get_me(), bot.get_updates(0, timeout=0), bot.get_file("x")):
            with pytest.raises(TelegramUnreachable) as error:
                await asked
            said.append("".join(traceback.format_exception(error.value)))
        said.append(repr(await bot.deliver("1", HELLO)))
        await bot.close()
        for text in (*said, caplog.text):
            assert "must-not-leak" not in text
            assert "hunter2" not in text
