"""Pictures that messages are sent with: PNG and JPEG files in the folder `pictures` beside this."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from vezde.kit.errors import DomainError, Kind

FOLDER = Path(__file__).parent / "pictures"
KINDS = frozenset({".png", ".jpg", ".jpeg"})


class UnknownPicture(DomainError):
    code = "unknown_picture"
    kind = Kind.INVALID


@cache
def shipped() -> Mapping[str, Path]:
    """Files by the name that views say, which is the file's without its ending."""
    found = sorted(FOLDER.glob("*")) if FOLDER.is_dir() else []
    return {path.stem: path for path in found if path.suffix in KINDS}


def content(name: str) -> bytes:
    """The bytes of a picture; raises `UnknownPicture`."""
    path = shipped().get(name)
    if path is None:
        raise UnknownPicture(f"There is no picture «{name}»; put {name}.png into {FOLDER.name}/.")
    return path.read_bytes()
