import pytest

from ledger.making import DAY, NOON, accrual
from vezde.kit import ids
from vezde.ledger import operations, queries
from vezde.ledger.model import Adjustment, EntryKind

FACTS = "SELECT kind, data FROM outbox.fact WHERE member_id = %s"


class TestAdjust:
    async def test_gives_points_a_lot_of_their_own(self, db, anna, now):
        command = adjustment(anna, 30, expires_at=now + DAY)
        seq = await operations.adjust(db, command, now=now, actor="key:1")
        assert await operations.adjust(db, command, now=now + DAY, actor="key:1") == seq
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.next_expiry.at) == (30, now + DAY)
        (row,) = await queries.adjustments(db, anna, limit=9)
        assert (row.state, row.seq, row.reason) == ("done", seq, "Разбили крем в магазине")

    async def test_takes_active_points_and_never_more(self, db, anna, now):
        await operations.accrue(db, [accrual(anna, points=10)], now=now, actor="system")
        with pytest.raises(operations.InsufficientPoints):
            async with db.transaction():
                await operations.adjust(db, adjustment(anna, -11), now=now, actor="key:1")
        seq = await operations.adjust(db, adjustment(anna, -10), now=now, actor="key:1")
        found = await queries.entry(db, anna, seq)
        assert (found.entry.kind, found.entry.points) == (EntryKind.ADJUST, -10)

    async def test_keeps_the_words_of_the_reason_out_of_the_proof(self, db, anna, now):
        seq = await operations.adjust(db, adjustment(anna, 5), now=now, actor="key:1")
        found = await queries.entry(db, anna, seq)
        assert "крем" not in f"{found}"
        await operations.forget(db, anna, now=now, actor="key:1")
        (row,) = await queries.adjustments(db, anna, limit=9)
        assert (row.reason, row.title) == (None, "")

    @pytest.mark.parametrize("given", [{"points": 0}, {"reason": "  "}, {"points": 2**63}])
    async def test_needs_points_and_a_reason(self, db, anna, now, given):
        command = adjustment(anna, **{"points": 5, **given})
        with pytest.raises(operations.BadCommand):
            await operations.adjust(db, command, now=now, actor="key:1")


class TestApproval:
    async def test_is_not_asked_for_up_to_the_limit(self, db, anna, now):
        done = await _ask(db, anna, -0 + 100, now)
        assert (done.state, done.decided_by) == ("done", "key:1")
        assert await _facts(db, anna) == [
            (
                "points.adjusted/1",
                {"adjustment_id": str(done.adjustment_id), "seq": 1, "points": 100},
            )
        ]

    async def test_above_it_is_another_operators(self, db, anna, now):
        asked = await _ask(db, anna, 101, now)
        assert (asked.state, asked.seq) == ("pending", None)
        assert (await queries.points(db, anna, as_of=now)).active == 0
        assert await queries.pending_adjustments(db, limit=9) == [asked]
        with pytest.raises(operations.SameOperator):
            await _approve(db, asked, now, "key:1")
        done = await _approve(db, asked, now + DAY, "key:2")
        assert (done.state, done.asked_by, done.decided_by) == ("done", "key:1", "key:2")
        assert (await queries.points(db, anna, as_of=now + DAY)).active == 101
        assert await queries.adjustments(db, anna, limit=9) == [done]
        for late in (
            _approve(db, asked, now, "key:3"),
            operations.refuse_adjustment(db, anna, asked.adjustment_id, now=now, actor="key:3"),
        ):
            with pytest.raises(operations.AdjustmentDecided):
                await late

    async def test_can_be_refused(self, db, anna, now):
        asked = await _ask(db, anna, 101, now)
        done = await operations.refuse_adjustment(
            db, anna, asked.adjustment_id, now=now, actor="key:1"
        )
        assert done.state == "refused"
        assert await queries.pending_adjustments(db, limit=9) == []
        with pytest.raises(operations.AdjustmentMissing):
            await operations.refuse_adjustment(db, anna, ids.new(), now=now, actor="key:1")

    async def test_waits_on_when_there_are_too_few_points(self, db, anna, now):
        asked = await _ask(db, anna, -101, now)
        with pytest.raises(operations.InsufficientPoints):
            async with db.transaction():
                await _approve(db, asked, now, "key:2")
        assert await queries.pending_adjustments(db, limit=9) == [asked]

    async def test_goes_with_the_member_and_ends_with_them(self, db, anna, boris, now):
        asked = await _ask(db, anna, 101, now)
        await operations.merge(db, boris, anna, now=now, actor="key:1")
        (moved,) = await queries.pending_adjustments(db, limit=9)
        assert (moved.member_id, moved.adjustment_id) == (boris, asked.adjustment_id)
        await operations.forget(db, boris, now=now, actor="key:1")
        assert await queries.pending_adjustments(db, limit=9) == []


def adjustment(member_id, points, *, reason="Разбили крем в магазине", **given):
    return Adjustment(
        member_id=member_id,
        op_key=given.pop("op_key", f"adjust:{ids.new()}"),
        occurred_at=NOON,
        title="Подарок от бренда",
        points=points,
        reason=reason,
        **given,
    )


async def _ask(db, member_id, points, now):
    command = adjustment(member_id, points)
    return await operations.ask_to_adjust(db, command, alone_up_to=100, now=now, actor="key:1")


async def _approve(db, asked, now, actor):
    return await operations.approve_adjustment(
        db, asked.member_id, asked.adjustment_id, now=now, actor=actor
    )


async def _facts(db, member_id):
    return await (await db.execute(FACTS, [member_id])).fetchall()
