import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.making import DAY, NOON, accrual, commit, hold, redemption, restoration, reversal
from vezde.kit import ids
from vezde.ledger import model, operations, queries, replay
from vezde.ledger.model import Debt, DebtPolicy, EntryKind, Part, Taken

FORBID, OWE = Debt(DebtPolicy.FORBID), Debt(DebtPolicy.DEBT)
PARTS = (Part(1, "base", 500, 20), Part(2, "base", 500, 10), Part(2, "birthday", 0, 7))


class TestReverse:
    async def test_takes_from_its_own_lot_then_others_then_forgives(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=now + DAY), accrual(anna, "b", 4))
        await operations.redeem(db, redemption(anna, 7), now=now, actor="key:1")
        done = await operations.reverse(db, reversal(anna, 1, 10), now=now, actor="key:1")
        assert (done.from_own_lot, done.from_other_lots, done.debt, done.forgiven) == (3, 4, 0, 3)
        found = await queries.entry(db, anna, done.seq)
        assert (found.entry.points, found.entry.about_seq) == (-7, 1)
        assert found.lots == (Taken(1, 3), Taken(2, 4))
        assert found.proof["forgiven"] == 3

    async def test_takes_pending_points_back_where_they_are(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10, active_at=now + DAY), accrual(anna, "b", 4))
        await operations.reverse(db, reversal(anna, 1, 6), now=now, actor="key:1")
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.pending) == (4, 4)

    async def test_leaves_alone_what_an_order_under_way_has_reserved(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.hold(db, hold(anna, 8), now=now, actor="key:1")
        done = await operations.reverse(db, reversal(anna, 1, 10, debt=OWE), now=now, actor="key:1")
        assert (done.from_own_lot, done.debt) == (2, 8)
        # Once they come back they are owed.
        await operations.settle_due(db, now=now + DAY, limit=9)
        points = await queries.points(db, anna, as_of=now + DAY)
        assert (points.active, points.held, points.debt) == (0, 0, 0)

    async def test_makes_a_debt_that_the_next_accrual_repays_first(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 10), now=now, actor="key:1")
        await operations.reverse(db, reversal(anna, 1, 10, debt=OWE), now=now, actor="key:1")
        await _accrue(db, now, accrual(anna, "b", 4), accrual(anna, "c", 9))
        repaid, accrued, *_ = await queries.history(db, anna, limit=9)
        assert (accrued.points, accrued.debt_after, accrued.active_after) == (9, 6, 9)
        assert (repaid.kind, repaid.points) == (EntryKind.REPAY, -6)
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.debt) == (3, 0)

    async def test_owes_up_to_the_limit_and_forgives_the_rest(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 10), now=now, actor="key:1")
        limited = Debt(DebtPolicy.DEBT, 6)
        one = reversal(anna, 1, 4, debt=limited)
        two = reversal(anna, 1, 6, debt=limited)
        done = [await operations.reverse(db, each, now=now, actor="key:1") for each in (one, two)]
        assert [(each.debt, each.forgiven) for each in done] == [(4, 0), (2, 4)]

    async def test_that_would_need_a_debt_is_refused_where_none_is_allowed(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 7), now=now, actor="key:1")
        with pytest.raises(operations.DebtForbidden):
            await operations.reverse(db, reversal(anna, 1, 4, debt=FORBID), now=now, actor="key:1")
        await operations.reverse(db, reversal(anna, 1, 3, debt=FORBID), now=now, actor="key:1")

    async def test_never_takes_more_than_was_given_of_all_or_of_a_line(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 37, parts=PARTS))
        line = reversal(anna, 1, 6, parts=(Part(2, "base", 500, 6),))
        await operations.reverse(db, line, now=now, actor="key:1")
        for over in (
            reversal(anna, 1, 5, parts=(Part(2, "base", 500, 5),)),
            reversal(anna, 1, 1, parts=(Part(3, "base", 500, 1),)),
            reversal(anna, 1, 32),
        ):
            with pytest.raises(operations.OverReturned) as refused:
                await operations.reverse(db, over, now=now, actor="key:1")
            assert refused.value.extra["left"] == 31
        await operations.reverse(db, reversal(anna, 1, 31), now=now, actor="key:1")
        assert (await queries.points(db, anna, as_of=now)).active == 0

    async def test_answers_a_repeat_as_the_first_time(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10), accrual(anna, "b", 2))
        await operations.redeem(db, redemption(anna, 5), now=now, actor="key:1")
        one = reversal(anna, 1, 10, "return:1", debt=OWE)
        first = await operations.reverse(db, one, now=now, actor="key:1")
        assert (first.from_own_lot, first.from_other_lots, first.debt) == (5, 2, 3)
        await _accrue(db, now, accrual(anna, "c", 50))
        assert await operations.reverse(db, one, now=now + DAY, actor="key:1") == first
        other = reversal(anna, 1, 9, "return:1")
        with pytest.raises(operations.OpConflict):
            await operations.reverse(db, other, now=now, actor="key:1")

    async def test_is_of_an_accrual_that_is_there(self, db, anna, boris, now):
        await _accrue(db, now, accrual(anna, "a", 10), accrual(boris, "a", 10))
        await operations.redeem(db, redemption(anna, 5), now=now, actor="key:1")
        for nonsense in (
            reversal(anna, 2, 1),
            reversal(anna, 3, 1),
            reversal(anna, 1, 1, accrual_member=boris),
            reversal(anna, 1, 1, accrual_member=ids.new()),
        ):
            with pytest.raises(operations.NotReturnable):
                await operations.reverse(db, nonsense, now=now, actor="key:1")

    @settings(max_examples=40, deadline=None)
    @given(
        earned=st.integers(1, 500),
        returns=st.lists(st.integers(1, 9), min_size=1, max_size=6),
        spent=st.integers(0, 500),
    )
    def test_by_parts_adds_up_to_the_accrual_exactly(self, earned, returns, spent):
        member = ids.new()
        account = replay.opened(member, now=NOON)
        account = replay.accrue(
            account, accrual(member, "a", earned), now=NOON, actor="key:1"
        ).account
        if 0 < spent <= earned:
            account = replay.redeem(
                account, redemption(member, spent), now=NOON, actor="key:1"
            ).account
        sold, back, taken = sum(returns), 0, 0
        for quantity in returns:
            back += quantity
            step = model.returned_so_far(earned, back, sold) - taken
            if step == 0:
                continue
            command = reversal(member, 1, step, debt=OWE)
            done = replay.reverse(account, command, others={}, now=NOON, actor="key:1")
            assert done.outcome == "done"
            account, taken = done.account, taken + step
        assert taken == earned
        standing = account.standing
        assert standing.active - standing.debt == -min(spent, earned) * (spent <= earned)
        over = replay.reverse(account, reversal(member, 1, 1), others={}, now=NOON, actor="key:1")
        assert over.outcome == "over_returned"


