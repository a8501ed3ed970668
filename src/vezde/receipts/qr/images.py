"""Codes in a picture: a photo of a receipt, a screenshot, a scan."""

import io
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
# A second look works on pictures of at most this many pixels a side: enough for a code, quick.
SECOND_LOOK_SIDE = 2_000


class UnreadableImage(DomainError):
    """No code could be read, or the file is not a picture we take."""

    code = "unreadable_image"
    kind: ClassVar[Kind] = Kind.INVALID


def fiscal(data: bytes) -> QrFields:
    """The receipt's QR in a picture, the first of several; CPU work of 5 to 100 ms.

    Raises `UnreadableImage` when there is no code at all, `NotFiscalQr` when the codes are others,
    `BadQr` when a receipt's code is broken.
    """
    texts = decode(data)
    if not texts:
        raise UnreadableImage("No code was found in the picture; take it closer, in good light.")
    failures: list[DomainError] = []
    for text in texts:
        try:
            return grammar.parse(text)
        except (grammar.NotFiscalQr, grammar.BadQr) as error:
            failures.append(error)
    # A broken receipt's code says more than the shop's own code beside it.
    raise next((one for one in failures if isinstance(one, grammar.BadQr)), failures[0])


def decode(data: bytes) -> list[str]:
    """The texts of all codes in a picture, best first; raises `UnreadableImage`."""
    import zxingcpp

    picture = _open(data)
    for look in _looks(picture):
        found = zxingcpp.read_barcodes(look)
        if texts := list(dict.fromkeys(one.text for one in found if one.text)):
            return texts
    return []


def _open(data: bytes) -> "Image":
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(data) > MOST_BYTES:
        raise UnreadableImage("The picture is over 20 MB; send a smaller one.")
    try:
        with warnings.catch_warnings():
            # Pillow warns from half of its own limit on; ours is below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                raise UnreadableImage("The picture has over 40 million pixels; send a smaller one.")
            upright = ImageOps.exif_transpose(picture)
            return (upright or picture).convert("L")
    except (
        UnidentifiedImageError,
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
    ) as error:
        raise UnreadableImage(
            "This is not a picture we can open; send a JPEG, PNG or WEBP."
        ) from error


def _looks(picture: "Image") -> Iterator["Image"]:
    """The picture as it is; then, if nothing was found, at other sizes and with more contrast."""
    from PIL import ImageFilter, ImageOps

    yield picture
    side = max(picture.size)
    small = picture
    if side > SECOND_LOOK_SIDE:
        small = picture.copy()
        small.thumbnail((SECOND_LOOK_SIDE, SECOND_LOOK_SIDE))
        yield small
    clear = ImageOps.autocontrast(small, cutoff=1)
    yield clear
    yield clear.resize((max(1, clear.width // 2), max(1, clear.height // 2)))
    if max(clear.size) <= SECOND_LOOK_SIDE:
        yield clear.resize((clear.width * 2, clear.height * 2))
    yield clear.filter(ImageFilter.SHARPEN)
