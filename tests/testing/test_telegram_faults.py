"""Faults to order, and the end of the fake: what a bot has to live with."""

import asyncio
import time

import httpx
import pytest

from vezde.testing.telegram import faults
from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.person import NotSeen


@pytest.fixture
async def anna(telegram):
    person = telegram.user("Анна")
    await person.start()
    return person


class TestFaults:
    async def test_come_once_in_order_then_the_true_answer(self, api, telegram, anna):
        telegram.order(faults.too_many(3), faults.refused(418, "teapot"), method="sendMessage")
        answers = [await api("sendMessage", chat_id=anna.id, text="x") for _ in range(3)]
        assert [status for status, _ in answers] == [429, 418, 200]
        assert answers[0][1] == {
            "ok": False,
            "error_code": 429,
            "description": "Too Many Requests: retry after 3",
            "parameters": {"retry_after": 3},
        }
        assert len(anna.answers) == 1

    async def test_are_for_a_chat_or_for_all(self, api, telegram, anna):
        boris = telegram.user("Борис")
        await boris.start()
        telegram.order(faults.blocked(), chat=anna, times=None)
        assert (await api("sendMessage", chat_id=boris.id, text="x"))[0] == 200
        for method in ("sendMessage", "sendChatAction"):
            sent = {"chat_id": anna.id, "text": "x", "action": "typing"}
            status, told = await api(method, **sent)
            assert (status, told["description"]) == (403, "Forbidden: bot was blocked by the user")
        telegram.recover()
        assert (await api("sendMessage", chat_id=anna.id, text="x"))[0] == 200

    async def test_show_gateways_and_garbage(self, api, telegram, anna):
        url = f"/bot{telegram.token}/getMe"
        telegram.order(faults.http(502), faults.garbage())
        gateway, garbage = await api.http.get(url), await api.http.get(url)
        assert gateway.status_code == 502
        assert gateway.headers["content-type"].startswith("text/html")
        with pytest.raises(ValueError, match="Expecting value"):
            garbage.json()

    @pytest.mark.parametrize(
        ("fault", "error"),
        [
            (faults.cut(taken=False), httpx.RemoteProtocolError),
            (faults.cut(taken=True), httpx.RemoteProtocolError),
            (faults.silence(taken=False), httpx.ReadTimeout),
            (faults.silence(taken=True), httpx.ReadTimeout),
            (faults.http(502, taken=True), None),
        ],
    )
    async def test_lose_the_request_or_the_answer(self, api, telegram, anna, fault, error):
        telegram.order(fault, method="sendMessage")
        url, sent = f"/bot{telegram.token}/sendMessage", {"chat_id": anna.id, "text": "x"}
        if error is None:
            assert (await api.http.post(url, json=sent, timeout=0.5)).status_code == 502
        else:
            with pytest.raises((error, httpx.ReadError)):
                await api.http.post(url, json=sent, timeout=0.5)
        assert [one.text for one in anna.answers] == (["x"] if fault.taken else [])

    async def test_make_answers_late(self, api, telegram, anna):
        telegram.order(faults.slow(0.3))
        started = time.monotonic()
        assert (await api("sendMessage", chat_id=anna.id, text="x"))[0] == 200
        assert time.monotonic() - started >= 0.3

    async def test_spoil_downloads(self, api, telegram, anna, picture):
        await anna.photo(picture(90, 90))
        _, told = await api("getUpdates", offset=-1)
        [size] = told["result"][0]["message"]["photo"]
        _, told = await api("getFile", file_id=size["file_id"])
        path = f"/file/bot{telegram.token}/{told['result']['file_path']}"
        telegram.order(faults.http(500), method="file")
        assert (await api.http.get(path)).status_code == 500
        assert len((await api.http.get(path)).content) == size["file_size"]

    async def test_of_an_outage_end_by_themselves(self, api, telegram, anna):
        telegram.outage(0.3)
        for _ in range(2):
            with pytest.raises(httpx.TransportError):
                await api("getUpdates")
        await asyncio.sleep(0.3)
        assert (await api("getUpdates"))[0] == 200


class TestStopping:
    async def test_takes_less_than_a_second_with_polls_open(self):
        fake = FakeTelegram().start()
        async with httpx.AsyncClient(base_url=fake.base_url, trust_env=False) as http:
            paths = [f"/bot{fake.token}/getUpdates?timeout=50", "/sim/events?timeout=50"]
            polls = [asyncio.create_task(http.get(path, timeout=60)) for path in paths]
            fake.order(faults.silence(), method="getMe")
            polls.append(asyncio.create_task(http.get(f"/bot{fake.token}/getMe", timeout=60)))
            await asyncio.sleep(0.2)
            started = time.monotonic()
            await asyncio.to_thread(fake.stop)
            assert time.monotonic() - started < 1
            results = await asyncio.gather(*polls, return_exceptions=True)
            assert all(isinstance(one, httpx.TransportError) for one in results)
        fake.stop()

    async def test_comes_again_on_the_same_address(self):
        fake = FakeTelegram().start()
        address = fake.base_url
        anna = fake.user("Анна")
        await anna.start()
        fake.stop()
        with fake:
            assert fake.base_url == address
            answer = await asyncio.to_thread(
                httpx.get, f"{address}/bot{fake.token}/getUpdates", trust_env=False
            )
            assert len(answer.json()["result"]) == 1

    def test_listens_on_loopback_alone(self):
        with pytest.raises(ValueError, match="loopback"):
            FakeTelegram(host="0.0.0.0")


class TestPerson:
    async def test_sees_only_what_came_after_the_last_act(self, api, anna):
        await api("sendMessage", chat_id=anna.id, text="старые 10 баллов")
        await anna.sees("баллов")
        await anna.send("/balance")
        with pytest.raises(NotSeen, match="старые 10 баллов"):
            await anna.sees("баллов", within=0.1)
        await anna.sees("баллов", since=0)
        later = asyncio.create_task(anna.sees("20", "баллов"))
        await asyncio.sleep(0.05)
        await api("sendMessage", chat_id=anna.id, text="20 баллов")
        assert (await later).text == "20 баллов"

    async def test_sees_silence_or_what_broke_it(self, api, anna):
        await anna.sees_nothing(within=0.05)
        await api("sendMessage", chat_id=anna.id, text="!")
        with pytest.raises(NotSeen, match="silence"):
            await anna.sees_nothing(within=0.05)

    async def test_waits_for_a_button(self, api, anna):
        waiting = asyncio.create_task(anna.sees_button("Да"))
        await asyncio.sleep(0.05)
        markup = {"inline_keyboard": [[{"text": "Да", "url": "https://example.com/"}]]}
        await api("sendMessage", chat_id=anna.id, text="?", reply_markup=markup)
        await waiting
        assert await anna.tap("Да") == "url:https://example.com/"
        with pytest.raises(NotSeen, match="Нет"):
            await anna.sees_button("Нет", within=0.05)
