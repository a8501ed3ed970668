"""Receipts in JSON, of every shape and of none."""

import json
import time
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument
from vezde.receipts.parsers import UnreadableDocument
from vezde.testing.receipts import Shape, render

from .reading import BARE, PAPER, QR, read, refusal

RETAIL = [*range(1, 28), *range(40, 48)]
OTHERS = range(28, 40)


def sample(shared, number: int) -> bytes:
    return (shared / f"data/receipts/{number:03d}.json").read_bytes()


class TestShapes:
    @pytest.mark.parametrize("shape", Shape)
    @pytest.mark.parametrize("how", [str, str.encode, json.loads, parsers.loading.exact])
    def test_every_shape_reads_as_the_paper_it_was_made_of(self, shape, how):
        text = json.dumps(render(PAPER, shape), ensure_ascii=False)
        if how is parsers.loading.exact:
            assert read(json.loads(text, parse_float=parsers.exact)) == PAPER
        else:
            assert read(how(text)) == PAPER

    @pytest.mark.parametrize("inner", Shape)
    @pytest.mark.parametrize("name", ["ticket", "document", "data", "json", "content"])
    def test_json_kept_as_a_text_inside_json_is_opened(self, inner, name):
        assert read({name: json.dumps(render(PAPER, inner))}) == PAPER
        assert read({"data": {"json": json.dumps(render(PAPER, inner))}, "code": 1}) == PAPER

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251", "ascii"])
    def test_every_encoding_of_russian_tools(self, encoding):
        text = json.dumps(BARE, ensure_ascii=encoding == "ascii")
        assert read(text.encode(encoding)) == PAPER

    def test_a_text_with_a_mark_and_spaces(self):
        assert read(f"\ufeff \r\n{json.dumps(BARE)}\n") == PAPER

    def test_a_list_keeps_its_order(self):
        papers = [replace(PAPER, operation=n) for n in (1, 2, 3, 4)]
        shapes = [Shape.BARE, Shape.TICKET, Shape.RUBLES, Shape.CONTENT]
        value = [render(one, shape) for one, shape in zip(papers, shapes, strict=True)]
        assert parsers.read(value) == papers
        assert parsers.read({"data": value}) == papers
        assert parsers.read([value[:2], value[2:]]) == papers

    def test_what_a_till_sends_beside_receipts_is_passed_over(self):
        shift = [{"openShift": {"shiftNumber": 1}}, {"closeShift": {"shiftNumber": 1}}]
        assert parsers.read([shift[0], {"receipt": BARE}, shift[1]]) == [PAPER]
        assert "no receipt" in refusal(shift)

    def test_an_object_holds_one_receipt(self):
        assert read({"ticket": {"document": {"receipt": BARE}}, "document": BARE}) == PAPER


class TestRealReceipts:
    @pytest.mark.parametrize("number", RETAIL)
    def test_all_shapes_of_a_receipt_have_one_normal_form(self, shared, number):
        document = read(sample(shared, number))
        assert document.lines
        assert len(document.seller_inn) in {10, 12}
        for shape in Shape:
            again = read(json.dumps(render(document, shape)))
            assert replace(again, code=document.code) == document
            assert again.code == document.code or document.code is None
            assert read(render(document, shape), expected=document.qr) == again
        assert FiscalDocument.from_json(json.loads(json.dumps(document.to_json()))) == document

    @pytest.mark.parametrize("number", RETAIL)
    def test_values_parsed_with_floats_read_as_the_text(self, shared, number):
        body = sample(shared, number)
        assert parsers.read(json.loads(body)) == parsers.read(body)

    @pytest.mark.parametrize("number", OTHERS)
    def test_documents_without_seller_and_key_are_refused(self, shared, number):
        body = sample(shared, number)
        assert "no fiscal key" in refusal(body)
        assert "fiscal key" in refusal(json.loads(body)["payload"])

    def test_013_lines_need_not_add_up_to_the_total(self, shared):
        document = read(sample(shared, 13))
        assert document.total_kopecks == 220_000
        assert [one.sum_kopecks for one in document.lines] == [220_001]
        assert document.lines[0].quantity_micro == 41_905_000

    def test_045_payments_need_not_be_there(self, shared):
        document = read(sample(shared, 45))
        assert document.total_kopecks == 6_179_800
        assert sum(one.sum_kopecks for one in document.lines) == 205_700
        assert document.ecash_kopecks == document.cash_kopecks == 0
        marked = document.lines[2]
        assert (marked.gtin, marked.serial) == ("04627083415024", None)
        assert marked.quantity_micro == 500_000

    @pytest.mark.parametrize("number", [41, 42])
    def test_041_and_042_have_no_types_of_payment_and_product(self, shared, number):
        document = read(sample(shared, number))
        assert document.code == 3
        assert {(one.payment_type, one.product_type) for one in document.lines} == {(None, None)}

    def test_040_is_of_local_time_stored_as_if_it_were_utc(self, shared):
        document = read(sample(shared, 40))
        assert document.wall_time == datetime(2024, 1, 23, 18, 16)
        assert document.key.fd == 74_694
        assert document.address.startswith("150014")

    def test_046_is_in_rubles_and_an_advance_without_names(self, shared):
        document = read(sample(shared, 46))
        assert (document.total_kopecks, document.ecash_kopecks) == (67_927, 67_927)
        assert [(one.name, one.payment_type, one.product_type) for one in document.lines] == [
            (None, 3, 10),
            (None, 3, 10),
        ]
        assert [
            (one.quantity_micro, one.price_kopecks, one.sum_kopecks) for one in document.lines
        ] == [
            (65_270_000, 100, 6_527),
            (614_000_000, 100, 61_400),
        ]
        assert document.internet is True

    def test_019_and_025_are_the_two_receipts_of_one_order(self, shared):
        advance, settlement = (read(sample(shared, number)) for number in (19, 25))
        assert (advance.lines[0].payment_type, advance.prepaid_kopecks) == (1, 0)
        assert (settlement.lines[0].payment_type, settlement.prepaid_kopecks) == (4, 58_600)
        assert advance.key != settlement.key
        assert advance.lines[0].provider_inn == settlement.lines[0].provider_inn == "7810940284"


