import contextlib
import io
import zipfile
from datetime import datetime

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.catalog import reading, rows
from vezde.catalog.reading import tables
from vezde.kit.errors import DomainError

SHEET = "xl/worksheets/sheet1.xml"
HEADER = "Артикул;Штрихкод;Название;Бренд;Цена, руб."
LINE = "LU-1;4600000000008;Крем ночной «Лунный шёлк»;Лунария;1 290,50"


def text(*lines: str) -> str:
    return "\r\n".join(lines) + "\r\n"


def values(table):
    return [dict(row.values) for row in table.rows]


def workbook(*lines, title="Каталог", prepare=None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for line in lines:
        sheet.append(line)
    if prepare:
        prepare(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


class TestCsv:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
    @pytest.mark.parametrize("separator", [";", ",", "\t"])
    def test_is_read_in_any_encoding_and_dialect(self, encoding, separator):
        body = text(HEADER.replace(", руб.", ""), LINE).replace(
            ",", "." if separator == "," else ","
        )
        table = reading.read(body.replace(";", separator).encode(encoding))
        assert values(table)[0]["name"] == "Крем ночной «Лунный шёлк»"
        assert rows.parse(table.rows[0]).values["price_kopecks"] == 129_050
        assert table.rows[0].number == 2
        assert table.ignored == ()

    def test_tells_which_columns_it_understood(self):
        table = reading.read(text("Артикул;Название;Цена;Склад", "A;Крем;1;7").encode())
        assert table.columns == {"Артикул": "sku", "Название": "name", "Цена": "price"}
        assert table.ignored == ("Склад",)

    def test_takes_the_better_of_two_columns(self):
        table = reading.read(text("Код;Артикул;ШК;Штрихкод", "7;A;;4600000000008").encode())
        assert values(table) == [{"sku": "A", "gtin": "4600000000008"}]
        assert table.ignored == ("Код", "ШК")

    def test_knows_english_titles_and_links(self):
        table = reading.read(text("sku,name,offers.ozon,Ссылка на WB", "A,Cream,u1,u2").encode())
        assert values(table) == [
            {"sku": "A", "name": "Cream", "offers.ozon": "u1", "offers.wildberries": "u2"}
        ]

    def test_skips_excels_hint_and_a_title(self):
        table = reading.read(
            text("sep=;", "Прайс-лист;;", ";;", "Артикул;Название;", "A;Крем;").encode()
        )
        assert [(row.number, dict(row.values)) for row in table.rows] == [
            (4, {"sku": "A", "name": "Крем"})
        ]

    def test_leaves_out_empty_cells_and_takes_a_dash_for_none(self):
        table = reading.read(text("Артикул;Линейка;Размер", "A;;-", ";;", "B;—;50").encode())
        assert values(table) == [
            {"sku": "A", "size": None},
            {"sku": "B", "line": None, "size": "50"},
        ]
        assert [row.number for row in table.rows] == [2, 4]

    def test_reads_quotes_and_line_breaks_inside_them(self):
        table = reading.read(
            text(
                "Артикул;Название", '"A";"Крем ""Ночь""; 50 мл"', '"B";"две', 'строки"', "C;Мыло"
            ).encode()
        )
        assert [row["name"] for row in values(table)][::2] == ['Крем "Ночь"; 50 мл', "Мыло"]
        assert [row.number for row in table.rows] == [2, 3, 4]

    def test_reads_line_breaks_below_a_title_too(self):
        body = text("Прайс", "", "Артикул;Название;Цена", 'A;"Крем', 'ночной";5')
        (row,) = reading.read(body.encode()).rows
        assert (row.number, row.problems, row.values["price"]) == (4, (), "5")

    def test_lets_a_quote_never_closed_spoil_its_own_row_alone(self):
        lines = ["A;Мыло;10", 'B;"Крем;20', "C;Пена;30", 'D;"Гель;40', "E;Воск;50"]
        table = reading.read(text("Артикул;Название;Цена", *lines).encode())
        problems = {row.values["sku"]: row.problems for row in table.rows}
        assert [sku for sku, found in problems.items() if found] == ["B", "D"]
        assert "row 3: a quote is opened and never closed" in problems["B"][0]
        assert list(problems) == ["A", "B", "C", "D", "E"]

    def test_survives_a_quote_that_would_swallow_the_file(self):
        lines = [f"S{i};Крем;{i}" for i in range(30_000)]
        lines[5] = 'S5;"Крем;5'
        table = reading.read(text("Артикул;Название;Цена", *lines).encode())
        assert [row.values["sku"] for row in table.rows if row.problems] == ["S5"]
        assert len(table.rows) == 30_000

    def test_says_when_a_row_has_more_cells_than_the_header(self):
        table = reading.read(text("Артикул;Название", "A;Крем;ночной", "B;Мыло;").encode())
        assert "more cells than the header" in table.rows[0].problems[0]
        assert table.rows[1].problems == ()

    def test_opens_texts_hidden_from_excel(self):
        table = reading.read(text("Артикул;Штрихкод", '="001";\'4600000000008').encode())
        assert values(table) == [{"sku": "001", "gtin": "4600000000008"}]

    @pytest.mark.parametrize(
        ("content", "because"),
        [
            (b"", "The file is empty"),
            (b"\r\n\r\n", "The file is empty"),
            (text("Склад;Остаток", "1;2").encode(), "No column of articles.*«Склад», «Остаток»"),
            (text("Артикул;Название").encode(), "no rows below it"),
            (b"\x00\x01\x02\x03", "not a table of text"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel file"),
            (b"%PDF-1.7", "a PDF"),
            (b"PK\x03\x04broken", "damaged"),
        ],
    )
    def test_says_what_to_send_instead(self, content, because):
        with pytest.raises(reading.BadTable, match=because):
            reading.read(content)

    def test_has_limits(self, monkeypatch):
        body = text("Артикул;Название", *[f"{i};Крем" for i in range(12)]).encode()
        monkeypatch.setattr(tables, "MAX_ROWS", 11)
        with pytest.raises(reading.TableTooLarge, match="more than 11 rows"):
            reading.read(body)
        monkeypatch.setattr(tables, "MAX_BYTES", 50)
        with pytest.raises(reading.TableTooLarge, match="larger than"):
            reading.read(body)

    @given(
        st.binary(max_size=300) | st.text(max_size=200).map(lambda t: ("sku;name\n" + t).encode())
    )
    def test_gives_rows_or_a_sentence_for_any_bytes(self, content):
        try:
            table = reading.read(content)
        except DomainError:
            return
        assert [rows.parse(row) for row in table.rows]


class TestXlsx:
    def test_repairs_what_excel_made_of_codes(self):
        table = reading.read(
            workbook(
                ["Артикул", "Штрихкод", "Название", "Цена"],
                [1001, 4600000000008, "Крем", 1290.5],
                ["001-5", 4600000000008.0, "Мыло", "990"],
            )
        )
        read = [rows.parse(row) for row in table.rows]
        assert [one.sku for one in read] == ["1001", "001-5"]
        assert [one.values["gtin"] for one in read] == ["04600000000008"] * 2
        assert [one.values["price_kopecks"] for one in read] == [129_050, 99_000]
        assert table.kind == "xlsx"

    def test_refuses_an_article_excel_made_a_date(self):
        table = reading.read(workbook(["Артикул", "Название"], [datetime(2026, 5, 1), "Крем"]))
        assert "column «Артикул»: Excel made a date" in rows.parse(table.rows[0]).errors[0]

    def test_refuses_formulas_that_were_never_counted(self):
        table = reading.read(
            workbook(["Артикул", "Название", "Цена"], ["A", "Крем", "=1+1"], ["B", "Мыло", 5])
        )
        assert "row 2, column «Цена»: the formula was never counted" in table.rows[0].problems[0]
        assert table.rows[1].problems == ()

    def test_takes_the_counted_value_of_a_formula(self):
        plain = workbook(["Артикул", "Название", "Цена"], ["A", "Крем", 77])
        table = reading.read(_with_formula(plain))
        assert values(table) == [{"sku": "A", "name": "Крем", "price": 77}]

    def test_reads_the_first_sheet_that_is_shown(self):
        def hide(book):
            book.active.sheet_state = "hidden"
            book.create_sheet("Товары").append(["Артикул"])
            book["Товары"].append(["A"])

        assert values(reading.read(workbook(["Артикул"], ["скрыт"], prepare=hide))) == [
            {"sku": "A"}
        ]

    def test_keeps_the_numbers_a_spreadsheet_shows(self):
        table = reading.read(workbook(["Каталог"], [], ["Артикул"], ["A"], [], ["B"]))
        assert [(row.number, row.values["sku"]) for row in table.rows] == [(4, "A"), (6, "B")]

    def test_refuses_another_zip(self):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as packed:
            packed.writestr("readme.txt", "hello")
        with pytest.raises(reading.BadTable, match="no Excel workbook"):
            reading.read(out.getvalue())

    def test_refuses_a_damaged_sheet(self):
        whole = workbook(["Артикул"], *[["A"]] * 5_000)
        with zipfile.ZipFile(io.BytesIO(whole)) as packed:
            sheet = packed.read(SHEET)
        for broken in (b"<oops", sheet[: len(sheet) // 2]):
            with pytest.raises(reading.BadTable, match=r"damaged|cannot be read"):
                reading.read(_replaced(whole, SHEET, broken))

    def test_refuses_one_whose_beginning_is_cut_off(self):
        whole = workbook(["Артикул"], ["A"])
        with zipfile.ZipFile(io.BytesIO(whole)) as packed:
            at = packed.getinfo(SHEET).header_offset
        with pytest.raises(reading.BadTable, match="damaged"):
            reading.read(b"PK\x03\x04" + whole[at + 10 :])

    @given(st.integers(0, 6_000), st.binary(min_size=1, max_size=8))
    def test_gives_rows_or_a_sentence_for_any_damage(self, at, noise):
        whole = workbook(["Артикул"], ["A"])
        at %= len(whole)
        with contextlib.suppress(DomainError):
            for row in reading.read(whole[:at] + noise + whole[at + len(noise) :]).rows:
                rows.parse(row)

    def test_refuses_what_unpacks_to_too_much(self, monkeypatch):
        monkeypatch.setattr("vezde.catalog.reading.workbook.MAX_UNPACKED", 100)
        with pytest.raises(reading.TableTooLarge, match="unpacks"):
            reading.read(workbook(["Артикул"], ["A"]))


class TestExample:
    def test_is_read_whole(self, lunaria):
        assert len(lunaria) == 50
        assert {product.brand for product in lunaria} == {"Лунария"}
        assert len({product.gtin for product in lunaria}) == 50


def _with_formula(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sheet = packed.read(SHEET)
    changed = sheet.replace(b"<v>77</v>", b"<f>70+7</f><v>77</v>")
    assert changed != sheet
    return _replaced(content, SHEET, changed)


def _replaced(content: bytes, name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(out, "w") as again:
        for part in packed.namelist():
            again.writestr(part, body if part == name else packed.read(part))
    return out.getvalue()
