"""The fake Telegram of this folder's tests: one server, begun anew for each test."""

import io

import httpx
import pytest
from PIL import Image

from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.faults import Limits


@pytest.fixture(scope="session")
async def telegram_server():
    async with FakeTelegram(webhook_pause_seconds=0.02) as started:
        yield started


@pytest.fixture
async def telegram(telegram_server):
    fake = telegram_server
    with fake.world.lock:
        bot = fake.bot
        bot.webhook, bot.reads_groups, bot.updates.allowed = None, True, None
        bot.limits = Limits()
    fake.reset()
    fake.world.callback_seconds = 60.0
    return fake


@pytest.fixture(scope="session")
async def telegram_http(telegram_server):
    url = telegram_server.base_url
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as http:
        yield http


@pytest.fixture
def api(telegram, telegram_http):
    """Raw calls: `await api("getMe")` answers (status, JSON)."""
    http = telegram_http

    async def call(method, *, files=None, **params):
        url = f"/bot{telegram.token}/{method}"
        if files:
            answer = await http.post(url, data=params, files=files)
        else:
            answer = await http.post(url, json=params)
        return answer.status_code, answer.json()

    call.http = http
    return call


@pytest.fixture(scope="session")
def picture():
    """A PNG of the size told."""

    def made(width=1600, height=1200, colour="orange"):
        written = io.BytesIO()
        Image.new("RGB", (width, height), colour).save(written, "PNG")
        return written.getvalue()

    return made
