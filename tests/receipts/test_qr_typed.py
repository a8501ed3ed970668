"""Details typed by hand: any order, any usual labels, nothing guessed that could be two things."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vezde.receipts.qr import typed
from vezde.testing import receipts as factories
from vezde.testing.documents import details_text

PAPER = factories.receipt(7, lines=[factories.line("Крем", 174_605)])
WANTED = "t=20261117T1230&s=1746.05&fn=7380440800000000&i=8&fp=1401181143&n=1"
FN, FD, FP = "7380440800000000", "8", "1401181143"


def read(text: str) -> str | None:
    fields = typed.read(text).qr
    return fields.text() if fields else None


class TestRead:
    @pytest.mark.parametrize(
        "text",
        [
            f"ФН {FN} ФД {FD} ФП {FP} сумма 1746,05 от 17.11.2026 12:30",
            f"fn: {FN}, i: {FD}, fp: {FP}, 17.11.26 12:30, 1746.05",
            f"{FN} {FD} {FP} 1746.05 17.11.2026 12:30",
            f"12:30 17/11/2026 1746,05р {FP} {FD} {FN}",
            (
                "ФН № 7380 4408 0000 0000\nФД № 8\nФПД 1401181143\n"
                "Итог: 1 746 руб. 05 коп.\nдата 17 ноября 2026, 12-30"
            ),
            f"фн{FN} фд{FD} фп{FP} итого1746.05 2026-11-17 12:30",
            f"ФН:\n{FN}\nФД:\n{FD}\nФП:\n{FP}\nСумма:\n1 746,05\nДата:\n17.11.2026\nВремя:\n12:30",
            (
                f"Номер ФН {FN}, номер ФД {FD}, фискальный признак {FP}; сумма чека 1746 р 05 к; "
                "дата покупки 17.11.2026 в 12:30"
            ),
            (
                f"РН ККТ 0001234567012345 ФН: {FN} № ФД: {FD} ФПД: {FP} ИНН 7704217370 Смена 12 "
                "чек 5 ИТОГ =1746.05 17.11.26 12:30 приход"
            ),
            f"fn={FN}&fd={FD}&fp={FP}&sum=1746.05&date=20261117T1230",
            f"ФН {FN} ФД {FD} ФП {FP} сумма 1746.05 дата 17.11.2026 время 12.30",
        ],
    )
    def test_takes_details_as_people_write_them(self, text: str) -> None:
        assert read(text) == WANTED

    def test_takes_them_in_any_order(self) -> None:
        parts = [f"ФН {FN}", f"ФД {FD}", f"ФП {FP}", "сумма 1746,05", "17.11.2026 12:30"]
        for order in itertools.permutations(parts):
            for between in (" ", "\n", ", ", "; "):
                assert read(between.join(order)) == WANTED, order

    @pytest.mark.parametrize(
        ("word", "operation"),
        [("приход", 1), ("возврат прихода", 2), ("расход", 3), ("ВОЗВРАТ РАСХОДА", 4)],
    )
    def test_knows_a_return(self, word: str, operation: int) -> None:
        fields = typed.read(f"{word} {details_text(PAPER)}").qr
        assert fields is not None
        assert (fields.operation, fields.operation_assumed) == (operation, False)

    @pytest.mark.parametrize(
        ("text", "missing"),
        [
            (f"ФН {FN[:15]} ФД {FD} ФП {FP} 1746,05 17.11.2026 12:30", ("fn",)),
            (f"ФН {FN} ФП {FP} 1746,05 17.11.2026 12:30", ("fd",)),
            (f"ФН {FN} ФД {FD} 1746,05 17.11.2026 12:30", ("fp",)),
            (f"ФН {FN} ФД {FD} ФП {FP} 17.11.2026 12:30", ("sum",)),
            (f"ФН {FN} ФД {FD} ФП {FP} 1746,05", ("date",)),
            (f"ФН {FN} ФД {FD} ФП {FP} 1746,05 17.11.2026", ("time",)),
            (f"ФН {FN} ФД {FD} ФП {FP} 1746,05 31.02.2026 12:30", ("date",)),
            (f"ФН {FN} ФД {FD} ФП {FP} 1746,05 17.11.2026 12:30 18.11.2026 12:31", ("date",)),
            (f"ФН {FN} 1234 5678 сумма 1746,05 17.11.2026 12:30", ("fd", "fp")),
            (f"ФН {FN} ФД {FD} ФП {FP} 1746,05 900,00 17.11.2026 12:30", ("sum",)),
        ],
    )
    def test_says_what_is_missing_or_could_be_two_things(
        self, text: str, missing: tuple[str, ...]
    ) -> None:
        found = typed.read(text)
        assert found.missing == missing
        assert found.is_meant

    @pytest.mark.parametrize(
        "text",
        [
            "привет, у меня 2 вопроса",
            "Мой телефон +79161234567, звоните 12.12.2026 после 18:00",
            "заказ 55887469-0288-1 на 1 746,05 руб. от 17.11.2026",
            "",
            "Купила 3 крема по 500 рублей!",
        ],
    )
    def test_takes_talk_for_talk(self, text: str) -> None:
        assert not typed.read(text).is_meant


class TestProperties:
    @given(st.text(max_size=400))
    def test_never_raises(self, text: str) -> None:
        assert typed.read(text) is not None

    @settings(max_examples=60)
    @given(
        st.lists(
            st.sampled_from(
                ["фн", "фд", "фп", "№", ":", " ", "\n", "сумма", "итог", ".", "12", "0", "2026",
                 "7380440800000000", "17.11.2026", "12:30", "руб", "-", "=", "≡", "1 746,05"]
            ),
            max_size=120,
        )
    )  # fmt: skip
    def test_never_raises_on_what_looks_like_details(self, parts: list[str]) -> None:
        assert typed.read("".join(parts)) is not None

    @given(st.integers(0, 10_000), st.randoms(use_true_random=False))
    def test_reads_back_any_receipt(self, number: int, chance: random.Random) -> None:
        paper = factories.receipt(number, lines=[factories.line("Крем", chance.randint(1, 10**8))])
        fields = typed.read(details_text(paper)).qr
        assert fields is not None
        assert fields.text() == paper.qr.text()

    def test_is_quick_on_hostile_text(self) -> None:
        for piece in ("1 ", "фн ", "1.", "12:", "сумма", "; ", "№", "17.11.2026 "):
            typed.read(piece * 20_000)
