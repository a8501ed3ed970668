"""Synthetic files that receipts come in: PDFs with a text layer, letters, pages, exports.

made = pdf(Sheet(wildberries_text(paper), picture(paper)))
letter("Ваш чек", html="…", files=[("чек.pdf", "application/pdf", made)])
"""

import email.policy
import io
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from vezde.receipts.model import FiscalDocument
from vezde.testing.receipts import Shape, render

PAGE_WIDTH, PAGE_HEIGHT = 420, 842  # points


@dataclass(frozen=True)
class Sheet:
    """A page: its text layer, and a picture (any that Pillow opens) at its bottom."""

    text: str = ""
    picture: bytes | None = None


def pdf(*sheets: Sheet, locked: bool = False) -> bytes:
    """A PDF of these pages; `locked`: it opens with a password alone."""
    letters = sorted({letter for one in sheets for letter in one.text if letter != "\n"})
    codes = {letter: number for number, letter in enumerate(letters, start=1)}
    assert len(codes) < 256, "a simple font has 255 letters"
    objects: list[bytes] = []

    def put(content: bytes, stream: bytes | None = None) -> int:
        body = content
        if stream is not None:
            body = content[:-2] + b"/Length %d>>\nstream\n" % len(stream) + stream + b"\nendstream"
        objects.append(body)
        return len(objects)

    catalog, tree = put(b""), put(b"")
    unicode_map = put(b"<<>>", _to_unicode(codes))
    font = put(
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/FirstChar 1/LastChar 255/Widths[%s]"
        b"/ToUnicode %d 0 R>>" % (b" ".join([b"500"] * 255), unicode_map)
    )
    pages = []
    for sheet in sheets:
        drawn = _text(sheet.text, codes)
        resources = b"/Font<</F1 %d 0 R>>" % font
        if sheet.picture is not None:
            width, height, pixels = _pixels(sheet.picture)
            image = put(
                b"<</Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceGray"
                b"/BitsPerComponent 8/Filter/FlateDecode>>" % (width, height),
                pixels,
            )
            side = min(PAGE_WIDTH - 40, width)
            drawn += b"q %d 0 0 %d 20 20 cm /Im1 Do Q" % (side, side * height // width)
            resources += b"/XObject<</Im1 %d 0 R>>" % image
        content = put(b"<<>>", drawn)
        pages.append(
            put(
                b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 %d %d]/Contents %d 0 R/Resources<<%s>>>>"
                % (tree, PAGE_WIDTH, PAGE_HEIGHT, content, resources)
            )
        )
    objects[catalog - 1] = b"<</Type/Catalog/Pages %d 0 R>>" % tree
    kids = b" ".join(b"%d 0 R" % page for page in pages)
    objects[tree - 1] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))
    return _assembled(objects, catalog, locked=locked)


def wildberries_text(paper: FiscalDocument, *, marks: Sequence[str] = ()) -> str:
    """The text layer of a Wildberries e-receipt: each unit a line, its price glued to its sum."""
    rows = ["Кассовый чек", "Приход" if paper.operation == 1 else "Возврат прихода"]
    rows += [paper.seller_name or "", f"{paper.wall_time:%Y-%m-%d %H:%M}", "Чек No1471"]
    rows += ["NoНаименованиеЦена,", "RUB", "Кол.Сумма, RUB"]
    for line in paper.lines:
        mark = marks[line.line - 1] if marks else f"eA9.{line.line:032x}.0.0"
        total = _rubles(line.sum_kopecks)
        rows += [f"{line.line}{line.name}", mark, f"{total}1{total}", "НДС 22%"]
        rows += ["Товар/Полный расчёт", "ПОВЕРЕННЫЙ", f"ИНН продавца {line.provider_inn or ''}"]
        rows += ['ООО "ПРОДАВЕЦ"']
    total = _rubles(paper.total_kopecks)
    rows += [f"Итого{total}", f"Электронными{total}"]
    rows += [f"No ФД{paper.key.fd}", f"ФПД{paper.key.fp}"]
    return "\n".join(rows)


