"""GTIN and serial of a line, from the product code of any format version of the tills.

FFD 1.2 names the kind of code (`productCodeNew`, 1163), the FNS app flattens it (`productCodeData`,
where the GTIN is a number without its zeros), FFD 1.05 and 1.1 have bytes (`productCode`, 1162).
"""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

# Mark of the symbol, GTIN (01), serial of up to 20 signs (21); what follows is the crypto tail.
GS1 = re.compile(r"(?:\]d2|\]C1|\x1d)?\(?01\)?([0-9]{14})\(?21\)?([!-~]{1,20})")
SERIAL = re.compile(r"[!-~]{1,40}")
HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){8,64}")
# The first two bytes of tag 1162 say what the six of the number are: of FFD 1.05 furs, medicines,
# tobacco, shoes; then of any of them EAN-8, EAN-13, ITF-14, GS1 and furs.
SERIALLED = frozenset({b"\0\2", b"\0\3", b"\0\5", b"\x15\x20", b"\x44\x4d", b"\x52\x46"})
PLAIN = frozenset({b"\x45\x08", b"\x45\x0d", b"\x49\x0e"})

Code = tuple[str | None, str | None]
NONE: Code = (None, None)


def code(item: Mapping[str, Any]) -> Code:
    """(gtin of 14 digits or None, serial or None) of an item; an unreadable code is none."""
    named = item.get("productCodeNew")
    flat = item.get("productCodeData")
    candidates = [*named.values(), flat] if isinstance(named, Mapping) else [flat]
    for one in candidates:
        if isinstance(one, Mapping) and (found := _parts(one))[0]:
            return found
    packed = item.get("productCode")
    return _packed(packed.strip()) if isinstance(packed, str) else NONE


def gtin14(value: Any) -> str | None:
    """A GTIN as 14 digits when its check digit fits; a number may have lost its zeros.

    Check digit: GS1 General Specifications, 7.9.
    """
    if type(value) is int and 10**6 <= value < 10**14:
        digits = f"{value:014}"
    elif isinstance(value, str) and len(value) in {8, 12, 13, 14}:
        digits = value.zfill(14)
    else:
        return None
    if not (digits.isascii() and digits.isdigit()) or not int(digits):
        return None
    weighted = 3 * sum(map(int, digits[::2])) + sum(map(int, digits[1::2]))
    return digits if weighted % 10 == 0 else None


def _parts(one: Mapping[str, Any]) -> Code:
    gtin, serial, raw = one.get("gtin"), one.get("sernum"), one.get("rawProductCode")
    if found := gtin14(gtin.strip() if isinstance(gtin, str) else gtin):
        known = isinstance(serial, str) and SERIAL.fullmatch(serial)
        return found, serial if known else None
    return _gs1(raw) if isinstance(raw, str) else NONE


def _packed(text: str) -> Code:
    """Tag 1162: text as it was scanned, or bytes as hexadecimal or base64."""
    if (found := _gs1(text))[0]:
        return found
    if gtin := gtin14(text):
        return gtin, None
    raw = _bytes(text)
    kind, number, serial = raw[:2], raw[2:8], raw[8:].rstrip(b"\0 ")
    if len(number) < 6 or kind not in SERIALLED | PLAIN:
        return NONE
    gtin = gtin14(int.from_bytes(number, "big"))
    shown = serial.decode("ascii", errors="replace")
    known = gtin and kind in SERIALLED and SERIAL.fullmatch(shown)
    return gtin, shown if known else None


def _bytes(text: str) -> bytes:
    compact = text.replace(" ", "")
    if HEX.fullmatch(compact):
        return bytes.fromhex(compact)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _gs1(text: str) -> Code:
    match = GS1.match(text)
    gtin = gtin14(match[1]) if match else None
    return (gtin, match[2]) if match and gtin else NONE
