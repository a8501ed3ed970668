from collections.abc import Iterator

import pytest

from cli.installation import Installation, open_folder


@pytest.fixture(scope="session")
def real() -> Iterator[Installation]:
    """A real installation that nobody serves: every command starts its database."""
    with open_folder() as folder:
        yield Installation(folder)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Installation]:
    """A sandbox that nobody serves."""
    with open_folder() as folder:
        made = Installation(folder, VEZDE_SANDBOX="1", COLUMNS="200")
        made.run("receipts", "samples")
        yield made
