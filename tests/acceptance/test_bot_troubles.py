"""The bot by `vezde serve` in trouble: killed between the steps of a send, Telegram away, a webhook
that somebody else posts to, a proxy in between.
"""

import asyncio
import json
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from vezde.testing.installation import Installation, free_port
from vezde.testing.proxy import Proxy
from vezde.testing.telegram import faults
from vezde.testing.telegram.fake import FakeTelegram

PROGRAM = {
    "name": "Лунария",
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 1_000},
}
LEASE_SECONDS = 60  # of a message in hand: so long a killed worker's messages are nobody's
SECRET = "a-secret-of-the-tests"


@pytest.fixture
async def telegram():
    async with FakeTelegram(webhook_pause_seconds=0.05) as fake:
        yield fake


@asynccontextmanager
async def serving(folder: Path, telegram: FakeTelegram, **environ: str):
    given = {"VEZDE_TELEGRAM_API_BASE": telegram.base_url, **environ}
    vezde = Installation(
        folder / "var", VEZDE_WORKERS="2", VEZDE_TELEGRAM_TOKEN=telegram.token, **given
    )
    vezde.port = int(vezde.environ["VEZDE_HTTP_PORT"])
    try:
        await asyncio.to_thread(vezde.start)
        await asyncio.to_thread(vezde.make_key)
        await asyncio.to_thread(vezde.call, "PUT", "/v1/program", {"document": PROGRAM})
        yield vezde
    finally:
        await asyncio.to_thread(vezde.stop)


@pytest.fixture
async def vezde(tmp_path: Path, telegram):
    async with serving(tmp_path, telegram) as running:
        yield running


async def member(telegram: FakeTelegram, name: str):
    """Somebody who has agreed."""
    person = telegram.user(name)
    await person.start()
    for button in ("Дальше", "Даю согласие"):
        await person.sees_button(button, within=20)
        await person.tap(button)
    await person.sees("фото чека", within=20)
    return person


def told(person, text: str) -> int:
    return sum(text in one.text for one in person.messages if not one.mine)


def figure(vezde: Installation, name: str) -> float:
    _status, text = vezde.request("GET", "/metrics")
    (line,) = (one for one in text.decode().splitlines() if one.startswith(f"{name} "))
    return float(line.split()[1])


async def until(seconds: float, holds) -> None:
    """Wait until what `holds` awaits to is true."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while not await holds():
        assert loop.time() < deadline, f"not within {seconds} s"
        await asyncio.sleep(0.05)


async def connected(vezde: Installation) -> psycopg.AsyncConnection:
    """Another program at the installation's database, which can hold its rows."""
    (kept,) = vezde.folder.rglob("passwords.json")
    conninfo = make_conninfo(
        host="127.0.0.1",
        port=(kept.parent / "port").read_text().strip(),
        dbname="vezde",
        user="postgres",
        password=json.loads(kept.read_text())["postgres"],
    )
    return await psycopg.AsyncConnection.connect(conninfo)


async def count(vezde: Installation, query: str) -> int:
    async with await connected(vezde) as db:
        row = await (await db.execute(query.encode())).fetchone()
        return row[0]


async def killed(vezde: Installation, db: psycopg.AsyncConnection) -> None:
    """Kill -9 of everything while the other program holds what it holds, then a new start."""
    await asyncio.to_thread(vezde.kill)
    await db.close()
    await asyncio.to_thread(vezde.start)


