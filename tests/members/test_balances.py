"""Opening balances: what a row says, and how a file is read whatever it looks like."""

from datetime import date
from pathlib import Path

import pytest

from vezde.kit.vault import Vault
from vezde.members.balances import model, reading
from vezde.members.balances.model import NEVER, Broken, Row
from vezde.members.balances.reading import BadBalances
from vezde.members.model import InvalidField

VAULT = Vault(bytes(32))


def read(tmp_path: Path, content: str | bytes) -> list[Row | Broken]:
    file = tmp_path / "balances.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(reading.read(file, done=lambda _bytes: None))


def why(found: Row | Broken) -> str:
    assert isinstance(found, Broken)
    return found.why


class TestReading:
    @pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
    def test_reads_any_separator_and_encoding(self, tmp_path, separator, encoding):
        rows = [("Телефон", "Имя", "Баллы"), ("8 (916) 000-00-01", "Анна", "1 250")]
        text = "\r\n".join(separator.join(row) for row in rows)
        (anna,) = read(tmp_path, text.encode(encoding))
        assert isinstance(anna, Row)
        assert anna.contacts[0].value == "+79160000001"
        assert (anna.name, anna.points, anna.line) == ("Анна", 1250, 2)

    def test_keeps_the_line_of_a_broken_row_and_goes_on(self, tmp_path):
        found = read(tmp_path, "phone,points\n+79160000001,10\nx,5\n\n+79160000002,20\n")
        assert [one.line for one in found] == [2, 3, 5]
        assert "phone" in why(found[1])

    def test_does_not_read_a_line_without_end_into_memory(self, tmp_path):
        found = read(tmp_path, b"phone,points\n" + b"9" * 2_000_000 + b"\n+79160000002,20\n")
        assert "too long" in why(found[0])
        assert isinstance(found[1], Row)

    @pytest.mark.parametrize("header", ["", "a,b", "phone,name", "points", "phone,телефон,points"])
    def test_refuses_a_table_that_says_not_whose_or_how_many(self, tmp_path, header):
        with pytest.raises(BadBalances):
            read(tmp_path, f"{header}\n1,2,3\n")

    def test_refuses_a_spreadsheet(self, tmp_path):
        with pytest.raises(BadBalances):
            read(tmp_path, b"PK\x03\x04\x00\x00")

    def test_names_a_row_with_too_many_cells(self, tmp_path):
        assert "cells" in why(read(tmp_path, "phone,points\n+79160000001,1,000\n")[0])

    def test_leaves_unknown_columns_alone(self, tmp_path):
        (row,) = read(tmp_path, "city,phone,points\nПермь,+79160000001,5\n")
        assert isinstance(row, Row)
        assert row.points == 5


class TestRow:
    @pytest.mark.parametrize("points", ["", "0", "-5", "1.5", "много", "1e3", "٣", "9" * 19])
    def test_takes_whole_points_only(self, points):
        with pytest.raises(InvalidField, match="whole number"):
            model.row(2, {"phone": "+79160000001", "points": points})

    @pytest.mark.parametrize(
        ("written", "meant"),
        [("1250", 1250), ("1 250", 1250), ("1\u00a0250", 1250), ("12,00", 12), ("7.0", 7)],
    )
    def test_understands_spreadsheets_numbers(self, written, meant):
        assert model.row(2, {"phone": "+79160000001", "points": written}).points == meant

    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("2027-01-31", date(2027, 1, 31)),
            ("31.01.2027", date(2027, 1, 31)),
            ("", None),
            ("бессрочно", NEVER),
            ("Never", NEVER),
        ],
    )
    def test_reads_dates_as_people_write_them(self, written, meant):
        row = model.row(2, {"phone": "+79160000001", "points": "1", "expires_on": written})
        assert row.expires_on == meant

    @pytest.mark.parametrize("written", ["31.02.2027", "2027", "01/31/2027", "31.12.9999"])
    def test_refuses_other_dates(self, written):
        with pytest.raises(InvalidField, match="writ"):
            model.row(2, {"phone": "+79160000001", "points": "1", "expires_on": written})

    def test_names_no_phone_in_its_key(self):
        row = model.row(2, {"phone": "+79160000001", "points": "5"})
        key = row.op_key("spring", VAULT)
        assert "9160000001" not in key
        assert key == model.row(9, {"phone": "8 916 000 00 01", "points": "7"}).op_key(
            "spring", VAULT
        )
        assert key != row.op_key("autumn", VAULT)
        assert key != row.op_key("spring", Vault(bytes(31) + b"1"))
