import re
from pathlib import Path

from cli.installation import Installation
from vezde.receipts.qr import images

ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/l/[2-9a-hjkmnp-z]{8}\n")


def made(sandbox: Installation, *words: object) -> str:
    return sandbox.run("links", "create", *words).stdout.strip()


class TestCreate:
    def test_prints_the_address_alone(self, sandbox: Installation) -> None:
        ran = sandbox.run("links", "create", "--source", "blogger-17", "--campaign", "autumn")
        assert ADDRESS.fullmatch(ran.stdout)
        assert ran.stderr == ""

    def test_writes_codes_for_print(self, sandbox: Installation) -> None:
        files = ("--png", "box.png", "--svg", "box.svg")
        ran = sandbox.run("links", "create", "--source", "box", *files)
        picture = (sandbox.folder / "box.png").read_bytes()
        assert images.decode(picture) == [ran.stdout.strip()]
        assert (sandbox.folder / "box.svg").read_text().startswith("<svg ")
        assert ran.stderr == "Wrote box.png\nWrote box.svg\n"

    def test_leads_to_the_public_address(self, sandbox: Installation) -> None:
        public = {"VEZDE_PUBLIC_URL": "https://club.example.ru/"}
        ran = sandbox.run("links", "create", "--source", "box", **public)
        assert ran.stdout.startswith("https://club.example.ru/l/")

    def test_makes_no_link_whose_code_cannot_be_written(self, sandbox: Installation) -> None:
        words = ("--source", "lost", "--png", "/nowhere/at/all.png")
        ran = sandbox.run("links", "create", *words, code=2)
        assert "cannot be written" in ran.stderr
        assert ran.stdout == ""
        assert "lost" not in sandbox.run("links", "list").stdout

    def test_names_what_is_wrong_with_a_source(self, sandbox: Installation) -> None:
        assert "source" in sandbox.run("links", "create", "--source", " ", code=1).stderr

    def test_warns_of_an_address_that_nobody_reaches(self, real: Installation) -> None:
        ran = real.run("links", "create", "--source", "box")
        assert ADDRESS.fullmatch(ran.stdout)
        assert "VEZDE_PUBLIC_URL" in ran.stderr
        assert "VEZDE_TELEGRAM_BOT" in ran.stderr
        ready = {"VEZDE_PUBLIC_URL": "https://a.example.ru", "VEZDE_TELEGRAM_BOT": "lunaria_bot"}
        assert real.run("links", "create", "--source", "box", **ready).stderr == ""


class TestQr:
    def test_writes_the_same_code_again(self, sandbox: Installation, tmp_path: Path) -> None:
        address = made(sandbox, "--source", "shelf")
        file = tmp_path / "again.png"
        sandbox.run("links", "qr", address.rpartition("/")[2].upper(), "--png", file)
        assert images.decode(file.read_bytes()) == [address]

    def test_asks_where_to(self, sandbox: Installation) -> None:
        assert "--svg FILE" in sandbox.run("links", "qr", "abcd2345", code=2).stderr

    def test_of_no_link_says_so(self, sandbox: Installation, tmp_path: Path) -> None:
        ran = sandbox.run("links", "qr", "abcd2345", "--png", tmp_path / "x.png", code=1)
        assert "no link of this code" in ran.stderr


class TestList:
    def test_shows_links_until_they_are_put_away(self, sandbox: Installation) -> None:
        address = made(sandbox, "--source", "poster", "--note", "Метро")
        assert address in sandbox.run("links", "list").stdout
        ran = sandbox.run("links", "archive", address.rpartition("/")[2])
        assert "works on" in ran.stderr
        assert address not in sandbox.run("links", "list").stdout
        said = sandbox.run("links", "list", "--archived").stdout
        assert address in said
        assert "Метро" in said
