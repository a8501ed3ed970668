"""Documents in normal form."""

import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vezde.receipts.model import (
    MOST_FN,
    MOST_KOPECKS,
    MOST_UINT32,
    FiscalDocument,
    FiscalKey,
    FiscalLine,
    QrFields,
    Reason,
)
from vezde.testing import receipts as factories

PAPER = factories.receipt(7, lines=[factories.line("Крем LUNARIA 50 мл", 83_000)])

texts = st.none() | st.text(max_size=20)
sums = st.integers(0, MOST_KOPECKS)
codes = st.none() | st.integers(0, 999)
lines = st.builds(
    FiscalLine,
    line=st.integers(1, 2_000),
    name=texts,
    quantity_micro=st.integers(0, 10**15),
    price_kopecks=sums,
    sum_kopecks=sums,
    payment_type=codes,
    product_type=codes,
    provider_inn=texts,
    gtin=texts,
    serial=texts,
)
documents = st.builds(
    FiscalDocument,
    key=st.builds(
        FiscalKey,
        fn=st.integers(1, MOST_FN),
        fd=st.integers(1, MOST_UINT32),
        fp=st.integers(0, MOST_UINT32),
    ),
    wall_time=st.datetimes(datetime(2017, 1, 1), datetime(2099, 12, 31)),
    operation=st.integers(1, 4),
    total_kopecks=sums,
    lines=st.lists(lines, max_size=4).map(tuple),
    code=codes,
    seller_inn=texts,
    seller_name=texts,
    retail_place=texts,
    address=texts,
    sender=texts,
    kkt_reg_id=texts,
    internet=st.booleans(),
    region=texts,
    cash_kopecks=sums,
    ecash_kopecks=sums,
    prepaid_kopecks=sums,
    credit_kopecks=sums,
    provision_kopecks=sums,
)


class TestFiscalDocument:
    @given(documents)
    def test_comes_back_from_json_as_it_was(self, document):
        text = json.dumps(document.to_json())
        assert FiscalDocument.from_json(json.loads(text)) == document

    def test_is_compact_in_json(self):
        assert PAPER.to_json() == {
            "key": [7_380_440_800_000_000, 8, 1_401_181_143],
            "at": "2026-11-17T12:30:00",
            "op": 1,
            "sum": 83_000,
            "lines": [
                {"l": 1, "n": "Крем LUNARIA 50 мл", "q": 1_000_000, "p": 83_000, "s": 83_000}
                | {"t": 4, "k": 1}
            ],
            "code": 3,
            "seller_inn": "7825706086",
            "seller_name": 'ООО "АГРОТОРГ"',
            "retail_place": "26151-Пятерочка",
            "address": "191025, Санкт-Петербург",
            "kkt_reg_id": "0004877418000007",
            "ecash_kopecks": 83_000,
        }

    @pytest.mark.parametrize(
        ("code", "correction"), [(None, False), (3, False), (4, False), (31, True), (41, True)]
    )
    def test_knows_a_correction(self, code, correction):
        assert replace(PAPER, code=code).correction is correction

    @pytest.mark.parametrize("seconds", [0, 41])
    def test_has_the_qr_of_its_paper(self, seconds):
        at = datetime(2026, 11, 17, 12, 30, seconds)
        qr = replace(PAPER, wall_time=at, operation=2).qr
        assert qr == QrFields(
            wall_time=at,
            total_kopecks=83_000,
            fn=7_380_440_800_000_000,
            fd=8,
            fp=1_401_181_143,
            operation=2,
            has_seconds=seconds > 0,
        )
        assert qr.key == PAPER.key

    def test_keeps_its_lines_out_of_logs(self):
        assert "LUNARIA" not in repr(PAPER)


class TestQrFields:
    def test_print_the_canonical_text(self):
        qr = QrFields(datetime(2026, 1, 2, 3, 4), 5, 7, 8, 9)
        assert qr.text() == "t=20260102T0304&s=0.05&fn=0000000000000007&i=8&fp=9&n=1"
        assert replace(qr, has_seconds=True).text().startswith("t=20260102T030400&")


class TestFiscalKey:
    def test_reads_as_on_the_paper(self):
        assert str(FiscalKey(7_380_440_800_000, 8, 9)) == "0007380440800000/8/9"


class TestReason:
    def test_only_doubts_of_the_document_itself_release_its_claim(self):
        assert {reason.value for reason in Reason if reason.doubts_the_document} == {
            "forged",
            "not_found",
            "bad_qr",
            "unreadable_image",
        }
