"""SMS through a gateway that speaks SMSC's protocol over a socket: sent once, faults, caps, cost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from messaging.conftest import NOW, Wall
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.i18n import Locale
from vezde.kit.vault import Vault
from vezde.kit.work import leases
from vezde.messaging.sms import model, operations, queries
from vezde.messaging.sms.model import Sms, State
from vezde.messaging.sms.work import Sender
from vezde.messaging.transports.sms import Fate, Smsc, Status, Taken, Untaken, smsc
from vezde.testing.sms import faults
from vezde.testing.sms.fake import FakeSms

ANNA, BORIS = "+79000000001", "+79000000002"


@pytest.fixture
async def gateway() -> AsyncIterator[FakeSms]:
    async with FakeSms() as made:
        yield made


@pytest.fixture
async def client(gateway) -> AsyncIterator[Smsc]:
    made = Smsc(gateway.token, base_url=gateway.base_url, sender="Lunaria", timeout_seconds=4)
    yield made
    await made.close()


@dataclass
class Desk:
    """The installation's side: reserve, work, look."""

    database: Database
    vault: Vault
    wall: Wall
    sender: Sender

    async def reserve(self, key: str = "k", phone: str = ANNA, *, per_day: int = 100, **more):
        given = {"code": "123 456", "site": "shop.example"}
        one = Sms(
            *(key, phone, "sign_in_sms", given, Locale.RU),
            useless=self.wall() + more.pop("life", timedelta(minutes=10)),
            **more,
        )
        async with self.database.transaction() as db:
            return await operations.reserve(
                db,
                [one],
                per_day=per_day,
                vault=self.vault,
                now=NOW,
                wall=self.wall(),
                actor="test",
            )

    async def row(self, key: str = "k"):
        async with self.database.transaction() as db:
            return await queries.by_key(db, key)

    async def work(self, *, later: float = 0) -> int:
        self.wall.pass_by(seconds=later)
        return await self.sender.run()


@pytest.fixture
def desk(database, client) -> Desk:
    wall, vault = Wall(), Vault(bytes(range(32)))
    sender = Sender(database, client, vault, Clock(wall=wall))
    return Desk(database, vault, wall, sender)


class TestSegments:
    @pytest.mark.parametrize(
        ("text", "count"),
        [
            ("a" * 160, 1),
            ("a" * 161, 2),
            ("a" * 306, 2),
            ("a" * 307, 3),
            ("[" * 80, 1),
            ("[" * 81, 2),
            ("ж" * 70, 1),
            ("ж" * 71, 2),
            ("ж" * 134, 2),
            ("ж" * 135, 3),
            ("🌙" * 35, 1),
            ("🌙" * 36, 2),
            ("", 1),
        ],
    )
    def test_are_counted_as_operators_do(self, text, count):
        assert model.segments(text) == count


