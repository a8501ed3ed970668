"""A payment at a till from the cashier's request to the member's tap, over the real API and bot."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
import uvicorn

from vezde import wiring
from vezde.access import operations as access
from vezde.api import names
from vezde.testing.receipts import picture


class Server(uvicorn.Server):
    def install_signal_handlers(self) -> None: ...


@asynccontextmanager
async def answering(door):
    config = uvicorn.Config(
        wiring.web(door.house), host="127.0.0.1", port=0, log_config=None, access_log=False
    )
    server = Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    running = asyncio.create_task(server.main_loop())
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        await running
        await server.shutdown()


@pytest.fixture
async def till(door):
    """A cashier who is signed in."""
    async with answering(door) as client:
        house = door.house
        async with house.database.transaction() as db:
            now, wall = await house.clock.programme(db), house.clock.wall()
            olga = await access.take_on(
                db, name="Ольга", role="cashier", vault=house.vault, now=now, actor="operator:cli"
            )
            code, _ = await access.operator_code(db, olga.operator_id, vault=house.vault, wall=wall)
        answer = await client.post("/v1/till/sessions", json={"code": code, "bearer": True})
        client.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        yield client


@pytest.fixture
async def anna(door):
    """A member with 83 points."""
    person = await door.member()
    await person.photo(picture(door.paper(1)))
    await person.sees("+83 балла")
    return person


async def card_of(till, person):
    await person.send("/card")
    shown = await person.sees("Покажите код")
    digits = "".join(char for char in shown.text.splitlines()[0] if char.isdigit())
    answer = await till.post("/v1/till/members", json={"card": digits})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ask(till, member, points=50, total=100_000, **more):
    given = {"member_id": member["member_id"], "points": points, "total_kopecks": total, **more}
    return await till.post("/v1/till/payments", json=given)


async def state(till, payment):
    return (await till.get(f"/v1/till/payments/{payment['id']}")).json()


class TestPaying:
    async def test_by_card_and_one_tap(self, door, till, anna):
        member = await card_of(till, anna)
        assert (member["points"]["active"], member["confirms_by"]) == (83, "bot")
        given = {"member_id": member["member_id"], "total_kopecks": 100_000}
        quote = (await till.post("/v1/till/quotes", json=given)).json()
        assert quote["max_points"] == 83
        payment = (await ask(till, member)).json()
        assert (payment["state"], payment["pay_kopecks"]) == ("asked", 95_000)
        await anna.sees("Списать 50 баллов", "Лунария")
        await anna.tap("Да, списать")
        await anna.sees("Списали 50 баллов", "33 балла")
        shown = await state(till, payment)
        assert (shown["state"], shown["points"]) == ("paid", 50)
        again = await till.post(f"/v1/till/payments/{payment['id']}/cancel")
        assert (again.status_code, again.json()["code"]) == (409, "approval_over")

    async def test_tapped_many_times_spends_once(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member)).json()
        asked = await anna.sees("Списать 50 баллов")
        name = names.pair("pay", payment["id"])[1].hex
        for _ in range(4):
            await anna.tap_data(f"pay:yes:{name}", message_id=asked.id)
        await anna.sees("Списали 50 баллов")
        await anna.send("/balance")
        await anna.sees("33 балла")

    async def test_declined_frees_the_points(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member)).json()
        await anna.sees("Списать 50 баллов")
        await anna.tap("Нет")
        await anna.sees("ничего не списали")
        assert (await state(till, payment))["state"] == "declined"
        assert (await ask(till, member, points=83)).status_code == 201

    async def test_by_the_code_read_out(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member, order_id="till-7/1".replace("/", "-"))).json()
        shown = await anna.sees("назовите кассиру код".replace("назовите", "назвать"))
        code = shown.text.split("код ")[1][:7].replace(" ", "")
        path = f"/v1/till/payments/{payment['id']}/code"
        wrong = await till.post(path, json={"code": f"{(int(code) + 1) % 10**6:06}"})
        assert (wrong.status_code, wrong.json()["attempts_left"]) == (422, 4)
        paid = await till.post(path, json={"code": code})
        assert (paid.status_code, paid.json()["state"]) == (200, "paid")
        assert paid.json()["order_id"] == "till-7-1"

    async def test_code_and_tap_at_once_spend_once(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member)).json()
        shown = await anna.sees("назвать кассиру код")
        code = shown.text.split("код ")[1][:7].replace(" ", "")
        path = f"/v1/till/payments/{payment['id']}/code"
        answers, _ = await asyncio.gather(
            asyncio.gather(*(till.post(path, json={"code": code}) for _ in range(3))),
            anna.tap("Да, списать"),
        )
        assert {one.status_code for one in answers} <= {200, 409}
        await anna.send("/balance")
        await anna.sees("33 балла")
        assert (await state(till, payment))["state"] == "paid"

    async def test_late_tap_is_answered_kindly_and_spends_nothing(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member)).json()
        await anna.sees("Списать 50 баллов")
        async with door.house.database.transaction() as db:
            late = door.house.clock.wall() - timedelta(seconds=1)
            await db.execute("UPDATE access.approval SET expires_wall = %s", [late])
        assert (await state(till, payment))["state"] == "expired"
        await anna.tap("Да, списать")
        await anna.sees("Время вышло")
        cancelled = await till.post(f"/v1/till/payments/{payment['id']}/cancel")
        assert cancelled.json()["state"] == "expired"
        assert (await ask(till, member, points=83)).status_code == 201

    async def test_another_members_tap_decides_nothing(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member)).json()
        boris = await door.member("Борис")
        shown = boris.answers[-1]
        name = names.pair("pay", payment["id"])[1].hex
        await boris.tap_data(f"pay:yes:{name}", message_id=shown.id)
        await boris.sees("Время вышло")
        assert (await state(till, payment))["state"] == "asked"

    async def test_more_than_there_is_is_refused(self, door, till, anna):
        member = await card_of(till, anna)
        refused = await ask(till, member, points=84)
        assert refused.json()["code"] == "insufficient_points"
        both = [await ask(till, member, points=50), await ask(till, member, points=50)]
        assert [one.status_code for one in both] == [201, 409]

    async def test_is_repeated_by_its_key(self, door, till, anna):
        member = await card_of(till, anna)
        given = {"member_id": member["member_id"], "points": 50, "total_kopecks": 100_000}
        headers = {"Idempotency-Key": "one"}
        first, second = [
            (await till.post("/v1/till/payments", json=given, headers=headers)).json()
            for _ in range(2)
        ]
        assert first == second

    async def test_stands_in_the_journal(self, door, till, anna):
        member = await card_of(till, anna)
        payment = (await ask(till, member)).json()
        await till.post(f"/v1/till/payments/{payment['id']}/cancel")
        rows = await door.value(
            "SELECT string_agg(what, ' ' ORDER BY entry_id) FROM access.journal"
        )
        assert rows == "signed_in member_found payment_asked payment_cancelled"
