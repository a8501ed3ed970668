import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cli.installation import Installation
from vezde.kit import share
from vezde.testing import receipts as factories
from vezde.testing.receipts import PYATEROCHKA, Shape, line, receipt, render

ANNA, BORIS = "+79000000001", "+79000000002"
CREAM = "LUNARIA КРЕМ Д/РУК МОРОШКА 75МЛ"


@pytest.fixture(scope="module")
def enrolled(sandbox: Installation) -> Installation:
    """Anna is a member: her first receipts are the samples that need nobody to be asked for."""
    sandbox.run("receipts", "submit", "--enrol", "--phone", ANNA, "var/samples/08-groceries.json")
    return sandbox


def paper(number: int, *, kopecks: int = 39_000):
    """A receipt of yesterday, whose goods earn 5 %, active at once."""
    return receipt(
        700_000 + number,
        seller=PYATEROCHKA,
        at=(datetime.now() - timedelta(days=1)).replace(second=0, microsecond=0),  # noqa: DTZ005
        lines=[line(CREAM, kopecks)],
    )


def write(sandbox: Installation, name: str, content: Any) -> str:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    path = sandbox.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(text)
    return name


def submit(sandbox: Installation, *words: object, phone: str = ANNA, code: int = 0) -> Any:
    ran = sandbox.run("receipts", "submit", "--phone", phone, "--json", *words, code=code)
    return [json.loads(one) for one in ran.stdout.splitlines()]


class TestSubmit:
    def test_enrols_only_when_asked(self, enrolled: Installation) -> None:
        file = "var/samples/08-groceries.json"
        ran = enrolled.run("receipts", "submit", "--phone", BORIS, file, code=1)
        assert "add --enrol" in ran.stderr
        enrolled.run("receipts", "submit", "--phone", BORIS, "--enrol", file)

    def test_shows_a_table_with_points_and_reasons(self, enrolled: Installation) -> None:
        good = write(enrolled, "good.json", render(paper(1)))
        ran = enrolled.run(
            "receipts", "submit", "--phone", ANNA, good, "var/samples/08-groceries.json"
        )
        for words in (
            "good.json",
            "Пятёрочка",
            "Крем для рук «Морошка и лён», 75 мл",
            "+19 баллов",
            "активны",
            "принят",
            "наших товаров мы в нём не нашли",
            "Всего: 2 чека (принято 1, отклонено 1). +19 баллов.",
        ):
            assert words in ran.stdout
        assert ran.stderr == ""

    def test_speaks_english_where_that_is_set(self, enrolled: Installation) -> None:
        good = write(enrolled, "good.json", render(paper(1)))
        ran = enrolled.run("receipts", "submit", "--phone", ANNA, good, VEZDE_LOCALE="en")
        assert "accepted (shown before)" in ran.stdout
        assert "In all: 1 receipt (accepted 1). 0 points." in ran.stdout

    def test_answers_programs_in_json(self, enrolled: Installation) -> None:
        document = paper(2, kopecks=100_000)
        (said,) = submit(enrolled, write(enrolled, "two.json", render(document, Shape.RUBLES)))
        assert said["id"].startswith("rcp_")
        assert said["status"] == "accepted"
        assert said["reason"] is None
        assert said["seller"] == "Пятёрочка"
        assert said["wall_time"] == document.wall_time.isoformat()
        assert said["points"]["active"] == 50
        assert said["items"] == [
            {
                "line": 1,
                "product_sku": "LU-B-007",
                "product": "Крем для рук «Морошка и лён», 75 мл",
                "points": 50,
            }
        ]
        (again,) = submit(enrolled, "two.json")
        assert again == said | {"repeated": True}

    def test_works_off_qr_codes_itself_when_no_worker_is_alive(
        self, enrolled: Installation
    ) -> None:
        held, unknown = paper(3), paper(4)
        write(enrolled, "var/samples/held.json", render(held))
        text = f"{unknown.qr.text()}\n{held.qr.text()}\nhttps://qr.nspk.ru/AS1\n"
        said = submit(enrolled, write(enrolled, "codes.txt", text.encode()))
        by_source = {one["file"]: one for one in said}
        assert by_source["codes.txt:1"]["reason"]["code"] == "not_found"
        assert by_source["codes.txt:2"]["points"]["active"] == 19
        assert by_source["codes.txt:3"]["reason"]["code"] == "not_fiscal_qr"

    def test_reads_pictures(self, enrolled: Installation) -> None:
        held = paper(5)
        write(enrolled, "var/samples/photographed.json", render(held))
        write(enrolled, "photos/good.png", factories.picture(held))
        write(enrolled, "photos/bad.png", factories.picture(held, blurred=True))
        said = {Path(one["file"]).name: one for one in submit(enrolled, "photos")}
        assert said["good.png"]["status"] == "accepted"
        assert said["bad.png"]["reason"]["code"] == "unreadable_image"

    def test_leaves_a_code_that_nobody_can_be_asked_for(self, enrolled: Installation) -> None:
        code = paper(6).qr.text().encode()
        write(enrolled, "later.txt", code)
        ran = enrolled.run("receipts", "submit", "--phone", ANNA, "later.txt", "--wait", 0)
        assert "проверяется" in ran.stdout
        assert "решат рабочие процессы" in ran.stdout

    def test_names_what_it_cannot_read_and_goes_on(self, enrolled: Installation) -> None:
        broken = write(enrolled, "broken.json", b'{"a":')
        good = write(enrolled, "seven.json", [render(paper(7)), {"no": "receipt"}])
        ran = enrolled.run("receipts", "submit", "--phone", ANNA, broken, good, code=1)
        assert "принято 1" in ran.stdout
        first, second = ran.stderr.splitlines()
        assert first.startswith("vezde: broken.json: This is not JSON")
        assert second.startswith("vezde: seven.json#2: There is no receipt")

    def test_takes_an_export_of_hundreds(self, enrolled: Installation) -> None:
        first = paper(1_000)
        many = [
            render(
                receipt(
                    701_000 + number,
                    seller=PYATEROCHKA,
                    at=first.wall_time,
                    lines=[line("МОЛОКО 2,5%", 8_990)],
                ),
                Shape.TICKET,
            )
            for number in range(350)
        ]
        ran = enrolled.run(
            "receipts", "submit", "--phone", ANNA, write(enrolled, "export.json", many)
        )
        assert "… и ещё 150; все сразу даёт --json." in ran.stdout
        assert "Всего: 350 чеков (отклонено 350). 0 баллов." in ran.stdout

    def test_finds_a_member_by_id(self, enrolled: Installation) -> None:
        wrong = "mem_AaIAYUJOcAu4lasgW5rZ6w"
        ran = enrolled.run(
            "receipts", "submit", "--member", wrong, "var/samples/08-groceries.json", code=1
        )
        assert "There is no such" in ran.stderr

    @pytest.mark.parametrize(
        "words", [(), ("--phone", ANNA, "--member", "mem_1"), ("--member", "mem_1", "--enrol")]
    )
    def test_asks_whose_they_are(self, real: Installation, words: tuple[str, ...]) -> None:
        real.run("receipts", "submit", *words, ".", code=2)


