"""QR codes in a picture: a photo of a receipt, a screenshot, a scan."""

import functools
import io
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vezde.kit.errors import DomainError, Kind
from vezde.receipts.model import FiscalKey, Note, QrFields
from vezde.receipts.qr import grammar

if TYPE_CHECKING:
    from PIL.Image import Image
    from zxingcpp import Barcode

MOST_BYTES = 20 * 1024 * 1024
MOST_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "HEIF")
# A look is at a part of at most this side, because the reader's time grows with the square of the
# patterns in it that resemble a code's corners: a picture made of them takes 50 s as a whole.
SIDE = 1_600
OVERLAP = 500  # a code that is larger is large enough to be read when the whole is shrunk
ENLARGED_SIDE = 2_400
SMALL_SIDE = 500  # a thumbnail's modules are a pixel or two: it is enlarged first
CPU_SECONDS = 2.0  # after that no further look is taken
SECOND_SECONDS = 0.5
SOFT_EDGES = 12.0  # of 255: the spread of edges in a picture out of focus
FLAT = 5.0  # of shades in a picture of nothing


class UnreadableImage(DomainError):
    """No code could be read, or the file is not a picture we take."""

    code = "unreadable_image"
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, detail: str, *, note: Note | None = None) -> None:
        super().__init__(detail)
        self.note = note


@dataclass(frozen=True, slots=True)
class Seen:
    """What a picture shows: receipts in the order they were found, else why there is none.

    `blurred`: there is a code, or may be one, that is not sharp enough to be read.
    """

    receipts: tuple[QrFields, ...] = ()
    failures: tuple[grammar.NotFiscalQr | grammar.BadQr, ...] = ()
    blurred: bool = False

    @property
    def failure(self) -> DomainError:
        """What to say of a picture without a receipt."""
        if not self.failures:
            return UnreadableImage(
                "No code was found in the picture; take it closer, in good light.",
                note=Note.BLURRED if self.blurred else Note.NO_CODE,
            )
        # A broken receipt's code says more than the shop's own code beside it.
        broken = (one for one in self.failures if isinstance(one, grammar.BadQr))
        return next(broken, self.failures[0])


def look(data: bytes, *, cpu_seconds: float = CPU_SECONDS) -> Seen:
    """Every receipt's QR in a picture; CPU work of 3 ms to 4 s. Other codes are passed over.

    Raises `UnreadableImage` when it is not a picture we take.
    """
    return look_at(opened(data), cpu_seconds=cpu_seconds)


def look_at(picture: "Image", *, cpu_seconds: float = CPU_SECONDS) -> Seen:
    """As `look`, at a picture in shades of grey."""
    receipts: dict[FiscalKey, QrFields] = {}
    failures: list[grammar.NotFiscalQr | grammar.BadQr] = []
    unread = False
    started = time.thread_time()
    for texts, broken in _codes(picture):
        unread = unread or broken
        for text in texts:
            try:
                fields = grammar.parse(text)
                receipts.setdefault(fields.key, fields)
            except (grammar.NotFiscalQr, grammar.BadQr) as error:
                failures.append(error)
        spent = time.thread_time() - started
        # A second receipt beside one that was read is looked for a moment only.
        if spent > cpu_seconds or (receipts and (not broken or spent > SECOND_SECONDS)):
            break
    if receipts:
        return Seen(tuple(receipts.values()))
    return Seen(failures=tuple(failures), blurred=unread or _is_soft(picture))


def decode(data: bytes) -> list[str]:
    """The texts of the QR codes in a picture; raises `UnreadableImage` when it is none we take."""
    return next((texts for texts, _ in _codes(opened(data)) if texts), [])


