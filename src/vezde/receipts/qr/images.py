"""QR codes in a picture: a photo of a receipt, a screenshot, a scan."""

import io
import time
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from vezde.kit.errors import DomainError, Kind
from vezde.receipts.model import QrFields
from vezde.receipts.qr import grammar

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "WEBP")
# A look is at a part of at most this side, because the reader's time grows with the square of the
# patterns in it that resemble a code's corners: a picture made of them takes 50 s as a whole.
SIDE = 1_600
OVERLAP = 500  # a code that is larger is large enough to be read when the whole is shrunk
ENLARGED_SIDE = 2_400
CPU_SECONDS = 2.0  # after that no further look is taken


class UnreadableImage(DomainError):
    """No code could be read, or the file is not a picture we take."""

    code = "unreadable_image"
    kind: ClassVar[Kind] = Kind.INVALID


def fiscal(data: bytes) -> QrFields:
    """The receipt's QR in a picture, the first of several; CPU work of 3 ms to 4 s.

    Other codes beside it are passed over. Raises `UnreadableImage` when no code was found,
    `NotFiscalQr` when all are others, `BadQr` when a receipt's code is broken.
    """
    failures: list[DomainError] = []
    for texts in _texts(_opened(data)):
        for text in texts:
            try:
                return grammar.parse(text)
            except (grammar.NotFiscalQr, grammar.BadQr) as error:
                failures.append(error)
    if not failures:
        raise UnreadableImage("No code was found in the picture; take it closer, in good light.")
    # A broken receipt's code says more than the shop's own code beside it.
    raise next((one for one in failures if isinstance(one, grammar.BadQr)), failures[0])


def decode(data: bytes) -> list[str]:
    """The texts of the QR codes in a picture; raises `UnreadableImage` when it is none we take."""
    return next((texts for texts in _texts(_opened(data)) if texts), [])


def _opened(data: bytes) -> "Image":
    """The first frame in shades of grey; a code is found whichever way the picture is turned."""
    from PIL import Image

    if len(data) > MOST_BYTES:
        raise UnreadableImage("The picture is over 20 MB; send a smaller one.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd tags, and sizes that are refused here anyway
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            picture.draft("L", None)  # a JPEG then decodes no colours
            return _grey(picture)
    except Image.DecompressionBombError as error:
        raise UnreadableImage(
            "The picture has over 40 million pixels; send a smaller one."
        ) from error
    except Exception as error:  # a broken file makes the decoders raise all sorts of errors
        raise UnreadableImage(
            "This is not a picture we can open; send a JPEG, PNG or WEBP."
        ) from error


def _grey(picture: "Image") -> "Image":
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("L")
    # A screenshot's transparent ground is white wherever it was seen.
    shades = picture.convert("RGBA").convert("LA")
    paper = Image.new("L", picture.size, 255)
    paper.paste(shades.getchannel("L"), mask=shades.getchannel("A"))
    return paper


def _texts(picture: "Image") -> Iterator[list[str]]:
    """The texts found at each look, without repeats, until time is up.

    QR codes alone: tills print no others, and looking for bar codes takes ten times as long and
    finds some in plain text.
    """
    import zxingcpp

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    started = time.thread_time()
    for look in _looks(picture):
        found = zxingcpp.read_barcodes(look, formats=kinds)
        yield list(dict.fromkeys(one.text for one in found if one.text))
        if time.thread_time() - started > CPU_SECONDS:
            return


def _looks(picture: "Image") -> Iterator["Image"]:
    """The whole, its parts if it was shrunk, then smoothed against noise, then sharpened.

    The last two found 73 of the 74 codes that the plain look missed and any of a dozen filters
    made readable, among 504 pictures spoilt by blur, noise, shrinking and JPEG.
    """
    from PIL import Image, ImageFilter, ImageOps

    whole = picture
    if max(picture.size) > SIDE:
        whole = picture.copy()
        whole.thumbnail((SIDE, SIDE))
    yield whole
    if whole is not picture:
        yield from _parts(picture)
    clear = ImageOps.autocontrast(whole, cutoff=1)
    yield clear.filter(ImageFilter.GaussianBlur(1.2))
    larger = ImageOps.scale(
        clear, min(2.0, ENLARGED_SIDE / max(clear.size)), Image.Resampling.BICUBIC
    )
    yield larger.filter(ImageFilter.UnsharpMask(6, 250, 0))


def _parts(picture: "Image") -> Iterator["Image"]:
    """Overlapping squares, for a small code on a large picture."""
    step = SIDE - OVERLAP
    for top in range(0, max(picture.height - OVERLAP, 1), step):
        for left in range(0, max(picture.width - OVERLAP, 1), step):
            corner = min(left + SIDE, picture.width), min(top + SIDE, picture.height)
            yield picture.crop((left, top, *corner))
