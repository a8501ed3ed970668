"""The marking code on a jar or a box: a DataMatrix in a picture."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from vezde.purchases import marking
from vezde.purchases.marking import Pack

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_CODES: Final = 20
# The whole small first, where a large code is read at once; a small one needs its pixels.
SIDES: Final = (1_000, 2_000, 4_000)


def find(picture: "Image") -> list[Pack]:
    """The packs whose codes stand in a picture in shades of grey, each once; CPU work of some
    10 ms to 1 s.
    """
    import zxingcpp

    kinds = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.DataMatrix)
    for look in _looks(picture):
        found = zxingcpp.read_barcodes(look, formats=kinds, text_mode=zxingcpp.TextMode.Plain)
        packs = [pack for one in found[:MOST_CODES] if (pack := marking.read(one.text))]
        if packs:
            return list(dict.fromkeys(packs))
    return []


def _looks(picture: "Image") -> Iterator["Image"]:
    from PIL import ImageOps

    last = None
    for side in SIDES:
        look = picture.copy()
        look.thumbnail((side, side))
        if look.size != last:
            yield look
        last = look.size
    yield ImageOps.autocontrast(look, cutoff=2)
