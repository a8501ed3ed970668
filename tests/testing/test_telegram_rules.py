"""Raw rules of the fake Bot API: requests, tokens, limits of texts and buttons, polling."""

import asyncio
import time

import pytest

from vezde.testing.telegram.faults import Limits


@pytest.fixture
async def anna(telegram):
    person = telegram.user("Анна")
    await person.start()
    return person


class TestRequests:
    async def test_come_as_query_form_json_and_multipart(self, api, telegram, anna):
        base = f"/bot{telegram.token}/sendMessage"
        sent = {"chat_id": str(anna.id), "text": "привет"}
        answers = [
            await api.http.get(base, params=sent),
            await api.http.post(base, data=sent),
            await api.http.post(base, json=sent | {"chat_id": anna.id}),
            await api.http.post(base, files={name: (None, sent[name]) for name in sent}),
            await api.http.post(base.replace("sendMessage", "SENDMESSAGE"), params=sent),
        ]
        assert [answer.json()["result"]["text"] for answer in answers] == ["привет"] * 5

    async def test_with_an_unknown_token_or_method(self, api, telegram):
        cases = {
            "/bot42:stale/getMe": (401, "Unauthorized"),
            "/botnonsense/getMe": (401, "Unauthorized: invalid token specified"),
            f"/bot{telegram.token}/makeCoffee": (404, "Not Found: method not found"),
            "/": (404, "Not Found"),
            f"/file/bot{telegram.token}/photos/nothing.jpg": (404, "Not Found"),
            "/file/bot42:stale/photos/file_1.jpg": (401, "Unauthorized"),
        }
        for path, (code, said) in cases.items():
            answer = await api.http.get(path)
            assert answer.status_code == code
            assert answer.json() == {"ok": False, "error_code": code, "description": said}

    async def test_that_are_no_json(self, api, telegram):
        for body in (b"{", b"[1]"):
            answer = await api.http.post(
                f"/bot{telegram.token}/sendMessage",
                content=body,
                headers={"Content-Type": "application/json"},
            )
            assert (answer.status_code, answer.json()["ok"]) == (400, False)

    async def test_that_are_too_large(self, api, anna):
        status, told = await api(
            "sendDocument", files={"document": ("x.bin", b"x" * 54_000_000)}, chat_id=str(anna.id)
        )
        assert (status, told["description"]) == (413, "Request Entity Too Large")

    @pytest.mark.parametrize(
        ("method", "params"),
        [
            ("setMyCommands", {"commands": ["x"]}),
            ("sendMessage", {"reply_parameters": "5"}),
            ("sendMediaGroup", {"media": "nonsense"}),
            ("setMyCommands", {"commands": {"command": "x"}}),
        ],
    )
    async def test_of_wrong_types_are_bad_requests(self, api, anna, method, params):
        status, told = await api(method, chat_id=anna.id, text="x", **params)
        assert (status, told["error_code"]) == (400, 400)


class TestTexts:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "Bad Request: message text is empty"),
            (" \n ", "Bad Request: message text is empty"),
            ("я" * 4097, "Bad Request: message is too long"),
        ],
    )
    async def test_are_neither_empty_nor_too_long(self, api, anna, text, said):
        status, told = await api("sendMessage", chat_id=anna.id, text=text)
        assert (status, told["description"]) == (400, said)
        assert (await api("sendMessage", chat_id=anna.id, text="я" * 4096))[0] == 200

    async def test_count_without_markup(self, api, anna):
        text = f"<b>{'я' * 4096}</b>"
        assert (await api("sendMessage", chat_id=anna.id, text=text, parse_mode="HTML"))[0] == 200

    async def test_of_captions_are_shorter(self, api, anna, picture):
        files = {"photo": ("a.png", picture(90, 90))}
        for length, status in ((1024, 200), (1025, 400)):
            sent = {"chat_id": str(anna.id), "caption": "я" * length}
            assert (await api("sendPhoto", files=files, **sent))[0] == status

    async def test_with_unknown_parse_modes_are_refused(self, api, anna):
        for mode in ("MarkdownV2", "bbcode"):
            assert (await api("sendMessage", chat_id=anna.id, text="*x*", parse_mode=mode))[
                0
            ] == 400


