"""Single fields of a receipt and of its lines."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from vezde.receipts.model import FiscalDocument
from vezde.testing.receipts import Shape, render

from .reading import BARE, HUGE, PAPER, QR, item, read, refusal, told, without


class TestKey:
    @pytest.mark.parametrize("fn", ["7380440800000000", 7380440800000000, " 7380440800000000 "])
    @pytest.mark.parametrize("fd", [8, "8", "0000000008", 8.0, Decimal("8.0")])
    @pytest.mark.parametrize("fp", [1401181143, "1401181143", "1401181143 "])
    def test_reads_numbers_and_padded_text(self, fn, fd, fp):
        document = told(fiscalDriveNumber=fn, fiscalDocumentNumber=fd, fiscalSign=fp)
        assert document.key == PAPER.key

    @pytest.mark.parametrize(
        "wrong",
        [
            {"fiscalDriveNumber": "73804408000000017"},
            {"fiscalDriveNumber": 0},
            {"fiscalDriveNumber": "0000000000000000"},
            {"fiscalDriveNumber": 9.9e15},
            {"fiscalDocumentNumber": 0},
            {"fiscalDocumentNumber": 2**32},
            {"fiscalDocumentNumber": -1},
            {"fiscalSign": -1},
            {"fiscalSign": 2**32},
            {"fiscalSign": 9297145668126279108},
        ],
    )
    def test_refuses_numbers_that_no_till_has(self, wrong):
        detail = refusal(BARE | wrong)
        assert "fiscal key" in detail or "whole number" in detail

    @pytest.mark.parametrize("name", ["fiscalDriveNumber", "fiscalDocumentNumber", "fiscalSign"])
    @pytest.mark.parametrize("wrong", ["x", "12 34", "-8", 8.5, True, [], {}, float("nan"), "٣"])
    def test_names_the_field_that_is_no_number(self, name, wrong):
        assert name in refusal(BARE | {name: wrong}, expected=QR) or wrong == "-8"

    @pytest.mark.parametrize("absent", [None, "", "  "])
    @pytest.mark.parametrize("name", ["fiscalDriveNumber", "fiscalDocumentNumber", "fiscalSign"])
    def test_the_qr_stands_in_for_what_is_left_out(self, name, absent):
        assert read(BARE | {name: absent}, expected=QR) == PAPER
        assert "no fiscal key" in refusal(BARE | {name: absent})

    def test_the_qr_does_not_replace_what_is_there(self):
        assert read(BARE, expected=replace(QR, fd=99, fp=99)).key == PAPER.key


class TestTime:
    AT = datetime(2026, 11, 17, 12, 30)
    EPOCH = int(AT.replace(tzinfo=UTC).timestamp())

    @pytest.mark.parametrize(
        "written",
        [
            "2026-11-17T12:30:00",
            "2026-11-17T12:30",
            "2026-11-17 12:30:00",
            " 2026-11-17T12:30:00 ",
            "2026-11-17T12:30:00.000",
            "2026-11-17T12:30:00.999999",
            "2026-11-17T12:30:00Z",
            "2026-11-17T12:30:00+07:00",
            "2026-11-17T12:30:00.000+00:00",
            "20261117T1230",
            EPOCH,
            str(EPOCH),
            float(EPOCH),
            Decimal(EPOCH),
            EPOCH * 1000,
            EPOCH * 1000 + 999,
            str(EPOCH * 1000),
        ],
    )
    def test_is_what_the_till_printed(self, written):
        assert told(dateTime=written).wall_time == self.AT

    def test_keeps_seconds(self):
        assert told(dateTime="2026-11-17T12:30:41").wall_time == self.AT.replace(second=41)
        assert told(dateTime=self.EPOCH + 41).wall_time == self.AT.replace(second=41)

    @pytest.mark.parametrize("written", [None, "", "2026-11-17", " 2026-11-17 "])
    def test_the_qr_gives_the_time_of_day_that_is_left_out(self, written):
        assert read(BARE | {"dateTime": written}, expected=QR).wall_time == self.AT
        assert "dateTime" in refusal(BARE | {"dateTime": written})

    def test_the_qr_of_another_day_gives_none(self):
        document = read(BARE | {"dateTime": "2026-11-16"}, expected=QR)
        assert document.wall_time == datetime(2026, 11, 16)

    @pytest.mark.parametrize(
        "wrong",
        [
            "вчера",
            "17.11.2026 12:30",
            "2026-13-17T12:30:00",
            "2026-02-30",
            "2026-11-17T24:30:00",
            "1999-11-17T12:30:00",
            "2100-11-17T12:30:00",
            "0001-01-01T00:00:00+14:00",
            "9999-12-31T23:59:59-14:00",
            "20261117",
            0,
            -1,
            True,
            1.5,
            10**30,
            1e300,
            Decimal("1e999999999"),
            float("nan"),
            [],
            {},
        ],
    )
    def test_refuses_anything_else(self, wrong):
        assert "dateTime" in refusal(BARE | {"dateTime": wrong}, expected=QR)


class TestOperation:
    @pytest.mark.parametrize("operation", [1, 2, 3, 4])
    def test_is_read_as_number_or_text(self, operation):
        for written in (operation, str(operation), float(operation)):
            assert told(operationType=written).operation == operation

    def test_where_it_is_left_out_the_qr_says_it_else_it_was_a_sale(self):
        left_out = without("operationType")
        assert read(left_out, expected=replace(QR, operation=2)).operation == 2
        assert read(left_out).operation == 1

    @pytest.mark.parametrize("wrong", [0, 5, -1, "", "приход", True, 1.5, [], {}])
    def test_refuses_anything_else(self, wrong):
        assert "operationType" in refusal(BARE | {"operationType": wrong})


class TestCode:
    @pytest.mark.parametrize("code", [3, 4, 31, 41])
    @pytest.mark.parametrize("shape", Shape)
    def test_every_form_in_every_shape(self, code, shape):
        paper = replace(PAPER, code=code)
        assert read(render(paper, shape)) == paper
        unsaid = render(replace(PAPER, code=None))
        assert read(unsaid | {"receiptCode": code}).code == code

    @pytest.mark.parametrize(
        ("name", "code"),
        [("receipt", 3), ("bso", 4), ("receiptCorrection", 31), ("bsoCorrection", 41)],
    )
    def test_is_told_by_the_wrapper(self, name, code):
        unsaid = render(replace(PAPER, code=None))
        assert read({"document": {name: unsaid}}).code == code
        assert read([{name: [unsaid]}]).code == code
        assert read({"subtype": name, "content": unsaid}).code == code
        assert read(unsaid | {"metadata": {"subtype": name}}).code == code

    @pytest.mark.parametrize(
        "value",
        [
            {"document": {"receiptCorrection": BARE}},
            {"receiptCorrection": BARE | {"receiptCode": 3}},
            {"subtype": "receiptCorrection", "content": BARE},
            BARE | {"metadata": {"subtype": "receiptCorrection"}},
            BARE | {"receiptCode": 31},
            BARE | {"correctionType": 0},
            BARE | {"correctionType": 1, "correctionDocumentNumber": None},
            BARE | {"correctionDocumentNumber": "12"},
            BARE | {"code": None, "correctionType": 0},
        ],
    )
    def test_any_sign_of_a_correction_wins(self, value):
        assert read(value).code == 31

    def test_a_correction_of_a_strict_form(self):
        assert told(code=4, correctionType=1).code == 41

    def test_nulls_are_no_sign_of_a_correction(self):
        nulls = {"correctionType": None, "correctionDocumentNumber": None}
        assert read(BARE | nulls).code == 3

    def test_a_correction_need_not_list_items(self):
        fields = without("items")
        for value in (fields, fields | {"items": None}, fields | {"items": []}):
            document = read({"receiptCorrection": value | {"code": 31}})
            assert document.lines == ()
            assert document.correction
            assert document.total_kopecks == PAPER.total_kopecks

    @pytest.mark.parametrize("unknown", [None, 0, 1, 999, "x", True, [], 10**30])
    def test_an_unknown_form_is_none(self, unknown):
        assert told(code=unknown).code is None


class TestSeller:
    @pytest.mark.parametrize(
        ("written", "inn"),
        [
            ("7704217370", "7704217370"),
            ("7704217370  ", "7704217370"),
            ("007704217370", "7704217370"),
            (7704217370, "7704217370"),
            ("050000000179", "050000000179"),
            (50000000179, "050000000179"),
            (179000000, "0179000000"),
            ("0179000000", "0179000000"),
            ("000000000000", None),
            ("0000000000", None),
            ("770421737", None),
            ("77042173701", None),
            ("ИНН", None),
            ("７７０４２１７３７０", None),
            ("", None),
            (0, None),
            (-7704217370, None),
            pytest.param(10**5_000, None, id="huge"),
            (True, None),
            ([], None),
        ],
    )
    def test_inn_is_of_10_or_12_digits_or_none(self, written, inn):
        assert read(BARE | {"userInn": written}).seller_inn == inn
        assert item(providerInn=written).provider_inn == inn

    def test_padding_is_taken_off(self):
        document = told(kktRegId="0004877418021575    ", user="  ООО «Лунария» ", region=" 77 ")
        assert document.kkt_reg_id == "0004877418021575"
        assert document.seller_name == "ООО «Лунария»"
        assert document.region == "77"

    def test_address_is_the_tills_else_the_tax_services(self):
        place, other = "190000, Санкт-Петербург", "101000, Москва"
        assert told(retailAddress=other).address == PAPER.address
        assert told(retailPlaceAddress=None, retailAddress=place).address == place
        metadata = {"address": place}
        assert told(retailPlaceAddress=" ", metadata=metadata).address == place
        assert told(retailPlaceAddress=None, metadata="?").address is None
        content = {"content": without("retailPlaceAddress"), "address": place}
        assert read(content).address == place
        assert read({"content": BARE, "address": place}).address == PAPER.address

    @pytest.mark.parametrize(
        ("sign", "internet"),
        [(1, True), ("1", True), (True, True), (0, False), (None, False), ([], False)],
    )
    def test_internet(self, sign, internet):
        assert read(BARE | {"internetSign": sign}).internet is internet

    def test_no_person_is_read(self):
        persons = {
            "buyerPhoneOrAddress": "+79000000001",
            "buyer": "Анна Лунина",
            "buyerInn": "500100732259",
            "buyerAddress": "anna@example.com",
            "buyerInformation": {"buyer": "Анна Лунина"},
            "operator": "Вера Кассирова",
            "operatorInn": "500100732259",
            "properties": {"propertyName": "card", "propertyValue": "4111"},
        }
        assert read(BARE | persons) == PAPER


class TestNames:
    @pytest.mark.parametrize(
        ("written", "name"),
        [
            ("Крем", "Крем"),
            ("  *Крем    1кг  ", "*Крем    1кг"),
            ("Крем\x00 LUNARIA\x1d", "Крем LUNARIA"),
            ("Крем\ud800LUNARIA", "Крем LUNARIA"),
            ("Крем\r\n\tLUNARIA", "Крем LUNARIA"),
            ("Крем\u00a0LUNARIA", "Крем LUNARIA"),
            ("Кр\u00adем\u200b", "Крем"),
            ("\ufeffКрем", "Крем"),
            ("Крем 🌙", "Крем 🌙"),
            ("Ж" * 600, "Ж" * 512),
            ("Ж" * 511 + " Ж", "Ж" * 511),
            ("\x00", None),
            (" ", None),
            (None, None),
            (5, None),
            (["Крем"], None),
        ],
    )
    def test_are_such_that_a_database_keeps_them(self, written, name):
        assert item(name=written).name == name

    async def test_any_name_is_kept_by_jsonb(self, db):
        hostile = "".join(map(chr, [*range(0x20), 0x7F, 0x85, 0xD800, 0xDFFF, 0xFFFE, 0x10FFFF]))
        document = told(user=f"a{hostile}b", items=[{"sum": 1, "name": f"c{hostile}d"}])
        cursor = await db.execute("SELECT %s::jsonb", [json.dumps(document.to_json())])
        [kept] = await cursor.fetchone()
        assert FiscalDocument.from_json(kept) == document


class TestItems:
    @pytest.mark.parametrize(
        ("items", "said"),
        [
            ({"name": "Крем", "sum": 1}, "not a list"),
            ("[]", "not a list"),
            ([None], "Item 1"),
            ([BARE["items"][0], 5], "Item 2"),
            ([[]], "Item 1"),
            ([{}] * 2_001, "2000"),
            ([{"sum": -1}], "sum"),
            ([{"sum": 1, "price": "x"}], "price"),
        ],
    )
    def test_refuses_what_is_no_list_of_items(self, items, said):
        assert said in refusal(BARE | {"items": items})

    @pytest.mark.parametrize("wrong", [1_000, -4, "x", True, 4.5, [], {}, HUGE])
    def test_an_unreadable_type_is_none(self, wrong):
        read_ = item(paymentType=wrong, productType=wrong)
        assert (read_.payment_type, read_.product_type) == (None, None)

    @pytest.mark.parametrize("written", [4, "4", " 4 ", 4.0, Decimal("4.0")])
    def test_a_type_is_read_as_number_or_text(self, written):
        assert item(paymentType=written).payment_type == 4
