"""Documents from a folder."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from vezde.receipts.model import QrFields
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.providers.protocol import Query, Verdict

BOUGHT = datetime(2026, 11, 17, 18, 5)
QR = QrFields(
    wall_time=BOUGHT,
    total_kopecks=129_000,
    fn=7_380_440_800_000_017,
    fd=4211,
    fp=1_234_567_890,
    operation=1,
    operation_assumed=False,
    has_seconds=False,
)


def receipt(**told):
    line = {
        "name": "LUNARIA Сыворотка ночная 30 мл",
        "price": 129_000,
        "quantity": 1,
        "sum": 129_000,
        "nds": 1,
        "paymentType": 4,
        "productType": 1,
    }
    return {
        "code": 3,
        "user": 'ООО "ЛУНАРИЯ"',
        "userInn": "7801234564  ",
        "retailPlace": "Лунария",
        "retailPlaceAddress": "191025, г. Санкт-Петербург, Невский пр., д. 1",
        "dateTime": BOUGHT.isoformat(),
        "fiscalDriveNumber": str(QR.fn),
        "fiscalDocumentNumber": QR.fd,
        "fiscalSign": QR.fp,
        "operationType": 1,
        "fiscalDocumentFormatVer": 4,
        "totalSum": 129_000,
        "cashTotalSum": 0,
        "ecashTotalSum": 129_000,
        "prepaidSum": 0,
        "creditSum": 0,
        "provisionSum": 0,
        "items": [line],
    } | told


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bare.json").write_text(json.dumps(receipt()), "utf-8")
    return tmp_path


async def ask(provider, qr=QR):
    return await provider.fetch(Query(qr))


class TestDocumentsFolder:
    async def test_finds_the_document_of_a_qr(self, folder):
        answer = await ask(DocumentsFolder(folder))
        assert answer.verdict is Verdict.FOUND
        assert (answer.document.key.fn, answer.document.key.fd) == (QR.fn, QR.fd)
        assert answer.document.total_kopecks == 129_000

    @pytest.mark.parametrize(
        ("wrong", "named"),
        [
            ({"fp": 1_234_567_891}, "sign"),
            ({"total_kopecks": 129_001}, "sum"),
            ({"wall_time": BOUGHT + timedelta(minutes=1)}, "minute"),
        ],
    )
    async def test_calls_a_qr_forged_that_its_document_contradicts(self, folder, wrong, named):
        answer = await ask(DocumentsFolder(folder), replace(QR, **wrong))
        assert (answer.verdict, answer.document) == (Verdict.FORGED, None)
        assert answer.note == f"documents: another {named}"

    async def test_leaves_seconds_and_the_operation_to_the_document(self, folder):
        qr = replace(QR, wall_time=BOUGHT + timedelta(seconds=41), has_seconds=True, operation=2)
        assert (await ask(DocumentsFolder(folder), qr)).verdict is Verdict.FOUND

    async def test_does_not_find_what_is_not_there(self, folder):
        answer = await ask(DocumentsFolder(folder), replace(QR, fd=4212))
        assert answer.verdict is Verdict.NOT_FOUND

    async def test_notices_files_that_come_change_and_go(self, folder):
        provider = DocumentsFolder(folder)
        late = replace(QR, fd=4212)
        assert (await ask(provider, late)).verdict is Verdict.NOT_FOUND
        inside = folder / "more"
        inside.mkdir()
        wrapped = {"document": {"receipt": receipt(fiscalDocumentNumber=4212)}}
        (inside / "wrapped.json").write_text(json.dumps(wrapped), "utf-8")
        assert (await ask(provider, late)).verdict is Verdict.FOUND
        (folder / "bare.json").write_text(json.dumps(receipt(totalSum=1, items=[])), "utf-8")
        assert (await ask(provider)).verdict is not Verdict.FOUND
        (inside / "wrapped.json").unlink()
        assert (await ask(provider, late)).verdict is Verdict.NOT_FOUND

    async def test_a_file_that_cannot_be_read_does_not_hide_the_others(self, folder):
        (folder / "a-page.json").write_text("<html>", "utf-8")
        (folder / "huge.json").write_bytes(b" " * 17_000_000)
        assert (await ask(DocumentsFolder(folder))).verdict is Verdict.FOUND

    async def test_of_two_documents_of_one_number_the_one_that_fits_counts(self, folder):
        (folder / "again.json").write_text(json.dumps(receipt(fiscalSign=5)), "utf-8")
        provider = DocumentsFolder(folder)
        assert (await ask(provider)).verdict is Verdict.FOUND
        assert (await ask(provider, replace(QR, fp=5))).verdict is Verdict.FOUND
        assert (await ask(provider, replace(QR, fp=6))).verdict is Verdict.FORGED

    async def test_a_folder_that_is_not_there_is_an_outage(self, tmp_path):
        provider = DocumentsFolder(tmp_path / "nowhere", name="samples")
        answer = await ask(provider)
        assert answer.verdict is Verdict.UNAVAILABLE
        assert "samples" in answer.note
        await provider.close()
