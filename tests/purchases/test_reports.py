"""Seller reports: recognised by their titles, read row by row, personal columns never."""

import io
import json
import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import date

import openpyxl
import pytest

from vezde.catalog.reading import workbook as workbook_reader
from vezde.purchases import marks
from vezde.purchases.marking import Pack
from vezde.purchases.marking import read as read_code
from vezde.purchases.reports import reading
from vezde.purchases.reports.model import Broken, Effect, Kind, Movement
from vezde.purchases.reports.reading import BadReport
from vezde.testing.reports import (
    MARKED_TITLES,
    MARKET_ORDERS,
    OZON_POSTINGS,
    OZON_RETURNS,
    POSTING,
    SRID,
    sold,
    weekly,
    withdrawn,
    workbook,
)


def rows(content: bytes) -> list[Movement | Broken]:
    return list(reading.read(content).rows)


class TestWildberries:
    def test_reads_a_sale(self):
        report = reading.read(weekly(sold()))
        assert report.kind is Kind.WILDBERRIES_WEEKLY
        (one,) = report.rows
        assert isinstance(one, Movement)
        assert (one.effect, one.mark, one.article, one.number) == (
            Effect.SOLD, SRID.lower(), "CREAM-50", 169085355,
        )  # fmt: skip
        assert (one.quantity_micro, one.happened_on) == (1_000_000, date(2026, 11, 5))
        assert "Иванов" not in repr(one)

    @pytest.mark.parametrize(
        ("reason", "document", "quantity", "effect"),
        [
            ("Возврат", "Возврат", 1, Effect.RETURNED),
            ("Возврат", "Продажа", -1, Effect.RETURNED),
            ("Корректный возврат", "Возврат", 1, Effect.RETURNED),
            ("Сторно продаж", "Возврат", 1, Effect.RETURNED),
            ("Сторно возвратов", "Продажа", 1, Effect.KEPT),
            ("Корректная  продажа", "Продажа", 0, Effect.SOLD),
            ("Логистика", "Продажа", 0, None),
            ("Компенсация подмененного товара", "Продажа", 1, None),
            ("Добровольная компенсация при возврате", "Продажа", 1, None),
        ],
    )
    def test_the_reason_decides_and_no_sign(self, reason, document, quantity, effect):
        given = sold(**{"Обоснование для оплаты": reason, "Тип документа": document,
                        "Кол-во": quantity})  # fmt: skip
        found = rows(weekly(given))
        assert [(one.effect, one.quantity_micro) for one in found] == (
            [(effect, 1_000_000)] if effect else []
        )

    def test_says_what_is_wrong_with_a_row_and_goes_on(self):
        broken = sold(Srid=None)
        late = sold(**{"Дата продажи": "вчера"})
        found = rows(weekly(broken, late, sold()))
        assert [(one.row, type(one)) for one in found] == [(2, Broken), (3, Broken), (4, Movement)]
        assert "Srid" in found[0].why
        assert "«вчера»" in found[1].why

    def test_takes_dates_as_excel_keeps_them(self):
        (one,) = rows(weekly(sold(**{"Дата продажи": 46331})))
        assert one.happened_on == date(2026, 11, 5)

    def test_reads_the_report_of_marked_goods(self):
        data = [
            {"excise_short": "0104605035006964215AbCdE", "operation_type_id": kind,
             "fiscal_doc_number": 123, "fiscal_dt": "2026-11-05",
             "fiscal_drive_number": number, "nm_id": 1, "srid": SRID, "name": "Россия"}
            for kind, number in ((1, "7380440800000001"), (2, ""))
        ]  # fmt: skip
        content = json.dumps({"response": {"data": data}}).encode()
        one, other = rows(content)
        assert (one.effect, other.effect) == (Effect.SOLD, Effect.RETURNED)
        assert (one.gtin, one.serial) == ("04605035006964", "5AbCdE")
        assert (one.fn, one.fd) == (7380440800000001, 123)
        assert (other.fn, other.fd) == (None, None)


