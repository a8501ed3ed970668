"""The bot by `vezde serve` and a Telegram over HTTP: the story, and kill -9 in the middle of it."""

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from vezde.testing.installation import Installation
from vezde.testing.receipts import line, picture, receipt, render
from vezde.testing.telegram.fake import FakeTelegram

CREAM = "Крем LUNARIA 50 мл"
PROGRAM = {
    "name": "Лунария",
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 1_000},
}
PRODUCTS = [{"sku": "CREAM", "name": CREAM, "brand": "LUNARIA", "size": "50 мл"}]
TODAY = datetime.now().replace(second=0, microsecond=0) - timedelta(days=1)  # noqa: DTZ005
PEOPLE = 12


@pytest.fixture
async def telegram():
    async with FakeTelegram() as fake:
        yield fake


@pytest.fixture
def vezde(tmp_path: Path, telegram):
    documents = tmp_path / "documents"
    documents.mkdir()
    with Installation(
        tmp_path / "var",
        VEZDE_WORKERS="2",
        VEZDE_DOCUMENTS_DIR=str(documents),
        VEZDE_TELEGRAM_TOKEN=telegram.token,
        VEZDE_TELEGRAM_API_BASE=telegram.base_url,
    ) as running:
        running.make_key()
        running.call("PUT", "/v1/program", {"document": PROGRAM})
        running.call("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
        yield running


def paper(vezde, number: int) -> bytes:
    """A picture of a receipt of 83 points that the tax service knows."""
    made = receipt(number, lines=[line(CREAM, 83_000)], at=TODAY)
    folder = Path(vezde.environ["VEZDE_DOCUMENTS_DIR"])
    (folder / f"{number}.part").write_text(json.dumps(render(made)), "utf-8")
    (folder / f"{number}.part").rename(folder / f"{number}.json")
    return picture(made)


async def agreed(person) -> None:
    await person.start()
    await person.sees_button("Дальше", within=20)
    await person.tap("Дальше")
    await person.sees_button("Даю согласие", within=20)
    await person.tap("Даю согласие")
    await person.sees("фото чека", within=20)


class TestStory:
    async def test_ends_in_points_for_the_photo(self, vezde, telegram) -> None:
        anna = telegram.user("Анна", phone="+79000000001")
        await agreed(anna)
        await anna.photo(paper(vezde, 1))
        await anna.sees("+83 балла", within=20)
        await anna.sees("Оставьте телефон")
        await anna.tap("Поделиться телефоном")
        await anna.sees("баллы закреплены за вами")
        member = vezde.call("GET", "/v1/members?phone=%2B79000000001")
        assert member["phone"] == "+79000000001"


class TestKill:
    async def test_loses_nothing_and_says_nothing_twice(self, vezde, telegram) -> None:
        people = [telegram.user(f"Гость {number}") for number in range(PEOPLE)]
        await asyncio.gather(*(agreed(one) for one in people))
        photos = [paper(vezde, number) for number in range(1, PEOPLE + 1)]
        for seconds in (0.05, 0.3, 0.8):
            share = len(photos) // 3
            batch = [(people.pop(), photos.pop()) for _ in range(min(share, len(photos)) or 1)]
            for person, photo in batch:
                await person.photo(photo)
            await asyncio.sleep(seconds)
            await asyncio.to_thread(vezde.kill)
            await asyncio.to_thread(vezde.start)
        for person, photo in zip(people, photos, strict=True):
            await person.photo(photo)
        receipts = await settled(vezde)
        assert [one["status"] for one in receipts] == ["accepted"] * PEOPLE
        await asyncio.sleep(3)
        for user_id, told in told_of_receipts(telegram).items():
            assert max(told) <= 1, (user_id, told)


async def settled(vezde) -> list[dict]:
    """All receipts, once there is one for everybody and none is being checked."""
    for _ in range(1_000):  # a killed worker's leases last two minutes
        shown = await asyncio.to_thread(vezde.call, "GET", "/v1/receipts?limit=100")
        items = shown["items"]
        if len(items) == PEOPLE and all(one["status"] != "checking" for one in items):
            return items
        await asyncio.sleep(0.2)
    raise AssertionError(f"{len(items)} receipts after 200 s")


def told_of_receipts(telegram) -> dict[int, tuple[int, int]]:
    """Messages that a receipt is being checked, and that it brought points, by person.

    Mostly one becomes the other. Where a worker died before it knew the first one's number, the
    second is a message of its own.
    """
    said: dict[int, tuple[int, int]] = {}
    with telegram.world.lock:
        for chat in telegram.bot.chats.values():
            texts = [
                str(one.content.get("text", "")) for one in chat.messages.values() if one.by_bot
            ]
            checked = sum("Проверяем чек" in one for one in texts)
            said[chat.id] = checked, sum("+83" in one for one in texts)
    return said
