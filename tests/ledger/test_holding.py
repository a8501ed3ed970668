from datetime import timedelta

import pytest

from ledger.making import DAY, accrual, commit, hold, redemption, release
from vezde.kit import ids
from vezde.ledger import operations, queries
from vezde.ledger.model import EntryKind, NextExpiry, State, Taken

TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


class TestRedeem:
    async def test_takes_from_lots_in_use_order(self, db, anna, now):
        await _accrue(db, now, anna, (5, None), (5, 9), (5, 3))
        spent = await operations.redeem(db, redemption(anna, 12), now=now, actor="key:1")
        assert (spent.seq, spent.points) == (4, 12)
        assert spent.lots == (Taken(3, 5), Taken(2, 5), Taken(1, 2))

    async def test_spends_all_there_is_and_not_one_more(self, db, anna, now):
        await _accrue(db, now, anna, (37, 9))
        with pytest.raises(operations.InsufficientPoints) as refused:
            async with db.transaction():
                await operations.redeem(db, redemption(anna, 38), now=now, actor="key:1")
        assert refused.value.extra["active"] == 37
        await operations.redeem(db, redemption(anna, 37), now=now, actor="key:1")
        assert (await queries.points(db, anna, as_of=now)).active == 0

    async def test_does_not_take_what_ended_at_that_very_instant(self, db, anna, now):
        await _accrue(db, now, anna, (5, 1))
        one = redemption(anna, 1)
        await operations.redeem(db, one, now=now + DAY - TICK, actor="key:1")
        with pytest.raises(operations.InsufficientPoints):
            await operations.redeem(db, redemption(anna, 4), now=now + DAY, actor="key:1")

    async def test_answers_a_repeat_as_the_first_time(self, db, anna, now):
        await _accrue(db, now, anna, (5, 9))
        one = redemption(anna, 5, "order:1")
        first = await operations.redeem(db, one, now=now, actor="key:1")
        assert await operations.redeem(db, one, now=now + DAY, actor="key:2") == first
        with pytest.raises(operations.OpConflict):
            await operations.redeem(db, redemption(anna, 4, "order:1"), now=now, actor="key:1")

    @pytest.mark.parametrize("points", [0, -1, 2**63])
    async def test_refuses_what_is_no_amount_before_writing(self, db, anna, now, points):
        with pytest.raises(operations.BadCommand):
            await operations.redeem(db, redemption(anna, points), now=now, actor="key:1")


class TestHold:
    async def test_reserves_lots_and_a_release_puts_all_back(self, db, anna, now):
        await _accrue(db, now, anna, (5, 3), (5, 9))
        before = await queries.points(db, anna, as_of=now)
        held = hold(anna, 7)
        made = await operations.hold(db, held, now=now, actor="key:1")
        assert made.lots == (Taken(1, 5), Taken(2, 2))
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.held) == (3, 7)
        assert points.next_expiry == NextExpiry(3, now + 9 * DAY)
        await operations.release(db, release(held), now=now, actor="key:1")
        assert await queries.points(db, anna, as_of=now) == before

    async def test_of_another_command_under_the_same_id_is_refused(self, db, anna, now):
        await _accrue(db, now, anna, (5, 3))
        held = hold(anna, 2)
        await operations.hold(db, held, now=now, actor="key:1")
        other = type(held)(**{**vars(held), "op_key": "another"})
        with pytest.raises(operations.HoldTaken):
            await operations.hold(db, other, now=now, actor="key:1")

    async def test_ends_at_its_time_by_a_read_a_touch_and_the_sweep_alike(
        self, db, anna, boris, now
    ):
        for member in (anna, boris):
            await _accrue(db, now, member, (5, 9))
            await operations.hold(db, hold(member, 4), now=now, actor="key:1")
        for at, active in ((now + HOUR - TICK, 1), (now + HOUR, 5)):
            assert (await queries.points(db, anna, as_of=at)).active == active
        await operations.redeem(db, redemption(boris, 5), now=now + HOUR, actor="key:1")
        _, told = await operations.settle_due(db, now=now + 2 * HOUR, limit=9)
        assert sorted(one.member_id for one in told) == sorted([anna, boris])
        for one in told:
            assert (one.kind, one.points, one.op_key) == (EntryKind.RELEASE, 4, None)
            assert one.occurred_at == now + HOUR
        assert await operations.settle_due(db, now=now + 2 * HOUR, limit=9) == (0, [])

    async def test_lasts_as_long_as_its_lots_where_the_policy_says_so(self, db, anna, now):
        await _accrue(db, now, anna, (5, 1), (5, 9))
        short = hold(anna, 7, hours=99, held_outlives_lot=False)
        made = await operations.hold(db, short, now=now, actor="key:1")
        assert made.expires_at == now + DAY
        later = now + 50 * HOUR
        found = await operations.extend(
            *(db, anna, short.hold_id),
            expires_at=later,
            held_outlives_lot=False,
            now=now,
            actor="key:1",
        )
        assert found.expires_at == now + DAY