class TestButtons:
    def keyboard(self, **button):
        return {"inline_keyboard": [[{"text": "Да", **button}]]}

    async def test_carry_64_bytes_not_letters(self, api, anna):
        for data, status in (("x" * 64, 200), ("я" * 32, 200), ("я" * 33, 400)):
            markup = self.keyboard(callback_data=data)
            got, told = await api("sendMessage", chat_id=anna.id, text="?", reply_markup=markup)
            assert got == status
        assert told["description"] == "Bad Request: BUTTON_DATA_INVALID"
        assert len(anna.answers) == 2

    @pytest.mark.parametrize(
        "markup",
        [
            {"inline_keyboard": [[{"text": "Да"}]]},
            {"inline_keyboard": [[{"callback_data": "x"}]]},
            {"inline_keyboard": [[{"text": " ", "callback_data": "x"}]]},
            {"inline_keyboard": {"text": "Да"}},
            {"inline_keyboard": [[{"text": "Да", "url": "no address"}]]},
            {"inline_keyboard": [[{"text": "Да", "web_app": {"url": "http://example.com"}}]]},
            {"inline_keyboard": [[{"text": str(n), "callback_data": "x"} for n in range(101)]]},
            {"keyboard": [[5]]},
            {"keyboard": []},
            [1],
            "{",
        ],
    )
    async def test_are_refused_when_malformed(self, api, anna, markup):
        status, told = await api("sendMessage", chat_id=anna.id, text="?", reply_markup=markup)
        assert (status, told["ok"]) == (400, False)
        assert anna.answers == []

    async def test_of_a_reply_keyboard_forbid_editing(self, api, anna):
        markup = {"keyboard": [["Баланс", "Помощь"]]}
        _, told = await api("sendMessage", chat_id=anna.id, text="?", reply_markup=markup)
        where = {"chat_id": anna.id, "message_id": told["result"]["message_id"]}
        assert (await api("editMessageText", text="!", **where))[0] == 400
        assert anna.buttons == ["Баланс", "Помощь"]
        assert await anna.tap("Баланс") == "text"
        assert anna.messages[-1].text == "Баланс"

    async def test_answer_to_the_message_or_say_it_is_gone(self, api, anna):
        first = anna.messages[0]
        _, told = await api(
            "sendMessage", chat_id=anna.id, text="!", reply_parameters={"message_id": first.id}
        )
        assert told["result"]["reply_to_message"]["message_id"] == first.id
        gone = {"message_id": 404}
        assert (await api("sendMessage", chat_id=anna.id, text="!", reply_parameters=gone))[
            0
        ] == 400
        lenient = gone | {"allow_sending_without_reply": True}
        status, _ = await api("sendMessage", chat_id=anna.id, text="!", reply_parameters=lenient)
        assert status == 200


class TestTaps:
    async def test_may_be_answered_for_a_while(self, api, telegram, anna):
        telegram.world.callback_seconds = 0.05
        number = await anna.tap_data("x", message_id=1)
        await asyncio.sleep(0.1)
        for query in (number, "nonsense"):
            status, told = await api("answerCallbackQuery", callback_query_id=query)
            assert status == 400
            assert "query is too old" in told["description"]
        assert telegram.statistics()["callbacks_unanswered"] == 1


def numbers(told):
    return [update["update_id"] for update in told["result"]]


