"""Marking codes of packs: GTIN and serial out of what a till or a camera reads. GS1 syntax.

`01` and 14 digits, `21` and up to 20 signs, then groups after the separator GS, whose contents only
the operator of the marking can check. The same pack has the same two; the tail is dropped.
"""

import re
from dataclasses import dataclass
from typing import Final

from vezde.catalog import gtin

GS: Final = "\x1d"
# What symbologies and scanners put before the first group (ISO/IEC 15424; FNC1 spelt out).
BEFORE: Final = re.compile(r"^(?:\]d2|\]C1|\]Q3|\xe8|\x1d|\{FNC1\}|<GS>)+")
SHOWN_GS: Final = re.compile(r"\{GS\}|<GS>|\\u001d|\\x1d|_x001d_|\u241d", re.IGNORECASE)
CODE: Final = re.compile(r"01([0-9]{14})21([!-~]{1,20})(?:\x1d|$)")
HUMAN: Final = re.compile(r"\(01\)([0-9]{14})\(21\)([!-~]{1,20}?)(?:\(9[123]\)|\x1d|$)")
# Cosmetics and household chemistry have serials of six signs; readers that lose the separator leave
# 30 or 76 signs, the seventh after the serial beginning the check group.
SERIAL_SIGNS: Final = 6
WITHOUT_GS: Final = frozenset({30, 76})
CHECK_GROUPS: Final = frozenset({"91", "93"})
MOST_SIGNS: Final = 300


@dataclass(frozen=True, slots=True, order=True)
class Pack:
    """One physical pack. Serials keep their case: two that differ in it are two packs."""

    gtin: str
    serial: str

    @property
    def text(self) -> str:
        """The code without its tail, as tills keep it."""
        return f"01{self.gtin}21{self.serial}"


def read(text: str | None) -> Pack | None:
    """The pack that a code names; None when it is no marking code, or its GTIN is mistyped."""
    if not text or len(text) > MOST_SIGNS:
        return None
    plain = BEFORE.sub("", SHOWN_GS.sub(GS, text.strip("\r\n\t ")))
    start = 2 + 14 + 2
    if GS not in plain and len(plain) in WITHOUT_GS:
        end = start + SERIAL_SIGNS
        if plain[end : end + 2] in CHECK_GROUPS:
            plain = plain[:end] + GS + plain[end:]
    found = HUMAN.match(plain) or CODE.match(plain)
    if found is None or not gtin.is_valid(found[1]) or not found[1].strip("0"):
        return None
    return Pack(found[1], found[2])