class TestCommit:
    async def test_of_a_part_releases_the_rest_in_the_same_op(self, db, anna, now):
        await _accrue(db, now, anna, (5, 3), (5, 9))
        held = hold(anna, 8)
        await operations.hold(db, held, now=now, actor="key:1")
        spent = await operations.commit(db, commit(held, 6), now=now, actor="key:1")
        # As a redemption of six would have taken.
        assert spent.lots == (Taken(1, 5), Taken(2, 1))
        rest, done, *_ = await queries.history(db, anna, limit=9)
        assert (done.kind, done.points, rest.kind, rest.points) == ("commit", -6, "release", 2)
        assert (await queries.entry(db, anna, done.seq)).lots == spent.lots
        assert (await queries.hold(db, anna, held.hold_id)).state is State.COMMITTED

    async def test_pays_with_points_whose_date_passed_meanwhile(self, db, anna, now):
        await _accrue(db, now, anna, (5, 1))
        held = hold(anna, 5, hours=72)
        await operations.hold(db, held, now=now, actor="key:1")
        spent = await operations.commit(db, commit(held, 5), now=now + 2 * DAY, actor="key:1")
        assert spent.points == 5

    async def test_lets_go_at_once_what_comes_back_after_its_date(self, db, anna, now):
        await _accrue(db, now, anna, (5, 1), (5, 9))
        held = hold(anna, 6, hours=72)
        await operations.hold(db, held, now=now, actor="key:1")
        back = now + 2 * DAY
        await operations.release(db, release(held), now=back, actor="key:1")
        expired, released, *_ = await queries.history(db, anna, limit=9)
        assert (released.kind, released.points) == (EntryKind.RELEASE, 6)
        assert (expired.kind, expired.points) == (EntryKind.EXPIRE, -5)
        assert (expired.occurred_at, expired.op_key) == (back, None)
        assert (await queries.points(db, anna, as_of=back)).active == 5

    async def test_comes_too_late_after_the_holds_time(self, db, anna, now):
        await _accrue(db, now, anna, (5, 9))
        held = hold(anna, 5)
        await operations.hold(db, held, now=now, actor="key:1")
        with pytest.raises(operations.HoldClosed) as refused:
            await operations.commit(db, commit(held, 5), now=now + HOUR, actor="key:1")
        assert refused.value.state is State.EXPIRED

    async def test_of_a_hold_that_is_over_or_none_is_refused(self, db, anna, now):
        await _accrue(db, now, anna, (5, 9))
        held = hold(anna, 5)
        with pytest.raises(operations.HoldMissing):
            await operations.commit(db, commit(held, 5), now=now, actor="key:1")
        await operations.hold(db, held, now=now, actor="key:1")
        with pytest.raises(operations.BadCommand):
            await operations.commit(db, commit(held, 6), now=now, actor="key:1")
        one = commit(held, 5)
        first = await operations.commit(db, one, now=now, actor="key:1")
        assert await operations.commit(db, one, now=now, actor="key:1") == first
        for late in (
            operations.commit(db, commit(held, 5), now=now, actor="key:1"),
            operations.release(db, release(held), now=now, actor="key:1"),
            operations.extend(db, anna, held.hold_id, expires_at=now + DAY, now=now, actor="key:1"),
        ):
            with pytest.raises(operations.HoldClosed) as refused:
                await late
            assert refused.value.state is State.COMMITTED

    async def test_after_an_extension_is_in_time(self, db, anna, now):
        await _accrue(db, now, anna, (5, 9))
        held = hold(anna, 5)
        await operations.hold(db, held, now=now, actor="key:1")
        found = await operations.extend(
            db, anna, held.hold_id, expires_at=now + 3 * HOUR, now=now, actor="key:1"
        )
        assert found.expires_at == now + 3 * HOUR
        assert (await operations.settle_due(db, now=now + 2 * HOUR, limit=9))[1] == []
        await operations.commit(db, commit(held, 5), now=now + 2 * HOUR, actor="key:1")

    async def test_shows_a_hold_that_nobody_has_ended_yet_as_over(self, db, anna, now):
        await _accrue(db, now, anna, (5, 9))
        held = hold(anna, 5)
        await operations.hold(db, held, now=now, actor="key:1")
        assert (await queries.hold(db, anna, held.hold_id)).state is State.OPEN
        late = await queries.hold(db, anna, held.hold_id, as_of=now + HOUR)
        assert late.state is State.EXPIRED
        with pytest.raises(operations.HoldMissing):
            await queries.hold(db, anna, ids.new())


async def _accrue(db, now, member, *lots):
    """Lots of so many points that end in so many days (None: never)."""
    accruals = [
        accrual(
            member,
            f"{n}:{points}:{days}",
            points,
            expires_at=None if days is None else now + days * DAY,
        )
        for n, (points, days) in enumerate(lots)
    ]
    await operations.accrue(db, accruals, now=now, actor="system")
