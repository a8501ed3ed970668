from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from vezde.kit import migrate

NOON = datetime(2026, 11, 18, 9, tzinfo=UTC)


class TestApply:
    def test_applies_once_and_in_order(self, fresh, tmp_path: Path):
        mine = _folder_with(fresh, tmp_path, ("9001_kit_one.sql", "CREATE TABLE kit.one (n int);"))
        assert _apply(fresh, mine) == ["9001_kit_one.sql"]
        assert _apply(fresh, mine) == []

    def test_a_failing_file_leaves_nothing_behind(self, fresh, tmp_path: Path):
        mine = _folder_with(
            fresh, tmp_path, ("9001_kit_bad.sql", "CREATE TABLE kit.half (n int); SELECT nonsense;")
        )
        with pytest.raises(psycopg.errors.UndefinedColumn):
            _apply(fresh, mine)
        with psycopg.connect(fresh.owner) as db:
            assert db.execute("SELECT to_regclass('kit.half')").fetchone() == (None,)

    def test_refuses_a_file_changed_after_it_was_applied(self, fresh, tmp_path: Path):
        mine = _folder_with(fresh, tmp_path, ("9001_kit_one.sql", "CREATE TABLE kit.one (n int);"))
        _apply(fresh, mine)
        (mine / "9001_kit_one.sql").write_text("CREATE TABLE kit.two (n int);")
        with pytest.raises(migrate.MigrationRefused, match="was changed"):
            _apply(fresh, mine)

    def test_refuses_a_database_from_the_future(self, fresh, tmp_path: Path):
        mine = _folder_with(fresh, tmp_path, ("9001_kit_one.sql", "CREATE TABLE kit.one (n int);"))
        _apply(fresh, mine)
        (mine / "9001_kit_one.sql").unlink()
        with pytest.raises(migrate.MigrationRefused, match="9001_kit_one"):
            _apply(fresh, mine)


def _apply(fresh, folder: Path) -> list[str]:
    return migrate.apply(fresh.owner, folder, app_login="vezde_test_app", now=NOON)


def _folder_with(fresh, tmp_path: Path, *files: tuple[str, str]) -> Path:
    from vezde.kit import share

    for migration in migrate.read(share.folder("migrations")):
        (tmp_path / migration.name).write_text(migration.text, "utf-8")
    for name, text in files:
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path
