"""Chromium for the browser tests: `python tests/browser/chromium.py` finds it or installs it.

Installed by apt where this user may; otherwise it says what to run and ends with 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "chromium")
MISSING = (
    "The browser tests need Chromium, and there is none on this machine. Install it:\n\n"
    "    sudo apt-get update && sudo apt-get install chromium\n"
)
# As root there is no sandbox to be had; the rest keeps it from calling home and from /dev/shm.
FLAGS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]


def find() -> Path | None:
    """Where it is; None: nowhere on PATH."""
    found = (shutil.which(name) for name in NAMES)
    return next((Path(path) for path in found if path), None)


def main() -> int:
    if find() is not None:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("installing chromium for the browser tests", flush=True)
        install()
    if find() is None:
        print(MISSING, file=sys.stderr)
        return 1
    return 0


def install() -> None:
    """By apt, with fresh lists if the ones here do not do."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (INSTALL, ("apt-get", "update"), INSTALL):
        ran = subprocess.run(words, env=environment, stdout=subprocess.DEVNULL, check=False)
        if words is INSTALL and ran.returncode == 0:
            return


if __name__ == "__main__":
    sys.exit(main())