def ozon_text(paper: FiscalDocument) -> str:
    """The text layer of an Ozon e-receipt."""
    head = "КАССОВЫЙ ЧЕК" + (" ВОЗВРАТ ПРИХОДА" if paper.operation == 2 else "")
    ahead = any(line.payment_type in {1, 2, 3} for line in paper.lines)
    rows = [head, f"{paper.wall_time:%d.%m.%Y %H:%M}"]
    rows += ["ПРЕДОПЛАТА 100%" if ahead else "ПОЛНЫЙ РАСЧЕТ"]
    for line in paper.lines:
        rows += [f"{line.line}. {line.name}", f"≡ {_rubles(line.sum_kopecks).replace('.', ',')}"]
    rows += [f"ИТОГ ≡ {_rubles(paper.total_kopecks).replace('.', ',')}"]
    return "\n".join(rows)


def details_text(paper: FiscalDocument) -> str:
    """The details that people copy from paper by hand."""
    total = _rubles(paper.total_kopecks).replace(".", ",")
    return (
        f"ФН {paper.key.fn:016d} ФД {paper.key.fd} ФП {paper.key.fp} "
        f"сумма {total} от {paper.wall_time:%d.%m.%Y %H:%M}"
    )


def export(papers: Sequence[FiscalDocument]) -> bytes:
    """The FNS app's export of many receipts."""
    rows = [one for paper in papers for one in render(paper, Shape.EXPORT)]
    return json.dumps(rows, ensure_ascii=False).encode()


def letter(
    subject: str,
    *,
    text: str | None = None,
    html: str | None = None,
    charset: str = "utf-8",
    files: Sequence[tuple[str, str, bytes]] = (),
    to: str = "m-7f3k@club.example",
    message_id: str = "<1@shop.example>",
) -> bytes:
    """A letter of a shop; `files` are (name, type, content)."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "shop@shop.example", to, subject
    made["Message-ID"], made["Date"] = message_id, "Tue, 17 Nov 2026 12:30:00 +0300"
    made.set_content(text or "", charset=charset, cte="quoted-printable")
    if html is not None:
        made.add_alternative(html, subtype="html", charset=charset, cte="quoted-printable")
    for name, kind, content in files:
        maintype, _, subtype = kind.partition("/")
        made.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    return made.as_bytes(policy=email.policy.SMTP)


def _rubles(kopecks: int) -> str:
    whole, rest = divmod(kopecks, 100)
    return f"{whole}.{rest:02d}"


def _to_unicode(codes: dict[str, int]) -> bytes:
    rows = "\n".join(
        f"<{number:02x}> <{letter.encode('utf-16-be').hex()}>" for letter, number in codes.items()
    )
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def\n"
        "1 begincodespacerange <01> <ff> endcodespacerange\n"
        f"{len(codes)} beginbfchar\n{rows}\nendbfchar endcmap end end"
    ).encode()


def _text(text: str, codes: dict[str, int]) -> bytes:
    rows = [bytes(codes[letter] for letter in row).hex().encode() for row in text.splitlines()]
    shown = [b"<%s> Tj T*" % row for row in rows]
    return b"\n".join([b"BT /F1 7 Tf 9 TL 20 %d Td" % (PAGE_HEIGHT - 20), *shown, b"ET\n"])


def _pixels(picture: bytes) -> tuple[int, int, bytes]:
    from PIL import Image

    shades = Image.open(io.BytesIO(picture)).convert("L")
    return shades.width, shades.height, zlib.compress(shades.tobytes())


def _assembled(objects: Sequence[bytes], catalog: int, *, locked: bool) -> bytes:
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    secret = b""
    if locked:
        word = b"<" + b"00" * 32 + b">"
        secret = b"/Encrypt<</Filter/Standard/V 1/R 2/O%s/U%s/P -4>>/ID[<00><00>]" % (word, word)
    size = len(objects) + 1
    out.write(b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, rows))
    out.write(b"trailer<</Size %d/Root %d 0 R%s>>\n" % (size, catalog, secret))
    out.write(b"startxref\n%d\n%%%%EOF" % start)
    return out.getvalue()
