"""A second member proves that a receipt is theirs: it moves with its points, once, with history."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from vezde.kit.errors import DomainError
from vezde.kit.work import jobs
from vezde.ledger import operations as ledger
from vezde.ledger.model import Redemption
from vezde.purchases import operations as purchases
from vezde.purchases.marking import Pack
from vezde.receipts import disputes
from vezde.receipts.model import Reason, Status, Way
from vezde.receipts.operations import disputing, registering, resolving
from vezde.receipts.operations.disputing import Dispute, Given, NotDisputable, TooManyDisputes
from vezde.receipts.operations.registering import Registered, Submission
from vezde.receipts.operations.resolving import DisputeDecided, DisputeNotReady
from vezde.testing.people import VERA
from vezde.testing.receipts import OZON, line, receipt

from .conftest import Shop

MASK = Pack("04605035006964", "5AbCdE")
CODE = MASK.text + "\x1d93dGVz"
LINE = line("Маска для волос LUNARIA 100мл", 40_000, gtin=MASK.gtin, serial=MASK.serial)
PAPER = receipt(1, lines=[LINE])


@pytest.fixture
async def vera(shop: Shop) -> UUID:
    return await shop.enrol(VERA)


async def show(shop: Shop, who: UUID, way: Way = Way.TEXT, paper: Any = PAPER) -> Registered:
    async with shop.database.transaction() as db:
        (one,) = await registering.register(
            db,
            [Submission(who, qr=paper.qr, way=way)],
            now=shop.at,
            wall=shop.at,
            actor=f"member:{who}",
        )
    return one


async def have(shop: Shop, who: UUID, way: Way = Way.TEXT, paper: Any = PAPER) -> UUID:
    """The member shows it first, and a provider has its document."""
    one = await show(shop, who, way, paper)
    await shop.take(who, paper)
    return one.receipt_id


async def claim(shop: Shop, who: UUID, receipt_id: UUID) -> Dispute:
    async with shop.database.transaction() as db:
        return await disputing.claim(db, who, receipt_id, now=shop.at)


async def decide(shop: Shop, dispute_id: UUID, *, move: bool) -> Dispute:
    async with shop.database.transaction() as db:
        return await resolving.decide(db, dispute_id, move=move, now=shop.at, actor="key:op")


async def disputed(shop: Shop, who: UUID, paper: Any = PAPER) -> Dispute:
    """The member shows a photo of what another has, and says that it is theirs."""
    shown = await show(shop, who, Way.FILE, paper)
    assert shown.reason is Reason.TAKEN
    return await claim(shop, who, shown.receipt_id)


async def total(shop: Shop, who: UUID) -> int:
    points = await shop.points(who)
    return points.active + points.pending


async def facts(shop: Shop, *kinds: str) -> list[tuple[str, UUID, dict[str, Any]]]:
    async with shop.database.transaction() as db:
        cursor = await db.execute(
            "SELECT kind, member_id, data FROM outbox.fact WHERE kind = ANY(%s) ORDER BY id",
            [list(kinds)],
        )
        return [(kind, who, data) for kind, who, data in await cursor.fetchall()]


class TestClaiming:
    async def test_asks_for_a_proof_where_only_a_text_was_shown(self, shop, anna, boris):
        await have(shop, anna)
        shown = await show(shop, boris)
        dispute = await claim(shop, boris, shown.receipt_id)
        assert dispute.queued_at is None
        assert await facts(shop, "receipt.disputed/1", "receipt.questioned/1") == []

    async def test_a_photo_shown_before_is_a_proof(self, shop, anna, boris):
        first = await have(shop, anna)
        dispute = await disputed(shop, boris)
        assert dispute.queued_at == shop.at
        told = await facts(shop, "receipt.disputed/1", "receipt.questioned/1")
        assert [(kind, who) for kind, who, _ in told] == [
            ("receipt.disputed/1", boris),
            ("receipt.questioned/1", anna),
        ]
        assert told[1][2] == {"receipt_id": str(first)}, "nothing of the other one"

    async def test_a_photo_shown_after_is_one(self, shop, anna, boris):
        await have(shop, anna)
        shown = await show(shop, boris)
        dispute = await claim(shop, boris, shown.receipt_id)
        again = await show(shop, boris, Way.SLIP)
        assert again.proves
        async with shop.database.transaction() as db:
            (case,) = await disputes.page(db, decided=False, after=None, limit=10)
        assert case.dispute.dispute_id == dispute.dispute_id
        assert [(one.kind, one.member_id) for one in case.proofs] == [("slip", boris)]
        assert {one.member_id for one in case.showings} == {anna, boris}

    async def test_said_twice_is_one(self, shop, anna, boris):
        await have(shop, anna)
        shown = await show(shop, boris, Way.FILE)
        found = await asyncio.gather(*(claim(shop, boris, shown.receipt_id) for _ in range(4)))
        assert len({one.dispute_id for one in found}) == 1
        assert len(await facts(shop, "receipt.disputed/1")) == 1

    async def test_is_only_of_what_another_has(self, shop, anna, boris):
        first = await have(shop, anna)
        with pytest.raises(NotDisputable):
            await claim(shop, anna, first)
        with pytest.raises(NotDisputable):
            await claim(shop, boris, uuid4())

    async def test_is_limited(self, shop, anna, boris):
        papers = [receipt(number, lines=[LINE]) for number in range(1, 5)]
        for paper in papers:
            await have(shop, anna, paper=paper)
        for paper in papers[:3]:
            await disputed(shop, boris, paper)
        shown = await show(shop, boris, Way.FILE, papers[3])
        with pytest.raises(TooManyDisputes):
            await claim(shop, boris, shown.receipt_id)
        shop.passes(days=8)
        await claim(shop, boris, shown.receipt_id)

    async def test_a_pack_of_another_receipt_is_no_proof(self, shop, anna, boris):
        await have(shop, anna)
        shown = await show(shop, boris)
        dispute = await claim(shop, boris, shown.receipt_id)
        other = Given("pack", pack=Pack(MASK.gtin, "another"))
        async with shop.database.transaction() as db:
            with pytest.raises(disputing.NoProof):
                await disputing.prove(db, dispute.dispute_id, [other], now=shop.at)


class TestMoving:
    async def test_takes_the_points_and_gives_them_once(self, shop, anna, boris):
        first = await have(shop, anna)
        before = await total(shop, anna)
        assert before > 0
        dispute = await disputed(shop, boris)
        shop.passes(days=2)
        done = await decide(shop, dispute.dispute_id, move=True)
        assert (done.outcome, done.from_member, done.from_receipt) == ("moved", anna, first)
        assert (await total(shop, anna), await total(shop, boris)) == (0, before)
        lost, won = await shop.receipt(anna, first), await shop.receipt(boris, done.receipt_id)
        assert (lost.status, lost.reason) == (Status.REJECTED, Reason.MOVED)
        assert lost.document is None
        assert lost.purchase_id is None
        assert won.status is Status.ACCEPTED
        assert won.document is not None
        assert won.occurred_at is not None
        assert won.points(shop.at)[1] == before

    async def test_is_priced_by_the_programme_of_its_day(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        shop.passes(days=1)
        await shop.publish(earning={"default_rate_bp": 5_000})
        shop.passes(days=1)
        await decide(shop, dispute.dispute_id, move=True)
        assert await total(shop, boris) == before

    async def test_said_twice_moves_once(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        answers = await asyncio.gather(
            *(decide(shop, dispute.dispute_id, move=True) for _ in range(3)),
            return_exceptions=True,
        )
        assert all(not isinstance(one, BaseException) for one in answers), answers
        assert (await total(shop, anna), await total(shop, boris)) == (0, before)
        with pytest.raises(DisputeDecided):
            await decide(shop, dispute.dispute_id, move=False)

    async def test_of_two_decisions_at_once_one_holds(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        answers = await asyncio.gather(
            decide(shop, dispute.dispute_id, move=True),
            decide(shop, dispute.dispute_id, move=False),
            return_exceptions=True,
        )
        assert sum(isinstance(one, DomainError) for one in answers) == 1
        assert await total(shop, anna) + await total(shop, boris) == before

    async def test_what_was_spent_becomes_a_debt_where_the_programme_says_so(
        self, shop, anna, boris
    ):
        await shop.publish(returns={"debt": "debt"})
        shop.passes(minutes=1)
        await have(shop, anna)
        before = await total(shop, anna)
        await spends(shop, anna, before)
        dispute = await disputed(shop, boris)
        await decide(shop, dispute.dispute_id, move=True)
        assert (await shop.points(anna)).debt == before
        assert await total(shop, boris) == before

    async def test_what_was_spent_is_forgiven_by_default(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        await spends(shop, anna, before)
        dispute = await disputed(shop, boris)
        await decide(shop, dispute.dispute_id, move=True)
        assert (await shop.points(anna)).debt == 0
        assert await total(shop, boris) == before

    async def test_a_return_before_it_counts_for_the_new_owner(self, shop, anna, boris):
        await have(shop, anna)
        dispute = await disputed(shop, boris)
        await shop.take(anna, replace(receipt(2, lines=[LINE]), operation=2))
        assert await total(shop, anna) == 0
        await decide(shop, dispute.dispute_id, move=True)
        assert (await total(shop, anna), await total(shop, boris)) == (0, 0)

    async def test_waits_for_the_document(self, shop, anna, boris):
        await show(shop, anna)
        dispute = await disputed(shop, boris)
        with pytest.raises(DisputeNotReady):
            await decide(shop, dispute.dispute_id, move=True)

    async def test_an_advance_waits_for_its_settlement_there(self, shop, anna, boris):
        advance = receipt(
            3, lines=[replace(LINE, payment_type=1, gtin=None, serial=None)], seller=OZON
        )
        await have(shop, anna, paper=advance)
        dispute = await disputed(shop, boris, advance)
        done = await decide(shop, dispute.dispute_id, move=True)
        won = await shop.receipt(boris, done.receipt_id)
        assert won.status is Status.AWAITING_SETTLEMENT

    async def test_frees_the_pack_for_the_new_owner(self, shop, anna, boris):
        await have(shop, anna)
        dispute = await disputed(shop, boris)
        await decide(shop, dispute.dispute_id, move=True)
        assert (await scan(shop, boris)) == "confirmed"
        assert (await scan(shop, anna)) == "taken"

    async def test_the_other_may_prove_it_back(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        first = await disputed(shop, boris)
        await decide(shop, first.dispute_id, move=True)
        second = await disputed(shop, anna)
        await decide(shop, second.dispute_id, move=True)
        assert (await total(shop, anna), await total(shop, boris)) == (before, 0)

    async def test_of_two_claimants_each_is_decided(self, shop, anna, boris, vera):
        await have(shop, anna)
        before = await total(shop, anna)
        one, other = await disputed(shop, boris), await disputed(shop, vera)
        await decide(shop, one.dispute_id, move=True)
        await decide(shop, other.dispute_id, move=True)
        assert [await total(shop, who) for who in (anna, boris, vera)] == [0, 0, before]


class TestKeeping:
    async def test_changes_nothing_and_is_told_to_both(self, shop, anna, boris):
        first = await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        await decide(shop, dispute.dispute_id, move=False)
        assert (await total(shop, anna), await total(shop, boris)) == (before, 0)
        told = await facts(shop, "receipt.dispute_resolved/1")
        assert [(who, data["outcome"]) for _, who, data in told] == [
            (boris, "kept"),
            (anna, "kept"),
        ]
        assert set(told[1][2]) == {"receipt_id", "outcome"}
        assert told[1][2]["receipt_id"] == str(first)
        again = await show(shop, boris, Way.FILE)
        assert (await claim(shop, boris, again.receipt_id)).outcome == "kept"


async def scan(shop: Shop, who: UUID) -> str:
    async with shop.database.transaction() as db:
        found = await purchases.scan(db, who, CODE, now=shop.at, actor=f"member:{who}")
        await disputing.show_pack(db, who, found.pack, now=shop.at)
    return found.outcome


async def jobs_of_a_day(shop: Shop) -> None:
    """What is due is worked, as the worker does."""
    await jobs.work_jobs(
        shop.database, {disputing.ALONE: resolving.alone}, clock=shop.clock, limit=10
    )


class TestAlone:
    async def _claimed(self, shop: Shop, anna: UUID, boris: UUID, way: Way) -> Dispute:
        await have(shop, anna, way)
        shown = await show(shop, boris)
        dispute = await claim(shop, boris, shown.receipt_id)
        assert await scan(shop, boris) == "taken"
        return dispute

    async def test_a_typed_receipt_moves_to_whoever_has_the_jar(self, shop, anna, boris):
        await self._claimed(shop, anna, boris, Way.TEXT)
        before = await total(shop, anna)
        shop.passes(hours=23)
        await jobs_of_a_day(shop)
        assert await total(shop, anna) == before, "they have a day to answer"
        shop.passes(hours=2)
        await jobs_of_a_day(shop)
        assert (await total(shop, anna), await total(shop, boris)) == (0, before)

    @pytest.mark.parametrize("way", [Way.FILE, Way.SLIP, Way.LETTER])
    async def test_a_paper_that_was_shown_waits_for_a_person(self, shop, anna, boris, way):
        await self._claimed(shop, anna, boris, way)
        await self._stays(shop, anna)

    async def test_an_answer_makes_it_wait(self, shop, anna, boris):
        await self._claimed(shop, anna, boris, Way.TEXT)
        assert (await show(shop, anna, Way.FILE)).proves
        await self._stays(shop, anna)

    async def test_a_scan_by_the_other_makes_it_wait(self, shop, anna, boris):
        await have(shop, anna)
        assert await scan(shop, anna) == "confirmed"
        shown = await show(shop, boris)
        await claim(shop, boris, shown.receipt_id)
        await scan(shop, boris)
        await self._stays(shop, anna)

    async def test_spent_points_make_it_wait(self, shop, anna, boris):
        await self._claimed(shop, anna, boris, Way.TEXT)
        async with shop.database.transaction() as db:
            await ledger.redeem(
                db,
                Redemption(
                    member_id=anna, op_key="spent", occurred_at=shop.at, points=1, title="x"
                ),
                now=shop.at,
                actor="system",
            )
        await self._stays(shop, anna)

    async def test_the_programme_may_forbid_it(self, shop, anna, boris):
        await shop.publish(moderation={"disputes_alone": False})
        shop.passes(minutes=1)
        await self._claimed(shop, anna, boris, Way.TEXT)
        await self._stays(shop, anna)

    async def _stays(self, shop: Shop, anna: UUID) -> None:
        before = await total(shop, anna)
        shop.passes(days=2)
        await jobs_of_a_day(shop)
        assert await total(shop, anna) == before
        async with shop.database.transaction() as db:
            assert len(await disputes.page(db, decided=False, after=None, limit=10)) == 1


class TestPeopleWhoGo:
    async def test_a_forgotten_holder_keeps_it(self, shop, anna, boris):
        await have(shop, anna)
        dispute = await disputed(shop, boris)
        await shop.forget(anna)
        async with shop.database.transaction() as db:
            found = await disputing.one(db, dispute.dispute_id)
        assert (found.outcome, found.decided_by) == ("kept", "system")
        with pytest.raises(DisputeDecided):
            await decide(shop, dispute.dispute_id, move=True)
        assert await total(shop, boris) == 0

    async def test_a_forgotten_claimant_drops_it(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        await shop.forget(boris)
        async with shop.database.transaction() as db:
            assert (await disputing.one(db, dispute.dispute_id)).outcome == "dropped"
            cursor = await db.execute("SELECT count(*) FROM receipts.proof")
            assert await cursor.fetchone() == (0,)
        assert await total(shop, anna) == before

    async def test_who_become_one_dispute_no_more(self, shop, anna, boris):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        await shop.merge(anna, boris)
        async with shop.database.transaction() as db:
            assert (await disputing.one(db, dispute.dispute_id)).outcome == "dropped"
        assert await total(shop, anna) == before

    async def test_a_merged_claimant_goes_on(self, shop, anna, boris, vera):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        await shop.merge(vera, boris)
        await decide(shop, dispute.dispute_id, move=True)
        assert (await total(shop, anna), await total(shop, vera)) == (0, before)

    async def test_a_merged_holder_loses_it(self, shop, anna, boris, vera):
        await have(shop, anna)
        before = await total(shop, anna)
        dispute = await disputed(shop, boris)
        await shop.merge(vera, anna)
        await decide(shop, dispute.dispute_id, move=True)
        assert (await total(shop, vera), await total(shop, boris)) == (0, before)

    async def test_after_an_undone_merge_it_can_be_claimed_again(self, shop, anna, boris):
        await have(shop, anna)
        await disputed(shop, boris)
        await shop.merge(anna, boris)
        await shop.unmerge(anna, boris)
        again = await disputed(shop, boris)
        assert again.decided_at is None
        await decide(shop, again.dispute_id, move=True)
        assert await total(shop, boris) > 0

    async def test_a_decision_beside_a_forgetting_ends_one_way(self, shop, anna, boris):
        await have(shop, anna)
        dispute = await disputed(shop, boris)
        answers = await asyncio.gather(
            decide(shop, dispute.dispute_id, move=True),
            shop.forget(anna),
            return_exceptions=True,
        )
        for one in answers:
            assert not isinstance(one, BaseException) or isinstance(one, DomainError)
        async with shop.database.transaction() as db:
            found = await disputing.one(db, dispute.dispute_id)
        assert (await total(shop, boris) > 0) == (found.outcome == "moved")


async def spends(shop: Shop, who: UUID, points: int) -> None:
    spent = Redemption(member_id=who, op_key="spent", occurred_at=shop.at, points=points, title="x")
    async with shop.database.transaction() as db:
        await ledger.redeem(db, spent, now=shop.at, actor="system")
