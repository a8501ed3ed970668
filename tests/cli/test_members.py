import csv
from pathlib import Path

import pytest

from cli.installation import Installation
from vezde.kit import ids, share

TABLE = (
    "Телефон;Имя;Баллы;Сгорают\n"
    "8 916 000-01-01;Анна;1 250;31.12.2099\n"
    "+79160000102;Борис;7;никогда\n"
    "+79160000102;Борис;;никогда\n"
)


@pytest.fixture(autouse=True, scope="module")
def programme(real: Installation) -> None:
    """Dates end in its zone, and points without one live as long as it says."""
    real.run("program", "publish", str(share.folder("examples") / "program.yaml"))


class TestImport:
    def test_tells_what_became_of_each_row(self, real: Installation, tmp_path: Path) -> None:
        table = tmp_path / "балансы.csv"
        table.write_bytes(TABLE.encode("cp1251"))
        ran = real.run("members", "import", str(table), code=1)
        assert "2 balances, 2 new members, 0 imported before, 1 broken" in ran.stdout
        with (tmp_path / "балансы.csv.errors.csv").open(encoding="utf-8-sig") as told:
            assert list(csv.reader(told))[1][0] == "4"

        table.write_bytes(TABLE.replace("Борис;;никогда", "Борис;3;").encode())
        ran = real.run("members", "import", str(table), "--batch", "балансы")
        assert "1 balances, 0 new members, 2 imported before, 0 broken" in ran.stdout
        assert not (tmp_path / "балансы.csv.errors.csv").exists()

    def test_says_what_a_table_needs(self, real: Installation, tmp_path: Path) -> None:
        table = tmp_path / "wrong.csv"
        table.write_text("имя,город\nАнна,Пермь\n")
        ran = real.run("members", "import", str(table), code=1)
        assert "points" in ran.stderr
        assert "Traceback" not in ran.stderr


class TestAudit:
    def test_goes_through_the_ledger(self, real: Installation, tmp_path: Path) -> None:
        table = tmp_path / "audited.csv"
        table.write_text("phone,points\n+79160000103,5\n")
        real.run("members", "import", str(table))
        ran = real.run("audit", "--seals")
        assert "All of it holds." in ran.stdout
        assert "parts of an accrual add up to it" in ran.stdout
        *_, told = ran.stdout.splitlines()
        until, head = told.removeprefix("seals until ").rsplit(": ", 1)
        again = real.run("audit", "--seals", "--until", until)
        assert again.stdout.splitlines()[-1].endswith(head)

    def test_says_when_there_is_no_such_member(self, real: Installation) -> None:
        nobody = ids.public("mem", ids.new())
        assert "check the id" in real.run("audit", nobody, code=1).stderr