def opened(data: bytes, *, side: int | None = None) -> "Image":
    """The first frame in shades of grey; a code is found whichever way the picture is turned.

    With `side` it is upright, and may be smaller by a half, a quarter or an eighth, but not than
    that.
    """
    from PIL import Image, ImageOps

    _take_heic()
    if len(data) > MOST_BYTES:
        raise UnreadableImage("The picture is over 20 MB; send a smaller one.", note=Note.TOO_LARGE)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd tags, and sizes that are refused here anyway
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            if picture.width * picture.height > MOST_PIXELS:
                raise Image.DecompressionBombError
            # A JPEG then decodes no colours, and no more pixels than are asked for.
            picture.draft("L", None if side is None else (side, side))
            return _grey(picture if side is None else ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError as error:
        raise UnreadableImage(
            "The picture has over 40 million pixels; send a smaller one.", note=Note.TOO_LARGE
        ) from error
    except Exception as error:  # a broken file makes the decoders raise all sorts of errors
        raise UnreadableImage(
            "This is not a picture we can open; send a JPEG, PNG, WEBP or HEIC.",
            note=Note.OTHER_FILE,
        ) from error


@functools.cache
def _take_heic() -> None:
    """Pictures of phones: what is not on them (thumbnails, depth, gain) is not decoded."""
    import pi_heif  # type: ignore[import-untyped]

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _grey(picture: "Image") -> "Image":
    from PIL import Image

    if picture.mode == "L" and not picture.has_transparency_data:
        picture.load()
        return picture
    if not picture.has_transparency_data:
        return picture.convert("L")
    # A screenshot's transparent ground is white wherever it was seen.
    shades = picture.convert("RGBA").convert("LA")
    paper = Image.new("L", picture.size, 255)
    paper.paste(shades.getchannel("L"), mask=shades.getchannel("A"))
    return paper


def _codes(picture: "Image") -> Iterator[tuple[list[str], bool]]:
    """The texts found at each look, and whether there was a code that could not be read.

    QR codes alone: tills print no others, and looking for bar codes takes ten times as long and
    finds some in plain text.
    """
    import zxingcpp

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    for number, one in enumerate(_looks(picture)):
        if number == 0:  # most are read as they are, at two thirds of what a whole look takes
            plain = zxingcpp.read_barcodes(
                one.image, formats=kinds, try_invert=False, try_downscale=False, return_errors=True
            )
            if all(code.valid for code in plain) and (texts := _texts(plain)):
                yield texts, False
        found = zxingcpp.read_barcodes(one.image, formats=kinds, return_errors=True)
        broken = [code for code in found if not code.valid]
        yield _texts(found), bool(broken)
        if broken:
            yield from _closer(picture, one.corners(max(broken, key=_size)))


def _closer(
    picture: "Image", corners: Sequence[tuple[int, int]]
) -> Iterator[tuple[list[str], bool]]:
    """What a code says whose corners were found: read module by module, then flattened."""
    import zxingcpp

    from vezde.receipts.qr import flattening, sampling

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    for clean in sampling.resampled(picture, corners):
        found = zxingcpp.read_barcodes(
            clean, formats=kinds, is_pure=True, try_rotate=False, try_invert=False
        )
        if texts := _texts(found):
            yield texts, True
            return
    for flat in flattening.flattened(picture, corners):
        found = zxingcpp.read_barcodes(flat, formats=kinds, try_downscale=False, try_invert=False)
        if texts := _texts(found):
            yield texts, True
            return


def _texts(found: "Sequence[Barcode]") -> list[str]:
    return list(dict.fromkeys(one.text for one in found if one.valid and one.text))


def _size(one: "Barcode") -> int:
    place = one.position
    wide = abs(place.bottom_right.x - place.top_left.x)
    return int(wide * abs(place.bottom_right.y - place.top_left.y))


def _is_soft(picture: "Image") -> bool:
    """Whether nothing in the picture has a sharp edge: out of focus, or shaken."""
    from PIL import ImageFilter, ImageStat

    small = picture.copy()
    small.thumbnail((SIDE, SIDE))
    if small.width < 8 or small.height < 8 or ImageStat.Stat(small).stddev[0] < FLAT:
        return False
    edges = small.filter(ImageFilter.FIND_EDGES)
    inner = edges.crop((2, 2, edges.width - 2, edges.height - 2))  # the frame is an edge itself
    return float(ImageStat.Stat(inner).stddev[0]) < SOFT_EDGES


@dataclass(frozen=True, slots=True)
class _Look:
    """A picture to look at, and where it lies in the whole one: its corner, its scale."""

    image: "Image"
    left: int = 0
    top: int = 0
    scale: float = 1.0

    def corners(self, code: "Barcode") -> list[tuple[int, int]]:
        """Where the code's corners are in the whole picture, clockwise from its upper left."""
        at = code.position
        four = (at.top_left, at.top_right, at.bottom_right, at.bottom_left)
        return [
            (round(one.x / self.scale) + self.left, round(one.y / self.scale) + self.top)
            for one in four
        ]


def _looks(picture: "Image") -> Iterator[_Look]:
    """The whole, its parts if it was shrunk, then smoothed against noise, sharpened, deblurred.

    What each adds: `benchmarks/qr.py`.
    """
    from PIL import Image, ImageFilter, ImageOps

    from vezde.receipts.qr import clearing

    whole, scale = picture, 1.0
    if max(picture.size) > SIDE:
        whole = picture.copy()
        whole.thumbnail((SIDE, SIDE))
        scale = whole.width / picture.width
    yield _Look(whole, scale=scale)
    if whole is not picture:
        yield from _parts(picture)
    clear = ImageOps.autocontrast(whole, cutoff=1)
    yield _Look(clear.filter(ImageFilter.GaussianBlur(1.2)), scale=scale)
    by = min(2.0, ENLARGED_SIDE / max(clear.size))
    larger = ImageOps.scale(clear, by, Image.Resampling.BICUBIC)
    yield _Look(larger.filter(ImageFilter.UnsharpMask(6, 250, 0)), scale=scale * by)
    if max(clear.size) < SMALL_SIDE:
        clear, scale = ImageOps.scale(clear, 3.0, Image.Resampling.BICUBIC), scale * 3
    for sharper in clearing.sharpened(clear):
        yield _Look(sharper, scale=scale)


def _parts(picture: "Image") -> Iterator[_Look]:
    """Overlapping squares, for a small code on a large picture."""
    step = SIDE - OVERLAP
    for top in range(0, max(picture.height - OVERLAP, 1), step):
        for left in range(0, max(picture.width - OVERLAP, 1), step):
            corner = min(left + SIDE, picture.width), min(top + SIDE, picture.height)
            yield _Look(picture.crop((left, top, *corner)), left, top)
