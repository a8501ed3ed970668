import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from vezde.access import model, operations
from vezde.access.model import InvalidIdempotencyKey, KeyReused, Stored
from vezde.access.operations.answers import Asked
from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault

KEY = UUID(int=7)
ROUTE = "POST /v1/receipts"


@dataclass(frozen=True)
class Request:
    """One request as a handler sees it; `effects` is where what was done can be counted."""

    vault: Vault
    wall: datetime
    effects: list[str]
    idempotency_key: str = "order-17"
    content: str = "one"
    key_id: UUID = KEY
    route: str = ROUTE

    async def handle(self, db: Db, *, effect: str, seconds: float = 0) -> Stored:
        """What every POST handler does, the effect being a line in a list."""
        asked = operations.asked(
            key_id=self.key_id,
            route=self.route,
            idempotency_key=self.idempotency_key,
            fingerprint=model.fingerprint({"content": self.content}, vault=self.vault),
            wall=self.wall,
            vault=self.vault,
        )
        stored = await operations.claim_answer(db, asked, vault=self.vault)
        if stored:
            return stored
        self.effects.append(effect)
        await asyncio.sleep(seconds)
        answer = Stored(202, "application/json", f'{{"did": "{effect}"}}'.encode(), UUID(int=1))
        await operations.store_answer(db, asked, answer, vault=self.vault)
        return answer


class TestClaimAnswer:
    async def test_a_repeat_gets_the_first_answer_and_does_nothing(
        self, db: Db, vault: Vault, now: datetime
    ):
        request = Request(vault, now, [])
        first = await request.handle(db, effect="first")
        later = Request(vault, now + timedelta(hours=47), request.effects)
        assert await later.handle(db, effect="second") == first
        assert request.effects == ["first"]

    async def test_other_content_is_refused(self, db: Db, vault: Vault, now: datetime):
        await Request(vault, now, []).handle(db, effect="first")
        with pytest.raises(KeyReused, match="fresh key"):
            await Request(vault, now, [], content="other").handle(db, effect="second")

    @pytest.mark.parametrize(
        "other",
        [{"key_id": uuid4()}, {"route": "POST /v1/orders"}, {"idempotency_key": "ORDER-17"}],
    )
    async def test_keys_routes_and_texts_do_not_meet(
        self, db: Db, vault: Vault, now: datetime, other: dict
    ):
        effects: list[str] = []
        await Request(vault, now, effects).handle(db, effect="first")
        await Request(vault, now, effects, **other).handle(db, effect="second")
        assert effects == ["first", "second"]

    async def test_after_48_hours_it_is_a_new_request(self, db: Db, vault: Vault, now: datetime):
        effects: list[str] = []
        await Request(vault, now, effects).handle(db, effect="first")
        later = Request(vault, now + timedelta(hours=48), effects, content="other")
        assert (await later.handle(db, effect="second")).body == b'{"did": "second"}'
        assert (await later.handle(db, effect="third")).body == b'{"did": "second"}'
        assert effects == ["first", "second"]

    async def test_a_wrong_key_is_refused(self, db: Db, vault: Vault, now: datetime):
        with pytest.raises(InvalidIdempotencyKey):
            await Request(vault, now, [], idempotency_key="").handle(db, effect="first")


class TestStoreAnswer:
    async def test_keeps_long_answers_and_other_media_types(
        self, db: Db, vault: Vault, now: datetime
    ):
        body = b"".join(b'{"line": %d, "status": "accepted"}\n' % n for n in range(1000))
        answer = Stored(200, "application/x-ndjson", body, None)
        asked = some(vault, now)
        await operations.claim_answer(db, asked, vault=vault)
        await operations.store_answer(db, asked, answer, vault=vault)
        assert await operations.claim_answer(db, asked, vault=vault) == answer
        sealed = await db.execute("SELECT length(sealed) FROM access.answer")
        assert (await sealed.fetchone())[0] < len(body) / 4

    async def test_twice_is_a_mistake(self, db: Db, vault: Vault, now: datetime):
        asked, answer = some(vault, now), Stored(200, "application/json", b"", None)
        await operations.store_answer(db, asked, answer, vault=vault)
        with pytest.raises(AssertionError, match="second answer"):
            await operations.store_answer(db, asked, answer, vault=vault)


def some(vault: Vault, wall: datetime) -> Asked:
    return operations.asked(
        key_id=KEY,
        route=ROUTE,
        idempotency_key="1",
        fingerprint=bytes(32),
        wall=wall,
        vault=vault,
    )


