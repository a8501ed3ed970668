import pytest

from cli.installation import Installation
from vezde.kit import share

SHIPPED = share.folder("examples") / "program.yaml"
WRONG = "name: Лунария\ntimezone: Europe/Moskow\nrounding: floor\nearning: {default_rate_bp: -5}\n"


@pytest.fixture
def wrong(real: Installation) -> str:
    (real.folder / "wrong.yaml").write_text(WRONG)
    return "wrong.yaml"


class TestCheck:
    def test_is_content_with_the_shipped_one(self, real: Installation) -> None:
        ran = real.run("program", "check", SHIPPED)
        assert ran.stdout == ""
        assert "program publish" in ran.stderr

    def test_names_file_and_line_of_each_error(self, real: Installation, wrong: str) -> None:
        ran = real.run("program", "check", wrong, code=1)
        lines = ran.stdout.splitlines()
        assert any(one.startswith("wrong.yaml:2: timezone: ") for one in lines)
        assert any(one.startswith("wrong.yaml:4: earning.default_rate_bp: ") for one in lines)

    def test_needs_no_database(self, real: Installation) -> None:
        real.run("program", "check", SHIPPED, VEZDE_DATA_DIR="/proc/nowhere")


class TestPublish:
    def test_publishes_the_first_as_in_force_from_the_beginning(self, real: Installation) -> None:
        ran = real.run("program", "publish", SHIPPED)
        assert ran.stdout == "Version 1, in force from the beginning.\n"

    def test_publishes_nothing_that_is_wrong(self, real: Installation, wrong: str) -> None:
        ran = real.run("program", "publish", wrong, code=1)
        assert "wrong.yaml:2: timezone: " in ran.stdout
        assert "was not published" in ran.stderr

    def test_takes_a_later_start(self, real: Installation) -> None:
        text = SHIPPED.read_text().replace("default_rate_bp: 500", "default_rate_bp: 700")
        (real.folder / "next.yaml").write_text(text)
        start = ("--valid-from", "2099-01-01T00:00:00+03:00")
        ran = real.run("program", "publish", "next.yaml", *start)
        assert "in force from 2098-12-31 21:00 UTC" in ran.stdout

    @pytest.mark.parametrize("start", ["tomorrow", "2099-01-01T00:00:00"])
    def test_refuses_a_start_without_zone_or_sense(self, real: Installation, start: str) -> None:
        real.run("program", "publish", SHIPPED, "--valid-from", start, code=2)

    def test_refuses_a_start_in_the_past(self, real: Installation) -> None:
        (real.folder / "past.yaml").write_text(SHIPPED.read_text() + "\n# another\n")
        text = SHIPPED.read_text().replace("window_days: 30", "window_days: 40")
        (real.folder / "past.yaml").write_text(text)
        start = ("--valid-from", "2020-01-01T00:00:00Z")
        ran = real.run("program", "publish", "past.yaml", *start, code=1)
        assert "cannot start in the past" in ran.stderr


class TestTexts:
    def test_are_shown_as_members_would_read_them(self, real: Installation) -> None:
        own = SHIPPED.read_text() + "\ntexts:\n  ru:\n    receipt_active: 'Ура, {points}!'\n"
        (real.folder / "own.yaml").write_text(own)
        ran = real.run("program", "texts", "own.yaml")
        assert ran.stdout == "--- receipt_active (ru, your own)\nУра, +83 балла!\n"
        named = real.run("program", "texts", "own.yaml", "--text", "welcome")
        assert "100 баллов = 100 ₽" in named.stdout

    def test_that_are_broken_are_named_by_line(self, real: Installation) -> None:
        own = SHIPPED.read_text() + "\ntexts:\n  ru:\n    receipt_active: 'Ура, {surname}!'\n"
        (real.folder / "broken.yaml").write_text(own)
        ran = real.run("program", "texts", "broken.yaml", code=1)
        assert "{surname}" in ran.stdout
