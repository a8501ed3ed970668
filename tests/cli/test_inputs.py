import json
from pathlib import Path

import pytest

from vezde.cli import inputs
from vezde.cli.inputs import Shown, Unread
from vezde.receipts.model import Reason
from vezde.receipts.reading import files, reader
from vezde.receipts.reading.model import Findings
from vezde.testing import receipts as factories
from vezde.testing.receipts import Shape, line, receipt, render


class Here:
    """Reads as every door does, in this process."""

    def file(self, data: bytes) -> Findings:
        return files.read(data)

    def text(self, given: str) -> Findings:
        return reader.of_text(given)


LOOK = Here()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def paper(number: int = 1):
    return receipt(number, lines=[line("Крем Лунария", 83_000)])


def read(name: str, content: str | bytes) -> list[Shown | Unread]:
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(inputs.read(path, LOOK))


class TestRead:
    @pytest.mark.parametrize("shape", Shape)
    def test_takes_a_document_of_any_shape(self, shape: Shape) -> None:
        (found,) = read("one.json", json.dumps(render(paper(), shape)))
        assert isinstance(found, Shown)
        assert found.document is not None
        assert found.document.key == paper().key

    def test_names_the_place_in_a_list_and_goes_on(self) -> None:
        body = [render(paper(1)), {"nothing": 1}, render(paper(3))]
        first, wrong, third = read("many.json", json.dumps(body))
        assert [one.source for one in (first, wrong, third)] == [
            "many.json#1",
            "many.json#2",
            "many.json#3",
        ]
        assert isinstance(wrong, Unread)
        assert "no receipt" in wrong.why

    def test_takes_a_document_a_line(self) -> None:
        text = f"{json.dumps(render(paper(1)))}\n\nnonsense\n{json.dumps(render(paper(2)))}\n"
        first, wrong, last = read("many.ndjson", text)
        assert (first.source, wrong.source, last.source) == (
            "many.ndjson:1",
            "many.ndjson:3",
            "many.ndjson:4",
        )
        assert isinstance(wrong, Unread)

    def test_takes_the_text_of_a_qr_code_a_line(self) -> None:
        text = f"\ufeff# мои чеки\n{paper().qr.text()}\nhttps://qr.nspk.ru/1\nt=1&s=2&fn=3\n"
        good, payment, broken = read("qr.txt", text)
        assert isinstance(good, Shown)
        assert good.qr == paper().qr
        assert good.source == "qr.txt:2"
        assert [one.unreadable for one in (payment, broken)] == [
            Reason.NOT_FISCAL_QR,
            Reason.BAD_QR,
        ]

    def test_takes_a_picture(self) -> None:
        (found,) = read("photo.PNG", factories.picture(paper()))
        assert isinstance(found, Shown)
        assert found.qr == paper().qr
        (blurred,) = read("blurred.png", factories.picture(paper(), blurred=True))
        assert isinstance(blurred, Shown)
        assert blurred.unreadable is Reason.UNREADABLE_IMAGE

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("empty.json", ""),
            ("broken.json", '{"a":'),
            ("list.json", "[]"),
            ("other.json", '{"a": 1}'),
            ("empty.txt", "\n# nothing\n"),
            ("report.docx", "PK"),
        ],
    )
    def test_says_why_a_file_is_of_no_use(self, name: str, content: str) -> None:
        (found,) = read(name, content)
        assert isinstance(found, Unread)
        assert found.source == name
        assert found.why

    def test_says_that_a_file_may_not_be_opened(self) -> None:
        (found,) = inputs.read(Path("nowhere.json"), LOOK)
        assert found == Unread("nowhere.json", "cannot be opened: No such file or directory")


class TestFiles:
    def test_of_a_folder_are_those_that_may_hold_receipts(self) -> None:
        for name in ("b.json", "a.txt", "sub/c.jpg", ".hidden/d.json", ".e.json", "readme.md"):
            Path("in", name).parent.mkdir(parents=True, exist_ok=True)
            Path("in", name).touch()
        found = inputs.files([Path("in"), Path("in/b.json"), Path("in/readme.md")])
        assert [str(one) for one in found] == [
            "in/a.txt",
            "in/b.json",
            "in/sub/c.jpg",
            "in/readme.md",
        ]
