import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import gtin


class TestNormalise:
    @pytest.mark.parametrize(
        ("written", "wanted"),
        [
            ("4600000000008", "04600000000008"),
            ("46 0000 000000-8", "04600000000008"),
            ("04600000000008", "04600000000008"),
            ("96385074", "00000096385074"),
            ("036000291452", "00036000291452"),
        ],
    )
    def test_gives_fourteen_digits(self, written, wanted):
        assert gtin.normalise(written) == wanted

    @pytest.mark.parametrize(
        ("written", "because"),
        [
            ("4600000000007", "should be 8"),
            ("460000000000", "wrong check digit"),
            ("46000000008", "11 digits"),
            ("46000000000O8", "not a barcode"),
            ("٤٦٠٠٠٠٠٠٠٠٠٠٨", "not a barcode"),
            ("00000000", "no barcode"),
        ],
    )
    def test_says_what_is_wrong(self, written, because):
        with pytest.raises(ValueError, match=because):
            gtin.normalise(written)

    @given(st.from_regex(r"[0-9]{12}", fullmatch=True), st.integers(1, 9))
    def test_finds_any_single_wrong_digit(self, body, shift):
        whole = body + str(gtin.check_digit(body))
        assert gtin.is_valid(whole)
        for place in range(13):
            wrong = str((int(whole[place]) + shift) % 10)
            assert not gtin.is_valid(whole[:place] + wrong + whole[place + 1 :])


class TestRead:
    def test_puts_lost_zeros_back(self):
        assert gtin.read("4600000000008") == "04600000000008"
        assert gtin.read("96385074") == gtin.read("00000096385074")

    @pytest.mark.parametrize("code", [None, "", "0", "4600000000007", "abc", "1" * 15, "²"])
    def test_gives_nothing_for_what_is_no_code(self, code):
        assert gtin.read(code) is None


class TestInText:
    def test_finds_codes_with_a_right_check_digit_alone(self):
        assert gtin.in_text("4600000000008 крем 4600000000007 (96385074)") == [
            "04600000000008",
            "00000096385074",
        ]

    def test_does_not_cut_a_code_out_of_a_longer_number(self):
        assert gtin.in_text("94600000000008123") == []
