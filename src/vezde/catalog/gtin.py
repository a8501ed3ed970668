"""GTIN: 8, 12, 13 or 14 digits, the last one a check digit (GS1 General Specifications, 7.9)."""

import re

LENGTHS = (8, 12, 13, 14)
LONG_NUMBER = re.compile(r"\d{8,}")


def check_digit(body: str) -> int:
    """The check digit that belongs after `body`: weights 3, 1, 3 … from the right."""
    total = sum(int(digit) * (3 if i % 2 == 0 else 1) for i, digit in enumerate(reversed(body)))
    return -total % 10


def is_valid(digits: str) -> bool:
    """Whether the last digit checks the others; leading zeros change nothing."""
    return digits.isascii() and digits.isdecimal() and check_digit(digits[:-1]) == int(digits[-1])


def normalise(text: str) -> str:
    """The code as 14 digits; spaces and hyphens are dropped.

    Raises ValueError with a sentence when it is no GTIN.
    """
    digits = re.sub(r"[\s\u00a0-]", "", text)
    if not (digits.isascii() and digits.isdecimal()):
        raise ValueError(f"«{text[:40]}» is not a barcode; write its 8, 12, 13 or 14 digits")
    if len(digits) not in LENGTHS:
        raise ValueError(
            f"«{digits[:40]}» has {len(digits)} digits; a barcode has 8, 12, 13 or 14, "
            "check that none was lost"
        )
    if not is_valid(digits):
        raise ValueError(
            f"«{digits}» has a wrong check digit (the last should be {check_digit(digits[:-1])}); "
            "copy the barcode again"
        )
    if not digits.strip("0"):
        raise ValueError("a barcode of zeros is no barcode; leave the cell empty")
    return digits.zfill(14)


def read(code: str | None) -> str | None:
    """14 digits of a code a receipt carries, or None; zeros lost at the left are put back."""
    if not code:
        return None
    digits = code.strip()
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 14 or not int(digits):
        return None
    return digits.zfill(14) if is_valid(digits.zfill(14)) else None


def in_text(text: str) -> list[str]:
    """Codes with a right check digit printed inside a name, as 14 digits."""
    found = LONG_NUMBER.findall(text)
    return [code.zfill(14) for code in found if len(code) in LENGTHS and is_valid(code)]
