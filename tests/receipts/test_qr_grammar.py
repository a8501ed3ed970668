"""The text of a receipt's QR."""

from dataclasses import replace
from datetime import datetime
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.receipts.model import (
    EARLIEST_YEAR,
    LATEST_YEAR,
    MOST_FN,
    MOST_KOPECKS,
    MOST_UINT32,
    QrFields,
)
from vezde.receipts.qr import grammar
from vezde.receipts.qr.grammar import BadQr, NotFiscalQr

CANONICAL = "t=20261117T1230&s=1520.80&fn=7380440800000017&i=4211&fp=3530596427&n=1"
FIELDS = QrFields(
    wall_time=datetime(2026, 11, 17, 12, 30),
    total_kopecks=152_080,
    fn=7_380_440_800_000_017,
    fd=4211,
    fp=3_530_596_427,
)
SECONDS = replace(FIELDS, wall_time=datetime(2026, 11, 17, 12, 30, 41), has_seconds=True)
ASSUMED = replace(FIELDS, operation_assumed=True)

# What the keys of CANONICAL type on a Russian layout: . gives ю and & gives ?.
RUSSIAN = "е=20261117Е1230?ы=1520ю80?ат=7380440800000017?ш=4211?аз=3530596427?т=1"


PIECES = [
    *("t=", "s=", "fn=", "i=", "fp=", "n=", "е=", "т=", "T", "О", "x"),
    *("20261117T1230", "1520.80", "7380440800000017", "20", "7", "0"),
    *("&", "&#", "%", " ", "\n", ",", "."),
]


def changed(*changes: tuple[str, str]) -> str:
    text = CANONICAL
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def without(name: str) -> str:
    return "&".join(one for one in CANONICAL.split("&") if not one.startswith(f"{name}="))


