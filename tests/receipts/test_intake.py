"""Batches: in order, once, and a bad line stops nothing."""

import asyncio
from datetime import datetime
from uuid import uuid4

from vezde.receipts import intake
from vezde.receipts.intake import Line
from vezde.receipts.model import Reason, Status
from vezde.testing.people import VERA
from vezde.testing.receipts import line, receipt

CREAM = line("Крем для лица LUNARIA 50мл", 83_000)


def paper(number: int):
    return receipt(number, lines=[CREAM])


class TestPace:
    async def test_many_lines_give_way_and_one_does_not(self, paced, anna):
        shop, paces = paced
        await shop.take(anna, paper(1))
        assert not paces
        results = await shop.take(anna, paper(2), paper(3))
        assert [one.status for one in results] == [Status.ACCEPTED] * 2
        assert len(paces) == 1


class TestTakeIn:
    async def test_a_repeat_answers_the_first_result(self, shop, anna):
        (first,) = await shop.take(anna, paper(1))
        (again,) = await shop.take(anna, paper(1))
        assert again.receipt_id == first.receipt_id
        assert (first.repeated, again.repeated) == (False, True)
        assert again.points == first.points
        assert (await shop.points(anna)).active == 83

    async def test_a_line_worked_again_after_a_crash_is_no_repeat(self, shop, anna):
        lines = [Line(ref=uuid4(), member_id=anna, document=paper(1))]
        first = await intake.take_in(shop.desk(), lines)
        again = await intake.take_in(shop.desk(), lines)
        assert first == again

    async def test_the_same_paper_twice_in_one_batch(self, shop, anna):
        first, again = await shop.take(anna, paper(1), paper(1))
        assert (first.repeated, again.repeated) == (False, True)
        assert first.receipt_id == again.receipt_id

    async def test_somebody_elses_is_taken_and_stays_so(self, shop, anna, boris):
        await shop.take(anna, paper(1))
        (taken,) = await shop.take(boris, paper(1))
        assert (taken.status, taken.reason) == (Status.REJECTED, Reason.TAKEN)
        (again,) = await shop.take(boris, paper(1))
        assert (again.receipt_id, again.repeated) == (taken.receipt_id, True)

    async def test_enrols_by_phone_and_names_strangers(self, shop):
        lines = [
            Line(ref=uuid4(), phone=VERA.phone, document=paper(1)),
            Line(ref=uuid4(), phone=VERA.phone, enrol=True, document=paper(2)),
            Line(ref=uuid4(), phone="12", document=paper(3)),
            Line(ref=uuid4(), member_id=uuid4(), document=paper(4)),
        ]
        results = await intake.take_in(shop.desk(), lines)
        # An enrolling line makes the phone known to the whole slice.
        assert [one.error.code if one.error else None for one in results] == [
            None,
            None,
            "invalid_phone",
            "member_not_found",
        ]

    async def test_of_one_paper_by_many_hands_pays_once(self, shop, anna, boris):
        results = await asyncio.gather(
            *(shop.take(who, paper(1), paper(2)) for who in (anna, boris) * 5)
        )
        accepted = {
            one.receipt_id for some in results for one in some if one.status is Status.ACCEPTED
        }
        assert len(accepted) == 2
        assert sum([(await shop.points(who)).active for who in (anna, boris)]) == 166

    async def test_slices_keep_the_order_of_a_member(self, shop, anna):
        await shop.publish(
            receipts={"window_days": 30, "per_day": 120},
        )
        today = datetime(2026, 11, 18, 12, 0)
        papers = [receipt(number, lines=[CREAM], at=today) for number in range(130)]
        results = await shop.take(anna, *papers)
        assert [one.status for one in results] == [Status.ACCEPTED] * 120 + [Status.REJECTED] * 10
