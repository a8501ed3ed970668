"""What is an INN, and what only looks like one."""

import pytest

from vezde.sellers import model


class TestIsInn:
    @pytest.mark.parametrize("inn", ["7801234564", "7704217370", "540000000240", "050000000179"])
    def test_takes_right_check_digits(self, inn):
        assert model.is_inn(inn)

    @pytest.mark.parametrize(
        "text",
        [
            "7801234565",
            "540000000241",
            "540000000250",
            "0000000000",
            "000000000000",
            "780123456",
            "78012345644",
            "78O1234564",
            "",
            "٧٨٠١٢٣٤٥٦٤",
        ],
    )
    def test_refuses_anything_else(self, text):
        assert not model.is_inn(text)


class TestCleanInn:
    def test_strips_the_padding_of_receipts(self):
        assert model.clean_inn("7801234564  ") == "7801234564"

    def test_gives_back_a_leading_zero_that_a_number_lost(self):
        assert model.clean_inn("50000000179") == "050000000179"

    @pytest.mark.parametrize("text", [None, "", "нет", "12345", "0000000000", "780123456"])
    def test_answers_none_where_there_is_no_inn(self, text):
        assert model.clean_inn(text) is None

    def test_keeps_what_a_receipt_says_though_its_check_digits_do_not_fit(self):
        assert model.clean_inn("7801234565") == "7801234565"
