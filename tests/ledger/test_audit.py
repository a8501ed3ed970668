"""The audit: a life of everything passes it, any row touched behind the ledger's back does not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

import pytest

from conftest import TestDatabase
from ledger.making import (
    DAY,
    NOON,
    accrual,
    commit,
    hold,
    redemption,
    release,
    restoration,
    reversal,
)
from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.ledger import operations, queries, seals, work
from vezde.ledger.model import Debt, DebtPolicy
from vezde.ledger.operations import auditing
from vezde.ledger.operations.auditing import Slice

ACTOR = "key:1"


def signer(text: str) -> bytes:
    return Vault(bytes(32)).blind(text, purpose="ledger.seal")


@pytest.fixture
async def owner(shared_copy: TestDatabase) -> AsyncIterator[Db]:
    """Somebody with all rights on the tables; what they do is rolled back."""
    connection = await kit_db.connect(shared_copy.owner)
    try:
        yield connection
    finally:
        await connection.rollback()
        await connection.close()


async def lived(db: Db) -> UUID:
    """A member to whom everything happened once; answers their id."""
    anna = ids.new()
    await operations.open_accounts(db, [anna], now=NOON)
    early = accrual(anna, "purchase:1", 100, expires_at=NOON + 2 * DAY)
    late = accrual(anna, "purchase:2", 200, active_at=NOON + DAY)
    debtor = Debt(DebtPolicy.DEBT)
    given = [early, late, accrual(anna, "purchase:4", 5)]
    first, *_ = await operations.accrue(db, given, now=NOON, actor=ACTOR)
    spent = await operations.redeem(db, redemption(anna, 30), now=NOON, actor=ACTOR)
    kept, given_up = hold(anna, 40), hold(anna, 10)
    await operations.hold(db, kept, now=NOON, actor=ACTOR)
    await operations.hold(db, given_up, now=NOON, actor=ACTOR)
    await operations.commit(db, commit(kept, 25), now=NOON, actor=ACTOR)
    await operations.release(db, release(given_up), now=NOON, actor=ACTOR)
    await operations.hold(db, hold(anna, 5), now=NOON, actor=ACTOR)
    back = restoration(anna, spent.seq, 20)
    await operations.restore(db, back, now=NOON + timedelta(hours=2), actor=ACTOR)
    taken = reversal(anna, first, 100, debt=debtor)
    await operations.reverse(db, taken, now=NOON + timedelta(hours=3), actor=ACTOR)
    again = accrual(anna, "purchase:3", 60)
    await operations.accrue(db, [again], now=NOON + 3 * DAY, actor=ACTOR)
    return anna


async def read(db: Db, member_id: UUID) -> Slice:
    accounts = await kit_db.fetch_all(db, auditing.AccountRow, auditing.ACCOUNT, [member_id])
    return await auditing.filled(db, accounts)


async def rules(db: Db, member_id: UUID) -> set[str]:
    """Names of the rules that do not hold."""
    return {one.rule for one in auditing.examine(await read(db, member_id), signer)}


class TestRules:
    async def test_a_life_of_everything_holds(self, owner: Db):
        anna = await lived(owner)
        kinds = {entry.kind for entry in (await read(owner, anna)).accounts[0][0].entries}
        assert kinds >= {
            *("accrue", "activate", "hold", "commit", "release", "redeem", "reverse", "restore"),
            "repay",
        }
        assert not await rules(owner, anna)

    async def test_two_that_became_one_hold(self, owner: Db):
        anna, boris = await lived(owner), await lived(owner)
        await operations.merge(owner, anna, boris, now=NOON + 4 * DAY, actor=ACTOR)
        assert not await rules(owner, anna) | await rules(owner, boris)

    async def test_two_that_were_parted_again_hold(self, owner: Db):
        anna, boris = await lived(owner), await lived(owner)
        moved = await operations.merge(owner, anna, boris, now=NOON + 4 * DAY, actor=ACTOR)
        more = accrual(anna, "purchase:9", 7)
        await operations.accrue(owner, [more], now=NOON + 4 * DAY, actor=ACTOR)
        await operations.unmerge(owner, anna, boris, moved=moved, now=NOON + 5 * DAY, actor=ACTOR)
        assert not await rules(owner, anna) | await rules(owner, boris)

    async def test_what_a_return_tells_by_part_holds(self, owner: Db):
        anna = ids.new()
        await operations.open_accounts(owner, [anna], now=NOON)
        whole = accrual(anna, "purchase:1", 100)
        (seq,) = await operations.accrue(owner, [whole], now=NOON, actor=ACTOR)
        await operations.redeem(owner, redemption(anna, 90), now=NOON, actor=ACTOR)
        lost = tuple(replace(part, points=part.points // 2) for part in whole.parts)
        points = sum(part.points for part in lost)
        back = reversal(anna, seq, points, parts=lost)
        done = await operations.reverse(owner, back, now=NOON, actor=ACTOR)
        assert done.forgiven, "some of it was spent and let go"
        assert not await rules(owner, anna)

    @pytest.mark.parametrize(
        ("tampering", "rule"),
        [
            ("UPDATE ledger.entry SET points = points + 1 WHERE kind = 'accrue'", "points"),
            ("UPDATE ledger.entry SET active_after = active_after + 1 WHERE seq = 3", "lots"),
            ("UPDATE ledger.entry SET held_after = held_after + 1 WHERE seq = 5", "held"),
            ("UPDATE ledger.entry SET recorded_at = '2020-01-01Z' WHERE seq = 3", "recorded"),
            ("UPDATE ledger.entry SET op_key = 'other' WHERE seq = 1", "ops"),
            ("""UPDATE ledger.entry SET proof = '{"parts": [[1, "base", 500, 7]]}'
                WHERE seq = 1""", "parts"),
            ("DELETE FROM ledger.entry WHERE seq = 2", "seq"),
            ("DELETE FROM ledger.entry WHERE seq = 1", "strays"),
            ("UPDATE ledger.account SET active = active + 500", "account"),
            ("UPDATE ledger.account SET closed_at = updated_at", "closed"),
            ("UPDATE ledger.lot SET remaining = points, open = true WHERE seq = 1", "remaining"),
            ("UPDATE ledger.lot SET use_order = '2020-01-01Z' WHERE seq = 3", "order"),
            ("UPDATE ledger.alloc SET points = points + 1 WHERE debit_seq = 4", "lots"),
            ("DELETE FROM ledger.alloc WHERE debit_seq = 4", "lots"),
            ("DELETE FROM ledger.op WHERE first_seq = 1", "ops"),
            ("UPDATE ledger.hold SET points = points + 1 WHERE state = 'committed'", "held"),
            ("UPDATE ledger.entry SET about_seq = 999 WHERE kind = 'reverse'", "returned"),
        ],
    )  # fmt: skip
    async def test_a_row_touched_is_found(self, owner: Db, tampering: LiteralString, rule: str):
        anna = await lived(owner)
        where = " AND " if "WHERE" in tampering else " WHERE "
        await owner.execute(f"{tampering}{where}member_id = %s", [anna])
        assert rule in await rules(owner, anna)

    async def test_points_expired_before_their_date_are_found(self, owner: Db):
        anna = ids.new()
        await operations.open_accounts(owner, [anna], now=NOON)
        short = accrual(anna, "purchase:1", 10, expires_at=NOON + DAY)
        await operations.accrue(owner, [short], now=NOON, actor=ACTOR)
        await operations.accrue(
            owner, [accrual(anna, "purchase:2", 1)], now=NOON + 2 * DAY, actor=ACTOR
        )
        assert not await rules(owner, anna)
        later = "UPDATE ledger.lot SET expires_at = '2030-01-01Z' WHERE seq = 1 AND member_id = %s"
        await owner.execute(later, [anna])
        assert "expiry" in await rules(owner, anna)


class TestSeals:
    async def sealed(self, db: Db) -> UUID:
        anna = await lived(db)
        found = await read(db, anna)
        await auditing.seal(db, found, set(), signer, wall=NOON)
        assert not await rules(db, anna)
        return anna

    @pytest.mark.parametrize(
        "tampering",
        [
            # Each of them adds up: no other rule finds it.
            "UPDATE ledger.entry SET title = 'Подарок' WHERE seq = 1",
            "UPDATE ledger.entry SET actor = 'operator:me' WHERE seq = 1",
            "UPDATE ledger.entry SET occurred_at = '2026-01-01Z' WHERE seq = 2",
            """UPDATE ledger.entry SET proof = proof || '{"program_version": 2}' WHERE seq = 1""",
        ],
    )
    async def test_what_adds_up_is_found_all_the_same(self, owner: Db, tampering: LiteralString):
        anna = await self.sealed(owner)
        await owner.execute(f"{tampering} AND member_id = %s", [anna])
        assert await rules(owner, anna) == {"seals"}

    async def test_another_key_makes_other_seals(self, owner: Db):
        anna = await self.sealed(owner)
        found = auditing.examine(await read(owner, anna), lambda text: signer(text + "x"))
        assert {one.rule for one in found} == {"seals"}

    async def test_seals_go_on_where_the_last_one_ended(self, owner: Db):
        anna = await self.sealed(owner)
        more = accrual(anna, "purchase:9", 5)
        await operations.accrue(owner, [more], now=NOON + 4 * DAY, actor=ACTOR)
        await auditing.seal(owner, await read(owner, anna), set(), signer, wall=NOON + DAY)
        await auditing.seal(owner, await read(owner, anna), set(), signer, wall=NOON + DAY)
        ((rows, sealed),) = (await read(owner, anna)).accounts
        assert len(sealed) == 2
        assert sealed[-1].through_seq == rows.account.seq
        assert not await rules(owner, anna)
        await owner.execute("DELETE FROM ledger.seal WHERE sealed_at = %s", [NOON])
        assert "seals" in await rules(owner, anna)

    async def test_the_head_tells_that_newest_entries_went_with_their_seal(self, owner: Db):
        anna = await self.sealed(owner)
        before = await self.head(owner, anna)
        assert before == await self.head(owner, anna)
        await owner.execute("DELETE FROM ledger.seal WHERE member_id = %s", [anna])
        assert before != await self.head(owner, anna)

    async def head(self, db: Db, member_id: UUID) -> str:
        head = seals.Head()
        for _, sealed in (await read(db, member_id)).accounts:
            head.add(sealed, until=NOON)
        return head.hexdigest()


class TestWalk:
    async def test_goes_through_everybody_slice_by_slice(self, database: Database, monkeypatch):
        async with database.transaction() as db:
            members = [await lived(db) for _ in range(5)]
        monkeypatch.setattr(auditing, "MOST_ACCOUNTS", 2)
        monkeypatch.setattr(auditing, "BETWEEN_SLICES", timedelta(0))
        monkeypatch.setattr(auditing, "RESTS_TIMES", 0)
        for _ in range(4):
            assert await work.audit_once(database, signer, clock=Clock()) == 0
        async with database.transaction() as db:
            told = await queries.audit(db)
            (sealed,) = await (await db.execute("SELECT count(*) FROM ledger.seal")).fetchone()
        assert (told.finished_accounts, told.violations) == (5, 0)
        assert sealed == len(members)

    async def test_tells_what_it_found_until_it_is_mended(
        self, database: Database, fresh: TestDatabase, monkeypatch
    ):
        monkeypatch.setattr(auditing, "BETWEEN_ROUNDS", timedelta(0))
        monkeypatch.setattr(auditing, "BETWEEN_SLICES", timedelta(0))
        monkeypatch.setattr(auditing, "RESTS_TIMES", 0)
        async with database.transaction() as db:
            await lived(db)
        for change, violations in ((1, 1), (-1, 0)):
            async with await kit_db.connect(fresh.owner) as owner:
                await owner.execute("UPDATE ledger.account SET debt = debt + %s", [change])
            await work.audit_once(database, signer, clock=Clock())
            async with database.transaction() as db:
                assert (await queries.audit(db)).violations == violations
