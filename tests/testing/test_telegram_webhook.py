"""Updates posted to a webhook: secret, order, repetition, a method in the answer."""

import asyncio
import json
import time
from dataclasses import dataclass, field

import pytest
from aiohttp import web


async def until(true):
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)


@dataclass
class Hook:
    """A bot's own address; `statuses` are answered in turn, then 200."""

    url: str = ""
    got: list = field(default_factory=list)
    secrets: list = field(default_factory=list)
    statuses: list = field(default_factory=list)
    headers: dict = field(default_factory=dict)
    answer: object = None
    slow: dict = field(default_factory=dict)

    async def take(self, request):
        update = await request.json()
        self.got.append(update)
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        await asyncio.sleep(self.slow.get(update.get("message", {}).get("text"), 0))
        status = self.statuses.pop(0) if self.statuses else 200
        body = json.dumps(self.answer) if self.answer else ""
        return web.Response(
            status=status, text=body, content_type="application/json", headers=self.headers
        )

    async def texts(self, count):
        """Texts of messages, once so many came."""
        await until(lambda: len(self.got) >= count)
        await asyncio.sleep(0.05)
        return [update["message"]["text"] for update in self.got]


@pytest.fixture
async def hook():
    made = Hook()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def anna(telegram):
    return telegram.user("Анна")


class TestWebhook:
    async def test_carries_the_secret_and_takes_the_update_off(self, api, telegram, anna, hook):
        await api("setWebhook", url=hook.url, secret_token="word_1-2")
        await anna.send("раз")
        assert await hook.texts(1) == ["раз"]
        assert hook.secrets == ["word_1-2"]
        _, told = await api("getWebhookInfo")
        assert told["result"]["pending_update_count"] == 0
        assert telegram.statistics()["webhook_delivered"] == 1

    async def test_repeats_until_2xx_and_tells_the_error(self, api, anna, hook):
        hook.statuses = [500, 404, 302, 201]
        await api("setWebhook", url=hook.url)
        await anna.send("раз")
        await anna.send("два")
        assert await hook.texts(5) == ["раз"] * 4 + ["два"]
        assert len({update["update_id"] for update in hook.got}) == 2
        _, told = await api("getWebhookInfo")
        assert told["result"]["last_error_message"] == "Wrong response from the webhook: 302 Found"

    async def test_keeps_to_retry_after(self, api, anna, hook):
        hook.statuses, hook.headers = [503], {"Retry-After": "1"}
        await api("setWebhook", url=hook.url)
        started = time.monotonic()
        await anna.send("раз")
        assert await hook.texts(2) == ["раз", "раз"]
        assert time.monotonic() - started >= 1

    async def test_keeps_order_in_a_chat_and_not_between_chats(self, api, telegram, anna, hook):
        boris = telegram.user("Борис")
        hook.slow = {"медленно": 0.3}
        await api("setWebhook", url=hook.url)
        await anna.send("медленно")
        await anna.send("потом")
        await boris.send("сразу")
        assert await hook.texts(3) == ["медленно", "сразу", "потом"]

    async def test_takes_a_method_in_the_answer(self, api, anna, hook):
        hook.answer = {"method": "sendMessage", "chat_id": anna.id, "text": "принято"}
        await api("setWebhook", url=hook.url)
        await anna.send("раз")
        await anna.sees("принято")

    async def test_delivers_what_waited_and_stops_when_deleted(self, api, telegram, anna, hook):
        await anna.send("до")
        await api("setWebhook", url=hook.url)
        assert await hook.texts(1) == ["до"]
        assert telegram.repeat(1) == 1
        assert await hook.texts(2) == ["до", "до"]
        await api("deleteWebhook")
        await anna.send("после")
        await asyncio.sleep(0.1)
        assert len(hook.got) == 2
        _, told = await api("getUpdates")
        assert [update["message"]["text"] for update in told["result"]] == ["после"]

    async def test_lives_through_an_address_that_is_down(self, api, telegram, anna):
        await api("setWebhook", url="http://127.0.0.1:9/hook")
        await anna.send("раз")
        await until(lambda: telegram.statistics()["webhook_failed"] >= 3)
        _, told = await api("getWebhookInfo")
        assert told["result"]["pending_update_count"] == 1
        assert told["result"]["last_error_message"].startswith("Connection failed")

    @pytest.mark.parametrize(
        ("url", "secret"), [("http://example.com/hook", ""), ("https://example.com", "плохой")]
    )
    async def test_refuses_bad_addresses_and_secrets(self, api, url, secret):
        assert (await api("setWebhook", url=url, secret_token=secret))[0] == 400
        assert (await api("getWebhookInfo"))[1]["result"]["url"] == ""
