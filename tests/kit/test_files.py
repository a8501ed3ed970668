from datetime import timedelta

import psycopg
import pytest

from vezde.kit import files
from vezde.kit.files import DatabaseFiles, DirectoryFiles, File

PHOTO = b"\xff\xd8" + bytes(range(256)) * 40


@pytest.fixture(params=["database", "directory"])
def store(request, tmp_path):
    return DatabaseFiles() if request.param == "database" else DirectoryFiles(tmp_path / "files")


async def put(store, db, name="photo/anna", *, content=PHOTO, expires_at=None):
    await store.put(db, name=name, content=content, media_type="image/jpeg", expires_at=expires_at)


class TestFiles:
    async def test_gives_back_what_was_put(self, store, db):
        await put(store, db)
        assert await store.get(db, name="photo/anna") == File("image/jpeg", PHOTO)

    async def test_knows_no_other_name(self, store, db):
        with pytest.raises(files.FileMissing):
            await store.get(db, name="photo/boris")

    async def test_writes_a_name_once(self, store, db):
        await put(store, db)
        with pytest.raises(files.FileExists):
            await put(store, db, content=b"other")
        assert (await store.get(db, name="photo/anna")).content == PHOTO

    async def test_refuses_more_than_the_bound(self, store, db):
        with pytest.raises(files.FileTooLarge):
            await put(store, db, content=bytes(files.MOST_BYTES + 1))
        await put(store, db, content=bytes(files.MOST_BYTES))

    async def test_loses_a_deleted_file_with_the_transaction(self, store, db):
        await put(store, db)
        await put(store, db, "photo/boris")
        await store.delete(db, names=["photo/anna", "photo/nobody"])
        with pytest.raises(files.FileMissing):
            await store.get(db, name="photo/anna")
        assert (await store.get(db, name="photo/boris")).content == PHOTO

    async def test_keeps_the_file_when_the_deletion_is_rolled_back(self, store, database):
        async with database.transaction() as db:
            await put(store, db)
        async with database.transaction() as db:
            await store.delete(db, names=["photo/anna"])
            raise psycopg.Rollback
        async with database.transaction() as db:
            assert (await store.get(db, name="photo/anna")).content == PHOTO

    async def test_keeps_no_name_whose_transaction_was_rolled_back(self, store, database):
        async with database.transaction() as db:
            await put(store, db, content=b"first")
            raise psycopg.Rollback
        async with database.transaction() as db:
            with pytest.raises(files.FileMissing):
                await store.get(db, name="photo/anna")
            await put(store, db)
            assert (await store.get(db, name="photo/anna")).content == PHOTO

    async def test_sweeps_what_is_deleted_or_expired(self, store, db, now):
        await put(store, db, "deleted")
        await put(store, db, "expired", expires_at=now)
        await put(store, db, "young", expires_at=now + timedelta(seconds=1))
        await put(store, db, "kept")
        await store.delete(db, names=["deleted"])
        assert await store.sweep(db, now=now, limit=10) == 2
        assert await store.sweep(db, now=now, limit=10) == 0
        for name in ("young", "kept"):
            await store.get(db, name=name)
        with pytest.raises(files.FileMissing):
            await store.get(db, name="expired")
        await put(store, db, "deleted")


class TestDirectoryFiles:
    @pytest.mark.parametrize(
        "name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "\x01", "фото"]
    )
    async def test_stays_in_its_directory(self, db, tmp_path, name):
        store = DirectoryFiles(tmp_path / "files")
        await put(store, db, name)
        (path,) = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert path.is_relative_to(tmp_path / "files")
        assert path.read_bytes() == PHOTO
        assert (await store.get(db, name=name)).content == PHOTO

    async def test_removes_swept_files(self, db, tmp_path, now):
        store = DirectoryFiles(tmp_path)
        await put(store, db, expires_at=now)
        await store.sweep(db, now=now, limit=10)
        assert not [path for path in tmp_path.rglob("*") if path.is_file()]

    async def test_misses_a_file_that_somebody_removed(self, db, tmp_path):
        store = DirectoryFiles(tmp_path)
        await put(store, db)
        store.path("photo/anna").unlink()
        with pytest.raises(files.FileMissing):
            await store.get(db, name="photo/anna")
