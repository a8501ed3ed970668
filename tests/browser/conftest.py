"""A sandbox that serves its playground, and a browser to open it in."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from browser import chromium
from vezde.testing.installation import Installation

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pages() -> None:
    """The pages as the sources are now."""
    subprocess.run([sys.executable, ROOT / "web" / "build.py"], check=True)


@pytest.fixture(scope="module")
def sandbox(pages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("playground") / "var"
    with Installation(folder, VEZDE_SANDBOX="1", VEZDE_WORKERS="1") as running:
        yield running


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.MISSING)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=str(path), args=chromium.FLAGS)
        yield launched
        await launched.close()