class TestRestore:
    async def test_gives_back_to_the_lots_with_their_dates_the_last_taken_first(
        self, db, anna, now
    ):
        await _accrue(
            db,
            now,
            accrual(anna, "a", 5, expires_at=now + 3 * DAY),
            accrual(anna, "b", 9, expires_at=now + 9 * DAY),
        )
        await operations.redeem(db, redemption(anna, 8), now=now, actor="key:1")
        done = await operations.restore(db, restoration(anna, 3, 4), now=now, actor="key:1")
        assert (done.points, done.expired) == (4, 0)
        assert (await queries.entry(db, anna, done.seq)).lots == (Taken(1, -1), Taken(2, -3))
        await operations.restore(db, restoration(anna, 3, 4), now=now, actor="key:1")
        with pytest.raises(operations.OverReturned):
            await operations.restore(db, restoration(anna, 3, 1), now=now, actor="key:1")
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.next_expiry.points) == (14, 5)

    async def test_of_a_partial_commit_gives_back_what_was_committed(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 5), accrual(anna, "b", 5))
        held = hold(anna, 8)
        await operations.hold(db, held, now=now, actor="key:1")
        spent = await operations.commit(db, commit(held, 6), now=now, actor="key:1")
        back = restoration(anna, spent.seq, 6)
        done = await operations.restore(db, back, now=now, actor="key:1")
        assert (await queries.entry(db, anna, done.seq)).lots == (Taken(1, -5), Taken(2, -1))
        assert (await queries.points(db, anna, as_of=now)).active == 10

    async def test_lets_go_at_once_what_is_over_by_then(self, db, anna, now):
        await _accrue(
            db,
            now,
            accrual(anna, "a", 5, expires_at=now + DAY),
            accrual(anna, "b", 5, expires_at=None),
        )
        await operations.redeem(db, redemption(anna, 8), now=now, actor="key:1")
        late = now + 2 * DAY
        one = restoration(anna, 3, 8)
        done = await operations.restore(db, one, now=late, actor="key:1")
        assert (done.points, done.expired) == (8, 5)
        expired, restored, *_ = await queries.history(db, anna, limit=9)
        assert (restored.points, expired.points) == (8, -5)
        assert (await queries.points(db, anna, as_of=late)).active == 5
        assert await operations.restore(db, one, now=late + DAY, actor="key:1") == done

    async def test_grants_a_grace_to_what_is_over(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 5, expires_at=now + DAY))
        await operations.redeem(db, redemption(anna, 5), now=now, actor="key:1")
        late, until = now + 2 * DAY, now + 12 * DAY
        back = restoration(anna, 2, 3, grace_until=until)
        done = await operations.restore(db, back, now=late, actor="key:1")
        assert done.expired == 0
        points = await queries.points(db, anna, as_of=late)
        assert (points.active, points.next_expiry.at) == (3, until)
        found = await queries.entry(db, anna, done.seq)
        assert found.origin == (anna, 1)
        # What came as a lot of its own is still the accrual's, and counts as restored.
        with pytest.raises(operations.OverReturned):
            await operations.restore(db, restoration(anna, 2, 3), now=late, actor="key:1")
        taken = await operations.reverse(db, reversal(anna, 1, 5), now=late, actor="key:1")
        assert (taken.from_own_lot, taken.forgiven) == (3, 2)

    async def test_pays_a_debt_first(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 10), now=now, actor="key:1")
        await operations.reverse(db, reversal(anna, 1, 4, debt=OWE), now=now, actor="key:1")
        await operations.restore(db, restoration(anna, 2, 10), now=now, actor="key:1")
        points = await queries.points(db, anna, as_of=now)
        assert (points.active, points.debt) == (6, 0)


