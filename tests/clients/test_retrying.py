import asyncio
import json
from datetime import UTC, datetime

import pytest

from vezde_client import (
    AsyncVezde,
    Exhausted,
    PriceChanged,
    Retrying,
    Unavailable,
    Unreachable,
    Unreadable,
    Vezde,
    checkout,
    members,
)
from vezde_client.retrying import retry_after

from .conftest import QUICK
from .failing import Failing, answer

MEMBER = {
    "id": "mem_a",
    "status": "active",
    "identities": [],
    "consents": [],
    "created_at": "2026-11-18T09:00:00Z",
}
WELL = answer(201, json.dumps(MEMBER))
BUSY = answer(429, '{"code": "busy", "detail": "wait"}', Retry_After="0")
AWAY = answer(503, '{"code": "unavailable", "detail": "wait"}', Retry_After="0")


async def sent(answers: list[bytes | None], **more) -> tuple[object, Failing]:
    async with Failing(answers) as server:
        async with AsyncVezde(server.url, "secret", retrying=QUICK, **more) as vezde:
            try:
                came: object = await vezde.send(members.enrol(phone="+79000000001"))
            except Exception as error:
                came = error
        return came, server


class TestSend:
    async def test_repeats_under_one_idempotency_key(self) -> None:
        came, server = await sent([None, BUSY, WELL])
        assert isinstance(came, members.Member)
        keys = {one.headers["idempotency-key"] for one in server.asked}
        assert len(server.asked) == 3
        assert len(keys) == 1
        assert len({one.body for one in server.asked}) == 1

    async def test_waits_no_longer_than_it_was_told_to(self) -> None:
        came, server = await sent([answer(429, "{}", Retry_After="3600"), WELL])
        assert isinstance(came, Exhausted)
        assert came.retry_after_seconds == 3600
        assert len(server.asked) == 1

    async def test_gives_up_after_its_attempts(self) -> None:
        came, server = await sent([AWAY, AWAY, AWAY, WELL])
        assert isinstance(came, Unavailable)
        assert len(server.asked) == 3

    async def test_says_that_nothing_is_known_when_nobody_answers(self) -> None:
        came, _ = await sent([None, None, None])
        assert isinstance(came, Unreachable)
        assert "POST /v1/members" in str(came)
        assert "secret" not in str(came)

    async def test_does_not_repeat_a_bug(self) -> None:
        came, server = await sent([answer(500, '{"code": "internal", "detail": "so"}'), WELL])
        assert came.code == "internal"
        assert len(server.asked) == 1

    async def test_tells_a_proxys_page_from_an_answer(self) -> None:
        came, _ = await sent([answer(200, "<html>")])
        assert isinstance(came, Unreadable)
        came, _ = await sent([answer(404, "<html>")])
        assert came.code == "http_404"

    async def test_ends_by_its_timeout(self) -> None:
        hung = asyncio.Event()

        async def silent(_reader, writer) -> None:
            await hung.wait()
            writer.close()

        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with AsyncVezde(
            f"http://127.0.0.1:{port}",
            "secret",
            timeout_seconds=0.1,
            retrying=Retrying(attempts=1),
        ) as vezde:
            with pytest.raises(Unreachable, match="ReadTimeout"):
                await vezde.send(members.member("mem_a"))
        hung.set()
        server.close()
        await server.wait_closed()

    async def test_waits_in_a_thread_as_well(self) -> None:
        async with Failing([None, AWAY, WELL]) as server:

            def enrolled() -> members.Member:
                with Vezde(server.url, "secret", retrying=QUICK) as vezde:
                    return vezde.send(members.enrol(phone="+79000000001"))

            assert (await asyncio.to_thread(enrolled)).id == "mem_a"
        assert len({one.headers["idempotency-key"] for one in server.asked}) == 1

    async def test_a_call_sent_twice_has_one_key(self) -> None:
        call = members.enrol(phone="+79000000001")
        assert call.key
        assert call.key != members.enrol(phone="+79000000001").key
        assert members.enrol(phone="+79000000001", key="mine").key == "mine"

    async def test_ids_stay_one_part_of_the_path(self) -> None:
        assert members.member("a/../b?c").path == "/v1/members/a%2F..%2Fb%3Fc"

    async def test_hides_the_key(self) -> None:
        assert "secret" not in repr(Vezde("http://127.0.0.1:1", "secret"))


class TestProblem:
    async def test_carries_the_fresh_quote(self) -> None:
        quote = {
            "quote_id": "q2",
            "expires_at": "2026-11-18T09:00:00Z",
            "point_value_kopecks": 100,
            "max_points": 40,
            "earn_points": 3,
            "lines": [{"line": 1, "max_points": 40, "earn_points": 3}],
            "reasons": [],
        }
        said = {"code": "price_changed", "detail": "so", "quote": quote}
        async with (
            Failing([answer(409, json.dumps(said))]) as server,
            AsyncVezde(server.url, "secret") as vezde,
        ):
            with pytest.raises(PriceChanged) as changed:
                await vezde.send(checkout.hold("q1", [checkout.Line("CREAM-50", 1, 90_000)], 5))
        assert changed.value.quote.quote_id == "q2"
        assert changed.value.quote.max_points == 40

    async def test_says_so_when_the_quote_is_missing(self) -> None:
        said = '{"code": "price_changed", "detail": "so"}'
        async with (
            Failing([answer(409, said)]) as server,
            AsyncVezde(server.url, "secret") as vezde,
        ):
            with pytest.raises(PriceChanged) as changed:
                await vezde.send(checkout.hold("q1", [], 5))
        with pytest.raises(Unreadable, match="quote"):
            _ = changed.value.quote


class TestRetryAfter:
    def test_reads_numbers_and_dates(self) -> None:
        now = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
        assert retry_after("7") == 7
        assert retry_after("Wed, 18 Nov 2026 09:00:30 GMT", now) == 30
        assert retry_after("Wed, 18 Nov 2026 08:00:00 GMT", now) == 0
        for text in (None, "", "soon", "-1", "²"):
            assert retry_after(text) is None

    def test_pauses_double_up_to_the_longest(self) -> None:
        patient = Retrying(attempts=10, first_seconds=1, longest_seconds=4)
        for attempt, most in ((1, 1), (2, 2), (3, 4), (9, 4)):
            assert most / 2 <= patient.pause(attempt) <= most
        assert patient.pause(10) is None
