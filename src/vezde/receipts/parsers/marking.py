"""GTIN and serial of a line, from the product code of any format version of the tills.

FFD 1.2 names the kind of code (`productCodeNew`), the FNS app flattens it (`productCodeData`,
where the GTIN is a number without its zeros), FFD 1.05 has bytes (`productCode`).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

GS1 = re.compile(r"^\(?01\)?(\d{14})\(?21\)?([!-~]{1,40})")
HEX = re.compile(r"[0-9A-Fa-f]{12,128}")
MARKED = {b"\x44\x4d", b"\x45\x47", b"\x00\x05"}  # DataMatrix, EAN-13 in the tag's two first bytes


def code(item: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """(gtin of 14 digits or None, serial or None) of an item; an unreadable code is none."""
    named = item.get("productCodeNew")
    if isinstance(named, Mapping):
        for one in named.values():
            if isinstance(one, Mapping) and (found := _parts(one))[0]:
                return found
    flat = item.get("productCodeData")
    if isinstance(flat, Mapping) and (found := _parts(flat))[0]:
        return found
    plain = item.get("productCode")
    return _plain(plain) if isinstance(plain, str) else (None, None)


def _parts(one: Mapping[str, Any]) -> tuple[str | None, str | None]:
    gtin = checked(one.get("gtin"))
    serial = one.get("sernum")
    if gtin:
        return gtin, serial[:64] if isinstance(serial, str) and serial else None
    raw = one.get("rawProductCode")
    return _gs1(raw) if isinstance(raw, str) else (None, None)


def _plain(text: str) -> tuple[str | None, str | None]:
    text = text.strip()
    if (found := _gs1(text))[0]:
        return found
    if gtin := checked(text):
        return gtin, None
    packed = _bytes(text)
    if packed is None or len(packed) < 8 or packed[:2] not in MARKED:
        return None, None
    # Two bytes of kind, six of GTIN as a number, the rest is the serial.
    gtin = checked(int.from_bytes(packed[2:8], "big"))
    serial = packed[8:].decode("ascii", errors="ignore").strip("\x00 ")
    return gtin, (serial or None) if gtin else None


def _bytes(text: str) -> bytes | None:
    compact = text.replace(" ", "").replace("h", "")
    if HEX.fullmatch(compact) and len(compact) % 2 == 0:
        return bytes.fromhex(compact)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _gs1(text: str) -> tuple[str | None, str | None]:
    match = GS1.match(text)
    gtin = checked(match[1]) if match else None
    return (gtin, match[2].split("\x1d")[0]) if match and gtin else (None, None)


def checked(value: Any) -> str | None:
    """A GTIN of 8 to 14 digits as 14, when its check digit fits; numbers have lost their zeros."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    if not (text.isascii() and text.isdigit()) or not 6 <= len(text) <= 14 or not int(text):
        return None
    digits = text.zfill(14)
    weighted = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits))
    return digits if weighted % 10 == 0 else None
