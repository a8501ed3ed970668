import asyncio
from uuid import uuid4

import psycopg
import pytest

from access.conftest import enrolled
from vezde.access import doors, operations, queries
from vezde.access.doors import CardUnknown
from vezde.access.operations import staffing
from vezde.access.staff import (
    InvalidOperator,
    OperatorCodeWrong,
    OperatorExists,
    OperatorNotFound,
    ShiftOver,
)


async def olga(db, vault, now, **given):
    fields = {"name": "Ольга", "role": "cashier", **given}
    return await operations.take_on(db, **fields, vault=vault, now=now, actor="operator:cli")


async def code_of(db, vault, now, who):
    return (await operations.operator_code(db, who.operator_id, vault=vault, wall=now))[0]


async def opened(db, vault, now, code, wall=None):
    return await operations.open_shift(db, code, vault=vault, now=now, wall=wall or now)


class TestTakeOn:
    async def test_a_name_and_a_phone_are_one_persons_while_they_are_there(self, db, vault, now):
        one = await olga(db, vault, now, phone="+7 900 000-00-09")
        for again in ({"name": "Ольга"}, {"name": "Инна", "phone": "89000000009"}):
            with pytest.raises(OperatorExists):
                await olga(db, vault, now, **again)
        await operations.leave(db, one.operator_id, now=now, actor="test")
        await olga(db, vault, now, phone="+79000000009")

    @pytest.mark.parametrize(
        "given", [{"name": " "}, {"name": "x" * 101}, {"role": "owner"}, {"telegram": "@olga"}]
    )
    async def test_refuses_what_no_operator_is(self, db, vault, now, given):
        with pytest.raises(InvalidOperator):
            await olga(db, vault, now, **given)

    async def test_keeps_how_they_are_reached_sealed_and_drops_it(self, db, vault, now):
        one = await olga(db, vault, now, phone="+79000000009", telegram="7000000009")
        assert (await staffing.operator_by_phone(db, "+79000000009", vault=vault))[0] == (
            one.operator_id
        )
        text = "SELECT o::text, contact IS NULL FROM access.operator o"
        row = await (await db.execute(text)).fetchone()
        assert "79000000009" not in row[0]
        await operations.leave(db, one.operator_id, now=now, actor="test")
        assert (await (await db.execute(text)).fetchone())[1]
        assert await staffing.operator_by_phone(db, "+79000000009", vault=vault) is None


class TestShift:
    async def test_is_opened_by_a_code_once(self, db, vault, now):
        who = await olga(db, vault, now)
        code = await code_of(db, vault, now, who)
        token, shift = await opened(db, vault, now, f"{code[:4]} {code[4:]}")
        assert (await operations.shift(db, token, wall=now)).operator == who
        assert shift.expires_wall == now + doors.SHIFT
        with pytest.raises(OperatorCodeWrong):
            await opened(db, vault, now, code)

    async def test_is_not_opened_by_an_old_or_a_late_code(self, db, vault, now):
        who = await olga(db, vault, now)
        old = await code_of(db, vault, now, who)
        new = await code_of(db, vault, now, who)
        with pytest.raises(OperatorCodeWrong):
            await opened(db, vault, now, old)
        with pytest.raises(OperatorCodeWrong):
            await opened(db, vault, now, new, wall=now + doors.OPERATOR_CODE_TTL)

    async def test_of_two_at_once_one_is_opened(self, database, vault, now):
        async with database.transaction() as db:
            code = await code_of(db, vault, now, await olga(db, vault, now))

        async def one() -> str:
            async with database.transaction() as db:
                return (await opened(db, vault, now, code))[0]

        answers = await asyncio.gather(*(one() for _ in range(8)), return_exceptions=True)
        assert sum(isinstance(each, str) for each in answers) == 1
        assert sum(isinstance(each, OperatorCodeWrong) for each in answers) == 7

    async def test_ends_with_the_day_and_with_the_operator(self, db, vault, now):
        who = await olga(db, vault, now)
        token, _ = await opened(db, vault, now, await code_of(db, vault, now, who))
        with pytest.raises(ShiftOver):
            await operations.shift(db, token, wall=now + doors.SHIFT)
        await operations.leave(db, who.operator_id, now=now, actor="test")
        with pytest.raises(ShiftOver):
            await operations.shift(db, token, wall=now)
        with pytest.raises(OperatorNotFound):
            await code_of(db, vault, now, who)

    async def test_forged_is_none(self, db, vault, now):
        token, _ = await opened(
            db, vault, now, await code_of(db, vault, now, await olga(db, vault, now))
        )
        for forged in ("", "tls_", token[:-1] + "_", token.replace("tls", "ses"), token + "A"):
            with pytest.raises(ShiftOver):
                await operations.shift(db, forged, wall=now)


class TestJournal:
    async def test_has_who_did_what_about_whom(self, db, vault, now):
        who = await olga(db, vault, now)
        anna = uuid4()
        await operations.note(db, who, "member_found", now=now, member_id=anna, details={"n": 1})
        (entry,) = await queries.journal(db, member_ids=[anna], limit=10)
        assert (entry.operator_id, entry.what, entry.details) == (
            who.operator_id,
            "member_found",
            {"n": 1},
        )
        assert await queries.journal(db, before=entry.entry_id, limit=10) == []

    async def test_cannot_be_changed(self, db, vault, now):
        await operations.note(db, await olga(db, vault, now), "signed_in", now=now)
        for altering in ("UPDATE access.journal SET what = 'x'", "DELETE FROM access.journal"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                async with db.transaction():
                    await db.execute(altering)


class TestCard:
    async def test_is_good_once_and_the_newest_alone(self, db, vault, now):
        anna = await enrolled(db, vault, now)
        old, _ = await operations.make_card(db, anna, vault=vault, wall=now)
        code, expires = await operations.make_card(db, anna, vault=vault, wall=now)
        assert (len(code), expires) == (9, now + doors.CARD_TTL)
        with pytest.raises(CardUnknown):
            await operations.read_card(db, old, vault=vault, wall=now)
        spaced = doors.shown(code)
        assert await operations.read_card(db, spaced, vault=vault, wall=now) == anna
        with pytest.raises(CardUnknown):
            await operations.read_card(db, code, vault=vault, wall=now)

    async def test_expires(self, db, vault, now):
        anna = await enrolled(db, vault, now)
        code, expires = await operations.make_card(db, anna, vault=vault, wall=now)
        with pytest.raises(CardUnknown):
            await operations.read_card(db, code, vault=vault, wall=expires)

    async def test_read_twice_at_once_is_read_once(self, database, vault, now):
        async with database.transaction() as db:
            anna = await enrolled(db, vault, now)
            code, _ = await operations.make_card(db, anna, vault=vault, wall=now)

        async def one():
            async with database.transaction() as db:
                return await operations.read_card(db, code, vault=vault, wall=now)

        answers = await asyncio.gather(*(one() for _ in range(6)), return_exceptions=True)
        assert answers.count(anna) == 1
