"""Numbers of orders out of the tags that tills fill as they like, and what is never one."""

import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.purchases import marks

SRID = "ea9.00112233445566778899aabbccddeeff.0.0"
LABELS = [
    "Номер заказа", "номер заказа:", "НОМЕР ЗАКАЗА №", "№ заказа", "Заказ №", "Заказ", "ZAKAZ",
    "Номер\u00a0заказа", "Интернет-заказ", "Номер интернет-заказа", "Заказ клиента",
    "Номер заказа покупателя", "Номер заказа интернет-магазина", "ID заказа", "order", "Order ID",
    "order_id", "orderNumber", "order no.", "ORDER_NUM",
]  # fmt: skip
OTHER_LABELS = [
    "", "X5", "касса №", "psp_payment_id", "Заказчик", "Телефон для заказа", "Заказы по телефону",
    "Сумма заказа", "Дата заказа", "Адрес заказа", "Пункт выдачи заказа", "Код заказа",
    "Заказ такси", "Имя заказчика", "order_email", "orderPhone", "Reorder", "Номер", "№", "id",
    "Номер стола", "Кассир",
]  # fmt: skip
# Beside a label that is right: what a till may print there, and what a person would not want kept.
NOT_NUMBERS = [
    "", "0", "1", "0042", "00000000", "1111111", "Спасибо за покупку!", "Иванова Анна",
    "иванова-12345", "12345-иванова", "anna@example.com", "+7 916 123-45-67", "8(916)123-45-67",
    "8-916-123-45-67", "89161234567", "79161234567", "9161234567", "916-123-45-67",
    "375291234567", "380501234567", "Москва, ул. Ленина, 12345", "https://shop.example/12345",
    "17.11.2026", "2026-11-17", "20261117", "17/11/26", "1746.00", "12345.5", "1" * 200, "9" * 41,
]  # fmt: skip


@dataclass(frozen=True)
class Line:
    mark: str | None = None
    order_number: str | None = None


class TestAnOrderNumber:
    @pytest.mark.parametrize("label", LABELS)
    def test_stands_beside_its_label(self, label):
        assert marks.order_number(label, "6175930728") == "6175930728"

    @pytest.mark.parametrize("label", OTHER_LABELS)
    def test_is_not_what_stands_beside_another(self, label):
        assert marks.order_number(label, "6175930728") is None

    @pytest.mark.parametrize(
        ("value", "number"),
        [
            ("6175930728", "6175930728"),
            (" № 6175930728 ", "6175930728"),
            ("#6175930728", "6175930728"),
            ("151939ПРИ", "151939"),
            ("ИНТ-100001", "инт-100001"),
            ("SPB/100001-2", "spb/100001-2"),
            ("55887469-0288", "55887469-0288"),
            ("55887469-0288-1", "55887469-0288-1"),
            (SRID.upper(), SRID),
            ("0c1e2d3f-77aa-41b2-9c0d-5e6f70819203", "0c1e2d3f-77aa-41b2-9c0d-5e6f70819203"),
            ("Заказ № 6175930728", "6175930728"),
        ],
    )
    def test_comes_in_many_forms(self, value, number):
        assert marks.order_number("Номер заказа", value) == number

    @pytest.mark.parametrize("value", NOT_NUMBERS)
    def test_is_nothing_else_that_stands_there(self, value):
        assert marks.order_number("Номер заказа", value) is None

    @given(
        st.from_regex(
            r"(\+7|8|7)?[ (-]?9[0-9]{2}[ )-]?[0-9]{3}-?[0-9]{2}-?[0-9]{2}", fullmatch=True
        )
    )
    def test_is_never_a_telephone(self, phone):
        assert marks.order_number("Номер заказа", phone) is None
        assert marks.order_stated(f"Заказ {phone}") is None

    @given(st.text(max_size=300), st.text(max_size=300))
    def test_of_anything_is_short_and_has_no_words(self, label, value):
        for found in (marks.order_number(label, value), marks.order_stated(value)):
            assert found is None or (len(found) <= 100 and " " not in found and "@" not in found)


class TestAText:
    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("Заказ 6175930728", "6175930728"),
            ("заказ №6175930728 от 17.11.2026 г.", "6175930728"),
            ("Номер заказа: 6175930728; спасибо!", "6175930728"),
            ("тел. 89161234567; order_id=6175930728", "6175930728"),
            ('{"order_id": "6175930728"}', "6175930728"),
            ("order6175930728", "6175930728"),
            ("Заказ №ИНТ-100001", "инт-100001"),
            ("Заказ NSK-100001", "nsk-100001"),
            ("Заказ No 100001", "100001"),
            (f"ws {SRID}", SRID),
            ("отправление 55887469-0288-1", "55887469-0288-1"),
            ("6175930728", None),
            ("ws:CNUJGVSRPH", None),
            ("Сумма заказа 6175930", None),
            ("Телефон для заказа 6175930728", None),
            ("Заказ 89161234567", None),
            ("Заказчик6175930728", None),
            ("Заказ Иванов6175930728", None),
            ("Заказ оплачен 6175930728", None),
            ("", None),
        ],
    )
    def test_names_an_order_or_none(self, text, number):
        assert marks.order_stated(text) == number


class TestAHostileText:
    @pytest.mark.parametrize(
        "piece", ["№", "№#", " №", "номер ", "n", "no", "1-", "-1", " на сайте", "id_", "1 от "]
    )
    def test_is_refused_at_once(self, piece):
        # Much longer than is ever looked at: whatever goes back and forth shows in minutes.
        text = f"заказ{piece * (50_000 // len(piece))}!"
        started = time.process_time()
        assert marks.STATED.fullmatch(text) is None
        assert marks.LABEL.fullmatch(text) is None
        assert marks.NUMBER.fullmatch(text) is None
        assert time.process_time() - started < 20


class TestTheSameOrder:
    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            (Line(), Line(), None),
            (Line(order_number="100001"), Line(), None),
            (Line(order_number="100001"), Line(order_number="100001"), True),
            (Line(order_number="100001"), Line(order_number="100002"), False),
            (Line(order_number="100001"), Line(order_number="1000011"), False),
            (Line(order_number="100001"), Line(order_number="100001-2"), True),
            (Line(order_number="100001-1"), Line(order_number="100001-2"), False),
            (Line(order_number="55887469-0288"), Line(mark="55887469-0288-1"), True),
            (Line(order_number="55887469-0288"), Line(mark="55887469-0299-1"), False),
            # A unit's code says nothing of a number of another kind.
            (Line(order_number="100001"), Line(mark=SRID), None),
            (Line(mark=SRID), Line(mark=SRID), True),
            (Line(SRID, "100001"), Line(SRID[:-1] + "1", "100001"), False),
        ],
    )
    def test_is_told_either_way(self, one, other, same):
        assert marks.same_order(one, other) is same
        assert marks.same_order(other, one) is same
