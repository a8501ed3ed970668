"""The picture of a receipt as a person looks at it: upright, grey, small, nothing but pixels."""

import email
import email.policy
import io
import itertools
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from vezde.receipts.qr import images
from vezde.receipts.reading import files, letters, model, pdfs
from vezde.receipts.reading.model import Key

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE: Final = 1_600
MOST_BYTES: Final = 300_000
QUALITIES: Final = (75, 60, 45)
SMALLER: Final = 0.8
MOST_DEPTH: Final = 3
PAGE_SECONDS: Final = 0.7


def find(data: bytes, wanted: Collection[Key]) -> dict[Key, bytes]:
    """A JPEG of at most `MOST_BYTES` for each receipt (fn, fd) that is pictured in a file.

    Of several pages or attachments the one with the receipt's code, else the first of them. Nothing
    for texts, exports, locked and broken files. CPU work of 10 ms for a photo, of seconds for a
    letter full of them.
    """
    views = iter(model.in_time(_views(data)))
    first, second = next(views, None), next(views, None)
    if first is None:
        return {}
    if second is None:
        return dict.fromkeys(wanted, shrunk(first))
    found: dict[Key, bytes] = {}
    for view in itertools.chain((first, second), views):
        if here := (set(wanted) - found.keys()) & _codes(view):
            found |= dict.fromkeys(here, shrunk(view))
        if len(found) == len(wanted):
            return found
    return dict.fromkeys(wanted, shrunk(first)) | found


def shrunk(view: "Image") -> bytes:
    """A JPEG without any of the picture's metadata, as good as fits in `MOST_BYTES`."""
    from PIL import Image

    small = view.copy()
    small.thumbnail((SIDE, SIDE))
    while True:
        clean = Image.new("L", small.size)  # what stood beside the pixels stays behind
        clean.paste(small)
        for quality in QUALITIES:
            made = io.BytesIO()
            clean.save(made, "JPEG", quality=quality)
            if made.tell() <= MOST_BYTES:
                return made.getvalue()
        small.thumbnail((int(max(small.size) * SMALLER),) * 2)


def _views(data: bytes, depth: int = 0) -> Iterator["Image"]:
    """The pictures and pages of a file, of a letter's attachments."""
    if files.is_picture(data):
        try:
            yield images.opened(data, side=SIDE)
        except images.UnreadableImage:
            return
    elif files.is_pdf(data):
        yield from pdfs.views(data)
    elif depth < MOST_DEPTH and files.LETTER.match(data):
        try:
            letter = email.message_from_bytes(data, policy=email.policy.compat32)
        except (ValueError, LookupError, RecursionError):
            return
        for part in letters.parts(letter):
            content = part.get_payload(decode=True)
            if isinstance(content, bytes):
                yield from _views(content, depth + 1)


def _codes(view: "Image") -> set[Key]:
    seen = images.look_at(view, cpu_seconds=PAGE_SECONDS)
    return {(one.fn, one.fd) for one in seen.receipts}
