"""Updates posted by Telegram: kept once, and from nobody else."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
import uvicorn

from bot.conftest import Door, working
from vezde import wiring
from vezde.testing.installation import free_port
from vezde.testing.receipts import picture

SECRET = "a-secret-of-the-tests"


@pytest.fixture
async def posted(still: Door) -> AsyncIterator[Door]:
    """An installation that Telegram posts to, over a real socket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/hooks/telegram"
    telegram = replace(still.house.settings.telegram, webhook_url=url, webhook_secret=SECRET)
    still.house = replace(still.house, settings=replace(still.house.settings, telegram=telegram))
    app = wiring.web(still.house)
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", port)) as listening:
        serving = asyncio.create_task(server._serve(sockets=[listening]))
        try:
            async with working(still):
                yield still
        finally:
            server.should_exit = True
            await serving
            with still.telegram.world.lock:
                still.telegram.bot.webhook = None


class TestWebhook:
    async def test_carries_the_whole_story(self, posted: Door) -> None:
        anna = await posted.member()
        await anna.photo(picture(posted.paper(1)))
        await anna.sees("+83 балла")
        assert posted.telegram.asked("getUpdates") == []

    async def test_refuses_a_wrong_secret(self, posted: Door) -> None:
        url = posted.house.settings.telegram.webhook_url
        update = {"update_id": 1, "message": {"chat": {"id": 7, "type": "private"}}}
        async with httpx.AsyncClient(trust_env=False) as http:
            for headers in ({}, {"X-Telegram-Bot-Api-Secret-Token": "wrong"}):
                answer = await http.post(url, json=update, headers=headers)
                assert answer.status_code == 403
        assert await posted.fates() == {}

    async def test_takes_what_nobody_can_read_and_goes_on(self, posted: Door) -> None:
        url = posted.house.settings.telegram.webhook_url
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        async with httpx.AsyncClient(trust_env=False) as http:
            for body in (b"", b"{", b"[]", b'{"update_id": "x"}'):
                answer = await http.post(url, content=body, headers=headers)
                assert answer.status_code == 200
        assert await posted.fates() == {}


class TestMenu:
    async def test_is_set_in_both_languages(self, door: Door) -> None:
        await door.member()
        set_ = {call.params.get("language_code") for call in door.telegram.asked("setMyCommands")}
        assert {"ru", "en"} <= set_
