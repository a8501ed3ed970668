"""Receipts that look as if nobody had bought anything wait for a person; the others go on."""

import asyncio
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel

from vezde.kit.db import Db
from vezde.kit.errors import DomainError
from vezde.members.model import MemberClosed
from vezde.receipts import intake, quarantine, queries
from vezde.receipts.intake import Line
from vezde.receipts.model import Reason, Status
from vezde.receipts.operations import (
    disputing,
    moderating,
    quarantining,
    rematching,
    resolving,
)
from vezde.receipts.providers.proverkacheka import Proverkacheka
from vezde.receipts.signals import devices, reading
from vezde.receipts.signals.model import Past, Shown, Signal
from vezde.receipts.signals.section import SignalsSection
from vezde.sellers import operations as sellers
from vezde.sellers.model import Stance
from vezde.testing.people import Person, phone
from vezde.testing.proverkacheka import FakeProverkacheka
from vezde.testing.receipts import (
    CORNER_SHOP,
    NOON,
    OZON,
    PYATEROCHKA,
    advance_and_settlement,
    line,
    receipt,
    render,
)

from .conftest import PROGRAM, Shop

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)
JAR = line("Маска для волос LUNARIA 100мл", 50_000, gtin="04605035006964", serial="A1b2C3")
DOUBT = line("Помада LUNARIA", 50_000)
MUTE: dict[str, Any] = {
    name: field.default.model_dump() | {"score": 0}
    for name, field in SignalsSection.model_fields.items()
    if isinstance(field.default, BaseModel)
}
ON = MUTE | {"quarantine_at": 100, "promised_hours": 24, "pack_seen": {"score": 100}}
NAME = {"name": "Аптека", "kind": "chain", "sales_channel": "chain"}


@pytest.fixture
async def guarded(shop: Shop) -> Shop:
    await shop.publish(signals=ON)
    return shop


async def held_paper(shop: Shop, owner: UUID, other: UUID) -> UUID:
    """A receipt of `other` with a pack that stands on one of `owner`'s."""
    await shop.take(owner, receipt(1, lines=[JAR]))
    (second,) = await shop.take(other, receipt(70_002, lines=[JAR, CREAM]))
    assert (second.status, second.reason) == (Status.IN_REVIEW, Reason.QUARANTINED)
    assert second.receipt_id is not None
    return second.receipt_id


async def release(shop: Shop, member_id: UUID, receipt_id: UUID) -> queries.Receipt:
    async with shop.database.transaction() as db:
        return await quarantining.release(db, member_id, receipt_id, now=shop.at, actor="key:1")


async def decline(shop: Shop, member_id: UUID, receipt_id: UUID) -> queries.Receipt:
    async with shop.database.transaction() as db:
        return await quarantining.decline(
            db, member_id, receipt_id, note="чужая упаковка", now=shop.at, actor="key:1"
        )


async def queue(shop: Shop) -> list[quarantine.Held]:
    async with shop.database.transaction() as db:
        return await quarantine.page(db, after=None, limit=100)


async def judge(shop: Shop, inn: str, stance: Stance | None) -> None:
    async with shop.database.transaction() as db:
        await sellers.judge(db, inn, stance=stance, note="", now=shop.at, actor="key:1")