class TestAtOnce:
    async def test_there_is_one_effect_and_equal_answers(
        self, database: Database, vault: Vault, now: datetime
    ):
        effects: list[str] = []

        async def one(name: str) -> Stored:
            async with database.transaction() as db:
                request = Request(vault, now, effects)
                return await request.handle(db, effect=name, seconds=0.1)

        answers = await asyncio.gather(*(one(name) for name in "abcdef"))
        assert len(effects) == 1
        assert answers == [answers[0]] * 6

    async def test_when_the_first_rolls_back_the_second_does_the_work(
        self, database: Database, vault: Vault, now: datetime
    ):
        effects: list[str] = []
        begun = asyncio.Event()

        async def failing() -> None:
            async with database.transaction() as db:
                begun.set()
                await Request(vault, now, effects).handle(db, effect="lost", seconds=0.1)
                raise RuntimeError("the power went")

        async def second() -> Stored:
            await begun.wait()
            await asyncio.sleep(0.05)
            async with database.transaction() as db:
                return await Request(vault, now, effects).handle(db, effect="done")

        failed, answer = await asyncio.gather(failing(), second(), return_exceptions=True)
        assert isinstance(failed, RuntimeError)
        assert answer.body == b'{"did": "done"}'
        assert effects == ["lost", "done"]

    async def test_other_content_waits_for_the_outcome_before_it_is_refused(
        self, database: Database, vault: Vault, now: datetime
    ):
        effects: list[str] = []

        async def one(content: str) -> Stored:
            async with database.transaction() as db:
                request = Request(vault, now, effects, content=content)
                return await request.handle(db, effect=content, seconds=0.1)

        answers = await asyncio.gather(one("x"), one("y"), return_exceptions=True)
        assert sorted(type(answer).__name__ for answer in answers) == ["KeyReused", "Stored"]
        assert len(effects) == 1

    async def test_an_expired_answer_is_replaced_by_one_of_two(
        self, database: Database, vault: Vault, now: datetime
    ):
        effects: list[str] = []
        async with database.transaction() as db:
            await Request(vault, now, []).handle(db, effect="old")

        async def one(name: str) -> Stored:
            async with database.transaction() as db:
                request = Request(vault, now + timedelta(days=3), effects)
                return await request.handle(db, effect=name, seconds=0.05)

        answers = await asyncio.gather(one("a"), one("b"))
        assert answers[0] == answers[1]
        assert len(effects) == 1


class TestSweepAnswers:
    async def test_takes_the_expired_ones_a_batch_at_a_time(
        self, db: Db, vault: Vault, now: datetime
    ):
        for n in range(5):
            request = Request(vault, now + timedelta(hours=n), [], idempotency_key=str(n))
            await request.handle(db, effect="x")
        wall = now + timedelta(hours=50)  # the first three are 48 hours old or more
        assert await operations.sweep_answers(db, wall=wall, limit=2) == 2
        assert await operations.sweep_answers(db, wall=wall, limit=2) == 1
        assert await operations.sweep_answers(db, wall=wall, limit=2) == 0
        left = await db.execute("SELECT count(*) FROM access.answer")
        assert await left.fetchone() == (2,)

    async def test_passes_by_what_a_request_is_replacing(
        self, database: Database, vault: Vault, now: datetime
    ):
        async with database.transaction() as db:
            await Request(vault, now, []).handle(db, effect="old")
        wall = now + timedelta(days=3)
        async with database.transaction() as first, database.transaction() as second:
            await Request(vault, wall, []).handle(first, effect="new")
            swept = operations.sweep_answers(second, wall=wall, limit=10)
            assert await asyncio.wait_for(swept, timeout=20) == 0


class TestSecrecy:
    async def test_no_row_holds_what_was_asked_or_answered_in_clear(
        self, db: Db, vault: Vault, now: datetime
    ):
        request = Request(
            vault, now, [], idempotency_key="call +79160000001", content="anna@example.ru"
        )
        await request.handle(db, effect="Anna, +79160000001")
        await operations.create_key(db, name="till", scopes=["all"], now=now, actor="operator:cli")
        tables = await db.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'access'"
        )
        names = [row[0] for row in await tables.fetchall()]
        assert {"key", "answer"} <= set(names)
        dump = ""
        for name in names:
            rows = await db.execute(f"SELECT t::text FROM access.{name} AS t")
            dump += "\n".join(row[0] for row in await rows.fetchall())
        assert ROUTE in dump
        for secret in ("79160000001", "anna", "Anna"):
            assert secret not in dump
            assert secret.encode().hex() not in dump
