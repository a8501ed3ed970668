"""How documents of one purchase find each other."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from vezde.purchases.model import (
    Document,
    KnownLine,
    Line,
    LineState,
    Linked,
    Paid,
    link,
    needs_linking,
    paid,
)

ANNA = UUID(int=1)
OZON = "7704217370"
SUPPLIER = "7801234564"
NOON = datetime(2026, 11, 1, 9, tzinfo=UTC)


def line(number: int, kind: Paid, kopecks: int, goods: str = "крем") -> Line:
    return Line(
        line=number,
        sku="CREAM-50",
        category=None,
        tags=(),
        goods=goods,
        provider_inn=SUPPLIER,
        quantity_micro=1_000_000,
        sum_kopecks=kopecks,
        paid=kind,
    )


def document(*lines: Line, day: int = 0, prepaid: int = 0, seller: str = OZON) -> Document:
    at = NOON + timedelta(days=day)
    return Document(
        member_id=ANNA,
        receipt_id=uuid4(),
        seller_inn=seller,
        sales_channel="ozon",
        occurred_at=at,
        wall_time=at.replace(tzinfo=None),
        registered_at=at,
        total_kopecks=sum(one.sum_kopecks for one in lines),
        prepaid_kopecks=prepaid,
        lines=lines,
    )


def play(*documents: Document) -> list[Linked]:
    """Link the documents in the order they were shown."""
    book: dict[tuple[UUID, int], KnownLine] = {}
    played = []
    for one in documents:
        known = [each for each in book.values() if each.open_kopecks > 0]
        linked = link(one, known, new_purchase_id=uuid4())
        for each in (*linked.lines, *linked.touched):
            book[each.receipt_id, each.line] = each
        played.append(linked)
    return played


def states(linked: Linked) -> list[LineState]:
    return [each.state for each in linked.lines]


def earned(played: list[Linked]) -> int:
    return sum(state is LineState.EARNING for linked in played for state in states(linked))


class TestPaid:
    @pytest.mark.parametrize(
        ("payment_type", "meaning"),
        [
            (1, Paid.AHEAD),
            (2, Paid.AHEAD),
            (3, Paid.AHEAD),
            (4, Paid.SETTLED),
            (None, Paid.SETTLED),
            (5, Paid.ON_CREDIT),
            (6, Paid.ON_CREDIT),
            (7, Paid.CREDIT_PAYMENT),
            (99, Paid.SETTLED),
        ],
    )
    def test_reads_tag_1214(self, payment_type, meaning):
        assert paid(payment_type) is meaning


class TestAdvance:
    def test_and_settlement_are_one_purchase_in_either_order(self):
        advance = document(line(1, Paid.AHEAD, 58600))
        settlement = document(line(1, Paid.SETTLED, 58600), day=1, prepaid=58600)
        for order in permutations([advance, settlement]):
            first, second = play(*order)
            assert first.purchase_id == second.purchase_id
            assert (first.fresh, second.fresh) == (True, False)
            assert earned([first, second]) == 1

    def test_is_closed_by_its_settlement(self):
        advance = document(line(1, Paid.AHEAD, 58600))
        settlement = document(line(1, Paid.SETTLED, 58600), day=1, prepaid=58600)
        assert play(advance, settlement)[1].closed_receipts == (advance.receipt_id,)
        late = play(settlement, advance)[1]
        assert states(late) == [LineState.CLOSED]
        assert late.closed_receipts == ()

    def test_waits_on_while_a_part_is_not_settled(self):
        advance = document(line(1, Paid.AHEAD, 1000, "крем"), line(2, Paid.AHEAD, 500, "маска"))
        first = document(line(1, Paid.SETTLED, 1000, "крем"), day=1, prepaid=1000)
        second = document(line(1, Paid.SETTLED, 500, "маска"), day=2, prepaid=500)
        played = play(advance, first, second)
        assert played[1].closed_receipts == ()
        assert played[2].closed_receipts == (advance.receipt_id,)
        assert len({one.purchase_id for one in played}) == 1

    def test_of_two_units_is_settled_one_by_one(self):
        advance = document(line(1, Paid.AHEAD, 2000))
        one = document(line(1, Paid.SETTLED, 1000), day=1, prepaid=1000)
        other = document(line(1, Paid.SETTLED, 1000), day=2, prepaid=1000)
        played = play(advance, one, other)
        assert [linked.closed_receipts for linked in played] == [(), (), (advance.receipt_id,)]

    def test_two_equal_orders_stay_two_purchases(self):
        papers = [
            document(line(1, Paid.AHEAD, 1000)),
            document(line(1, Paid.SETTLED, 1000), day=1, prepaid=1000),
            document(line(1, Paid.AHEAD, 1000), day=2),
            document(line(1, Paid.SETTLED, 1000), day=3, prepaid=1000),
        ]
        played = play(*papers)
        assert [played[0].purchase_id, played[2].purchase_id] == [
            played[1].purchase_id,
            played[3].purchase_id,
        ]
        assert played[0].purchase_id != played[2].purchase_id
        assert earned(played) == 2

    def test_without_names_meets_what_was_paid_from_an_advance(self):
        advance = document(replace(line(1, Paid.AHEAD, 3000), goods="", sku=None))
        settlement = document(line(1, Paid.SETTLED, 3000), day=1, prepaid=3000)
        played = play(advance, settlement)
        assert played[0].purchase_id == played[1].purchase_id

    @pytest.mark.parametrize(
        "settlement",
        [
            document(line(1, Paid.SETTLED, 1000), day=46, prepaid=1000),
            document(line(1, Paid.SETTLED, 1000), day=-1, prepaid=1000),
            document(line(1, Paid.SETTLED, 1000, "маска"), day=1, prepaid=1000),
            document(line(1, Paid.SETTLED, 1000), day=1, prepaid=1000, seller="9714053621"),
            document(line(1, Paid.SETTLED, 1000), day=1),
        ],
        ids=["too late", "before", "other goods", "other shop", "paid at the till"],
    )
    def test_does_not_meet_another_purchase(self, settlement):
        played = play(document(line(1, Paid.AHEAD, 1000)), settlement)
        assert played[0].purchase_id != played[1].purchase_id

    def test_never_earns_by_itself(self):
        assert earned(play(document(line(1, Paid.AHEAD, 1000)))) == 0


class TestCredit:
    def test_earns_once_in_any_order(self):
        papers = [
            document(line(1, Paid.ON_CREDIT, 9000)),
            document(line(1, Paid.CREDIT_PAYMENT, 3000), day=30),
            document(line(1, Paid.CREDIT_PAYMENT, 6000), day=60),
        ]
        for order in permutations(papers):
            played = play(*order)
            assert earned(played) == 1
            assert len({one.purchase_id for one in played}) == 1

    def test_an_instalment_earns_when_nothing_else_is_known(self):
        assert earned(play(document(line(1, Paid.CREDIT_PAYMENT, 3000)))) == 1

    def test_a_second_credit_for_the_same_goods_is_a_new_purchase(self):
        played = play(
            document(line(1, Paid.ON_CREDIT, 3000)),
            document(line(1, Paid.CREDIT_PAYMENT, 3000), day=30),
            document(line(1, Paid.ON_CREDIT, 3000), day=60),
            document(line(1, Paid.CREDIT_PAYMENT, 3000), day=90),
        )
        assert earned(played) == 2
        assert played[0].purchase_id != played[2].purchase_id


class TestNeedsLinking:
    def test_a_plain_sale_stands_alone(self):
        assert not needs_linking(document(line(1, Paid.SETTLED, 1000)))
        assert needs_linking(document(line(1, Paid.AHEAD, 1000)))
        assert needs_linking(document(line(1, Paid.SETTLED, 1000), prepaid=1))