class TestLists:
    @pytest.fixture
    def spoilt(self):
        broken = {name: value for name, value in BARE.items() if name != "dateTime"}
        other = {"_id": "1", "ticket": {"document": {}}}
        return [BARE, broken, other, "receipt", render(PAPER, Shape.RUBLES)]

    def test_read_each_keeps_the_good_ones_and_says_what_is_wrong_with_the_others(self, spoilt):
        results = list(parsers.read_each(json.dumps(spoilt)))
        assert [isinstance(one, FiscalDocument) for one in results] == [True, 0, 0, 0, True]
        said = [one.detail for one in results if isinstance(one, UnreadableDocument)]
        assert "dateTime" in said[0]
        assert "no receipt" in said[1]
        assert "no receipt" in said[2]

    def test_read_takes_all_or_none_and_tells_the_number_of_the_first_broken_one(self, spoilt):
        assert refusal(spoilt).startswith("Receipt 2 of 5: The receipt has no dateTime")
        assert "Receipt" not in refusal(spoilt[2])

    def test_read_each_raises_for_the_text_as_a_whole_at_once(self):
        with pytest.raises(UnreadableDocument, match="not JSON"):
            parsers.read_each("{")

    def test_an_empty_list_holds_nothing(self):
        assert list(parsers.read_each("[]")) == []
        assert "no receipt" in refusal("[]")

    def test_a_list_has_an_end(self):
        results = list(parsers.read_each([BARE] * (parsers.MOST_DOCUMENTS + 1)))
        assert len(results) == parsers.MOST_DOCUMENTS + 1
        assert "over 5000 receipts" in results[-1].detail
        assert isinstance(results[-2], FiscalDocument)


class TestProverkacheka:
    @pytest.mark.parametrize("code", [0, 2, 3, 4, 5, "5"])
    def test_an_answer_that_is_no_receipt_says_so(self, code):
        assert f"code {code}" in refusal({"code": code, "data": "Чек некорректен", "first": 0})
        whole = render(PAPER, Shape.PROVERKACHEKA)
        assert f"code {code}" in refusal(whole | {"code": code})

    def test_an_answer_without_a_document(self):
        assert "no receipt" in refusal({"code": 1, "data": {"json": {}, "html": ""}})
        assert "no receipt" in refusal({"code": 1, "data": "Чек получен"})

    def test_the_code_of_the_answer_is_not_the_code_of_the_form(self):
        bare = {name: value for name, value in BARE.items() if name != "code"}
        assert read({"code": 1, "data": {"json": bare}}).code is None


