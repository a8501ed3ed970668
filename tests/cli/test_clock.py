import re
from collections.abc import Iterator

import pytest

from cli.installation import Installation, open_folder


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Installation]:
    """A sandbox of its own: its clock is not everybody's."""
    with open_folder() as folder:
        yield Installation(folder, VEZDE_SANDBOX="1")


class TestClock:
    def test_shows_the_programmes_time(self, real: Installation) -> None:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\n", real.run("clock").stdout)

    def test_of_a_sandbox_moves_ahead(self, sandbox: Installation) -> None:
        assert "30 d 0 h 0 min ahead" in sandbox.run("clock", "advance", "P30D").stdout
        assert "30 d 2 h 0 min ahead" in sandbox.run("clock", "advance", "PT2H").stdout

    def test_of_a_real_installation_does_not_move(self, real: Installation) -> None:
        assert "VEZDE_SANDBOX=1" in real.run("clock", "advance", "P30D", code=1).stderr

    def test_is_not_moved_by_what_is_no_duration(self, sandbox: Installation) -> None:
        assert "P30D" in sandbox.run("clock", "advance", "30 days", code=1).stderr


class TestMigrate:
    def test_applies_what_is_missing_once(self, real: Installation) -> None:
        real.run("clock")
        ran = real.run("db", "migrate")
        assert ran.stdout == ""
        assert "Nothing to do" in ran.stderr