class TestKill:
    async def test_after_the_ack_and_before_the_answer_loses_nothing(self, vezde, telegram):
        """The update is confirmed and kept; whoever works it waits for the chat when it dies."""
        anna = await member(telegram, "Анна")
        db = await connected(vezde)
        await db.execute("LOCK TABLE members.member IN ACCESS EXCLUSIVE MODE")
        await anna.send("/balance")

        async def is_taken():
            row = await (await db.execute("SELECT count(*) FROM bot.event")).fetchone()
            return row[0] == 1 and not telegram.statistics()["pending"]

        await until(20, is_taken)
        await killed(vezde, db)
        await anna.sees("Баллов пока нет", within=30)
        telegram.repeat(10)
        await asyncio.sleep(2)
        assert told(anna, "Баллов пока нет") == 1

    async def test_of_a_claim_in_hand_sends_once(self, vezde, telegram):
        """The message is reserved, its claim is not committed, nobody was called."""
        anna = await member(telegram, "Анна")
        db = await connected(vezde)
        await db.execute("SELECT FROM messaging.allowance FOR UPDATE")
        await anna.send("/balance")

        async def is_claimed():
            queued = await (await db.execute("SELECT count(*) FROM messaging.queue")).fetchone()
            waits = await (
                await db.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            ).fetchone()
            return queued[0] == 1 and waits[0] >= 1

        await until(20, is_claimed)
        await killed(vezde, db)
        await anna.sees("Баллов пока нет", within=30)
        await asyncio.sleep(2)
        assert told(anna, "Баллов пока нет") == 1
        assert figure(vezde, "vezde_sends_unknown") == 0

    async def test_of_messages_under_way_sends_none_twice_and_counts_them(self, vezde, telegram):
        """Called and not arrived; arrived and not answered; answered and not noted."""
        called, arrived, answered, noted = [
            await member(telegram, name) for name in ("Анна", "Борис", "Вера", "Глеб")
        ]
        await noted.send("/balance")
        await noted.sees("Баллов пока нет", within=20)
        telegram.order(faults.silence(), method="sendMessage", chat=called)
        telegram.order(faults.silence(taken=True), method="sendMessage", chat=arrived)
        db = await connected(vezde)
        await called.send("/balance")
        await arrived.send("/balance")
        await arrived.sees("Баллов пока нет", within=20)
        telegram.order(faults.slow(5), method="sendMessage", chat=answered)
        await answered.send("/balance")

        async def is_in_hand():
            leased = "SELECT count(*) FROM messaging.queue WHERE lease IS NOT NULL"
            return await count(vezde, leased) == 3

        await until(20, is_in_hand)
        # What becomes of them cannot be written: somebody else keeps the ledger as it is.
        await db.execute("LOCK TABLE messaging.send IN SHARE MODE")
        await answered.sees("Баллов пока нет", within=20)
        await asyncio.sleep(0.5)
        await killed(vezde, db)
        people = (called, arrived, answered, noted)
        for one in people:
            await one.send("/help")
        await noted.sees("Где вы покупали?", within=30)

        async def is_known():
            return figure(vezde, "vezde_sends_unknown") == 3

        async def is_noted():
            return figure(vezde, "vezde_sends_waiting") == 0

        await until(LEASE_SECONDS + 30, is_known)
        for one in people:
            await one.sees("Где вы покупали?", within=30)
        assert [told(one, "Баллов пока нет") for one in people] == [0, 1, 1, 1]
        assert [told(one, "Где вы покупали?") for one in people] == [1] * 4
        await until(20, is_noted)


class TestTelegramAway:
    async def test_for_a_while_answers_everybody_in_order_after(self, vezde, telegram):
        """What was on its way when it went away may be lost, and is counted."""
        people = [await member(telegram, f"Гость {number}") for number in range(5)]
        telegram.outage(8)
        for text in ("/balance", "/history", "/help"):
            for one in people:
                await one.send(text)
            await asyncio.sleep(1)
        answers = ("Баллов пока нет", "Пока здесь пусто", "Где вы покупали?")
        missing = 0
        for one in people:
            await one.sees("Где вы покупали?", since=0, within=40)
            said = [shown.text for shown in one.messages if not shown.mine]
            found = [answer for text in said for answer in answers if answer in text]
            assert found == list(answers)[-len(found) :]
            assert len(found) >= 2
            missing += 3 - len(found)
        assert figure(vezde, "vezde_sends_unknown") == missing


class TestWebhook:
    async def test_story_goes_by_it_and_others_are_refused(self, tmp_path, telegram):
        port = free_port()
        url = f"http://127.0.0.1:{port}/hooks/telegram"
        environ = {
            "VEZDE_HTTP_PORT": str(port),
            "VEZDE_TELEGRAM_WEBHOOK_URL": url,
            "VEZDE_TELEGRAM_WEBHOOK_SECRET": SECRET,
        }
        async with serving(tmp_path, telegram, **environ) as vezde:
            anna = await member(telegram, "Анна")
            assert telegram.asked("getUpdates") == []
            forged = json.dumps(
                {
                    "update_id": 1,
                    "message": {
                        "message_id": 1,
                        "date": 1,
                        "chat": {"id": anna.id, "type": "private"},
                        "from": {"id": anna.id, "is_bot": False, "first_name": "Анна"},
                        "text": "/balance",
                    },
                }
            ).encode()
            for header in ("", "wrong", SECRET[:-1]):
                status, _ = vezde.request(
                    "POST", "/hooks/telegram", forged, X_Telegram_Bot_Api_Secret_Token=header
                )
                assert status == 403
            await asyncio.sleep(1)
            assert told(anna, "Баллов пока нет") == 0
            await anna.send("/balance")
            await anna.sees("Баллов пока нет", within=20)


class TestProxy:
    async def test_carries_updates_files_and_answers(self, tmp_path, telegram):
        address = ("127.0.0.1", int(telegram.base_url.rpartition(":")[2]))
        async with Proxy({"api.telegram.test:80": address}) as proxy:
            environ = {
                "VEZDE_TELEGRAM_API_BASE": "http://api.telegram.test",
                "VEZDE_TELEGRAM_PROXY": proxy.url("socks5"),
            }
            async with serving(tmp_path, telegram, **environ):
                anna = await member(telegram, "Анна")
                await anna.document(b"no picture", name="чек.pdf")
                await anna.sees("QR", within=20)
        assert set(proxy.asked) == {"api.telegram.test:80"}
