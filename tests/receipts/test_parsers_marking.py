"""GTIN and serial of a line."""

import pytest

from .reading import HUGE, item

GTIN, SERIAL = "04605035006964", "5OoyE8qxeIOn>"
# Tag 1162: the kind DM (44 4D), the GTIN in six bytes, the serial in ASCII.
HEX = "444D04303179CBF4354F6F794538717865494F6E3E"
SPACED = " ".join(HEX[place : place + 2] for place in range(0, len(HEX), 2))


def codes(**fields):
    read = item(**fields)
    return read.gtin, read.serial


class TestMarking:
    @pytest.mark.parametrize("kind", ["gs1m", "gs10", "undefined", "mi"])
    def test_named_kinds_of_1_2(self, kind):
        raw = f"01{GTIN}21{SERIAL}"
        whole = {"gtin": GTIN, "sernum": SERIAL, "rawProductCode": raw}
        assert codes(productCodeNew={kind: whole}) == (GTIN, SERIAL)
        assert codes(productCodeNew={kind: {"rawProductCode": raw}}) == (
            GTIN,
            SERIAL,
        )

    @pytest.mark.parametrize(
        ("kind", "gtin", "padded"),
        [
            ("itf14", "04627083415024", "04627083415024"),
            ("ean13", "4605035006964", "04605035006964"),
            ("upca", "036000291452", "00036000291452"),
            ("ean8", "46070012", "00000046070012"),
        ],
    )
    def test_kinds_without_a_serial(self, kind, gtin, padded):
        code = {"gtin": gtin, "sernum": "", "rawProductCode": gtin, "productIdType": 5}
        assert codes(productCodeNew={kind: code}) == (padded, None)
        assert codes(productCodeData=code | {"gtin": int(gtin)}) == (padded, None)
        assert codes(productCode=gtin) == (padded, None)
        assert codes(productCode=f" {padded} ") == (padded, None)

    @pytest.mark.parametrize(
        "gtin",
        [
            *("4605035006965", 4605035006965, "460503500695", "4605O35006964", "0" * 14, ""),
            *(0, -4605035006964, 10**14, HUGE, 4605035006964.0),
            *("４６０５０３５００６９６４", True, None, []),
        ],
    )
    def test_a_wrong_check_digit_or_no_number_is_no_gtin(self, gtin):
        assert codes(productCodeData={"gtin": gtin, "sernum": "5"}) == (None, None)
        assert codes(productCodeNew={"gs1m": {"gtin": gtin}}) == (None, None)

    @pytest.mark.parametrize(
        "raw",
        [
            "010460503500696421OoyE8qxeIOn>",
            "(01)04605035006964(21)OoyE8qxeIOn>",
            "\x1d010460503500696421OoyE8qxeIOn>\x1d91EE06\x1d92tail",
            "]d2010460503500696421OoyE8qxeIOn>\x1d93tail",
        ],
    )
    def test_scanned_codes_lose_their_crypto_tail(self, raw):
        assert codes(productCode=raw) == (GTIN, "OoyE8qxeIOn>")

    def test_the_example_is_what_it_says(self):
        assert bytes.fromhex(HEX)[:2] == b"DM"
        assert int(HEX[4:16], 16) == int(GTIN)
        assert bytes.fromhex(HEX)[8:] == SERIAL.encode()

    @pytest.mark.parametrize(
        "written", [HEX, HEX.lower(), SPACED, HEX + "000000", "RE0EMDF5y/Q1T295RThxeGVJT24+"]
    )
    def test_bytes_of_1_05_as_hexadecimal_and_base64(self, written):
        assert codes(productCode=written) == (GTIN, SERIAL)

    @pytest.mark.parametrize("kind", ["0003", "0005", "1520", "5246"])
    def test_other_kinds_with_serials(self, kind):
        assert codes(productCode=kind + HEX[4:]) == (GTIN, SERIAL)

    @pytest.mark.parametrize(
        ("kind", "number", "gtin"),
        [
            ("450D", 4605035006964, "04605035006964"),
            ("4508", 46070012, "00000046070012"),
            ("490E", 14605035006961, "14605035006961"),
        ],
    )
    def test_kinds_of_1_05_without_a_serial(self, kind, number, gtin):
        assert codes(productCode=f"{kind}{number:012X}") == (gtin, None)
        assert codes(productCode=f"{kind}{number:012X}3132") == (gtin, None)

    @pytest.mark.parametrize(
        "written",
        [
            *("", "товар", "444D", "444D04303179CB", "444D04303179CBF535", "FFFF04303179CBF435"),
            *("01", "0104605035006965215", "RE0=", "AAAA", "Zm9v", "=" * 100, "\ud800", 5, []),
        ],
    )
    def test_what_is_no_code_is_none(self, written):
        assert codes(productCode=written) == (None, None)

    @pytest.mark.parametrize("serial", ["", "5\x00", "Ж", "\ud800", "5" * 41, 5, None, []])
    def test_a_serial_that_no_code_can_hold_is_left_out(self, serial):
        assert codes(productCodeData={"gtin": GTIN, "sernum": serial}) == (
            GTIN,
            None,
        )

    def test_the_first_readable_code_counts(self):
        good = {"gtin": GTIN, "sernum": SERIAL}
        assert codes(productCodeNew={"undefined": {"rawProductCode": "?"}, "gs1m": good}) == (
            GTIN,
            SERIAL,
        )
        assert codes(productCodeNew={"undefined": None}, productCodeData=good) == (
            GTIN,
            SERIAL,
        )
        assert codes(productCodeNew=[], productCodeData="?", productCode=GTIN) == (
            GTIN,
            None,
        )