class TestAfterAMerge:
    async def test_what_was_spent_before_comes_back_with_its_date(self, db, anna, boris, now):
        end = now + 30 * DAY
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=end), accrual(boris, "a", 1))
        await operations.redeem(db, redemption(anna, 6), now=now, actor="key:1")
        await operations.merge(db, boris, anna, now=now, actor="key:1")
        back = restoration(boris, 2, 4, debit_member=anna)
        done = await operations.restore(db, back, now=now, actor="key:1")
        found = await queries.entry(db, boris, done.seq)
        assert (found.origin, found.entry.points) == ((anna, 1), 4)
        points = await queries.points(db, boris, as_of=now)
        assert points.active == 9
        vera = ids.new()
        await operations.open_accounts(db, [vera], now=now)
        await operations.merge(db, vera, boris, now=now, actor="key:1")
        for over in (3, 2):
            more = restoration(vera, 2, over, debit_member=anna)
            if over > 2:
                with pytest.raises(operations.OverReturned):
                    await operations.restore(db, more, now=now, actor="key:1")
            else:
                await operations.restore(db, more, now=now, actor="key:1")
        assert (await queries.points(db, vera, as_of=now)).active == 11

    async def test_an_accrual_is_taken_back_from_the_lots_it_came_as(self, db, anna, boris, now):
        await _accrue(db, now, accrual(boris, "own", 50), accrual(anna, "a", 10))
        await operations.redeem(db, redemption(anna, 3), now=now, actor="key:1")
        await operations.merge(db, boris, anna, now=now, actor="key:1")
        one = reversal(boris, 1, 10, accrual_member=anna)
        done = await operations.reverse(db, one, now=now, actor="key:1")
        assert (done.from_own_lot, done.from_other_lots) == (7, 3)
        with pytest.raises(operations.OverReturned):
            await operations.reverse(
                db, reversal(boris, 1, 1, accrual_member=anna), now=now, actor="key:1"
            )


async def _accrue(db, now, *accruals):
    await operations.accrue(db, accruals, now=now, actor="system")
