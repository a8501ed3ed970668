"""The simulator over HTTP: what the page of a chat and benchmarks use; the fake run alone."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from vezde.testing.telegram.model import TOKEN

SOURCE = Path(__file__).parents[2] / "src"


@pytest.fixture
def sim(telegram, telegram_http):
    return telegram_http


@pytest.fixture
async def anna(sim):
    """Her path in the simulator."""
    told = (await sim.post("/sim/users", json={"first_name": "<b>Анна</b> 🦊"})).json()
    return f"/sim/users/{told['id']}"


def number(path):
    return int(path.rpartition("/")[2])


async def last_update(api):
    _, told = await api("getUpdates", offset=-1)
    return told["result"][0]


class TestPeople:
    async def test_are_made_as_asked(self, sim):
        given = {
            "id": 77,
            "first_name": "Борис",
            "phone": "+79000000002",
            "language_code": "en",
            "username": "boris",
        }
        assert (await sim.post("/sim/users", json=given)).status_code == 201
        [boris] = (await sim.get("/sim/users")).json()
        assert boris == given | {"is_bot": False, "deactivated": False}

    async def test_start_talk_and_tap(self, sim, api, anna):
        await sim.post(f"{anna}/start", json={"payload": "qr-1"})
        assert (await last_update(api))["message"]["text"] == "/start qr-1"
        markup = {"inline_keyboard": [[{"text": "Да", "callback_data": "yes"}]]}
        await api("sendMessage", chat_id=number(anna), text="Согласны?", reply_markup=markup)
        did = (await sim.post(f"{anna}/tap", json={"text": "Да"})).json()["did"]
        assert (await last_update(api))["callback_query"]["id"] == did.removeprefix("callback:")
        missing = await sim.post(f"{anna}/tap", json={"text": "Нет"})
        assert (missing.status_code, missing.json()["error"]) == (
            404,
            "no button 'Нет'; there are: Да",
        )
        await sim.post(f"{anna}/tap", json={"data": "old", "message_id": 99})
        assert (await last_update(api))["callback_query"]["message"]["date"] == 0

    async def test_show_photos_as_body_or_form(self, sim, api, anna, picture):
        png = picture(200, 100)
        await sim.post(f"{anna}/photo", content=png, headers={"Content-Type": "image/png"})
        assert (await last_update(api))["message"]["photo"][-1]["width"] == 200
        files = [("photo", ("a.png", png)), ("photo", ("b.png", picture(100, 100)))]
        await sim.post(f"{anna}/photo", files=files, data={"caption": "два"})
        chat = (await sim.get(f"{anna}/messages")).json()
        assert [message.get("caption") for message in chat["messages"]] == [None, "два", None]
        assert "media_group_id" in chat["messages"][1]
        shown = await sim.get(chat["messages"][1]["photo"]["url"])
        assert shown.headers["content-type"] == "image/jpeg"
        wrong = await sim.post(f"{anna}/photo", content=b"x", headers={"Content-Type": "image/png"})
        assert (wrong.status_code, wrong.json()["error"]) == (
            400,
            "ApiError: Bad Request: IMAGE_PROCESS_FAILED",
        )

    async def test_send_documents_contacts_edits_and_block(self, sim, api, anna):
        await sim.post(f"{anna}/document", json={"name": "big.pdf", "size": 25_000_000})
        assert (await last_update(api))["message"]["document"]["file_size"] == 25_000_000
        await sim.post(f"{anna}/document", files={"file": ("a.txt", b"x")}, data={"as": "document"})
        assert (await last_update(api))["message"]["document"]["file_name"] == "a.txt"
        await sim.post(f"{anna}/contact")
        assert (await last_update(api))["message"]["contact"]["user_id"] == number(anna)
        await sim.post(f"{anna}/contact", json={"phone": "+79000000003"})
        assert "user_id" not in (await last_update(api))["message"]["contact"]
        said = (await sim.post(f"{anna}/text", json={"text": "превет"})).json()
        await sim.post(f"{anna}/edit", json={"message_id": said["message_id"], "text": "привет"})
        assert (await last_update(api))["edited_message"]["text"] == "привет"
        await sim.post(f"{anna}/block")
        assert (await api("sendMessage", chat_id=number(anna), text="x"))[0] == 403
        await sim.post(f"{anna}/unblock")
        assert (await api("sendMessage", chat_id=number(anna), text="x"))[0] == 200

    async def test_write_in_groups(self, sim, api, anna):
        given = {"title": "Покупки", "users": [number(anna)]}
        group = (await sim.post("/sim/groups", json=given)).json()["chat_id"]
        await sim.post(f"{anna}/text", json={"text": "привет", "chat_id": group})
        assert (await last_update(api))["message"]["chat"]["id"] == group

    async def test_cannot_do_the_impossible(self, sim, anna):
        assert (await sim.post(f"{anna}/fly")).status_code == 404
        assert (await sim.post("/sim/users/1/text", json={"text": "x"})).status_code == 404
        assert (await sim.post(f"{anna}/text", json={"text": "x", "chat_id": 5})).status_code == 400
        assert (await sim.post(f"{anna}/text", content=b"{")).status_code in {400, 415}
        assert (await sim.get("/sim/state?bot=nobody")).status_code == 200
        assert (await sim.get(f"{anna}/messages?bot=nobody")).status_code == 404


class TestChat:
    async def test_is_shown_as_the_person_sees_it(self, sim, api, anna):
        await sim.post(f"{anna}/start")
        keyboard = {"keyboard": [[{"text": "Баланс"}]]}
        sent = {"chat_id": number(anna), "text": "<b>Привет</b>", "parse_mode": "HTML"}
        await api("sendMessage", **sent, reply_markup=keyboard)
        await api("setMyCommands", commands=[{"command": "balance", "description": "Баланс"}])
        chat = (await sim.get(f"{anna}/messages")).json()
        mine, answer = chat["messages"]
        assert (mine["mine"], mine["text"], answer["mine"]) == (True, "/start", False)
        assert answer["entities"] == [{"type": "bold", "offset": 0, "length": 6}]
        assert chat["keyboard"] == keyboard
        assert chat["commands"] == [{"command": "balance", "description": "Баланс"}]
        assert chat["menu_button"] == {"type": "commands"}
        assert mine["from"] == "<b>Анна</b> 🦊"

    async def test_changes_come_by_long_poll(self, sim, api, anna):
        since = (await sim.get("/sim/state")).json()["seq"]
        path = f"/sim/events?user={number(anna)}&timeout=5&since="
        waiting = asyncio.create_task(sim.get(f"{path}{since}"))
        await asyncio.sleep(0.05)
        await sim.post(f"{anna}/start")
        told = (await waiting).json()
        assert [one["message"]["text"] for one in told["events"]] == ["/start"]
        _, sent = await api("sendMessage", chat_id=number(anna), text="раз")
        where = {"chat_id": number(anna), "message_id": sent["result"]["message_id"]}
        await api("editMessageText", text="два", **where)
        await api("sendChatAction", chat_id=number(anna), action="typing")
        await api("deleteMessage", **where)
        told = (await sim.get(f"{path}{told['seq']}")).json()
        assert [one["kind"] for one in told["events"]] == ["message", "edited", "action", "deleted"]
        assert told["events"][-1]["message_id"] == where["message_id"]
        quiet = (await sim.get(f"/sim/events?since={told['seq']}")).json()
        assert quiet == {"events": [], "seq": told["seq"], "gap": False}

    async def test_changes_come_as_server_sent_events(self, sim, anna):
        since = (await sim.get("/sim/state")).json()["seq"]
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(since)}
        async with sim.stream("GET", "/sim/events", headers=headers) as stream:
            assert stream.headers["content-type"] == "text/event-stream"
            await sim.post(f"{anna}/text", json={"text": "привет"})
            lines = stream.aiter_lines()
            assert (await anext(lines)).startswith("id: ")
            data = json.loads((await anext(lines)).removeprefix("data: "))
            assert data["message"]["text"] == "привет"

    async def test_changes_tell_of_a_gap(self, sim, anna, telegram):
        await sim.post(f"{anna}/start")
        telegram.world.changes.clear()
        told = (await sim.get("/sim/events?since=0")).json()
        assert told["gap"] is True


class TestOrders:
    async def test_of_faults(self, sim, api, anna):
        await sim.post(f"{anna}/start")
        fault = {"kind": "too_many", "retry_after": 2, "methods": ["sendMessage"], "times": 1}
        assert (await sim.post("/sim/faults", json=fault)).json()["status"] == 429
        assert (await api("sendMessage", chat_id=number(anna), text="x"))[0] == 429
        await sim.post("/sim/faults", json={"kind": "http", "status": 503, "seconds": 60})
        answer = await api.http.get(f"/bot{TOKEN}/getMe")
        assert answer.status_code == 503
        assert len((await sim.get("/sim/faults")).json()) == 1
        await sim.delete("/sim/faults")
        assert (await api("getMe"))[0] == 200
        assert (await sim.post("/sim/faults", json={"kind": "flood"})).status_code == 400

    async def test_of_updates(self, sim, api, anna):
        await sim.post("/sim/updates/hold")
        for text in ("раз", "два"):
            await sim.post(f"{anna}/text", json={"text": text})
        assert (await api("getUpdates"))[1]["result"] == []
        released = await sim.post("/sim/updates/release", json={"backwards": True})
        assert released.json() == {"count": 2}
        _, told = await api("getUpdates")
        assert [one["message"]["text"] for one in told["result"]] == ["два", "раз"]
        await api("getUpdates", offset=told["result"][0]["update_id"] + 1)
        assert (await sim.post("/sim/updates/repeat", json={"count": 5})).json()["count"] >= 2
        await sim.post("/sim/updates", json={"brand_new": {}})
        assert "brand_new" in await last_update(api)
        assert (await sim.post("/sim/updates/burn")).status_code == 400

    async def test_of_limits(self, sim, api, anna):
        await sim.post(f"{anna}/start")
        await sim.post("/sim/limits", json={"enforced": True, "per_second": 1})
        sent = [(await api("sendMessage", chat_id=number(anna), text="x"))[0] for _ in range(2)]
        assert sent == [200, 429]

    async def test_of_a_reset(self, sim, api, anna):
        await sim.post(f"{anna}/start")
        first = (await last_update(api))["update_id"]
        await sim.post("/sim/reset")
        assert (await sim.get("/sim/users")).json() == []
        assert (await api("getUpdates", offset=first))[1]["result"] == []
        assert (await sim.get("/sim/state")).json()["bots"][0]["username"] == "lunaria_test_bot"

    async def test_of_another_bot(self, sim, anna):
        given = {"token": "42:other", "username": "other_bot", "first_name": "Другой"}
        await sim.post("/sim/bots", json=given)
        await sim.post(f"{anna}/start?bot=other_bot")
        told = (await sim.get("/bot42:other/getUpdates")).json()
        assert told["result"][0]["message"]["text"] == "/start"
        assert (await sim.post("/sim/bots", json={"token": "x"})).status_code == 400


class TestStatistics:
    async def test_time_the_first_answer(self, sim, api, anna, picture):
        await sim.post(f"{anna}/start")
        await api("getUpdates")
        await asyncio.sleep(0.05)
        await api("sendMessage", chat_id=number(anna), text="раз")
        await api("sendMessage", chat_id=number(anna), text="это не первый ответ")
        told = (await sim.get("/sim/statistics?timings=1")).json()
        [timing] = told["timings"]
        assert 0.05 <= timing["answered"] - timing["handed"] < 1
        assert timing["answered_by"] == "sendmessage"
        assert (told["handed"], told["answered"], told["unanswered"]) == (1, 1, 0)
        assert told["p95_ms"] >= 50
        assert told["requests"] == {"getupdates": 1, "sendmessage": 2}

    async def test_take_one_answer_for_an_album_and_for_a_tap_its_own(
        self, sim, api, anna, picture
    ):
        files = [("photo", ("a.png", picture(90, 90))), ("photo", ("b.png", picture(90, 90)))]
        await sim.post(f"{anna}/photo", files=files)
        tapped = (await sim.post(f"{anna}/tap", json={"data": "x", "message_id": 1})).json()
        await api("getUpdates")
        query = tapped["did"].removeprefix("callback:")
        await api("answerCallbackQuery", callback_query_id=query)
        assert (await sim.get("/sim/statistics")).json()["unanswered"] == 2
        await api("sendMessage", chat_id=number(anna), text="оба чека")
        assert (await sim.get("/sim/statistics")).json()["unanswered"] == 0

    async def test_keep_what_bots_asked(self, sim, api, anna):
        await api("sendMessage", chat_id=1, text="x")
        await api("getMe")
        [call] = (await sim.get("/sim/calls?method=sendMessage")).json()
        assert (call["params"], call["refusal"]) == ({"chat_id": 1, "text": "x"}, 400)


class TestGuard:
    async def test_lets_pages_of_loopback_in_and_no_others(self, sim):
        allowed = await sim.get("/sim/state", headers={"Origin": "http://localhost:5173"})
        assert allowed.headers["access-control-allow-origin"] == "http://localhost:5173"
        preflight = await sim.options("/sim/users", headers={"Origin": "http://127.0.0.1:8000"})
        assert preflight.status_code == 204
        assert "POST" in preflight.headers["access-control-allow-methods"]
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example"}):
            refused = await sim.get("/sim/state", headers=headers)
            assert refused.status_code == 403
            assert "access-control-allow-origin" not in refused.headers


class TestAlone:
    async def test_runs_and_ends_within_a_second(self):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "vezde.testing.telegram",
            "--port",
            "0",
            env=os.environ | {"PYTHONPATH": str(SOURCE)},
            stdout=subprocess.PIPE,
        )
        try:
            address = (await process.stdout.readline()).decode().strip()
            async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=30) as http:
                assert (await http.get(f"/bot{TOKEN}/getMe")).json()["ok"]
                poll = asyncio.create_task(http.get(f"/bot{TOKEN}/getUpdates?timeout=50"))
                await asyncio.sleep(0.1)
                started = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert await asyncio.wait_for(process.wait(), 10) == 0
                assert time.monotonic() - started < 1
                with pytest.raises(httpx.TransportError):
                    await poll
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
