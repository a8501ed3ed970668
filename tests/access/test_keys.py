import asyncio
import hashlib
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from vezde.access import operations, queries
from vezde.access.model import (
    InvalidKeyRequest,
    Key,
    KeyNameTaken,
    KeyNotFound,
    Scope,
    Unauthenticated,
)
from vezde.kit.db import Database, Db

FACTS = "SELECT kind, subject, member_id, data FROM outbox.fact ORDER BY recorded_at, id"


class TestCreateKey:
    async def test_the_text_opens_and_is_kept_as_a_hash(self, db: Db, now: datetime):
        text, key = await _create(db, now, "  till ", "receipts", "points")
        assert text.startswith("vezde_")
        assert key.name == "till"
        assert key.scopes == {Scope.RECEIPTS, Scope.POINTS}
        assert (key.created_at, key.created_by) == (now, "operator:cli")
        assert await queries.key_by_text(db, text) == key
        secret = text.split("_", 2)[2]
        rows = await (
            await db.execute("SELECT k::text, secret_sha256 FROM access.key k")
        ).fetchall()
        assert rows[0][1] == hashlib.sha256(secret.encode()).digest()
        assert secret not in rows[0][0]
        assert secret.encode().hex() not in rows[0][0]
        assert secret not in repr(key)

    async def test_keys_are_long_and_never_alike(self, db: Db, now: datetime):
        texts = {(await _create(db, now, f"key {n}", "all"))[0] for n in range(5)}
        assert len(texts) == 5
        assert {len(text) for text in texts} == {82}

    async def test_a_live_name_is_taken_until_it_is_revoked(self, db: Db, now: datetime):
        _, first = await _create(db, now, "till", "all")
        with pytest.raises(KeyNameTaken):
            await _create(db, now, "till", "all")
        await operations.revoke_key(db, first.key_id, now=now, actor="operator:cli")
        _, second = await _create(db, now, "till", "all")
        assert await queries.key_by_name(db, " till") == second
        assert [key.key_id for key in await queries.keys(db)] == [first.key_id, second.key_id]

    async def test_two_at_once_do_not_share_a_name(self, database: Database, now: datetime):
        async def one() -> str:
            async with database.transaction() as db:
                return (await _create(db, now, "till", "all"))[0]

        answers = await asyncio.gather(one(), one(), one(), return_exceptions=True)
        assert [type(answer) for answer in answers].count(KeyNameTaken) == 2

    @pytest.mark.parametrize(
        ("name", "scopes"), [("", ["all"]), ("x" * 101, ["all"]), ("till", []), ("till", ["x"])]
    )
    async def test_a_wrong_name_or_scope_is_refused(
        self, db: Db, now: datetime, name: str, scopes: list[str]
    ):
        with pytest.raises(InvalidKeyRequest):
            await _create(db, now, name, *scopes)


class TestKeyByText:
    async def test_anything_else_is_unauthenticated(self, db: Db, now: datetime):
        text, key = await _create(db, now, "till", "all")
        wrong_secret = f"vezde_{key.key_id.hex}_{'A' * 43}"
        for other in (
            "",
            "vezde_",
            text[:-1],
            text + "A",
            text + "\n",
            text.upper(),
            wrong_secret,
            text.replace(key.key_id.hex, uuid4().hex),
        ):
            with pytest.raises(Unauthenticated) as caught:
                await queries.key_by_text(db, other)
            assert key.key_id.hex not in str(caught.value)


class TestRevokeKey:
    async def test_closes_the_key_at_once_and_for_good(self, db: Db, now: datetime):
        text, key = await _create(db, now, "till", "all")
        later = now + timedelta(days=1)
        revoked = await operations.revoke_key(db, key.key_id, now=later, actor="operator:anna")
        assert (revoked.revoked_at, revoked.revoked_by) == (later, "operator:anna")
        with pytest.raises(Unauthenticated):
            await queries.key_by_text(db, text)
        with pytest.raises(KeyNotFound):
            await queries.key_by_name(db, "till")

    async def test_again_answers_as_it_was_revoked_first(self, db: Db, now: datetime):
        _, key = await _create(db, now, "till", "all")
        first, second = [
            await operations.revoke_key(
                db, key.key_id, now=now + timedelta(days=days), actor="operator:cli"
            )
            for days in (1, 2)
        ]
        assert first == second

    async def test_an_unknown_one_is_missing(self, db: Db, now: datetime):
        with pytest.raises(KeyNotFound):
            await operations.revoke_key(db, uuid4(), now=now, actor="operator:cli")

    async def test_both_are_facts_about_the_key(self, db: Db, now: datetime):
        _, key = await _create(db, now, "till", "all")
        for _ in range(2):
            await operations.revoke_key(db, key.key_id, now=now, actor="operator:cli")
        assert await (await db.execute(FACTS)).fetchall() == [
            ("access.key_created/1", str(key.key_id), None, {}),
            ("access.key_revoked/1", str(key.key_id), None, {}),
        ]

    async def test_the_application_cannot_revive_or_widen_a_key(self, db: Db, now: datetime):
        await _create(db, now, "till", "points")
        for altering in (
            "UPDATE access.key SET scopes = '{all}'",
            "UPDATE access.key SET secret_sha256 = sha256('x')",
            "DELETE FROM access.key",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                async with db.transaction():
                    await db.execute(altering)


class TestTouchKey:
    async def test_notes_the_time_at_most_once_a_minute(self, db: Db, now: datetime):
        text, key = await _create(db, now, "till", "all")
        for seconds, noted in ((0, 0), (30, 0), (60, 0), (61, 61)):
            key = await queries.key_by_text(db, text)
            await operations.touch_key(db, key, wall=now + timedelta(seconds=seconds))
            read = await queries.key_by_text(db, text)
            assert read.last_used_wall == now + timedelta(seconds=noted)

    async def test_a_stale_reader_does_not_move_it_back(self, db: Db, now: datetime):
        text, stale = await _create(db, now, "till", "all")
        await operations.touch_key(db, stale, wall=now + timedelta(seconds=90))
        await operations.touch_key(db, stale, wall=now)
        read = await queries.key_by_text(db, text)
        assert read.last_used_wall == now + timedelta(seconds=90)

    async def test_never_waits_for_a_request_that_is_noting_it(
        self, database: Database, now: datetime
    ):
        async with database.transaction() as db:
            _, key = await _create(db, now, "till", "all")
        async with database.transaction() as first, database.transaction() as second:
            await operations.touch_key(first, key, wall=now)
            await asyncio.wait_for(operations.touch_key(second, key, wall=now), timeout=20)


async def _create(db: Db, now: datetime, name: str, *scopes: str) -> tuple[str, Key]:
    text, key = await operations.create_key(
        db, name=name, scopes=scopes, now=now, actor="operator:cli"
    )
    assert isinstance(key.key_id, UUID)
    return text, key