class TestMarkedGoodsAsWorkbook:
    def test_says_what_the_api_says(self):
        back = withdrawn(
            **{"Тип операции": "Возврат в оборот", "Номер фискального документа": None}
        )
        report = reading.read(workbook(MARKED_TITLES, [withdrawn(), back]))
        assert report.kind is Kind.WILDBERRIES_MARKED
        one, other = report.rows
        assert (one.effect, other.effect) == (Effect.SOLD, Effect.RETURNED)
        assert (one.gtin, one.serial) == ("04605035006964", "5AbCdE")
        assert (one.fn, one.fd, one.mark) == (7380440800000001, 123, SRID.lower())
        assert (one.happened_on, one.number) == (date(2026, 11, 5), 169085355)
        assert (other.fn, other.fd) == (None, None)
        assert "Иванов" not in repr([one, other])

    def test_and_the_answer_of_the_api_take_the_same_row_once(self):
        said = {
            "excise_short": "0104605035006964215AbCdE",
            "operation_type_id": 1,
            "fiscal_dt": "2026-11-05",
            "srid": SRID,
        }
        (by_api,) = rows(json.dumps([said]).encode())
        (by_workbook,) = rows(workbook(MARKED_TITLES, [withdrawn()]))
        (by_names,) = rows(workbook(list(said), [said]))
        assert by_api.key == by_workbook.key == by_names.key

    @pytest.mark.parametrize(
        "code",
        [
            "0104605035006964215AbCdE_x001D_91EE10_x001D_92abc",  # as XML keeps the separator
            "]d20104605035006964215AbCdE",
            "(01)04605035006964(21)5AbCdE",
        ],
    )
    def test_takes_codes_as_programs_write_them(self, code):
        (one,) = rows(workbook(MARKED_TITLES, [withdrawn(КИЗ=code)]))
        assert (one.gtin, one.serial) == ("04605035006964", "5AbCdE")

    def test_tells_of_bad_rows_and_passes_over_other_operations(self):
        given = [
            withdrawn(КИЗ="4605035006964"),
            withdrawn(**{"Дата фискализации": "вчера"}),
            withdrawn(**{"Тип операции": "Агрегация"}),
            withdrawn(),
        ]
        found = rows(workbook(MARKED_TITLES, given))
        assert [(one.row, type(one)) for one in found] == [(2, Broken), (3, Broken), (5, Movement)]
        assert "no marking code" in found[0].why


class TestHostileWorkbooks:
    def test_of_another_sheet_in_front_is_told(self):
        book = openpyxl.load_workbook(io.BytesIO(workbook(MARKED_TITLES, [withdrawn()])))
        book.create_sheet("Обложка", 0).append(["Отчёт продавца"])
        kept = io.BytesIO()
        book.save(kept)
        with pytest.raises(BadReport, match="first sheet that is shown"):
            reading.read(kept.getvalue())

    def test_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(self):
        for part in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"):
            bomb = _rewritten(workbook(MARKED_TITLES, [withdrawn()]), part, b" " * 2**20, 600)
            assert len(bomb) < 2**20
            tracemalloc.start()
            with pytest.raises(BadReport, match="unpacks to too much"):
                reading.read(bomb)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            assert peak < 8 * 2**20, part

    def test_of_texts_without_end_is_refused(self):
        texts = b"<si><t>a</t></si>" * 2**16
        bomb = _rewritten(
            workbook(MARKED_TITLES, [withdrawn()]), "xl/sharedStrings.xml", texts, 200
        )
        with pytest.raises(BadReport, match="unpacks to too much"):
            reading.read(bomb)

    def test_of_many_rows_is_read_row_by_row(self):
        content = _long(20_000)
        tracemalloc.start()
        found = reading.read(content).rows
        assert isinstance(next(found), Movement)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 8 * 2**20, "its cells alone are some 30 MB"

    def test_of_more_rows_than_a_sheet_has_is_refused(self, monkeypatch):
        monkeypatch.setattr(workbook_reader, "MAX_ROWS", 100)
        assert len(rows(_long(99))) == 99
        with pytest.raises(BadReport, match="rows"):
            rows(_long(100))


def _rewritten(content: bytes, name: str, part: bytes, times: int = 1) -> bytes:
    """The workbook with another part of this name, so many times over."""
    kept = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as given,
        zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as made,
    ):
        for one in given.namelist():
            if one != name:
                made.writestr(one, given.read(one))
        with made.open(name, "w") as written:
            for _ in range(times):
                written.write(part)
    return kept.getvalue()


def _long(count: int) -> bytes:
    """A report of so many packs, each row written with its own texts."""
    cells = [str(withdrawn()[title]) for title in MARKED_TITLES]
    place = MARKED_TITLES.index("КИЗ")

    def row(values: Sequence[str]) -> str:
        inside = "".join(f'<c t="inlineStr"><is><t>{one}</t></is></c>' for one in values)
        return f"<row>{inside}</row>"

    rows_ = [row(MARKED_TITLES)]
    for number in range(count):
        cells[place] = f"010460503500696421{number:06}"
        rows_.append(row(cells))
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + "".join(rows_)
        + "</sheetData></worksheet>"
    )
    return _rewritten(
        workbook(MARKED_TITLES, [withdrawn()]), "xl/worksheets/sheet1.xml", sheet.encode()
    )


