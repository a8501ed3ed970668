"""Members become one, or are forgotten, whatever their receipts are in the middle of."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from vezde.kit.errors import DomainError
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.model import MemberClosed, MemberMerged
from vezde.receipts import intake, queries, work
from vezde.receipts.intake import Line
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import checking, moderating
from vezde.receipts.providers.protocol import Answer, Verdict
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.testing.people import Person, phone
from vezde.testing.proverkacheka import FakeProverkacheka
from vezde.testing.receipts import (
    NOON,
    WILDBERRIES,
    advance_and_settlement,
    line,
    receipt,
    render,
)
from vezde.wiring import STEPS

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
DOUBT = line("Помада LUNARIA", 50_000)
PAPER = receipt(1, lines=[CREAM])
TODAY = NOON + timedelta(days=1)  # under a programme published by a test

OF_MEMBERS = {
    "ledger.account": "SELECT member_id FROM ledger.account WHERE closed_at IS NULL",
    "purchases": """
        SELECT member_id FROM purchases.purchase UNION ALL SELECT member_id FROM purchases.document
        UNION ALL SELECT member_id FROM purchases.line""",
    "receipts": """
        SELECT member_id FROM receipts.receipt UNION ALL SELECT member_id FROM receipts.document
        UNION ALL SELECT member_id FROM receipts.claim UNION ALL SELECT member_id FROM receipts.turn
        UNION ALL SELECT member_id FROM receipts.verification""",
}
BALANCE = "SELECT coalesce(sum(active + pending), 0) FROM ledger.account"
EARNED = "SELECT coalesce(sum(points), 0) FROM program.decision"
PURCHASES = """
SELECT p.purchase_id, count(d.receipt_id), coalesce(sum(d.total_kopecks), 0)
FROM purchases.purchase p JOIN purchases.document d USING (member_id, purchase_id)
GROUP BY p.purchase_id ORDER BY 1
"""
LINES = (
    "SELECT receipt_id, line, purchase_id, state, open_kopecks FROM purchases.line ORDER BY 1, 2"
)
CLAIMED_TWICE = """
SELECT r.receipt_id FROM receipts.receipt r LEFT JOIN receipts.claim c USING (fn, fd)
WHERE r.status IN ('accepted', 'awaiting_settlement', 'in_review')
  AND (c.receipt_id, c.member_id, c.state) IS DISTINCT FROM (r.receipt_id, r.member_id, 'confirmed')