class TestPolling:
    async def test_confirms_by_offset_alone(self, api, anna):
        await anna.send("один")
        await anna.send("два")
        _, first = await api("getUpdates")
        ids = numbers(first)
        assert ids == list(range(ids[0], ids[0] + 3))
        assert numbers((await api("getUpdates"))[1]) == ids
        assert numbers((await api("getUpdates", offset=ids[1], limit=1))[1]) == [ids[1]]
        assert numbers((await api("getUpdates", offset=ids[0]))[1]) == ids[1:]
        assert numbers((await api("getUpdates", offset=ids[2] + 1))[1]) == []

    async def test_waits_for_the_first_update(self, api, anna):
        _, told = await api("getUpdates")
        offset = numbers(told)[-1] + 1
        started = time.monotonic()
        assert numbers((await api("getUpdates", offset=offset, timeout=1))[1]) == []
        assert 0.9 < time.monotonic() - started < 2
        waiting = asyncio.create_task(api("getUpdates", offset=offset, timeout=20))
        await asyncio.sleep(0.05)
        started = time.monotonic()
        await anna.send("вот")
        assert numbers((await waiting)[1]) == [offset]
        assert time.monotonic() - started < 0.5

    async def test_keeps_the_last_with_a_negative_offset(self, api, anna):
        await anna.send("один")
        await anna.send("два")
        _, told = await api("getUpdates", offset=-1)
        assert [update["message"]["text"] for update in told["result"]] == ["два"]
        assert len(numbers((await api("getUpdates"))[1])) == 1

    async def test_gives_only_what_was_asked_for(self, api, anna):
        await api("getUpdates", allowed_updates=["my_chat_member"])
        await anna.send("не это")
        await anna.block()
        _, told = await api("getUpdates", offset=-1)
        assert "my_chat_member" in told["result"][0]
        await api("getUpdates", allowed_updates=[])
        await anna.send("а это да")
        _, told = await api("getUpdates", offset=-1)
        assert told["result"][0]["message"]["text"] == "а это да"

    async def test_is_ended_by_another_and_by_a_webhook(self, api, telegram):
        first = asyncio.create_task(api("getUpdates", timeout=20))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(api("getUpdates", timeout=20))
        status, told = await first
        assert (status, told["error_code"]) == (409, 409)
        assert "terminated by other getUpdates" in told["description"]
        await api("setWebhook", url="http://127.0.0.1:1/hook")
        status, told = await second
        assert (status, told["description"]) == (409, "Conflict: terminated by setWebhook request")
        assert (await api("getUpdates"))[0] == 409
        await api("deleteWebhook")
        assert (await api("getUpdates"))[0] == 200

    async def test_gives_unknown_and_malformed_updates(self, api, telegram):
        number = telegram.update({"purchased_paid_media_2": {"from": 5}})
        telegram.update({"message": {"message_id": "x"}})
        telegram.update({})
        _, told = await api("getUpdates")
        assert told["result"] == [
            {"update_id": number, "purchased_paid_media_2": {"from": 5}},
            {"update_id": number + 1, "message": {"message_id": "x"}},
            {"update_id": number + 2},
        ]

    async def test_repeats_confirmed_updates_to_order(self, api, telegram, anna):
        await anna.send("ещё")
        ids = numbers((await api("getUpdates"))[1])
        offset = ids[-1] + 1
        await api("getUpdates", offset=offset)
        assert telegram.repeat(2) == 2
        assert numbers((await api("getUpdates", offset=offset))[1]) == ids
        assert numbers((await api("getUpdates", offset=offset))[1]) == []

    async def test_reorders_to_order(self, api, telegram, anna):
        ids = numbers((await api("getUpdates"))[1])
        offset = ids[-1] + 1
        telegram.hold()
        for text in ("один", "два", "три"):
            await anna.send(text)
        assert numbers((await api("getUpdates", offset=offset))[1]) == []
        assert telegram.release(backwards=True) == 3
        handed = []
        for _ in range(3):
            [number] = numbers((await api("getUpdates", offset=offset, limit=1))[1])
            handed.append(number)
            offset = max(offset, number + 1)
        assert handed == [ids[-1] + 3, ids[-1] + 2, ids[-1] + 1]
        assert numbers((await api("getUpdates", offset=offset))[1]) == []

    async def test_confirms_out_of_order_ones_by_their_numbers(self, api, telegram, anna):
        first = numbers((await api("getUpdates"))[1])[-1]
        telegram.hold()
        for text in ("один", "два", "три"):
            await anna.send(text)
        telegram.release([2, 0, 1])
        await api("getUpdates", offset=first + 1)
        _, told = await api("getUpdates", offset=first + 2)
        assert numbers(told) == [first + 3, first + 2]
        assert numbers((await api("getUpdates", offset=first + 3))[1]) == [first + 3]


class TestGroups:
    async def test_are_silent_to_a_bot_in_privacy_mode(self, api, telegram, anna):
        group = telegram.group("Покупки", anna)
        telegram.bot.reads_groups = False
        await anna.send("между собой", chat=group)
        await anna.send("/balance", chat=group)
        _, told = await api("getUpdates", offset=-1)
        assert told["result"][0]["message"]["text"] == "/balance"
        assert (await api("getMe"))[1]["result"]["can_read_all_group_messages"] is False
        assert (await api("leaveChat", chat_id=group.id))[0] == 200
        status, told = await api("sendMessage", chat_id=group.id, text="x")
        assert (status, told["description"]) == (
            403,
            "Forbidden: bot was kicked from the supergroup chat",
        )


class TestLimits:
    async def test_are_counted_and_kept_to_when_told(self, api, telegram, anna):
        for _ in range(7):
            assert (await api("sendMessage", chat_id=anna.id, text="x"))[0] == 200
        assert telegram.statistics()["over_limit_chat"] == 2
        telegram.bot.limits = Limits(enforced=True, per_second=3, chat_burst=10)
        answers = [await api("sendMessage", chat_id=anna.id, text="x") for _ in range(4)]
        assert [status for status, _ in answers] == [200, 200, 200, 429]
        assert answers[-1][1]["parameters"] == {"retry_after": 1}
        assert (await api("sendChatAction", chat_id=anna.id, action="typing"))[0] == 200
        await asyncio.sleep(0.5)
        assert (await api("sendMessage", chat_id=anna.id, text="x"))[0] == 200
