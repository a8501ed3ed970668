"""Many hands at once: batches, the front door, providers, all over the same papers and members."""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from vezde.kit import db as kit_db
from vezde.receipts import intake, work
from vezde.receipts.intake import Line
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing.people import Person, phone
from vezde.testing.proverkacheka import FakeProverkacheka
from vezde.testing.receipts import NOON, advance_and_settlement, line, receipt, render

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
ROUNDS = 12

OWNERS = """
SELECT fn, fd, count(*) FROM receipts.receipt
WHERE status <> 'rejected' GROUP BY fn, fd HAVING count(*) > 1
"""
CLAIMED_TWICE = """
SELECT r.receipt_id FROM receipts.receipt r JOIN receipts.claim c USING (fn, fd)
WHERE r.status IN ('accepted', 'awaiting_settlement', 'in_review')
  AND (c.receipt_id <> r.receipt_id OR c.state <> 'confirmed')
"""
EARNED = """
SELECT coalesce(sum((m ->> 5)::int), 0) FROM receipts.document,
LATERAL jsonb_array_elements(matches) AS m
"""
LEFT = "SELECT count(*) FROM receipts.verification"
TURNS = "SELECT count(*) FROM receipts.turn"


class TestAnythingAtOnce:
    async def test_pays_each_paper_once_and_leaves_nothing_behind(self, shop):
        await shop.publish(receipts={"window_days": None, "per_day": None})
        chance = random.Random(7)
        people = [await shop.enrol(Person(str(n), phone(500 + n), "")) for n in range(6)]
        papers = [receipt(n, lines=[CREAM], at=NOON + timedelta(hours=1)) for n in range(60)]
        for n in range(10):
            papers += advance_and_settlement(
                1_000 + 2 * n, lines=[CREAM], handed_over_at=NOON + timedelta(hours=2)
            )
        async with FakeProverkacheka() as fake:
            for paper in papers:
                fake.add(render(paper))
            provider = Proverkacheka(token=fake.token, base_url=fake.base_url)
            hands = [_hand(shop, random.Random(n), people, papers, provider) for n in range(6)]
            await asyncio.gather(*hands)
            for _ in range(24):  # what failed on a fault of the moment is due a little later
                await shop.work(provider)
                if await _left(shop) == 0:
                    break
                shop.passes(hours=2)
            await provider.close()
        assert await _left(shop) == 0
        chance.shuffle(papers)
        async with shop.database.transaction() as db:
            assert await (await db.execute(OWNERS)).fetchall() == []
            assert await (await db.execute(CLAIMED_TWICE)).fetchall() == []
            assert await (await db.execute(TURNS)).fetchone() == (0,)
            earned = (await (await db.execute(EARNED)).fetchone())[0]
        balances = [await shop.points(who) for who in people]
        assert sum(one.active + one.pending for one in balances) == earned > 0


async def _left(shop) -> int:
    async with shop.database.transaction() as db:
        return await kit_db.fetch_value(db, LEFT)


async def _hand(shop, chance, people, papers, provider) -> None:
    for _ in range(ROUNDS):
        who = chance.choice(people)
        some = chance.sample(papers, 8)
        match chance.randrange(4):
            case 0:
                lines = [Line(ref=uuid4(), member_id=who, document=one) for one in some]
                results = await intake.take_in(shop.desk(), lines)
                assert not [one.error for one in results if one.error]
            case 1:
                await asyncio.gather(*(shop.show(who, qr=one.qr) for one in some))
            case 2:
                forged = [replace(one.qr, fp=chance.randrange(2**32)) for one in some]
                await asyncio.gather(*(shop.show(who, qr=one) for one in forged[:3]))
            case 3:
                await work.ask_once(shop.database, [provider], clock=shop.clock)
                await work.settle_once(shop.database, clock=shop.clock)