class TestProtocol:
    async def test_what_is_sent_and_what_it_cost(self, client, gateway):
        name = uuid4().hex
        assert await client.send(ANNA, "Код 123 456", name) == Taken(1, 350)
        assert await client.status(ANNA, name) == (Status.DELIVERED, None)
        (asked,) = gateway.gateway.asked
        assert asked["phones"] == ANNA
        assert (asked["sender"], asked["id"], asked["charset"]) == ("Lunaria", name, "utf-8")
        assert gateway.token not in repr(client)

    @pytest.mark.parametrize(
        ("fault", "answer"),
        [
            (faults.no_balance(), Untaken(Fate.LATER, "no_balance")),
            (faults.invalid_number(), Untaken(Fate.REFUSED, "invalid_number")),
            (faults.forbidden(), Untaken(Fate.REFUSED, "forbidden")),
            (faults.undeliverable(), Untaken(Fate.REFUSED, "undeliverable")),
            (faults.duplicate(), Untaken(Fate.LOST, "duplicate")),
            (faults.refused(1), Untaken(Fate.REFUSED, "bad_request")),
            (faults.refused(2), Untaken(Fate.LATER, "wrong_key")),
            (faults.refused(77), Untaken(Fate.LOST, "code_77")),
        ],
    )
    async def test_refusals_mean_what_the_vendor_says(self, client, gateway, fault, answer):
        gateway.order(fault)
        assert await client.send(ANNA, "x", "1") == answer

    @pytest.mark.parametrize(
        "fault",
        [faults.http(502), faults.cut(), faults.silence(), faults.Fault(body=b"[1]")],
        ids=["502", "cut", "silence", "list"],
    )
    async def test_no_answer_means_that_nobody_knows(self, client, gateway, fault):
        gateway.order(fault)
        assert (await client.send(ANNA, "x", "1")).fate is Fate.LOST

    async def test_nobody_there_means_that_it_never_left(self, gateway):
        address = gateway.base_url
        await asyncio.to_thread(gateway.stop)
        client = Smsc("t", base_url=address, timeout_seconds=1)
        assert (await client.send(ANNA, "x", "1")).fate is Fate.UNREACHED
        assert (await client.status(ANNA, "1"))[0] is Status.UNSAID
        await client.close()

    @pytest.mark.parametrize(
        ("number", "status", "why"),
        [
            (0, Status.UNDERWAY, None),
            (-1, Status.UNDERWAY, None),
            (1, Status.DELIVERED, None),
            (2, Status.DELIVERED, None),
            (3, Status.UNDELIVERED, "expired"),
            (20, Status.UNDELIVERED, "undeliverable"),
            (22, Status.UNDELIVERED, "invalid_number"),
            (25, Status.UNDELIVERED, "unreachable"),
            (-3, Status.MISSING, None),
            (99, Status.UNSAID, "status_99"),
        ],
    )
    async def test_statuses(self, client, gateway, number, status, why):
        gateway.report(ANNA, number)
        await client.send(ANNA, "x", "1")
        assert await client.status(ANNA, "1") == (status, why)

    async def test_of_an_unknown_id_it_is_missing(self, client):
        assert (await client.status(ANNA, "nothing"))[0] is Status.MISSING

    @pytest.mark.parametrize(
        ("told", "kopecks"),
        [("2.95", 295), ("2.951", 296), ("0", 0), ("", None), ("NaN", None), ("-1", None)],
    )
    def test_cost_is_in_kopecks(self, told, kopecks):
        assert smsc._kopecks(told) == kopecks


