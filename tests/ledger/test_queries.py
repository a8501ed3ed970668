from uuid import uuid4

import pytest

from ledger.making import DAY, accrual, redemption
from vezde.ledger import operations, queries
from vezde.ledger.model import EntryKind, NextExpiry, Part, Points, Taken


class TestPoints:
    async def test_are_none_in_a_new_account(self, db, anna, now):
        assert await queries.points(db, anna, as_of=now) == Points(0, 0, 0, 0, None)

    async def test_need_an_account(self, db, now):
        with pytest.raises(operations.AccountMissing):
            await queries.points(db, uuid4(), as_of=now)

    async def test_are_those_known_then(self, db, anna, now):
        soon = now + 30 * DAY
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=soon))
        await _accrue(
            db, now + DAY, accrual(anna, "b", 5, active_at=now + 3 * DAY, expires_at=None)
        )
        expiry = NextExpiry(10, soon)
        wanted = {0: (10, 0), 1: (10, 5), 2: (10, 5), 3: (15, 0), 4: (15, 0)}
        for _ in range(2):  # the same before the sweep and after
            assert await queries.points(db, anna, as_of=now - DAY) == Points(0, 0, 0, 0, None)
            for day, (active, pending) in wanted.items():
                points = await queries.points(db, anna, as_of=now + day * DAY)
                assert points == Points(active, pending, 0, 0, expiry)
            await operations.settle_due(db, now=now + 4 * DAY, limit=10)

    async def test_put_back_what_was_spent_later(self, db, anna, now):
        soon, late = now + 10 * DAY, now + 20 * DAY
        await _accrue(db, now, accrual(anna, "a", 10, expires_at=soon))
        await _accrue(db, now, accrual(anna, "b", 5, expires_at=late))
        await operations.redeem(db, redemption(anna, 12), now=now + DAY, actor="key:1")
        before = await queries.points(db, anna, as_of=now)
        assert before == Points(15, 0, 0, 0, NextExpiry(10, soon))
        after = await queries.points(db, anna, as_of=now + DAY)
        assert after == Points(3, 0, 0, 0, NextExpiry(3, late))


class TestHistory:
    async def test_goes_back_page_by_page(self, db, anna, now):
        await _accrue(db, now, *(accrual(anna, f"{n}", n) for n in range(1, 6)))
        first = await queries.history(db, anna, limit=3)
        assert [entry.points for entry in first] == [5, 4, 3]
        rest = await queries.history(db, anna, limit=3, before_seq=first[-1].seq)
        assert [entry.points for entry in rest] == [2, 1]
        assert await queries.history(db, anna, limit=3, before_seq=1) == []

    async def test_needs_an_account(self, db):
        with pytest.raises(operations.AccountMissing):
            await queries.history(db, uuid4(), limit=3)


class TestEntry:
    async def test_gives_an_accrual_its_parts_and_proof(self, db, anna, now):
        parts = (Part(1, "base", 500, 30), Part(0, "birthday", 0, 7))
        proof = {"purchase_id": str(uuid4()), "program_version": 3, "lines": [{"sku": "LN-1"}]}
        await _accrue(db, now, accrual(anna, parts=parts, proof=proof))
        found = await queries.entry(db, anna, 1)
        assert (found.parts, found.proof, found.lots) == (parts, proof, ())
        assert (found.entry.kind, found.entry.op_key) == (EntryKind.ACCRUE, "purchase:1")

    async def test_gives_an_activation_its_lot(self, db, anna, now):
        await _accrue(db, now, accrual(anna, active_at=now + DAY))
        await operations.settle_due(db, now=now + DAY, limit=10)
        assert (await queries.entry(db, anna, 2)).lots == (Taken(1, 37),)

    async def test_gives_a_debit_the_lots_it_took_from(self, db, anna, now):
        await _accrue(db, now, accrual(anna, "a", 10), accrual(anna, "b", 5))
        await operations.redeem(db, redemption(anna, 12), now=now, actor="key:1")
        found = await queries.entry(db, anna, 3)
        assert (found.entry.points, found.lots) == (-12, (Taken(1, 10), Taken(2, 2)))

    async def test_refuses_what_is_not_there(self, db, anna):
        with pytest.raises(queries.EntryMissing):
            await queries.entry(db, anna, 1)


class TestNextDue:
    async def test_is_the_earliest_of_all_members(self, db, anna, boris, now):
        assert await queries.next_due(db) is None
        await _accrue(
            db, now, accrual(anna, active_at=now + 2 * DAY), accrual(boris, active_at=now + DAY)
        )
        assert await queries.next_due(db) == now + DAY


async def _accrue(db, now, *accruals):
    await operations.accrue(db, accruals, now=now, actor="system")