numbers = (
    st.integers()
    | st.floats()
    | st.sampled_from([10**400, -1, 1e308, -0.0, 2**63, 0.344, 10**15, Decimal("1e999999999")])
)
names = st.sampled_from(
    [
        *BARE,
        *BARE["items"][1],
        *("ticket", "document", "data", "json", "content", "receipt", "receiptCorrection"),
        *("code", "correctionType", "metadata", "subtype", "address", "closeShift"),
        *("productCode", "productCodeData", "gs1m", "gtin", "sernum", "rawProductCode"),
    ]
)
values = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.text(max_size=20)
    | st.sampled_from(["1", "1.50", "{}"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(names | st.text(), inner, max_size=4)
    ),
    max_leaves=12,
)
spoilt = st.dictionaries(names, values, max_size=5).map(lambda changes: BARE | changes)


class TestHostile:
    @given(values | spoilt | st.lists(spoilt, max_size=2), st.sampled_from([None, QR]))
    def test_any_value_is_a_receipt_or_unreadable(self, value, expected):
        _never_else(value, expected)

    @given(st.lists(st.dictionaries(names, values, max_size=5), min_size=1, max_size=2))
    def test_and_so_are_receipts_of_any_items(self, items):
        _never_else(BARE | {"items": items}, None)

    @given(st.lists(values) | spoilt)
    def test_values_read_as_their_text(self, value):
        try:
            text = json.dumps(value, allow_nan=False, default=_refuse)
            as_floats = json.loads(text)
        except ValueError:  # not JSON at all
            return
        assert _result(text) == _result(as_floats)

    @given(st.binary() | st.text())
    def test_any_bytes_are_a_receipt_or_unreadable(self, body):
        _never_else(body, None)

    @given(st.integers(0, 2_000), st.binary(max_size=3))
    def test_and_so_are_the_damaged_bytes_of_one(self, place, damage):
        body = json.dumps(BARE, ensure_ascii=False).encode()
        _never_else(body[:place] + damage + body[place + len(damage) :], None)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "чек",
            "{",
            "[" * 10_000,
            '{"data":' * 10_000,
            "[" * 10_000 + "]" * 10_000,
            '{"totalSum": NaN}',
            '{"totalSum": Infinity}',
            '{"totalSum": -Infinity}',
            '{"totalSum": 1e99999999999999999999}',
            '{"totalSum": 1e400}',
            f'{{"totalSum": {"9" * 5_000}}}',
            b"\x00" * 100,
            b"\xff\xfe\x00\xd8",
        ],
    )
    def test_texts_that_break_readers(self, text):
        assert refusal(text)

    def test_a_value_nested_deep(self):
        value = BARE
        for _ in range(10_000):
            value = {"data": [value]}
        assert "no receipt" in refusal(value)
        for name in ("totalSum", "dateTime", "fiscalSign", "operationType", "user", "code"):
            _never_else(BARE | {name: value}, QR)

    def test_a_text_in_a_text_in_a_text(self):
        text = json.dumps(BARE)
        for _ in range(5):
            text = json.dumps({"data": text})
        assert read(text) == PAPER
        for _ in range(5):
            text = json.dumps({"data": text})
        assert "no receipt" in refusal(text)

    def test_large_texts_are_refused_at_once(self):
        body = b" " * 50_000_000
        started = time.thread_time()
        assert "1024 KB" in refusal(body)
        assert "16384 KB" in refusal(body, most_bytes=parsers.LIST_BYTES)
        assert "1024 KB" in refusal(body.decode())
        assert time.thread_time() - started < 0.1

    @pytest.mark.parametrize(
        "value",
        [
            [1] * 500_000,
            [[]] * 500_000,
            {"items": [{}] * 300_000, "totalSum": 1},
            {"items": [], "totalSum": "1" * 1_000_000},
            {"items": [{"name": "Ж" * 500_000, "sum": 1}], "totalSum": 1},
            {"data": "[" * 500_000},
            {"data": "{" + " " * 900_000 + "}"},
            BARE | {"dateTime": Decimal("1e999999999")},
            BARE | {"fiscalSign": Decimal("1e999999999")},
            BARE | {"totalSum": Decimal("9" * 500_000)},
        ],
    )
    def test_large_values_take_no_time(self, value):
        started = time.thread_time()
        assert refusal(value)
        assert time.thread_time() - started < 1.5


def _refuse(value):
    raise ValueError(value)


def _result(value):
    try:
        return parsers.read(value)
    except UnreadableDocument as error:
        return error.detail


def _never_else(value, expected):
    try:
        documents = parsers.read(value, expected=expected)
    except UnreadableDocument:
        return
    assert documents
    for document in documents:
        text = json.dumps(document.to_json(), ensure_ascii=False)
        assert "\\u0000" not in text
        text.encode()  # raises for a lone surrogate
        assert FiscalDocument.from_json(json.loads(text)) == document
