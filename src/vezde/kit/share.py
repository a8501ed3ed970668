"""Where the files beside the code are: in a checkout at its root, in a wheel under `_share`."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def folder(name: str) -> Path:
    """`folder("migrations")` -> an existing directory; raises FileNotFoundError otherwise."""
    for candidate in (PACKAGE / "_share" / name, PACKAGE.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"{name}/ is neither in the package nor beside src/; reinstall Vezde")