class TestParse:
    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(CANONICAL, id="canonical"),
            pytest.param("&".join(reversed(CANONICAL.split("&"))), id="any order"),
            pytest.param(f"  {CANONICAL}\r\n", id="line end"),
            pytest.param(f"\ufeff\u200b{CANONICAL}\x00", id="unseen signs"),
            pytest.param(CANONICAL.upper(), id="capitals"),
            pytest.param(changed(("T", "t")), id="small t between date and time"),
            pytest.param(changed(("&", " &")), id="spaces before &"),
            pytest.param(changed(("=", " = "), ("&", " & ")), id="spaces everywhere"),
            pytest.param(changed(("&", "\u00a0&")), id="no-break spaces"),
            pytest.param(changed(("&", " ")), id="spaces for &"),
            pytest.param(changed(("&", "\n")), id="a name a line"),
            pytest.param(changed(("&", "\r\n")), id="a name a line of Windows"),
            pytest.param(changed(("&", ", "), (".", ",")), id="commas for & and the point"),
            pytest.param(changed(("&", ",")), id="commas without spaces"),
            pytest.param(changed(("&", ";")), id="semicolons"),
            pytest.param(changed(("&", "&amp;")), id="HTML"),
            pytest.param(changed(("&", "&amp;amp;")), id="HTML in HTML"),
            pytest.param(changed(("&", "&#38;")), id="HTML by number"),
            pytest.param(quote(CANONICAL), id="percent-encoded"),
            pytest.param(quote(quote(CANONICAL)), id="encoded twice"),
            pytest.param(quote(CANONICAL).lower(), id="encoded with small letters"),
            pytest.param(f"https://consumer.1-ofd.ru/v1?{CANONICAL}", id="address of an operator"),
            pytest.param(f"https://lkdr.nalog.ru/check/?{CANONICAL}", id="address of the service"),
            pytest.param(f"https://shop.example/r?qr={quote(CANONICAL)}&x=1", id="in an address"),
            pytest.param(f"{CANONICAL}&utm_source=check#top", id="more names behind"),
            pytest.param(f"вот мой чек: {CANONICAL} спасибо", id="words around"),
            pytest.param(f"«{CANONICAL}».", id="quotes around"),
            pytest.param(f"{CANONICAL}\n{CANONICAL}", id="scanned twice"),
            pytest.param(changed(("i=4211", "i=0000004211")), id="padded with zeros"),
            pytest.param(changed(("3530596427", "3530 596 427")), id="digits in groups"),
            pytest.param(changed(("738044", "7380 44")), id="drive in groups"),
            pytest.param(changed(("1520.80", "1 520.80")), id="thousands apart"),
            pytest.param(changed(("1520.80", "1520,8")), id="one digit of kopecks"),
            pytest.param(changed(("7380440800000017", "738O44O8OOOOOO17")), id="O for zero"),
            pytest.param(changed(("7380440800000017", "738О440800000017")), id="Cyrillic О"),
            pytest.param(changed(("T1230", "Т1230")), id="Cyrillic Т in the date"),
            pytest.param(changed(("t=", "т="), ("fp=", "fр="), ("s=", "с=")), id="lookalikes"),
            pytest.param(RUSSIAN, id="Russian layout"),
            pytest.param(RUSSIAN.replace("?", "&").replace("ю", "."), id="names alone in it"),
            pytest.param(RUSSIAN.upper(), id="Russian capitals"),
            pytest.param(RUSSIAN.replace("?", "7").lower(), id="Russian layout without Shift"),
            pytest.param(changed(("&", "7"), ("T", "t")), id="7 for &"),
            pytest.param(changed(("&", "")), id="nothing for &"),
        ],
    )
    def test_reads_every_wild_form_as_the_canonical_one(self, text):
        assert grammar.parse(text) == FIELDS

    @pytest.mark.parametrize(
        "text",
        [
            changed(("T1230", "T123041")),
            changed(("T1230", "t123041"), ("&", "7")),
            changed(("T1230", "T123041"), ("&", "")),
            RUSSIAN.replace("Е1230", "Е123041"),
            CANONICAL.replace("T1230", "T123041Z"),
        ],
    )
    def test_keeps_the_seconds_of_tills_that_print_them(self, text):
        assert grammar.parse(text) == SECONDS
        assert grammar.parse(text.replace("123041", "123000")) == replace(FIELDS, has_seconds=True)

    @pytest.mark.parametrize(
        "text",
        [
            without("n"),
            CANONICAL.removesuffix("1"),
            without("n").replace("&", "7"),
            without("n").replace("&", ""),
        ],
    )
    def test_assumes_a_sale_where_n_is_missing_and_says_so(self, text):
        assert grammar.parse(text) == ASSUMED

    @pytest.mark.parametrize("operation", [1, 2, 3, 4])
    def test_reads_the_operation(self, operation):
        parsed = grammar.parse(changed(("n=1", f"n={operation}")))
        assert parsed == replace(FIELDS, operation=operation)

    @pytest.mark.parametrize(
        ("written", "kopecks"),
        [
            ("8.20", 820),  # int(float(s) * 100) is 819
            ("1.15", 115),
            ("1113.99", 111_399),
            ("227", 22_700),
            ("227.", 22_700),
            ("746.5", 74_650),
            (".5", 50),
            (",05", 5),
            ("0.00", 0),
            ("0000227.00", 22_700),
            ("12 345 678,90", 1_234_567_890),
            ("9999999999.99", MOST_KOPECKS),
        ],
    )
    def test_counts_kopecks_exactly(self, written, kopecks):
        assert grammar.parse(changed(("1520.80", written))).total_kopecks == kopecks

    def test_reads_short_numbers(self):
        parsed = grammar.parse(changed(("i=4211", "i=7"), ("3530596427", "0")))
        assert (parsed.fd, parsed.fp) == (7, 0)

    @given(
        st.builds(
            QrFields,
            wall_time=st.datetimes(
                datetime(EARLIEST_YEAR, 1, 1), datetime(LATEST_YEAR, 12, 31, 23, 59)
            ).map(lambda at: at.replace(microsecond=0)),
            total_kopecks=st.integers(0, MOST_KOPECKS),
            fn=st.integers(1, MOST_FN),
            fd=st.integers(1, MOST_UINT32),
            fp=st.integers(0, MOST_UINT32),
            operation=st.integers(1, 4),
            has_seconds=st.just(True),
        ),
        st.booleans(),
    )
    def test_reads_back_what_the_fields_print(self, fields, minutes):
        if minutes:
            fields = replace(
                fields, wall_time=fields.wall_time.replace(second=0), has_seconds=False
            )
        assert grammar.parse(fields.text()) == fields
        assert grammar.parse(fields.text().replace("&", "7")) == fields
        assert grammar.parse(fields.text().replace("&", "")) == fields


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (changed(("7380440800000017", "73804408000000170")), "fn"),
            (changed(("7380440800000017", "738044080000001")), "fn"),
            (changed(("7380440800000017", "0000000000000000")), "fn"),
            (changed(("7380440800000017", "738044080000001X")), "fn"),
            (changed(("i=4211", "i=0")), "i is not"),
            (changed(("i=4211", "i=4294967296")), "i is not"),
            (changed(("i=4211", "i=42.11")), "i is not"),
            (changed(("i=4211", "i=42Ы11")), "i is not"),
            (changed(("i=4211", "i=-4211")), "i is not"),
            (changed(("i=4211", "i=４２１１")), "i is not"),
            (changed(("3530596427", "99999999999999999999999")), "fp is not"),
            (changed(("n=1", "n=5")), "n) is not 1 to 4"),
            (changed(("n=1", "n=11")), "n) is not 1 to 4"),
            (changed(("1520.80", "1520.801")), "sum"),
            (changed(("1520.80", "-1520.80")), "sum"),
            (changed(("1520.80", "1520.80.00")), "sum"),
            (changed(("1520.80", "1520 80")), "sum"),
            (changed(("1520.80", ".")), "sum"),
            (changed(("1520.80", "1e3")), "sum"),
            (changed(("1520.80", "10000000000.00")), "sum"),
            (changed(("20261117T1230", "20261117T12304")), "date"),
            (changed(("20261117T1230", "20261117")), "date"),
            (changed(("20261117T1230", "20261117 1230")), "date"),
            (changed(("20261117T1230", "20261317T1230")), "calendar"),
            (changed(("20261117T1230", "20260229T1230")), "calendar"),
            (changed(("20261117T1230", "20261117T2460")), "calendar"),
            (changed(("20261117T1230", "20261117T123060")), "calendar"),
            (changed(("20261117T1230", "20161117T1230")), "of this time"),
            (changed(("20261117T1230", "21001117T1230")), "of this time"),
            (f"{CANONICAL}&i=4212", "i is not"),
        ],
    )
    def test_a_field_that_cannot_be_is_named(self, text, said):
        with pytest.raises(BadQr, match=said.replace(")", r"\)")):
            grammar.parse(text)

    @pytest.mark.parametrize("name", ["t", "s", "fn", "i", "fp"])
    def test_a_code_read_in_part_says_what_it_lacks(self, name):
        with pytest.raises(BadQr, match=f"lacks {name};"):
            grammar.parse(without(name))
        with pytest.raises(BadQr, match=f"lacks {name};"):
            grammar.parse(CANONICAL.replace(f"{name}=", f"x{name}="))

    @pytest.mark.parametrize(
        "text",
        [
            pytest.param(changed((".", ""), ("&", "7")), id="a sum without its dot"),
            pytest.param(changed(("&s", "7s"), ("&", "")), id="one gap of another kind"),
            pytest.param(changed(("0017&", "00177"), ("&", "")), id="17 digits of the drive"),
            pytest.param(changed(("T", "")).replace("&", "7"), id="a date without its T"),
        ],
    )
    def test_what_a_scanner_mangled_beyond_doubt_is_not_guessed(self, text):
        with pytest.raises((BadQr, NotFiscalQr)):
            grammar.parse(text)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=01&sum=10000", "SBP"),
            ("HTTPS://QR.NSPK.RU/AS10003P3RH0LJ2A9ROO038L6NT5RU1M", "SBP"),
            ("http://check.egais.ru?id=f37b&dt=1609172023&cn=030000290346", "EGAIS"),
            (
                "http://consumer.oofd.kz?i=1234567890&f=010101234567&s=1500.0&t=20261117T123000",
                "Kazakhstan",
            ),
            ("https://ofd1.kz/t/?i=12&f=34&s=56.0&t=20261117T123000", "Kazakhstan"),
            ("i=1234567890&f=010101234567&s=1500.0&t=20261117T123000", "Kazakhstan"),
            ("https://receipts.skko.by/check?ui=5D8&t=1&s=2&i=3&fp=4", "Belarus"),
            ("https://ofd.soliq.uz/check?t=UZ170703100189&r=81&c=20261117&s=4411", "Uzbekistan"),
            ("https://tax.salyk.kg/ticket?date=20261117&fn_number=1&fd_number=2", "Kyrgyzstan"),
        ],
    )
    def test_another_code_is_called_by_its_name(self, text, said):
        with pytest.raises(NotFiscalQr, match=said):
            grammar.parse(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            " ",
            "https://t.me/lunaria_bot?start=1",
            "https://shop.example/card?n=5&s=7",
            "010460503500696421OoyE8qxeIOn>\x1d91EE06",
            "4605035006964",
            "WIFI:S:guest;T:WPA;P:secret;;",
            "чек",
            "t=&s=&fn=",
            "=" * 2_000,
            "t=1&" * 500,
            CANONICAL + " " * 2_000,
        ],
    )
    def test_what_is_no_receipt_is_told_from_a_bad_one(self, text):
        with pytest.raises(NotFiscalQr):
            grammar.parse(text)

    def test_never_echoes_what_was_sent(self):
        secret = "anna@example.com"
        for text in (secret, changed(("4211", secret)), f"t=1&s=2&fn={secret}"):
            with pytest.raises((NotFiscalQr, BadQr)) as caught:
                grammar.parse(text)
            assert secret not in caught.value.detail

    @given(st.text())
    def test_any_text_is_a_receipt_or_one_of_the_two_errors(self, text):
        _never_else(text)

    @given(
        st.lists(
            st.sampled_from(PIECES) | st.text(max_size=2),
            max_size=40,
        )
    )
    def test_and_so_is_any_text_that_resembles_one(self, parts):
        _never_else("".join(parts))


def _never_else(text: str) -> None:
    try:
        parsed = grammar.parse(text)
    except (NotFiscalQr, BadQr):
        return
    assert 0 < parsed.fn <= MOST_FN
    assert 0 < parsed.fd <= MOST_UINT32
    assert 0 <= parsed.fp <= MOST_UINT32
    assert 0 <= parsed.total_kopecks <= MOST_KOPECKS
    assert EARLIEST_YEAR <= parsed.wall_time.year <= LATEST_YEAR
    assert grammar.parse(parsed.text()) == replace(parsed, operation_assumed=False)