class TestHeld:
    async def test_gives_nothing_is_told_by_when_and_lets_the_next_go_on(
        self, guarded, anna, boris
    ):
        second = await held_paper(guarded, anna, boris)
        found = await guarded.receipt(boris, second)
        assert found.promised_at == guarded.at + timedelta(hours=24)
        assert found.purchase_id is None
        assert (await guarded.points(boris)).active == 0
        (next_,) = await guarded.take(
            boris, receipt(40_003, lines=[CREAM], at=NOON.replace(day=10))
        )
        assert next_.status is Status.ACCEPTED
        (waiting,) = await queue(guarded)
        assert (waiting.receipt_id, waiting.score) == (second, 100)
        (finding,) = waiting.findings
        assert (finding.signal, finding.saw) == (Signal.PACK_SEEN, {"packs": 1})

    async def test_nothing_is_looked_at_where_the_programme_does_not_say_so(
        self, shop, anna, boris
    ):
        await shop.take(anna, receipt(1, lines=[JAR]))
        (second,) = await shop.take(boris, receipt(2, lines=[JAR]))
        assert second.status is Status.ACCEPTED
        async with shop.database.transaction() as db:
            rows = await (await db.execute("SELECT score FROM receipts.receipt")).fetchall()
        assert rows == [(None,), (None,)]

    async def test_holds_what_a_provider_found(self, guarded, anna, boris):
        await guarded.take(anna, receipt(1, lines=[JAR]))
        paper = receipt(70_002, lines=[JAR])
        async with FakeProverkacheka() as fake:
            fake.add(render(paper))
            provider = Proverkacheka(token=fake.token, base_url=fake.base_url)
            shown = await guarded.show(boris, qr=paper.qr)
            await guarded.work(provider)
            await provider.close()
        found = await guarded.receipt(boris, shown.receipt_id)
        assert (found.status, found.reason) == (Status.IN_REVIEW, Reason.QUARANTINED)
        released = await release(guarded, boris, shown.receipt_id)
        assert released.status is Status.ACCEPTED

    async def test_leaves_advances_and_returns_alone(self, guarded, anna):
        await judge(guarded, OZON.inn, Stance.WATCHED)
        await guarded.publish(signals=ON | {"watched_seller": {"score": 500}})
        guarded.passes(days=3)
        advance, settlement = advance_and_settlement(
            1, lines=[CREAM], handed_over_at=NOON + timedelta(days=2)
        )
        back = receipt(9, lines=[CREAM], seller=OZON, at=NOON + timedelta(days=3), operation=2)
        results = await guarded.take(anna, advance, settlement, back)
        assert [one.status for one in results] == [
            Status.AWAITING_SETTLEMENT,
            Status.IN_REVIEW,
            Status.ACCEPTED,
        ]

    async def test_a_batch_says_what_one_by_one_says(self, guarded, anna, boris):
        pace = {"more_than": 3, "score": 60, "each_more": 60}
        await guarded.publish(signals=ON | {"per_hour": pace, "till_run": pace | {"within": 60}})
        papers = [
            receipt(n, lines=[CREAM], at=NOON.replace(hour=10, minute=4 * n)) for n in range(1, 9)
        ]
        together = await guarded.take(anna, *papers)
        others = [replace(one, key=replace(one.key, fn=one.key.fn + 7)) for one in papers]
        apart = [(await guarded.take(boris, one))[0] for one in others]
        assert [one.reason for one in together] == [one.reason for one in apart]
        assert Reason.QUARANTINED in {one.reason for one in together}
        scores = {}
        for one in await queue(guarded):
            scores.setdefault(one.member_id, []).append(one.score)
        assert sorted(scores[anna]) == sorted(scores[boris])

    async def test_many_accounts_behind_one_device(self, guarded):
        await guarded.publish(signals=ON | {"device": {"more_than": 3, "within_days": 30,
                                                       "score": 100, "each_more": 0}})  # fmt: skip
        mark = devices.blinded(guarded.vault, "phone-of-one-person")
        reasons = []
        for n in range(1, 6):
            who = await guarded.enrol(Person(f"m{n}", phone(300 + n), ""))
            paper = receipt(9_000 * n, lines=[CREAM])
            shown = Line(ref=UUID(int=n), member_id=who, document=paper, device=mark)
            (one,) = await intake.take_in(guarded.desk(), [shown])
            reasons.append(one.reason)
        assert reasons == [None, None, None, Reason.QUARANTINED, Reason.QUARANTINED]

    async def test_a_line_is_not_decided_before_the_receipt(self, guarded, anna, boris):
        await guarded.take(anna, receipt(1, lines=[JAR]))
        (held,) = await guarded.take(boris, receipt(70_002, lines=[JAR, DOUBT]))
        with pytest.raises(moderating.LineNotInDoubt):
            async with guarded.database.transaction() as db:
                await moderating.decide_line(
                    *(db, boris, held.receipt_id), line=2, sku="LIP-01", now=guarded.at, actor="k"
                )
        await release(guarded, boris, held.receipt_id)
        async with guarded.database.transaction() as db:
            decided = await moderating.decide_line(
                *(db, boris, held.receipt_id), line=2, sku="LIP-01", now=guarded.at, actor="k"
            )
        assert decided.status is Status.ACCEPTED
        assert [one.points for one in decided.matched] == [50, 50]

    async def test_matching_again_leaves_it_to_a_person(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        async with guarded.database.transaction() as db:
            await rematching.request(db, at=guarded.at)
            await rematching.next_slice(db, now=guarded.at, limit=50)
        assert (await guarded.receipt(boris, second)).reason is Reason.QUARANTINED


class TestRelease:
    async def test_credits_as_of_the_purchase_at_the_price_of_then(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        dearer = {**PROGRAM["earning"], "channels": {"chain": {"rate_bp": 5000, "hold_days": 0}}}
        guarded.passes(days=40)
        await guarded.publish(signals=ON, earning=dearer)
        released = await release(guarded, boris, second)
        assert (released.status, released.reason) == (Status.ACCEPTED, None)
        assert [one.points for one in released.matched] == [50, 83]
        assert (await guarded.points(boris)).active == 133
        assert released.registered_at == guarded.at - timedelta(days=40)
        assert await queue(guarded) == []

    async def test_twice_and_at_once_pays_once(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        await asyncio.gather(*(release(guarded, boris, second) for _ in range(4)))
        assert (await guarded.points(boris)).active == 133
        with pytest.raises(quarantining.AlreadyReleased):
            await decline(guarded, boris, second)

    async def test_what_was_declined_may_be_released_late(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        declined = await decline(guarded, boris, second)
        assert (declined.status, declined.reason) == (Status.REJECTED, Reason.DECLINED)
        assert await decline(guarded, boris, second) == declined
        guarded.passes(days=60)
        assert (await release(guarded, boris, second)).status is Status.ACCEPTED
        assert (await guarded.points(boris)).active == 133

    async def test_refuses_what_nobody_holds(self, guarded, anna):
        (sound,) = await guarded.take(anna, receipt(1, lines=[CREAM]))
        for decide in (release, decline):
            with pytest.raises(quarantining.NotHeld):
                await decide(guarded, anna, sound.receipt_id)

    async def test_not_what_was_declined_and_then_went_to_another_member(
        self, guarded, anna, boris
    ):
        second = await held_paper(guarded, anna, boris)
        await decline(guarded, boris, second)
        vera = await guarded.enrol(Person("Вера", phone(77), ""))
        double = await guarded.show(vera, document=receipt(70_002, lines=[JAR, CREAM]))
        async with guarded.database.transaction() as db:
            dispute = await disputing.claim(db, vera, double.receipt_id, now=guarded.at)
            await resolving.decide(
                db, dispute.dispute_id, move=True, now=guarded.at, actor="operator:1"
            )
        assert (await guarded.receipt(boris, second)).reason is Reason.MOVED
        with pytest.raises(quarantining.NotHeld):
            await release(guarded, boris, second)
        assert (await guarded.points(boris)).active == 0

    async def test_a_note_is_needed_to_decline(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        with pytest.raises(quarantining.NoteInvalid):
            async with guarded.database.transaction() as db:
                await quarantining.decline(
                    db, boris, second, note="  ", now=guarded.at, actor="key:1"
                )

    async def test_a_settlement_released_late_settles_a_lapsed_advance(self, guarded, anna, boris):
        jar = replace(JAR, payment_type=4)
        await guarded.take(boris, receipt(900, lines=[JAR]))
        advance, settlement = advance_and_settlement(
            1, lines=[jar], handed_over_at=NOON + timedelta(days=2)
        )
        guarded.passes(days=3)
        ahead, held = await guarded.take(anna, advance, settlement)
        assert held.reason is Reason.QUARANTINED
        await release(guarded, anna, held.receipt_id)
        assert (await guarded.receipt(anna, ahead.receipt_id)).status is Status.ACCEPTED

    @pytest.mark.parametrize("turn", range(6))
    async def test_against_forgetting(self, guarded, anna, boris, turn):
        """Whoever comes first: forgotten with the points or without, never half of it."""
        second = await held_paper(guarded, anna, boris)

        async def forget() -> None:
            await asyncio.sleep(0.004 * turn)
            await guarded.forget(boris)

        results = await asyncio.gather(
            release(guarded, boris, second), forget(), return_exceptions=True
        )
        assert results[1] is None
        assert not isinstance(results[0], BaseException) or isinstance(results[0], MemberClosed)
        found = await guarded.receipt(boris, second)
        if isinstance(results[0], DomainError):
            assert (found.status, found.reason) == (Status.REJECTED, Reason.WITHDRAWN)
        else:
            assert found.status is Status.ACCEPTED
        async with guarded.database.transaction() as db:
            assert await quarantine.these(db, [(boris, second)]) == {}

    async def test_after_a_merge_by_either_id_and_back(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        vera = await guarded.enrol(Person("Вера", phone(77), ""))
        async with guarded.database.transaction() as db:
            await devices.seen(db, {(boris, b"1" * 16), (vera, b"2" * 16)}, now=guarded.at)
        await guarded.merge(vera, boris)
        assert [one.member_id for one in await queue(guarded)] == [vera]
        await guarded.unmerge(vera, boris)
        assert [one.member_id for one in await queue(guarded)] == [boris]
        assert await _devices(guarded) == {(boris, b"1" * 16), (vera, b"2" * 16)}
        await guarded.merge(vera, boris)
        released = await release(guarded, boris, second)
        assert released.member_id == vera
        assert (await guarded.points(vera)).active == 133


class TestSellers:
    async def test_a_blocked_one_brings_nothing_and_says_so(self, guarded, anna):
        await judge(guarded, PYATEROCHKA.inn, Stance.BLOCKED)
        (refused,) = await guarded.take(anna, receipt(1, lines=[CREAM]))
        assert (refused.status, refused.reason) == (Status.REJECTED, Reason.SELLER_BLOCKED)
        await judge(guarded, PYATEROCHKA.inn, None)
        (sound,) = await guarded.take(anna, receipt(2, lines=[CREAM]))
        assert sound.status is Status.ACCEPTED

    async def test_blocks_where_nothing_is_looked_at_too(self, shop, anna):
        await judge(shop, PYATEROCHKA.inn, Stance.BLOCKED)
        (refused,) = await shop.take(anna, receipt(1, lines=[CREAM]))
        assert refused.reason is Reason.SELLER_BLOCKED

    async def test_a_return_to_a_blocked_one_still_takes_back(self, guarded, anna):
        await guarded.take(anna, receipt(1, lines=[CREAM]))
        await judge(guarded, PYATEROCHKA.inn, Stance.BLOCKED)
        back = receipt(2, lines=[CREAM], at=NOON + timedelta(hours=1), operation=2)
        (returned,) = await guarded.take(anna, back)
        assert returned.reason is Reason.RETURNED
        assert (await guarded.points(anna)).active == 0

    async def test_a_receipt_held_before_the_block_is_not_released(self, guarded, anna, boris):
        second = await held_paper(guarded, anna, boris)
        await judge(guarded, PYATEROCHKA.inn, Stance.BLOCKED)
        with pytest.raises(quarantining.SellerIsBlocked):
            await release(guarded, boris, second)

    async def test_watching_adds_and_trusting_lifts(self, guarded, anna):
        await guarded.publish(
            signals=ON
            | {"watched_seller": {"score": 100}}
            | {"price": {"below_percent": 30, "above_percent": 165, "score": 100}}
        )
        await guarded.stock([{"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл",
                              "brand": "LUNARIA", "size": "50 мл", "price_kopecks": 40_000}])  # fmt: skip
        (far,) = await guarded.take(anna, receipt(1, lines=[CREAM]))
        assert far.reason is Reason.QUARANTINED
        await judge(guarded, PYATEROCHKA.inn, Stance.TRUSTED)
        (trusted,) = await guarded.take(anna, receipt(9_002, lines=[CREAM], at=NOON.replace(day=9)))
        assert trusted.status is Status.ACCEPTED
        await judge(guarded, PYATEROCHKA.inn, Stance.WATCHED)
        (watched,) = await guarded.take(anna, receipt(19_003, lines=[CREAM]))
        newest = (await queue(guarded))[-1]
        assert watched.receipt_id == newest.receipt_id
        assert {one.signal for one in newest.findings} >= {Signal.WATCHED_SELLER, Signal.PRICE}

    async def test_judging_records_a_fact_once_and_refuses_the_own_shop(self, guarded):
        for _ in range(2):
            await judge(guarded, PYATEROCHKA.inn, Stance.WATCHED)
        async with guarded.database.transaction() as db:
            rows = await (
                await db.execute("SELECT data FROM outbox.fact WHERE kind = 'seller.judged/1'")
            ).fetchall()
        assert rows == [({"inn": PYATEROCHKA.inn, "before": None, "after": "watched"},)]
        with pytest.raises(sellers.OwnSeller):
            await judge(guarded, CORNER_SHOP.inn, Stance.BLOCKED)
        with pytest.raises(sellers.SellerMissing):
            await judge(guarded, "7707083893", None)


class TestCost:
    async def test_reads_do_not_grow_with_the_batch(self, guarded, anna, boris, monkeypatch):
        await held_paper(guarded, anna, boris)
        rules = SignalsSection(quarantine_at=100)
        counts = []
        for size in (1, 300):
            shown = [_shown(n, (anna, boris)[n % 2]) for n in range(size)]
            async with guarded.database.transaction(pipeline=True) as db:
                sent = _Sent(db, monkeypatch)
                found = await reading.look(db, rules, shown, now=guarded.at)
                counts.append(sent.count)
            assert len(found) == size
        assert counts == [4, 4]

    async def test_what_is_read_lies_in_indexes(self, guarded):
        asked = {
            reading.PAST: [[UUID(int=1)], 200],
            reading.OF_SELLERS: [["7825706086"], 20],
            reading.SHARING: {"members": [UUID(int=1)], "since": guarded.at, "most": 200},
        }
        async with guarded.database.transaction() as db:
            await db.execute("SET LOCAL enable_seqscan = off")
            for query, params in asked.items():
                plan = await (await db.execute(f"EXPLAIN {query}", params)).fetchall()
                text = "\n".join(row[0] for row in plan)
                assert "Seq Scan" not in text, text


class _Sent:
    """How many statements a connection sends."""

    def __init__(self, db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        execute = db.execute

        async def counted(*args: Any, **kwargs: Any) -> Any:
            self.count += 1
            return await execute(*args, **kwargs)

        monkeypatch.setattr(db, "execute", counted)


def _shown(number: int, member_id: UUID) -> Shown:
    past = Past(
        receipt_id=UUID(int=number + 1),
        registered_at=NOON.replace(tzinfo=UTC),
        occurred_at=NOON.replace(tzinfo=UTC) - timedelta(hours=number),
        wall_time=NOON - timedelta(hours=number),
        seller_inn=f"78257{number:05d}",
        shop=number,
        subject=None,
        fn=number,
        fd=number,
    )
    return Shown(member_id, past, named=False, packs=[("04605035006964", f"s{number}")])


async def _devices(shop: Shop) -> set[tuple[UUID, bytes]]:
    async with shop.database.transaction() as db:
        rows = await (await db.execute("SELECT member_id, device FROM receipts.device")).fetchall()
    return {(member_id, bytes(device)) for member_id, device in rows}
