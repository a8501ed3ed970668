"""Pictures that messages are sent with: PNG and JPEG files in the folder `pictures` beside this.

One with words in it is drawn in each language: `help_ozon.ru.png`, `help_ozon.en.png`. A QR code is
drawn when it is sent: `qr:123456789`.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vezde.kit.errors import DomainError, Kind
from vezde.kit.i18n import Locale
from vezde.members.links import printing

FOLDER = Path(__file__).parent / "pictures"
QR = "qr:"
DRAWN = re.compile(r"qr:[A-Za-z0-9]{1,100}", re.ASCII)
KINDS = frozenset({".png", ".jpg", ".jpeg"})


class UnknownPicture(DomainError):
    code = "unknown_picture"
    kind = Kind.INVALID


@cache
def shipped() -> Mapping[str, Path]:
    """Files by name, which is the file's without its ending."""
    found = sorted(FOLDER.glob("*")) if FOLDER.is_dir() else []
    return {path.stem: path for path in found if path.suffix in KINDS}


def named(picture: str, locale: Locale) -> str:
    """The file's name of what a view calls `picture`; raises `UnknownPicture`."""
    if is_drawn(picture):
        return picture
    for name in (f"{picture}.{locale}", picture):
        if name in shipped():
            return name
    raise UnknownPicture(f"There is no picture «{picture}»; put its PNG into {FOLDER.name}/.")


def qr(text: str) -> str:
    """The name of a QR code with this text, 1 to 100 letters and digits."""
    return f"{QR}{text}"


def is_drawn(name: str) -> bool:
    """Whether it is drawn for one message, so that nobody else ever sends it."""
    return DRAWN.fullmatch(name) is not None


def content(name: str) -> bytes:
    """The bytes of a picture; raises `UnknownPicture`."""
    if is_drawn(name):
        return printing.png(name.removeprefix(QR))
    path = shipped().get(name)
    if path is None:
        raise UnknownPicture(f"There is no picture «{name}»; put {name}.png into {FOLDER.name}/.")
    return path.read_bytes()