@pytest.fixture
def guarded(enrolled: Installation) -> Iterator[Installation]:
    """The shipped programme as a brand has it: a sandbox's own holds nothing."""
    text = (share.folder("examples") / "program.yaml").read_text("utf-8")
    quiet = text.replace("quarantine_at: 105", "quarantine_at: null")
    assert quiet != text
    enrolled.run("program", "publish", write(enrolled, "program.yaml", text.encode()))
    yield enrolled
    enrolled.run("program", "publish", write(enrolled, "program.yaml", quiet.encode()))


class TestHeld:
    def test_are_listed_released_and_declined(self, guarded: Installation) -> None:
        foam = "LUNARIA ПЕНКА Д/УМЫВ ЛУН.ШЕЛК 150МЛ"
        jar = line(foam, 69_000, gtin="02990000000019", serial="OneJar")
        for number, who in enumerate((ANNA, BORIS, "+79000000003")):
            at = paper(0).wall_time - timedelta(days=2 * number)
            document = receipt(900_000 * (number + 1), lines=[jar], at=at, seller=PYATEROCHKA)
            file = write(guarded, f"held-{number}.json", render(document))
            (shown,) = submit(guarded, "--enrol", file, phone=who)
        assert shown["reason"]["code"] == "quarantined"
        listed = guarded.run("receipts", "held").stdout
        assert "Упаковки из этого чека уже были в другом чеке: 1" in listed
        first, second = (one.split()[0] for one in listed.splitlines() if one.startswith("rcp_"))
        assert "accepted" in guarded.run("receipts", "release", first, "--note", "подарок").stdout
        ran = guarded.run("receipts", "decline", second, "--note", "чужая банка")
        assert "declined" in ran.stdout
        assert guarded.run("receipts", "held").stdout == ""
        again = guarded.run("receipts", "decline", first, "--note", "поздно", code=1)
        assert "was released" in again.stderr