class TestOzon:
    def test_reads_returns_and_no_words_of_buyers(self):
        content = OZON_RETURNS + (
            f"FBO;Крем;{POSTING};CREAM-50;1990012174;10.11.2026;Возвращён;Позвоните мне;2;i1\n"
            f"FBO;Крем;{POSTING};CREAM-50;1990012174;;Отменён;;1;i2\n"
        )
        (one,) = rows(content.encode("cp1251"))
        assert (one.effect, one.mark, one.quantity_micro) == (
            Effect.RETURNED, POSTING, 2_000_000,
        )  # fmt: skip
        assert "Позвоните" not in repr(one)

    def test_reads_postings_that_were_delivered(self):
        content = OZON_POSTINGS + (
            f"1;{POSTING};2026-11-01 10:00:00;Доставлен;2026-11-05 12:00:00;Крем;7;C;1;Москва\n"
            f"1;{POSTING};2026-11-01 10:00:00;Доставляется;;Крем;8;D;1;Москва\n"
        )
        (one,) = rows(content.encode("utf-8-sig"))
        assert (one.effect, one.article, one.happened_on) == (
            Effect.SOLD, "C", date(2026, 11, 5),
        )  # fmt: skip


class TestMarket:
    def test_reads_offers_by_their_status_out_of_an_archive(self):
        content = MARKET_ORDERS + (
            '9001,01.11.2026,CREAM-50,"Крем, 50 мл",Доставлен,2026-11-05 10:00:00,05.11.2026,1\n'
            '9001,01.11.2026,MASK-100,Маска,Возвращён,2026-11-09 10:00:00,05.11.2026,1\n'
            '9002,01.11.2026,CREAM-50,Крем,В обработке,,,0\n'
        )  # fmt: skip
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("orders_and_offers_transactions.csv", content)
            archive.writestr("z_services.csv", "A,B\n" * 10_000)
        one, other = rows(packed.getvalue())
        assert (one.effect, one.mark, one.happened_on) == (Effect.SOLD, "9001", date(2026, 11, 5))
        assert (other.effect, other.happened_on) == (Effect.RETURNED, date(2026, 11, 9))

    def test_of_a_damaged_archive_is_told(self):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("orders_and_offers_transactions.csv", MARKET_ORDERS * 9)
        whole = bytearray(packed.getvalue())
        at = whole.index(b".csv") + 10  # within what is packed
        whole[at : at + 20] = b"\xff" * 20
        with pytest.raises(BadReport, match="damaged"):
            reading.read(bytes(whole))


class TestWhatIsNoReport:
    @pytest.mark.parametrize(
        "content",
        [b"", b"\x00\x01", b"PK\x03\x04rubbish", b"{", b"[]", b"a;b\n1;2\n", b"{" * 100_000,
         b"[" * 100_000],
    )  # fmt: skip
    def test_is_told_so(self, content):
        with pytest.raises(BadReport):
            list(reading.read(content).rows)


class TestMarks:
    @pytest.mark.parametrize(
        ("text", "mark"),
        [
            (f"Крем {SRID}", SRID.lower()),
            ("Крем eA9.0011223344556677·0•0", "ea9.0011223344556677.0.0"),
            ("7513432034713632943.1.0", "7513432034713632943.1.0"),
            (f"Заказ {POSTING} оплачен", POSTING),
            ("Крем 1.5.2", None),
            ("тел. 8-800-555-35-35", None),
            (None, None),
        ],
    )
    def test_are_found(self, text, mark):
        assert marks.find(text) == mark


class TestMarkingCodes:
    PACK = Pack("04605035006964", "5AbCdE")

    @pytest.mark.parametrize(
        "text",
        [
            "0104605035006964215AbCdE",
            "]d20104605035006964215AbCdE\x1d93dGVz",
            "\x1d0104605035006964215AbCdE\x1d91EE10\x1d92abc",
            "0104605035006964215AbCdE93dGVz",  # the separator was lost
            "(01)04605035006964(21)5AbCdE(93)dGVz",
            "\xe80104605035006964215AbCdE\x1d93dGVz\r\n",
        ],
    )
    def test_name_one_pack(self, text):
        assert read_code(text) == self.PACK

    @pytest.mark.parametrize(
        "text",
        ["", "hello", "0104605035006965215AbCdE", "0100000000000000215AbCdE", "x" * 1_000,
         "t=20261105T1000&s=1.00&fn=1&i=1&fp=1&n=1"],
    )  # fmt: skip
    def test_that_are_none_are_none(self, text):
        assert read_code(text) is None

    def test_keep_the_case_of_serials(self):
        assert read_code("0104605035006964215abcde") != self.PACK
