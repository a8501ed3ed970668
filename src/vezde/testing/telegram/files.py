"""Files: what was sent, photos in the sizes Telegram makes of them, what may be downloaded.

Limits: https://core.telegram.org/bots/api#sending-files and #getfile.
"""

import hashlib
import io
import mimetypes
from collections import OrderedDict
from dataclasses import dataclass, field

from PIL import Image, UnidentifiedImageError

from vezde.testing.telegram.model import JSON, bad_request

DOWNLOAD_LIMIT = 20 * 1024 * 1024
UPLOAD_LIMIT = 50 * 1024 * 1024
PHOTO_LIMIT = 10 * 1024 * 1024
KEPT_BYTES = 256 * 1024 * 1024
KEPT_FILES = 50_000
KEPT_PHOTOS = 200

# Long sides of the sizes "s", "m", "x", "y" (https://core.telegram.org/api/files#image-thumbnail-types).
SIDES = (90, 320, 800, 1280)
PHOTO_QUALITY = 87


@dataclass(frozen=True)
class Picture:
    """One size of a photo, a JPEG."""

    content: bytes
    width: int
    height: int


@dataclass(frozen=True)
class File:
    """A file; `content` None is one that is only talked of: too big to hold, or elsewhere."""

    id: str
    unique_id: str
    path: str
    size: int
    content: bytes | None
    mime_type: str
    name: str = ""
    url: str = ""
    fields: JSON = field(default_factory=dict)

    def api(self) -> JSON:
        told: JSON = {"file_id": self.id, "file_unique_id": self.unique_id}
        return told | ({"file_size": self.size} if self.size else {}) | self.fields


def picture_sizes(content: bytes) -> list[Picture]:
    """The photo as JPEG in every size that is not larger than it, smallest first.

    Takes milliseconds of CPU. Raises `ApiError` for what is no picture or has impossible sides.
    """
    try:
        with Image.open(io.BytesIO(content)) as opened:
            kind = opened.format
            _check_sides(*opened.size)
            whole = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise bad_request("IMAGE_PROCESS_FAILED") from error
    longest = max(whole.size)
    sizes: list[Picture] = []
    for side in (*(side for side in SIDES if side < longest), min(longest, SIDES[-1])):
        if sizes and max(sizes[-1].width, sizes[-1].height) >= side:
            continue
        as_sent = side == longest and kind == "JPEG"
        sizes.append(_picture(whole, side, content if as_sent else None))
    return sizes


def _check_sides(width: int, height: int) -> None:
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise bad_request("PHOTO_INVALID_DIMENSIONS")


def _picture(whole: Image.Image, side: int, content: bytes | None) -> Picture:
    scale = side / max(whole.size)
    width, height = (max(1, round(one * scale)) for one in whole.size)
    if content is None:
        written = io.BytesIO()
        resized = whole if (width, height) == whole.size else whole.resize((width, height))
        resized.save(written, "JPEG", quality=PHOTO_QUALITY)
        content = written.getvalue()
    return Picture(content, width, height)


class Files:
    """Every file a bot may name, oldest forgotten first; the same bytes are made smaller once."""

    def __init__(self, start: int = 0) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()
        self._paths: dict[str, str] = {}
        self._photos: OrderedDict[str, list[Picture]] = OrderedDict()
        self._bytes = 0
        self._number = start

    def sizes(self, content: bytes) -> list[Picture]:
        """`picture_sizes`, remembered for the last pictures."""
        key = hashlib.sha256(content).hexdigest()
        if key not in self._photos:
            self._photos[key] = picture_sizes(content)
            while len(self._photos) > KEPT_PHOTOS:
                self._photos.popitem(last=False)
        return self._photos[key]

    def add_photo(self, sizes: list[Picture]) -> list[File]:
        return [
            self._add(
                "photos",
                "jpg",
                one.content,
                mime_type="image/jpeg",
                fields={"width": one.width, "height": one.height},
            )
            for one in sizes
        ]

    def add_remote_photo(self, url: str) -> list[File]:
        """A photo by address: it is not fetched, so its sides are made up."""
        fields = {"width": 1280, "height": 1280}
        return [self._add("photos", "jpg", None, mime_type="image/jpeg", url=url, fields=fields)]

    def add_document(
        self, content: bytes | None, *, name: str, size: int | None = None, url: str = ""
    ) -> File:
        """A document; without content it has the size told."""
        mime_type = mimetypes.guess_type(name)[0] or "application/octet-stream"
        extension = name.rpartition(".")[2] if "." in name else "bin"
        return self._add(
            "documents",
            extension,
            content,
            size=size,
            mime_type=mime_type,
            name=name,
            url=url,
            fields={"file_name": name, "mime_type": mime_type},
        )

    def get(self, file_id: str) -> File | None:
        return self._files.get(file_id)

    def by_path(self, path: str) -> File | None:
        return self._files.get(self._paths.get(path, ""))

    def _add(
        self,
        folder: str,
        extension: str,
        content: bytes | None,
        *,
        mime_type: str,
        size: int | None = None,
        name: str = "",
        url: str = "",
        fields: JSON,
    ) -> File:
        self._number += 1
        kept = content if size is None and content is not None else None
        made = File(
            id=f"AgACAgIAAxk{folder[0].upper()}{self._number:012d}",
            unique_id=f"AQAD{folder[0]}{self._number:08d}",
            path=f"{folder}/file_{self._number}.{extension}",
            size=len(content) if content is not None else size or 0,
            content=kept,
            mime_type=mime_type,
            name=name,
            url=url,
            fields=fields,
        )
        self._files[made.id] = made
        self._paths[made.path] = made.id
        self._bytes += len(kept or b"")
        while self._bytes > KEPT_BYTES or len(self._files) > KEPT_FILES:
            _id, gone = self._files.popitem(last=False)
            del self._paths[gone.path]
            self._bytes -= len(gone.content or b"")
        return made
