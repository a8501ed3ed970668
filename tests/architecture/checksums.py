"""The list of migrations that were ever there, with their sums: migrations/CHECKSUMS.

    python tests/architecture/checksums.py            adds the new ones
    python tests/architecture/checksums.py --rewrite  makes the list anew, before a first release

`sha256sum -c CHECKSUMS` in the folder checks it too.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "migrations"
COMMAND = "python tests/architecture/checksums.py"


class Changed(Exception):
    """A migration that is in the list has changed or is gone."""


def listed(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 as the list has them."""
    lines = (folder / "CHECKSUMS").read_text("utf-8").splitlines()
    return {name: sum_ for sum_, name in (line.split("  ") for line in lines)}


def actual(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of each file."""
    paths = sorted(folder.glob("*.sql"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def faults(listed: Mapping[str, str], actual: Mapping[str, str]) -> list[str]:
    """What is wrong, and what to do about it."""
    again = f"put it back as it was; a change is a new migration (before a release: {COMMAND} --rewrite)"
    found = []
    for name in sorted({*listed, *actual}):
        if name not in actual:
            found.append(f"{name} is gone: {again}")
        elif name not in listed:
            found.append(f"{name} is new: {COMMAND}")
        elif listed[name] != actual[name]:
            found.append(f"{name} was changed: {again}")
    return found


def add(folder: Path, *, rewrite: bool = False) -> list[str]:
    """Write the list with what is new; returns its names. Raises `Changed`."""
    there, known = actual(folder), {}
    if not rewrite:
        known = listed(folder)
        if changed := [one for one in faults(known, there) if " is new: " not in one]:
            raise Changed("\n".join(changed))
    lines = "".join(f"{sum_}  {name}\n" for name, sum_ in there.items())
    (folder / "CHECKSUMS").write_text(lines, "utf-8")
    return [name for name in there if name not in known]


if __name__ == "__main__":
    try:
        sys.stdout.write(
            "".join(f"{name}\n" for name in add(FOLDER, rewrite="--rewrite" in sys.argv))
        )
    except Changed as error:
        sys.exit(str(error))
