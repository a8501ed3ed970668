"""The door to a fake's people: what passes, what does not, and a fake that is away."""

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from vezde.testing.receipts import picture
from vezde.testing.telegram import door
from vezde.testing.telegram.door import Door
from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.world import World


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as running:
        yield running


@pytest.fixture
async def client(fake: FakeTelegram) -> AsyncIterator[httpx.AsyncClient]:
    opened = Door(fake.base_url)
    transport = httpx.ASGITransport(opened)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as asking:
        yield asking
    await opened.close()


class TestDoor:
    async def test_passes_people_acts_chats_and_files(self, client, fake) -> None:
        made = (await client.post("/users", json={"first_name": "Анна"})).json()
        said = await client.post(f"/users/{made['id']}/text", json={"text": "привет"})
        assert said.status_code == 201
        photo = await client.post(
            f"/users/{made['id']}/photo",
            content=picture("t=1"),
            headers={"Content-Type": "image/png"},
        )
        chat = (await client.get(f"/users/{made['id']}/messages")).json()
        assert [one.get("text") for one in chat["messages"]] == ["привет", None]
        file = await client.get(photo.json()["photo"]["url"].removeprefix("/sim"))
        assert file.headers["content-type"] == "image/jpeg"
        assert file.content[:2] == b"\xff\xd8"

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            ("POST", "/reset"),
            ("POST", "/faults"),
            ("GET", "/faults"),
            ("GET", "/calls"),
            ("POST", "/updates"),
            ("DELETE", "/users"),
            ("GET", "/../bot7/getMe"),
            ("GET", "/files/../../etc/passwd"),
        ],
    )
    async def test_passes_nothing_else(self, client, method: str, path: str) -> None:
        assert (await client.request(method, path)).status_code == 404

    async def test_shows_no_file_but_pictures(self, client, fake) -> None:
        made = (await client.post("/users", json={"first_name": "Анна"})).json()
        form = {"document": ("page.html", b"<script>alert(1)</script>")}
        sent = await client.post(
            f"/users/{made['id']}/document", files=form, data={"as": "document"}
        )
        file = await client.get(sent.json()["document"]["url"].removeprefix("/sim"))
        assert file.headers["content-disposition"] == "attachment"
        assert file.headers["content-security-policy"].startswith("sandbox")
        assert file.headers["x-content-type-options"] == "nosniff"

    async def test_refuses_what_is_too_large(self, client, monkeypatch) -> None:
        monkeypatch.setattr(door, "MOST_BYTES", 100)
        assert (await client.post("/users", content=b"x" * 101)).status_code == 413

        async def endless() -> AsyncIterator[bytes]:
            while True:
                yield b"x" * 60

        assert (await client.post("/users", content=endless())).status_code == 503

    async def test_follows_events_until_the_page_goes(self, fake) -> None:
        anna = fake.user("Анна")
        opened, gone = Door(fake.base_url), asyncio.Event()
        heard: asyncio.Queue[bytes] = asyncio.Queue()

        async def receive() -> dict:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            heard.put_nowait(message.get("body", b""))

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/events",
            "query_string": b"since=0",
            "headers": [(b"accept", b"text/event-stream")],
        }
        following = asyncio.create_task(opened(scope, receive, send))
        await anna.send("привет")
        async with asyncio.timeout(10):
            said = b""
            while "привет" not in said.decode("utf-8", "ignore"):
                said += await heard.get()
            gone.set()
            await following
        await opened.close()

    async def test_says_when_the_fake_is_away(self) -> None:
        async with FakeTelegram() as fake:
            address = fake.base_url
        opened = Door(address)
        transport = httpx.ASGITransport(opened)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            assert (await client.get("/users")).status_code == 503
        await opened.close()
        with pytest.raises(door.Unreachable):
            await door.reset(address)


class TestReset:
    async def test_forgets_people_and_tells_who_follows(self, client, fake) -> None:
        anna = fake.user("Анна")
        await anna.send("привет")
        seq = (await client.get("/state")).json()["seq"]
        await door.reset(fake.base_url)
        assert (await client.get("/users")).json() == []
        changes = (await client.get(f"/events?since={seq}&timeout=5")).json()
        assert changes["gap"] is True


class TestLaterLife:
    def test_repeats_no_number_of_an_earlier_one(self) -> None:
        numbers = []
        for start in (1_000, 2_000):
            world = World(start)
            bot = world.add_bot("7:x", username="b", first_name="Б")
            anna = world.add_user("Анна", user_id=1)
            chat = world.private_chat(bot, anna)
            message = world.post(bot, chat, sender=anna.api(), by_bot=False, content={"text": "1"})
            update = world.update(bot, "message", message.api())
            file = world.files.add_document(b"1", name="a.txt")
            assert update is not None
            numbers.append([message.id, update.id, world.seq, world.number(), file.id])
        earlier, later = numbers
        assert all(one < other for one, other in zip(earlier, later, strict=True)), numbers

    def test_keeps_what_the_bot_set_when_people_are_forgotten(self) -> None:
        world = World()
        bot = world.add_bot("7:x", username="b", first_name="Б")
        bot.commands[("default::", "")] = [{"command": "help", "description": "Помощь"}]
        world.forget_talk()
        (kept,) = world.bots.values()
        assert json.dumps(kept.commands[("default::", "")]) == json.dumps(
            [{"command": "help", "description": "Помощь"}]
        )
