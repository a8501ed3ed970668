"""Migrations are numbered once, named by their domain, and only ever added."""

from collections import Counter
from pathlib import Path

import pytest

from architecture import checksums
from architecture.reading import MIGRATIONS, PACKAGE, told
from vezde.kit import migrate


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001_kit_base.sql").write_text("CREATE SCHEMA kit;")
    (tmp_path / "0002_outbox_facts.sql").write_text("CREATE SCHEMA outbox;")
    checksums.add(tmp_path, rewrite=True)
    return tmp_path


class TestMigrations:
    def test_are_the_listed_ones(self) -> None:
        faults = checksums.faults(checksums.listed(MIGRATIONS), checksums.actual(MIGRATIONS))
        assert not faults, told(faults)

    def test_have_a_number_each(self) -> None:
        numbers = Counter(path.name[:4] for path in MIGRATIONS.glob("*.sql"))
        assert [number for number, times in numbers.items() if times > 1] == []

    def test_are_named_by_a_domain(self) -> None:
        domains = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
        strange = [one.name for one in migrate.read(MIGRATIONS) if one.domain not in domains]
        assert strange == []

    def test_are_all_read(self) -> None:
        files = {path.name for path in MIGRATIONS.iterdir()} - {"CHECKSUMS"}
        assert files == {one.name for one in migrate.read(MIGRATIONS)}


class TestChecksums:
    def test_take_a_new_one(self, folder: Path) -> None:
        (folder / "0003_members_people.sql").write_text("CREATE SCHEMA members;")
        assert checksums.add(folder) == ["0003_members_people.sql"]
        assert checksums.faults(checksums.listed(folder), checksums.actual(folder)) == []

    def test_miss_a_new_one(self, folder: Path) -> None:
        (folder / "0003_members_people.sql").write_text("CREATE SCHEMA members;")
        (fault,) = checksums.faults(checksums.listed(folder), checksums.actual(folder))
        assert fault.endswith("is new: python tests/architecture/checksums.py")

    @pytest.mark.parametrize("change", [lambda path: path.write_text("--"), Path.unlink])
    def test_keep_an_old_one_as_it_was(self, folder: Path, change) -> None:
        change(folder / "0001_kit_base.sql")
        with pytest.raises(checksums.Changed, match="put it back as it was"):
            checksums.add(folder)