"""


@pytest.fixture
async def fake():
    async with FakeProverkacheka() as running:
        yield running


@pytest.fixture
async def provider(fake):
    made = Proverkacheka(token=fake.token, base_url=fake.base_url)
    yield made
    await made.close()


class TestMerge:
    async def test_carries_receipts_with_their_purchases_and_points(self, shop, anna, boris):
        (shown,) = await shop.take(anna, receipt(1, lines=[CREAM], seller=WILDBERRIES))
        before = [await _rows(shop, query) for query in (PURCHASES, LINES, BALANCE)]
        await shop.merge(boris, anna)
        assert [await _rows(shop, query) for query in (PURCHASES, LINES, BALANCE)] == before
        assert (await shop.points(boris)).pending == 41
        found = await shop.receipt(boris, shown.receipt_id)
        assert (found.status, found.member_id) == (Status.ACCEPTED, boris)

    async def test_finds_a_receipt_and_lists_by_the_old_id(self, shop, anna, boris):
        (shown,) = await shop.take(anna, PAPER)
        await shop.merge(boris, anna)
        found = await shop.receipt(anna, shown.receipt_id)
        assert found.member_id == boris
        async with shop.database.transaction() as db:
            assert await queries.page(db, member_id=anna, limit=5) == [found]
            with pytest.raises(queries.ReceiptMissing):
                await queries.receipt(db, anna, uuid4())

    async def test_pays_a_paper_of_either_once(self, shop, anna, boris):
        await shop.take(anna, PAPER)
        (double,) = await shop.take(boris, PAPER)
        assert double.reason is Reason.TAKEN
        await shop.merge(boris, anna)
        (again,) = await shop.take(boris, PAPER)
        assert (again.repeated, again.status) == (True, Status.ACCEPTED)
        once_taken = await shop.receipt(boris, double.receipt_id)
        assert once_taken.reason is Reason.ALREADY_REGISTERED
        assert once_taken.first_receipt_id == again.receipt_id
        vera = await shop.enrol(Person("Вера", phone(77), ""))
        (foreign,) = await shop.take(vera, PAPER)
        assert foreign.reason is Reason.TAKEN

    @pytest.mark.parametrize("by_gone", [True, False])
    async def test_settles_an_advance_of_either(self, shop, anna, boris, by_gone):
        advance, settlement = advance_and_settlement(
            1, lines=[CREAM], handed_over_at=NOON + timedelta(days=2)
        )
        shop.passes(days=3)
        (ahead,) = await shop.take(anna if by_gone else boris, advance)
        assert ahead.status is Status.AWAITING_SETTLEMENT
        await shop.merge(boris, anna)
        (settled,) = await shop.take(boris, settlement)
        assert settled.points.pending == 41
        assert (await shop.receipt(boris, ahead.receipt_id)).status is Status.ACCEPTED
        assert len(await _rows(shop, PURCHASES)) == 1

    async def test_counts_both_towards_the_days_caps(self, shop, anna, boris):
        await shop.publish(
            receipts={"window_days": 30, "per_day": 3},
            earning={"default_rate_bp": 1000, "points_per_day": 200},
        )
        papers = [receipt(n, lines=[CREAM], at=TODAY) for n in range(4)]
        shop.passes(hours=4)
        await shop.take(anna, papers[0])
        await shop.take(boris, papers[1])
        await shop.merge(boris, anna)
        third, fourth = await shop.take(boris, *papers[2:])
        assert (third.status, third.points.active) == (Status.ACCEPTED, 200 - 2 * 83)
        assert fourth.reason is Reason.DAILY_LIMIT

    async def test_goes_on_with_what_is_being_checked(self, shop, anna, boris, fake, provider):
        fake.add(render(PAPER))
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.merge(boris, anna)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED
        assert (await shop.points(boris)).active == 83

    async def test_asks_again_what_was_being_asked(self, shop, anna, boris, fake, provider):
        fake.add(render(PAPER))
        shown = await shop.show(anna, qr=PAPER.qr)
        token = uuid4()
        async with shop.database.transaction() as db:
            (check,) = await checking.lease(
                db, token=token, now=shop.at, wall=shop.at, seconds=120, limit=8
            )
        await shop.merge(boris, anna)
        async with shop.database.transaction() as db:
            answered = [checking.Answered(check, Answer(Verdict.FOUND, PAPER), provider="test")]
            lost = await checking.finish(
                db, answered, token=token, now=shop.at, wall=shop.at, jitter=0.5
            )
            assert lost == [shown.receipt_id]
        await shop.work(provider)
        assert (await shop.receipt(boris, shown.receipt_id)).status is Status.ACCEPTED

    async def test_keeps_places_in_turn(self, shop, anna, boris, fake, provider):
        vera = await shop.enrol(Person("Вера", phone(77), ""))
        fake.add(render(PAPER))
        forged = await shop.show(vera, qr=replace(PAPER.qr, fp=7))
        honest = await shop.show(anna, qr=PAPER.qr)
        await shop.merge(boris, anna)
        await shop.work(provider)
        shop.passes(days=1)
        await shop.work(provider)
        assert (await shop.receipt(vera, forged.receipt_id)).status is Status.REJECTED
        assert (await shop.receipt(boris, honest.receipt_id)).status is Status.ACCEPTED

    async def test_lets_a_doubtful_line_be_decided_by_the_old_id(self, shop, anna, boris):
        (doubtful,) = await shop.take(anna, receipt(1, lines=[DOUBT]))
        assert doubtful.status is Status.IN_REVIEW
        await shop.merge(boris, anna)
        decided = await _decide(shop, anna, doubtful.receipt_id)
        assert (decided.member_id, decided.status) == (boris, Status.ACCEPTED)
        assert (await shop.points(boris)).active == 50

    async def test_sends_the_gone_id_to_the_member_there_is(self, shop, anna, boris):
        await shop.merge(boris, anna)
        (refused,) = await shop.take(anna, PAPER)
        assert isinstance(refused.error, MemberMerged)
        assert refused.error.extra == {"member_id": boris}
        with pytest.raises(MemberMerged):
            await shop.show(anna, qr=PAPER.qr)
        assert await _rows(shop, "SELECT 1 FROM receipts.receipt") == []


class TestUnmerge:
    async def test_gives_back_what_was_decided_before(self, shop, anna, boris):
        (shown,) = await shop.take(anna, PAPER)
        (double,) = await shop.take(boris, PAPER)
        whole = [await _rows(shop, query) for query in (PURCHASES, LINES)]
        await shop.merge(boris, anna)
        await shop.unmerge(boris, anna)
        assert [await _rows(shop, query) for query in (PURCHASES, LINES)] == whole
        assert (await shop.receipt(anna, shown.receipt_id)).member_id == anna
        assert (await shop.receipt(boris, shown.receipt_id)).member_id == anna, "an id of meanwhile"
        again = await shop.receipt(boris, double.receipt_id)
        assert (again.reason, again.first_receipt_id) == (Reason.TAKEN, None)
        assert (await shop.points(anna)).active == 83
        assert (await shop.points(boris)).active == 0
        (repeated,) = await shop.take(anna, PAPER)
        assert (repeated.repeated, repeated.receipt_id) == (True, shown.receipt_id)

    async def test_leaves_what_was_decided_since_with_its_points(self, shop, anna, boris):
        shown = await shop.show(anna, document=PAPER)
        await shop.merge(boris, anna)
        assert await work.settle_once(shop.database, clock=shop.clock) == 1
        await shop.unmerge(boris, anna)
        assert (await shop.receipt(boris, shown.receipt_id)).member_id == boris
        assert [(await shop.points(who)).active for who in (anna, boris)] == [0, 83]
        (foreign,) = await shop.take(anna, PAPER)
        assert foreign.reason is Reason.TAKEN
        assert await _rows(shop, CLAIMED_TWICE) == []

    async def test_goes_on_with_what_is_being_checked(self, shop, anna, boris, fake, provider):
        fake.add(render(PAPER))
        shown = await shop.show(anna, qr=PAPER.qr)
        await shop.merge(boris, anna)
        await shop.unmerge(boris, anna)
        await shop.work(provider)
        assert (await shop.receipt(anna, shown.receipt_id)).status is Status.ACCEPTED
        assert (await shop.points(anna)).active == 83

    async def test_of_a_purchase_of_both_leaves_each_their_document(self, shop, anna, boris):
        advance, settlement = advance_and_settlement(
            1, lines=[CREAM], handed_over_at=NOON + timedelta(days=2)
        )
        shop.passes(days=3)
        (ahead,) = await shop.take(anna, advance)
        await shop.merge(boris, anna)
        (settled,) = await shop.take(boris, settlement)
        assert settled.points.pending == 41
        await shop.unmerge(boris, anna)
        assert (await shop.receipt(anna, ahead.receipt_id)).member_id == anna
        assert (await shop.receipt(boris, settled.receipt_id)).member_id == boris
        assert [(await shop.points(who)).pending for who in (anna, boris)] == [0, 41]
        whose = "SELECT member_id FROM purchases.purchase ORDER BY 1"
        assert await _rows(shop, whose) == sorted([(anna,), (boris,)])
        await shop.merge(boris, anna)
        assert await _rows(shop, whose) == [(boris,)]

    async def test_beside_all_that_receipts_do(self, shop, fake, provider):
        await shop.publish(receipts={"window_days": None, "per_day": None})
        shop.passes(hours=4)
        papers = _papers(40)
        for paper in papers:
            fake.add(render(paper))
        people = [await shop.enrol(Person(str(n), phone(500 + n), "")) for n in range(8)]
        met: Counter[str] = Counter()

        async def merge_and_undo() -> None:
            for into, gone in zip(people[:4], people[4:], strict=True):
                await shop.merge(into, gone)
                await asyncio.sleep(0.1)
                await shop.unmerge(into, gone)

        hands = [_hand(shop, random.Random(n), people, papers, provider, met) for n in range(4)]
        await asyncio.gather(*hands, merge_and_undo())
        await _work_all(shop, provider)
        await _check(shop, people)
        assert set(met) <= {"member_merged", "contested"}, met


class TestForget:
    async def test_keeps_the_claim_on_what_was_paid(self, shop, anna, boris):
        await shop.take(anna, PAPER)
        await shop.forget(anna)
        (foreign,) = await shop.take(boris, PAPER)
        assert foreign.reason is Reason.TAKEN
        shown = await shop.show(boris, qr=PAPER.qr)
        assert shown.reason is Reason.TAKEN

    async def test_ends_what_was_not_decided(self, shop, anna, boris, fake, provider):
        advance, settlement = advance_and_settlement(
            5, lines=[CREAM], handed_over_at=NOON + timedelta(hours=1)
        )
        checked = await shop.show(anna, qr=PAPER.qr)
        ahead, doubtful = await shop.take(anna, advance, receipt(9, lines=[DOUBT]))
        await shop.forget(anna)
        for receipt_id in (checked.receipt_id, ahead.receipt_id, doubtful.receipt_id):
            ended = await shop.receipt(anna, receipt_id)
            assert (ended.status, ended.reason) == (Status.REJECTED, Reason.WITHDRAWN)
        assert await _rows(shop, "SELECT 1 FROM receipts.verification") == []
        with pytest.raises(MemberClosed):
            await _decide(shop, anna, doubtful.receipt_id)
        (foreign,) = await shop.take(boris, advance)
        assert foreign.reason is Reason.TAKEN
        (settled,) = await shop.take(boris, settlement)
        assert settled.status is Status.ACCEPTED

    async def test_frees_what_nobody_had_confirmed(self, shop, anna, boris, fake, provider):
        fake.add(render(PAPER))
        await shop.show(anna, qr=replace(PAPER.qr, fp=7))
        await shop.show(anna, qr=replace(PAPER.qr, fp=8))
        waiting = await shop.show(boris, qr=PAPER.qr)
        await shop.forget(anna)
        await shop.work(provider)
        assert (await shop.receipt(boris, waiting.receipt_id)).status is Status.ACCEPTED
        assert await _rows(shop, "SELECT 1 FROM receipts.turn") == []

    async def test_refuses_what_comes_for_the_shell(self, shop, anna):
        await shop.forget(anna)
        (refused,) = await shop.take(anna, PAPER)
        assert isinstance(refused.error, MemberClosed)
        with pytest.raises(MemberClosed):
            await shop.show(anna, qr=PAPER.qr)


class TestHistories:
    @pytest.mark.parametrize("seed", range(4))
    async def test_made_up_at_random_lose_nothing(self, shop, seed, fake, provider):
        chance = random.Random(seed)
        people = [await shop.enrol(Person(str(n), phone(500 + n), "")) for n in range(5)]
        shop.passes(hours=4)
        papers = _papers(40)
        for paper in papers:
            fake.add(render(paper))
        alive = list(people)
        for _ in range(14):
            shop.passes(hours=chance.choice([0, 1, 30]))
            who = chance.choice(alive)
            some = chance.sample(papers, 4)
            match chance.randrange(5):
                case 0 | 1:
                    await shop.take(who, *some)
                case 2:
                    for one in some:
                        await shop.show(who, qr=replace(one.qr, fp=chance.choice([one.key.fp, 7])))
                case 3:
                    await shop.work(provider)
                case 4 if len(alive) > 1:
                    into, gone = chance.sample(alive, 2)
                    before = [await _rows(shop, one) for one in (BALANCE, PURCHASES, LINES)]
                    await shop.merge(into, gone)
                    assert [await _rows(shop, one) for one in (BALANCE, PURCHASES, LINES)] == before
                    alive.remove(gone)
        await _work_all(shop, provider)
        await _check(shop, people)

    async def test_of_one_person_under_two_ids_are_those_under_one(self, shop):
        """Where no cap bites: papers shown by two who become one, or by one alone."""
        chance = random.Random(3)
        papers = [receipt(n, lines=[CREAM], at=NOON - timedelta(days=n)) for n in range(12)]
        two = [await shop.enrol(Person(str(n), phone(600 + n), "")) for n in range(2)]
        for paper in papers[:8]:
            await shop.take(chance.choice(two), paper)
        await shop.merge(*two)
        shop.passes(days=1)
        await shop.take(two[0], *papers[8:])
        points = await shop.points(two[0])
        assert points.active == 12 * 83
        assert [row[1:] for row in await _rows(shop, PURCHASES)] == [(1, 83_000)] * 12


class TestAtOnce:
    async def test_merging_beside_all_that_receipts_do(self, shop, fake, provider):
        await shop.publish(receipts={"window_days": None, "per_day": None})
        shop.passes(hours=4)
        papers = _papers(60)
        for paper in papers:
            fake.add(render(paper))
        people = [await shop.enrol(Person(str(n), phone(500 + n), "")) for n in range(9)]
        pairs = [(people[n], people[n + 1]) for n in range(8)]
        met: Counter[str] = Counter()
        hands = [_hand(shop, random.Random(n), people, papers, provider, met) for n in range(5)]
        await asyncio.gather(*hands, _merge_all(shop, pairs, met))
        await _work_all(shop, provider)
        await _check(shop, people)
        assert set(met) <= {"member_merged", "member_closed", "contested"}, met

    async def test_forgetting_beside_all_that_receipts_do(self, shop, fake, provider):
        await shop.publish(receipts={"window_days": None, "per_day": None})
        shop.passes(hours=4)
        papers = _papers(40)
        for paper in papers:
            fake.add(render(paper))
        people = [await shop.enrol(Person(str(n), phone(500 + n), "")) for n in range(6)]
        met: Counter[str] = Counter()

        async def forget() -> None:
            for who in people[:3]:
                await asyncio.sleep(0.15)
                await shop.forget(who)

        hands = [_hand(shop, random.Random(n), people, papers, provider, met) for n in range(4)]
        await asyncio.gather(*hands, forget())
        await _work_all(shop, provider)
        assert await _rows(shop, "SELECT 1 FROM receipts.verification") == []
        assert await _rows(shop, CLAIMED_TWICE) == []
        left = "SELECT 1 FROM receipts.receipt WHERE member_id = ANY(%s) AND status <> ALL(%s)"
        async with shop.database.transaction() as db:
            cursor = await db.execute(left, [people[:3], ["accepted", "rejected"]])
            assert await cursor.fetchall() == []
        assert set(met) <= {"member_closed", "contested"}, met

    async def test_settling_waits_for_no_merge_and_loses_nothing(self, shop, anna, boris):
        await shop.show(anna, document=PAPER)
        async with shop.database.transaction() as db:
            await members.merge(
                db, boris, anna, steps=STEPS, vault=shop.vault, now=shop.at, actor="key:1"
            )
            assert await work.settle_once(shop.database, clock=shop.clock) == 0
        assert await work.settle_once(shop.database, clock=shop.clock) == 1
        assert (await shop.points(boris)).active == 83

    async def test_a_merge_waits_for_settling(self, shop, anna, boris):
        shown = await shop.show(anna, document=PAPER)
        async with shop.database.transaction() as db:
            await members.undisturbed(db, [anna])
            waiting = asyncio.create_task(shop.merge(boris, anna))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            item = work.Item(anna, shown.receipt_id, PAPER, shop.at)
            await work.settle_found(db, [item], now=shop.at)
        await waiting
        assert (await shop.points(boris)).active == 83


def _papers(count: int) -> list:
    papers = [
        receipt(n, lines=[CREAM], seller=WILDBERRIES, at=TODAY + timedelta(minutes=n))
        for n in range(count)
    ]
    for n in range(count // 8):
        papers += advance_and_settlement(
            1_000 + 2 * n,
            lines=[CREAM],
            paid_at=TODAY,
            handed_over_at=TODAY + timedelta(hours=2),
        )
    papers += [receipt(2_000 + n, lines=[DOUBT], at=TODAY) for n in range(count // 10)]
    return papers


async def _hand(shop, chance, people, papers, provider, met) -> None:
    for _ in range(8):
        who = chance.choice(people)
        some = chance.sample(papers, 6)
        try:
            match chance.randrange(4):
                case 0:
                    lines = [Line(ref=uuid4(), member_id=who, document=one) for one in some]
                    for one in await intake.take_in(shop.desk(), lines):
                        if one.error is not None:
                            met[one.error.code] += 1
                case 1:
                    await asyncio.gather(*(shop.show(who, qr=one.qr) for one in some))
                case 2:
                    await shop.show(who, document=some[0])
                    await shop.show(who, qr=replace(some[1].qr, fp=chance.randrange(2**32)))
                case 3:
                    await work.ask_once(shop.database, [provider], clock=shop.clock)
                    await work.settle_once(shop.database, clock=shop.clock)
        except DomainError as error:
            met[error.code] += 1


async def _merge_all(shop, pairs, met) -> None:
    for into, gone in pairs:
        await asyncio.sleep(0.12)
        try:
            await shop.merge(into, gone)
        except DomainError as error:
            met[error.code] += 1


async def _check(shop, people: list[UUID]) -> None:
    """Nothing is under an id that is gone, nothing paid twice, nothing lost, nothing left over."""
    async with shop.database.transaction() as db:
        active = await members.present(db, people)
        for member_id in people:
            assert await member_queries.surviving(db, member_id) in active
    for query in OF_MEMBERS.values():
        assert {row[0] for row in await _rows(shop, query)} <= active
    assert await _rows(shop, "SELECT 1 FROM receipts.verification") == []
    assert await _rows(shop, "SELECT 1 FROM receipts.turn") == []
    assert await _rows(shop, CLAIMED_TWICE) == []
    assert await _rows(shop, BALANCE) == await _rows(shop, EARNED)


async def _work_all(shop, provider) -> None:
    for _ in range(3):  # what failed on a fault of the moment is due a little later
        await shop.work(provider)
        shop.passes(hours=2)
    shop.passes(days=45)  # what no provider ever has is given up
    await shop.work(provider)


async def _decide(shop, member_id: UUID, receipt_id: UUID) -> queries.Receipt:
    async with shop.database.transaction() as db:
        return await moderating.decide_line(
            db, member_id, receipt_id, line=1, sku="LIP-01", now=shop.at, actor="key:1"
        )


async def _rows(shop, query: str) -> list[tuple]:
    async with shop.database.transaction() as db:
        return await (await db.execute(query)).fetchall()