class TestSending:
    async def test_is_reserved_sent_and_delivered(self, desk, gateway):
        (sms_id,) = await desk.reserve()
        assert (await desk.row()).state == "reserved"
        assert await desk.work() == 1
        row = await desk.row()
        assert (row.state, row.segments, row.cost_kopecks) == ("sent", 1, 350)
        assert gateway.sent[0].text == "Код 123 456, никому не говорите. Вход на shop.example"
        assert gateway.sent[0].id == sms_id.hex
        assert await desk.work() == 0
        assert await desk.work(later=15) == 1
        assert (await desk.row()).delivery == "delivered"
        assert await desk.work(later=86_400) == 0
        assert len(gateway.sent) == 1

    async def test_nothing_of_it_is_kept_in_clear_and_nothing_at_all_once_over(self, desk):
        await desk.reserve()

        async def stored() -> str:
            async with desk.database.transaction() as db:
                row = await (await db.execute("SELECT s::text FROM messaging.sms s")).fetchone()
                return row[0]

        assert "79000000001" not in await stored()
        await desk.work()
        await desk.work(later=15)
        async with desk.database.transaction() as db:
            row = await (await db.execute("SELECT sealed FROM messaging.sms")).fetchone()
        assert row[0] is None

    async def test_the_same_key_is_sent_once(self, desk, gateway):
        assert len(await desk.reserve()) == 1
        assert await desk.reserve() == []
        await desk.work()
        assert await desk.reserve() == []
        await desk.work()
        assert len(gateway.sent) == 1

    async def test_undelivered_is_noted_with_why(self, desk, gateway):
        gateway.report(ANNA, faults.UNREACHABLE)
        await desk.reserve()
        await desk.work()
        await desk.work(later=15)
        row = await desk.row()
        assert (row.state, row.delivery, row.reason) == ("sent", "undelivered", "unreachable")

    async def test_a_refusal_is_final(self, desk, gateway):
        gateway.order(faults.invalid_number())
        await desk.reserve()
        await desk.work()
        row = await desk.row()
        assert (row.state, row.reason) == ("failed", "invalid_number")
        assert await desk.work(later=3600) == 0

    async def test_without_balance_it_is_tried_again_while_it_is_of_use(self, desk, gateway):
        gateway.order(*[faults.no_balance()] * 2)
        await desk.reserve()
        for later in (0, 2, 10):
            await desk.work(later=later)
        assert (await desk.row()).state == "sent"
        gateway.order(*[faults.no_balance()] * 50)
        await desk.reserve("other", BORIS, life=timedelta(seconds=60))
        for _ in range(12):
            await desk.work(later=5)
        row = await desk.row("other")
        assert (row.state, row.reason) == ("failed", "no_balance")
        assert gateway.to(BORIS) == []

    async def test_late_it_is_not_sent_at_all(self, desk, gateway):
        await desk.reserve(life=timedelta(seconds=5))
        await desk.work(later=6)
        assert ((await desk.row()).state, (await desk.row()).reason) == ("failed", "too_late")
        assert gateway.sent == []


class TestDoubt:
    async def test_after_a_lost_answer_the_gateway_is_asked_and_not_sent_to_again(
        self, desk, gateway
    ):
        gateway.order(faults.cut(taken=True))
        await desk.reserve()
        await desk.work()
        assert (await desk.row()).state == "unknown"
        await desk.work(later=5)
        assert (await desk.row()).state == "sent"
        assert len(gateway.sent) == 1

    async def test_what_the_gateway_never_got_is_sent(self, desk, gateway):
        gateway.order(faults.cut())
        await desk.reserve()
        await desk.work()
        await desk.work(later=5)
        await desk.work()
        assert (await desk.row()).state == "sent"
        assert len(gateway.sent) == 1

    async def test_a_duplicate_is_looked_up(self, desk, gateway):
        gateway.order(faults.Fault(code=9, taken=True))
        await desk.reserve()
        await desk.work()
        assert (await desk.row()).state == "unknown"
        await desk.work(later=5)
        assert (await desk.row()).delivery == "delivered"
        assert len(gateway.sent) == 1

    async def test_a_worker_that_died_leaves_a_question(self, desk, gateway, client):
        await desk.reserve()
        async with desk.database.transaction() as db:
            wall = desk.wall()
            (one,) = await operations.claim(
                db,
                lease=leases.take(wall=wall, seconds=model.LEASE_SECONDS),
                limit=1,
                vault=desk.vault,
                wall=wall,
            )
        await client.send(one.phone, one.text, one.sms_id.hex)  # and dies here
        assert await desk.work() == 0
        assert await desk.work(later=model.LEASE_SECONDS + 1) == 1
        assert (await desk.row()).state == "sent"
        assert len(gateway.sent) == 1
        async with desk.database.transaction() as db:
            assert not await operations.finish(
                db, one, State.FAILED, wall=desk.wall(), again=None
            ), "the dead worker's word does not count any more"

    async def test_workers_side_by_side_send_once(self, desk, gateway):
        for n in range(30):
            await desk.reserve(f"k{n}", f"+7900000{n:04}")
        await asyncio.gather(*(desk.sender.run() for _ in range(8)))
        await desk.work()
        assert len({one.id for one in gateway.sent}) == len(gateway.sent) == 30


