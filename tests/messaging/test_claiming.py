"""Claims among many rows: what they read stays little, two workers never take the same."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from vezde.kit.work import leases
from vezde.messaging.model import Purpose
from vezde.messaging.operations import claiming

# Chat number n of `chats`, send number n.
FILL = """
INSERT INTO messaging.queue
    (member_id, channel, rank, send_id, sealed, queued_wall, due_wall, attempts)
SELECT ('01900000-0000-7000-9000-' || lpad(to_hex(n %% %(chats)s), 12, '0'))::uuid, 'telegram',
    %(rank)s, ('01900000-0000-7000-8000-' || lpad(to_hex(n + %(first)s), 12, '0'))::uuid,
    decode(repeat('ab', 400), 'hex'), %(wall)s, %(wall)s, 0
FROM generate_series(1, %(count)s) AS n
"""
WALL = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)


@pytest.fixture
def crowd(fresh):
    """Fill the queue, then count the pages that finding heads reads."""

    def pages(*fills: dict[str, int]) -> int:
        with psycopg.connect(fresh.owner, autocommit=True) as db:
            for place, fill in enumerate(fills):
                db.execute(FILL, {"wall": WALL, "first": place * 1_000_000, **fill})
            db.execute("ANALYZE messaging.queue")
            asked = {
                "channel": "telegram",
                "ranks": list(claiming.RANKS),
                "wall": WALL + timedelta(seconds=1),
                "limit": 18,
            }
            found = db.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {claiming.HEADS}", asked)
            plan = found.fetchone()[0][0]["Plan"]
        assert plan["Actual Rows"] == 18
        return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]

    return pages


class TestHeads:
    def test_are_found_at_once_among_many_chats(self, crowd):
        assert crowd({"chats": 100_000, "count": 100_000, "rank": 2}) < 300

    def test_are_found_behind_a_chat_with_a_long_queue(self, crowd):
        many = {"chats": 20_000, "count": 20_000, "rank": 2}
        assert crowd(many, {"chats": 1, "count": 1_000, "rank": 0}) < 10_000


class TestClaim:
    async def test_two_workers_never_take_the_same(self, post):
        people = [await post.addressee(f"Гость {n}") for n in range(40)]
        await post.reserve(*(post.message(one) for one in people for _ in range(2)))

        async def take() -> list:
            async with post.database.transaction() as db:
                taken = await claiming.claim(
                    db,
                    "telegram",
                    per_second=1000,
                    lease=leases.take(wall=post.wall(), seconds=60),
                    room=16,
                    vault=post.vault,
                    wall=post.wall(),
                )
            return taken.claimed

        await take()  # opens the allowance
        taken = [
            one for batch in await asyncio.gather(*(take() for _ in range(8))) for one in batch
        ]
        assert len({one.send_id for one in taken}) == len(taken) == 40
        assert len({one.member_id for one in taken}) == 40

    async def test_a_mailing_does_not_hold_up_answers(self, post):
        people = [await post.addressee(f"Гость {n}") for n in range(5)]
        with psycopg.connect(post.database.pool.conninfo, autocommit=True) as db:
            # A mailing to members there are not: refused in the end, in the way until then.
            db.execute(FILL, {"wall": WALL, "first": 0, "chats": 5_000, "count": 5_000, "rank": 2})
        await post.reserve(*(post.message(one, purpose=Purpose.REPLY) for one in people))
        slow = replace(post, channel=replace(post.channel, per_second=30))
        await slow.deliver()
        assert [len(one.said) for one in people] == [1] * 5

    async def test_clocks_that_differ_make_no_tokens(self, post):
        anna = await post.addressee()
        spent = 0
        for turn in range(12):
            await post.say(anna, f"{turn}")
            wall = post.wall() - timedelta(seconds=turn % 2 * 30)
            async with post.database.transaction() as db:
                taken = await claiming.claim(
                    db,
                    "telegram",
                    per_second=1,
                    lease=leases.take(wall=wall, seconds=60),
                    room=16,
                    vault=post.vault,
                    wall=wall,
                )
            spent += len(taken.claimed)
        assert spent <= 1
