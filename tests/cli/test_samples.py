import json
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from cli.installation import Installation, open_folder
from cli.test_inputs import LOOK
from vezde.cli import inputs, samples
from vezde.cli.inputs import Shown
from vezde.kit import share
from vezde.receipts import parsers
from vezde.receipts.model import FiscalDocument

TODAY = date(2026, 11, 18)
HOME = share.folder("examples") / "receipts"

# File -> status, reason, points pending and active; as a new member is told.
EXPECTED: Mapping[str, tuple[str, str | None, int, int]] = {
    "01-wildberries.json#1": ("accepted", None, 83, 0),
    "02-ozon-advance.json": ("accepted", None, 0, 0),
    "03-ozon-settlement.json": ("accepted", None, 45, 0),
    "04-podrygka.json": ("accepted", None, 0, 78),
    "05-own-site.json": ("accepted", None, 0, 289),
    "06-magnit-kosmetik.json": ("accepted", None, 0, 31),
    "07-goldapple.json": ("accepted", None, 0, 39),
    "08-groceries.json": ("rejected", "not_ours", 0, 0),
    "09-ozon-return.json": ("accepted", "returned", 0, 0),
    "10-till-correction.json": ("rejected", "correction", 0, 0),
    "11-too-old.json": ("rejected", "too_old", 0, 0),
    "12-doubtful.json": ("in_review", "doubtful_match", 0, 0),
    "photo-blurred.png": ("rejected", "unreadable_image", 0, 0),
    "photo-sbp.png": ("rejected", "not_fiscal_qr", 0, 0),
    "photo.png": ("accepted", None, 0, 24),
    "qr.txt:1": ("accepted", None, 0, 19),
    "qr.txt:2": ("rejected", "not_fiscal_qr", 0, 0),
    "qr.txt:3": ("rejected", "bad_qr", 0, 0),
}


@pytest.fixture(scope="module")
def fresh() -> Iterator[Installation]:
    """A sandbox where nobody has shown anything."""
    with open_folder() as folder:
        yield Installation(folder, VEZDE_SANDBOX="1")


def documents_in(folder: Path) -> dict[str, FiscalDocument]:
    paths = [*folder.glob("*.json"), *(folder / ".documents").glob("*.json")]
    return {path.name: parsers.read(path.read_bytes())[0] for path in paths}


class TestSamples:
    def test_show_what_they_are_to_show(self, fresh: Installation) -> None:
        fresh.run("receipts", "samples")
        ran = fresh.run(
            "receipts", "submit", "--enrol", "--phone", "+79000000005", "--json", "var/samples"
        )
        found = {}
        for one in map(json.loads, ran.stdout.splitlines()):
            reason = one["reason"] and one["reason"]["code"]
            points = one["points"]
            name = Path(one["file"]).name
            found[name] = (one["status"], reason, points["pending"], points["active"])
        assert found == EXPECTED

    def test_command_says_where_they_are(self, fresh: Installation) -> None:
        ran = fresh.run("receipts", "samples", "elsewhere")
        assert ran.stdout.splitlines()[0] == "elsewhere/01-wildberries.json"
        assert len(ran.stdout.splitlines()) == len(list(fresh.folder.glob("elsewhere/[!.]*")))


class TestWrite:
    def test_dates_each_as_the_manifest_says(self, tmp_path: Path) -> None:
        samples.write(tmp_path, today=TODAY)
        written = documents_in(tmp_path)
        shipped, _ = samples.manifest()
        assert len(written) == len(shipped)
        for sample in shipped:
            wall_time = written[sample.file].wall_time
            assert wall_time.date() == TODAY - timedelta(days=sample.days_ago), sample.file
            assert wall_time.time() == sample.printed.time()

    def test_leaves_no_old_date_behind(self, tmp_path: Path) -> None:
        samples.write(tmp_path, today=TODAY)
        for path in tmp_path.rglob("*.json"):
            assert "2026-03" not in path.read_text("utf-8")
            assert "202603" not in path.read_text("utf-8")

    def test_keeps_fiscal_keys_and_sums(self, tmp_path: Path) -> None:
        samples.write(tmp_path, today=TODAY)
        later = tmp_path / "later"
        samples.write(later, today=TODAY + timedelta(days=9))
        first, second = documents_in(tmp_path), documents_in(later)
        assert {name: one.key for name, one in first.items()} == {
            name: one.key for name, one in second.items()
        }
        assert len({one.key for one in first.values()}) == len(first)

    def test_shows_the_qr_codes_of_hidden_documents(self, tmp_path: Path) -> None:
        shown = samples.write(tmp_path, today=TODAY)
        assert not any(".documents" in path.parts for path in shown)
        hidden = {one.key for one in documents_in(tmp_path / ".documents").values()}
        codes = [tmp_path / "qr.txt", tmp_path / "photo.png"]
        read = [one for path in codes for one in inputs.read(path, LOOK)]
        qrs = [one.qr for one in read if isinstance(one, Shown) and one.qr]
        assert len(qrs) == 2
        assert {qr.key for qr in qrs} <= hidden

    def test_does_nothing_twice_on_one_day(self, tmp_path: Path) -> None:
        assert samples.write(tmp_path, today=TODAY)
        assert samples.write(tmp_path, today=TODAY) == []
        assert samples.write(tmp_path, today=TODAY, again=True)
        assert samples.write(tmp_path, today=TODAY + timedelta(days=1))

    def test_leaves_other_files_alone(self, tmp_path: Path) -> None:
        (tmp_path / "mine.json").write_text("{}")
        samples.write(tmp_path, today=TODAY)
        assert (tmp_path / "mine.json").read_text() == "{}"


class TestShipped:
    def test_files_are_all_in_the_manifest(self) -> None:
        shipped, _ = samples.manifest()
        assert {sample.file for sample in shipped} == {path.name for path in HOME.glob("*.json")}

    def test_come_in_several_shapes(self) -> None:
        shapes = set()
        for path in HOME.glob("*.json"):
            value = json.loads(path.read_text("utf-8"))
            shapes.add(frozenset(value[0] if isinstance(value, list) else value))
        assert len(shapes) >= 5