class TestCap:
    async def test_holds_for_a_day_and_is_written_down(self, desk, gateway):
        for n in range(4):
            await desk.reserve(f"k{n}", f"+7900000{n:04}", per_day=3)
        row = await desk.row("k3")
        assert (row.state, row.reason) == ("failed", "daily_cap")
        await desk.work()
        assert len(gateway.sent) == 3
        desk.wall.pass_by(days=1, seconds=1)
        await desk.reserve("k4", per_day=3)
        assert (await desk.row("k4")).state == "reserved"

    async def test_holds_for_many_at_once(self, desk):
        await asyncio.gather(
            *(desk.reserve(f"k{n}", f"+7900000{n:04}", per_day=5) for n in range(12))
        )
        async with desk.database.transaction() as db:
            counted = await queries.counted(db, since=datetime(2020, 1, 1, tzinfo=NOW.tzinfo))
        assert (counted["reserved"].count, counted["failed"].count) == (5, 7)

    async def test_figures_count_segments_and_cost(self, desk):
        for n in range(3):
            await desk.reserve(f"k{n}", f"+7900000{n:04}")
        await desk.work()
        async with desk.database.transaction() as db:
            counted = await queries.counted(db, since=datetime(2020, 1, 1, tzinfo=NOW.tzinfo))
        sent = counted["sent"]
        assert (sent.count, sent.segments, sent.cost_kopecks) == (3, 3, 1050)


class TestKeeping:
    async def test_rows_go_with_their_member(self, desk):
        anna = uuid4()
        await desk.reserve(member_id=anna)
        async with desk.database.transaction() as db:
            await operations.merge(db, uuid4(), anna, now=NOW, actor="test")
            await operations.forget(db, anna, now=NOW, actor="test")
        moved = await desk.row()
        assert moved is not None
        async with desk.database.transaction() as db:
            await operations.forget(db, moved.member_id, now=NOW, actor="test")
        assert await desk.row() is None

    async def test_old_rows_are_swept_once_over(self, desk):
        await desk.reserve()
        await desk.reserve("waiting", BORIS)
        async with desk.database.transaction() as db:
            await db.execute("UPDATE messaging.sms SET due_wall = NULL WHERE key = 'k'")
        async with desk.database.transaction() as db:
            late = desk.wall() + timedelta(days=500)
            assert await operations.sweep(db, wall=late, limit=10) == 1


class TestFake:
    async def test_shows_what_it_sent_over_http(self, client, gateway):
        await client.send(ANNA, "один", "1")
        await client.send(BORIS, "два", "2")
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:
            shown = (await http.get("/sent")).json()
            assert [one["text"] for one in shown["items"]] == ["два", "один"]
            assert shown["balance"] == "993.00"
            asked = await http.get("/sent", params={"phone": ANNA})
            assert [one["id"] for one in asked.json()["items"]] == ["1"]

    async def test_takes_orders_over_http(self, client, gateway):
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:
            await http.post("/faults", json={"kind": "no_balance"})
            assert (await client.send(ANNA, "x", "1")).reason == "no_balance"
            assert (await http.post("/faults", json={"kind": "odd"})).status_code == 400
            await http.post("/reports", json={"phone": ANNA, "status": 25})
        await client.send(ANNA, "x", "1")
        assert (await client.status(ANNA, "1"))[1] == "unreachable"

    async def test_refuses_as_the_vendor_does(self, gateway):
        given = {"apikey": gateway.token, "phones": ANNA, "mes": "x", "fmt": "3"}
        async with httpx.AsyncClient(base_url=gateway.base_url) as http:

            async def code(**changes: str) -> int | None:
                answer = await http.post("/sys/send.php", data={**given, **changes})
                return answer.json().get("error_code")

            assert await code(apikey="x") == 2
            assert await code(mes="") == 1
            assert await code(phones="123") == 7
            assert await code() is None
            assert await code() == 9
            gateway.gateway.balance = gateway.gateway.balance * 0
            assert await code(mes="y") == 3
