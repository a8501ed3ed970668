"""PDFs of e-receipts: the code drawn on a page, and the page's text layer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vezde.receipts.model import Note, Reason
from vezde.receipts.qr import grammar, images, typed
from vezde.receipts.reading import model, slips
from vezde.receipts.reading.model import Findings, Found

if TYPE_CHECKING:
    from PIL.Image import Image
    from pypdfium2 import PdfDocument, PdfPage  # type: ignore[import-untyped]

MOST_PAGES: Final = 10
MOST_PIXELS: Final = 9_000_000  # of a page as it is drawn
SCALE: Final = 3.0  # 216 dots an inch: a printed code's modules are 3 pixels or more
MOST_TEXT: Final = 100_000
PAGE_SECONDS: Final = 0.7
PASSWORD: Final = 4  # FPDF_ERR_PASSWORD


def read(data: bytes, *, link: str | None = None) -> Findings:
    """The receipts of the first pages; a locked or broken file says so in its `note`."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        locked = getattr(error, "err_code", None) == PASSWORD
        return replace(model.NOTHING, note=Note.LOCKED if locked else Note.OTHER_FILE)
    try:
        return _read(document, link)
    finally:
        document.close()


def views(data: bytes) -> Iterator["Image"]:
    """The first pages as they are drawn; none of a locked or broken file."""
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        return
    try:
        yield from map(_drawn, _pages(document))
    finally:
        document.close()


def _read(document: "PdfDocument", link: str | None) -> Findings:
    texts, parts = [], []
    for page in model.in_time(_pages(document)):
        said = page.get_textpage().get_text_bounded()[:MOST_TEXT]
        texts.append(said)
        parts.append(_seen(page, said, link))
    if not parts:
        return model.NOTHING
    found = model.together(parts)
    whole = "\n".join(texts)
    if len(found.receipts) == 1:  # its lines may go over several pages
        (one,) = found.receipts
        return replace(found, receipts=(replace(one, slip=_agreeing(one, slips.read(whole))),))
    if found.receipts:
        return found
    return _by_text(whole, link) or found


def _pages(document: "PdfDocument") -> Iterator["PdfPage"]:
    import pypdfium2

    for number in range(min(len(document), MOST_PAGES)):
        try:
            page = document[number]
        except pypdfium2.PdfiumError:  # a broken page says nothing of the others
            continue
        yield page
        page.close()


def _seen(page: "PdfPage", said: str, link: str | None) -> Findings:
    """The codes of a page; one page of several receipts has no text of its own for each."""
    seen = images.look_at(_drawn(page), cpu_seconds=PAGE_SECONDS)
    if not seen.receipts:
        return _by_text(said, link) or model.failed(seen.failure)
    return Findings(tuple(Found(one) for one in seen.receipts))


def _by_text(said: str, link: str | None) -> Findings | None:
    """What the text layer says where the code cannot be read: its details, when all are there."""
    from vezde.receipts.reading import pages

    for line in said.splitlines():
        if "fn=" in line.casefold():
            try:
                return Findings((Found(grammar.parse(line), slip=slips.read(said)),))
            except (grammar.NotFiscalQr, grammar.BadQr):
                continue
    details = pages.completed(typed.read(said), link)
    if details.qr is not None:
        one = Found(details.qr)
        return Findings((replace(one, slip=_agreeing(one, slips.read(said))),))
    if details.is_meant:
        return Findings(reason=Reason.BAD_QR, note=Note.NO_CODE, missing=details.missing)
    return None


def _agreeing(one: Found, slip: slips.Slip | None) -> slips.Slip | None:
    """The slip when it is of this receipt: same sum and same kind."""
    if slip is None or slip.total_kopecks != one.qr.total_kopecks:
        return None
    return slip if slip.operation == one.qr.operation else None


def _drawn(page: "PdfPage") -> "Image":
    width, height = (max(side, 1.0) for side in page.get_size())
    scale = min(SCALE, (MOST_PIXELS / (width * height)) ** 0.5)
    bitmap = page.render(scale=scale, grayscale=True, may_draw_forms=False)
    drawn: Image = bitmap.to_pil().convert("L")
    return drawn
