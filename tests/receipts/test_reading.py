"""Files that receipts come in, read as every door reads them; hostile ones refused in time."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from vezde.receipts.model import Note, Reason
from vezde.receipts.reading import files, model, reader, slips
from vezde.receipts.reading.model import Findings
from vezde.receipts.reading.reader import Reader
from vezde.testing import documents, receipts
from vezde.testing.documents import Sheet
from vezde.testing.receipts import OZON, WILDBERRIES, line, picture, receipt

CREAM = line("Крем LUNARIA 50 мл", 83_000, provider_inn="7704217370")
MASK = line("Маска для волос", 12_000, provider_inn="7704217370")
PAPER = receipt(7, lines=[CREAM, MASK], seller=WILDBERRIES)
OTHER = receipt(8, lines=[MASK], seller=OZON)
SBP = "https://qr.nspk.ru/AS10003P3RH0LJ2A9ROO038L6NT5RU1M?type=01&sum=83000&crc=1F2E"


def keys(found: Findings) -> list[object]:
    return [one.qr.key for one in found.receipts]


class TestPictures:
    def test_heic_of_a_phone(self) -> None:
        import pillow_heif

        shot = Image.open(io.BytesIO(picture(PAPER))).convert("RGB")
        out = io.BytesIO()
        pillow_heif.from_pillow(shot).save(out, quality=60)
        assert keys(files.read(out.getvalue())) == [PAPER.key]

    def test_several_receipts_in_one_picture_are_each_their_own(self) -> None:
        shots = [Image.open(io.BytesIO(picture(one))).convert("L") for one in (PAPER, OTHER)]
        both = Image.new("L", (sum(one.width for one in shots) + 60, shots[0].height + 200), 90)
        both.paste(shots[0], (10, 20))
        both.paste(shots[1], (shots[0].width + 40, 100))
        out = io.BytesIO()
        both.save(out, "JPEG", quality=70)
        assert sorted(map(str, keys(files.read(out.getvalue())))) == sorted(
            map(str, (PAPER.key, OTHER.key))
        )

    def test_a_blurred_one_is_told_from_one_without_a_code(self) -> None:
        assert files.read(receipts.picture(PAPER, blurred=True)).note is Note.BLURRED
        dots = Image.effect_noise((400, 400), 120)
        out = io.BytesIO()
        dots.save(out, "PNG")
        assert files.read(out.getvalue()).note is Note.NO_CODE


class TestPdfs:
    def test_wildberries_with_lines_marks_and_sellers(self) -> None:
        made = documents.pdf(Sheet(documents.wildberries_text(PAPER), picture(PAPER)))
        (one,) = files.read(made).receipts
        assert one.qr.text() == PAPER.qr.text()
        assert one.slip is not None
        assert one.slip.place == "wildberries"
        assert [(each.name, each.sum_kopecks, each.seller_inn) for each in one.slip.lines] == [
            ("Крем LUNARIA 50 мл", 83_000, "7704217370"),
            ("Маска для волос", 12_000, "7704217370"),
        ]
        assert one.slip.lines[0].mark == f"ea9.{1:032x}.0.0"

    def test_ozon(self) -> None:
        made = documents.pdf(Sheet(documents.ozon_text(OTHER), picture(OTHER)))
        (one,) = files.read(made).receipts
        assert one.slip is not None
        assert (one.slip.place, one.slip.total_kopecks) == ("ozon", 12_000)

    def test_over_several_pages(self) -> None:
        text = documents.wildberries_text(PAPER).split("\n")
        made = documents.pdf(
            Sheet("\n".join([*text[:11], "1 / 2", "https://receipt.wb.ru/abc"])),
            Sheet("\n".join(text[11:]), picture(PAPER)),
        )
        (one,) = files.read(made).receipts
        assert one.slip is not None
        assert len(one.slip.lines) == 2

    def test_a_receipt_a_page(self) -> None:
        made = documents.pdf(Sheet(picture=picture(PAPER)), Sheet(picture=picture(OTHER)))
        assert keys(files.read(made)) == [PAPER.key, OTHER.key]

    def test_by_its_text_where_it_has_no_code(self) -> None:
        made = documents.pdf(Sheet(documents.details_text(PAPER)))
        assert keys(files.read(made)) == [PAPER.key]

    def test_without_a_drive_says_what_is_missing(self) -> None:
        found = files.read(documents.pdf(Sheet(documents.wildberries_text(PAPER))))
        assert (found.reason, found.missing) == (Reason.BAD_QR, ("fn",))

    def test_locked(self) -> None:
        assert files.read(documents.pdf(Sheet("x"), locked=True)).note is Note.LOCKED

    @pytest.mark.parametrize("data", [b"%PDF-1.7", b"%PDF-1.4\n" + b"\0" * 9_000])
    def test_broken(self, data: bytes) -> None:
        assert files.read(data).note is Note.OTHER_FILE

    def test_of_a_thousand_pages_is_read_for_a_while_only(self) -> None:
        made = documents.pdf(*[Sheet("пусто")] * 1_000)
        began = time.monotonic()
        assert not files.read(made).receipts
        assert time.monotonic() - began < 8

    def test_of_a_page_as_large_as_a_field(self) -> None:
        made = documents.pdf(Sheet("x")).replace(b"[0 0 420 842]", b"[0 0 9e9 9e9]")
        assert not files.read(made).receipts


class TestSlips:
    def test_whose_lines_do_not_add_up_are_refused(self) -> None:
        text = documents.wildberries_text(PAPER).replace("Итого950.00", "Итого951.00")
        assert slips.read(text) is None
        text = documents.ozon_text(OTHER).replace("ИТОГ ≡ 120,00", "ИТОГ ≡ 121,00")
        assert slips.read(text) is None

    def test_return_and_prepayment(self) -> None:
        back = slips.read(documents.ozon_text(receipt(9, lines=[MASK], operation=2)))
        ahead = slips.read(
            documents.ozon_text(receipt(9, lines=[line("Маска", 9, payment_type=1)]))
        )
        assert back is not None
        assert ahead is not None
        assert (back.operation, ahead.paid_ahead) == (2, True)

    @pytest.mark.parametrize(
        "mark",
        ["dX.0123456789abcdef01234567.0.1", "7513432034713632943.1.0", "eA9·0123456789abcdef·0·0"],
    )
    def test_knows_marks_of_every_kind(self, mark: str) -> None:
        found = slips.read(documents.wildberries_text(receipt(9, lines=[MASK]), marks=[mark]))
        assert found is not None
        assert found.lines[0].mark == mark.replace("·", ".").lower()

    @given(st.text(max_size=300))
    def test_never_raise(self, text: str) -> None:
        slips.read(text)
        slips.read(documents.wildberries_text(PAPER) + text)
        slips.read(documents.ozon_text(OTHER)[:200] + text + "\nИТОГ 1.00")


class TestLetters:
    @pytest.mark.parametrize("charset", ["utf-8", "windows-1251", "koi8-r"])
    def test_with_details_in_any_charset(self, charset: str) -> None:
        made = documents.letter("Чек", text=documents.details_text(PAPER), charset=charset)
        assert keys(files.read(made)) == [PAPER.key]

    def test_with_files(self) -> None:
        made = documents.letter(
            "Ваши чеки",
            html="<p>Спасибо за покупку</p>",
            files=[
                ("чек.pdf", "application/pdf", documents.pdf(Sheet(picture=picture(PAPER)))),
                ("фото.png", "image/png", picture(OTHER)),
                ("выгрузка.json", "application/json", documents.export([PAPER, OTHER])),
            ],
        )
        assert keys(files.read(made)) == [PAPER.key, OTHER.key]

    def test_forwarded_as_a_file(self) -> None:
        within = documents.letter("Чек", files=[("фото.png", "image/png", picture(PAPER))])
        made = documents.letter("Fwd", files=[("a.eml", "application/octet-stream", within)])
        assert keys(files.read(made)) == [PAPER.key]

    def test_with_a_picture_within_its_page(self) -> None:
        packed = base64.b64encode(picture(PAPER)).decode()
        made = documents.letter("Чек", html=f'<p>Чек</p><img src="data:image/png;base64,{packed}">')
        assert keys(files.read(made)) == [PAPER.key]

    def test_with_a_code_in_a_link(self) -> None:
        code = PAPER.qr.text().replace("&", "&amp;")
        made = documents.letter(
            "Чек", html=f'<a href="https://consumer.1-ofd.ru/v1?{code}">чек</a>'
        )
        assert keys(files.read(made)) == [PAPER.key]

    def test_with_a_link_names_it(self) -> None:
        made = documents.letter("Чек", html='<a href="https://receipt.wb.ru/abc">чек</a>')
        assert files.read(made).links == ("https://receipt.wb.ru/abc",)

    def test_of_advertising_has_none(self) -> None:
        found = files.read(documents.letter("Скидки", text="Купите 2 по цене 1!"))
        assert not found.receipts
        assert found.reason is not None


class TestExports:
    def test_hundreds_at_once(self) -> None:
        papers = [receipt(number, lines=[MASK]) for number in range(400)]
        found = files.read(documents.export(papers))
        assert keys(found) == [one.key for one in papers]
        assert found.receipts[0].document is not None

    def test_a_broken_one_is_counted(self) -> None:
        rows = json.loads(documents.export([PAPER, OTHER]))
        rows[0]["ticket"]["document"]["receipt"].pop("totalSum")
        found = files.read(json.dumps(rows).encode())
        assert (len(found.receipts), found.unread) == (1, 1)


class TestNotReceipts:
    @pytest.mark.parametrize(
        ("text", "note"),
        [
            (SBP, Note.SBP),
            ("http://check.egais.ru?id=abc&dt=1611071200&cn=0123", Note.EGAIS),
            ("i=123&f=010102&s=500&t=20261117T1230", Note.KAZAKHSTAN),
            ("https://consumer.oofd.kz/?i=123&f=010102&s=500&t=20261117T1230", Note.KAZAKHSTAN),
            ("https://ch.info-center.by/?ui=A1B2", Note.BELARUS),
            ("https://www.ozon.ru/my/e-check/download/uzOm3-1", None),
        ],
    )
    def test_are_named(self, text: str, note: Note | None) -> None:
        found = reader.of_text(text)
        assert not found.receipts
        assert found.note is note or (note is None and bool(found.links))

    async def test_a_link_behind_a_login_says_so(self) -> None:
        looking = Reader()
        found = await looking.text("https://www.ozon.ru/my/e-check/download/uzOm3-1")
        assert found.note is Note.LOGIN


def bomb(side: int) -> bytes:
    out = io.BytesIO()
    Image.new("1", (side, side)).save(out, "PNG")
    return out.getvalue()


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 20_000_000)
    return out.getvalue()


@pytest.fixture(scope="module")
def looking() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


class TestHostile:
    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b"x" * 50_000_000, id="50 MB"),
            pytest.param(b"[" * 10_000 + b"]" * 10_000, id="10,000 levels"),
            pytest.param(b'{"document":' * 10_000 + b"1" + b"}" * 10_000, id="10,000 objects"),
            pytest.param(b'"\\ud800' * 50_000, id="lone surrogates"),
            pytest.param(b"\xff\xfe" + b"\xd8" * 999, id="broken UTF-16"),
            pytest.param(b"\x80" * 200_000, id="broken text"),
            pytest.param(bomb(20_000), id="a bomb of pixels"),
            pytest.param(zipped(), id="an archive"),
            pytest.param(b"<html>" + b"<div>" * 300_000, id="a page nested deep"),
            pytest.param(b"<html>" + b"<!--" * 400_000, id="a page of comments"),
            pytest.param(b"<html><![\xf7\xff\n", id="a section that is none"),
            pytest.param(b"From: a\n" * 300_000, id="a letter of heads"),
            pytest.param(
                b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 3_000, id="a nested letter"
            ),
            pytest.param(b"%PDF-1.7\n" + b"1 0 obj<</Kids[1 0 R]>>endobj\n" * 9_000, id="a PDF"),
            pytest.param(b"\0" * 1_000, id="nothing but zeros"),
            pytest.param(b"", id="nothing"),
        ],
    )
    async def test_is_refused_in_time(self, looking: Reader, data: bytes) -> None:
        began = time.monotonic()
        found = await looking.file(data)
        assert not found.receipts
        assert found.reason is not None
        assert time.monotonic() - began < reader.SECONDS + 25
        # Whatever became of the cell, the next one reads.
        assert keys(await looking.file(PAPER.qr.text().encode())) == [PAPER.key]

    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.sampled_from(
            [b"", b"%PDF-1.4\n", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"<html>", b"{", b"[",
             b"From: a@b\n\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0\x18ftypheic", b"t=20261117T1230&s="]
        ),
        st.binary(max_size=600),
    )  # fmt: skip
    def test_any_bytes_are_findings(self, head: bytes, rest: bytes) -> None:
        found = files.read(head + rest)
        assert Findings.from_json(found.to_json()) == found

    @settings(max_examples=60, deadline=None)
    @given(st.integers(0, 5_000), st.binary(min_size=1, max_size=12), st.integers(0, 3))
    def test_spoilt_files_are_findings(self, place: int, noise: bytes, which: int) -> None:
        good = SOUND[which]
        data = bytearray(good)
        at = place % len(data)
        data[at : at + len(noise)] = noise
        try:
            found = files.read(bytes(data))
        except Exception as error:
            pytest.fail(f"{type(error).__name__} at {at}")
        assert all(one.qr.fn for one in found.receipts)


SOUND = [
    documents.pdf(Sheet(documents.wildberries_text(PAPER), picture(PAPER))),
    documents.letter("Чек", html="<b>чек</b>", files=[("a.png", "image/png", picture(PAPER))]),
    documents.export([PAPER, OTHER]),
    b"<html><body><table><tr><td>" + documents.details_text(PAPER).encode() + b"</table>",
]


class TestTogether:
    def test_keeps_the_most_telling_failure(self) -> None:
        parts = [
            Findings(reason=Reason.UNREADABLE_IMAGE, note=Note.NO_CODE),
            Findings(reason=Reason.NOT_FISCAL_QR, note=Note.SBP),
        ]
        assert model.together(parts).note is Note.SBP
