import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.members import operations, queries
from vezde.members.identities import InvalidPhone
from vezde.members.model import (
    IdentityRequired,
    InvalidField,
    Member,
    MemberClosed,
    MemberExists,
    MemberNotFound,
    NewIdentity,
    NewMember,
)

ANNA, BORIS, VERA = "+79160000001", "+79160000002", "+79160000003"
CHANGES = "SELECT data FROM outbox.fact WHERE kind = 'member.changed/1' ORDER BY id"


@pytest.fixture
async def anna(db: Db, vault: Vault, now: datetime) -> Member:
    new = NewMember(phone=ANNA, email="anna@example.ru", name="Анна", birthday="1990-12-31")
    return await _enrol(db, vault, now, new)


class TestChange:
    async def test_patches_the_named_fields_and_leaves_the_others(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        patch = {"name": "Анна Орлова", "birthday": None, "timezone": "Asia/Omsk"}
        changed = await _change(db, vault, now, anna, patch)
        assert (changed.name, changed.birthday) == ("Анна Орлова", None)
        assert (changed.phone, changed.email) == (ANNA, "anna@example.ru")
        assert changed.timezone == "Asia/Omsk"
        assert await _facts(db) == [{"fields": ["birthday", "name", "timezone"]}]

    async def test_a_new_phone_replaces_the_old_one_which_becomes_free(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        changed = await _change(db, vault, now, anna, {"phone": "8 916 000-00-02"})
        assert changed.phone == BORIS
        assert await queries.ids_by_phone(db, [ANNA, BORIS], vault=vault) == {BORIS: anna.member_id}
        assert (await _enrol(db, vault, now, NewMember(phone=ANNA))).phone == ANNA
        assert await _facts(db) == [{"fields": ["phone"]}]

    async def test_what_changes_nothing_leaves_no_trace(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        patch = {"phone": "89160000001", "name": " Анна ", "birthday": date(1990, 12, 31)}
        assert await _change(db, vault, now, anna, patch) == anna
        assert await _change(db, vault, now, anna, {}) == anna
        assert await _facts(db) == []

    async def test_the_case_of_an_address_can_be_corrected(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        changed = await _change(db, vault, now, anna, {"email": "Anna@Example.ru"})
        assert changed.email == "Anna@example.ru"
        assert len(changed.identities) == 2
        assert await queries.find(db, vault=vault, email="anna@example.ru") == changed

    async def test_null_removes_every_phone_while_something_is_left(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        await _add(db, vault, now, anna, "phone", VERA)
        changed = await _change(db, vault, now, anna, {"phone": None})
        assert [identity.kind for identity in changed.identities] == ["email"]
        assert await queries.ids_by_phone(db, [ANNA, VERA], vault=vault) == {}

    async def test_the_last_identity_stays(self, db: Db, vault: Vault, now: datetime, anna: Member):
        with pytest.raises(IdentityRequired):
            async with db.transaction():
                await _change(db, vault, now, anna, {"phone": None, "email": None})
        changed = await _change(db, vault, now, anna, {"phone": BORIS, "email": None})
        assert (changed.phone, changed.email) == (BORIS, None)
        await _add(db, vault, now, anna, "telegram", "42")
        changed = await _change(db, vault, now, anna, {"phone": None})
        assert [identity.kind for identity in changed.identities] == ["telegram"]

    async def test_a_second_phone_can_become_the_main_one(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        await _add(db, vault, now, anna, "phone", VERA)
        changed = await _change(db, vault, now, anna, {"phone": VERA})
        assert changed.phone == VERA
        assert await queries.ids_by_phone(db, [ANNA, VERA], vault=vault) == {VERA: anna.member_id}

    async def test_somebody_elses_phone_is_refused(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        boris = await _enrol(db, vault, now, NewMember(phone=BORIS))
        with pytest.raises(MemberExists) as caught:
            async with db.transaction():
                await _change(db, vault, now, anna, {"phone": BORIS, "name": "Борис"})
        assert caught.value.extra == {"member_id": boris.member_id}
        assert await queries.member(db, anna.member_id, vault=vault) == anna

    @pytest.mark.parametrize(
        ("patch", "error"),
        [
            ({"phone": "1"}, InvalidPhone),
            ({"name": ""}, InvalidField),
            ({"status": "closed"}, InvalidField),
            ({"identities": []}, InvalidField),
        ],
    )
    async def test_a_wrong_field_is_refused(
        self, db: Db, vault: Vault, now: datetime, anna: Member, patch: dict, error: type
    ):
        with pytest.raises(error) as caught:
            await _change(db, vault, now, anna, patch)
        assert caught.value.errors[0].path == next(iter(patch))

    async def test_unknown_and_closed_members_are_refused(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        with pytest.raises(MemberNotFound):
            await operations.change(db, uuid4(), {"name": "x"}, vault=vault, now=now, actor="key:1")
        await db.execute("UPDATE members.member SET status = 'closed'")
        with pytest.raises(MemberClosed):
            await _change(db, vault, now, anna, {"name": "x"})
        with pytest.raises(MemberClosed):
            await _add(db, vault, now, anna, "vk", "1")

    async def test_two_who_want_one_phone_at_once_do_not_both_get_it(
        self, database: Database, vault: Vault, now: datetime
    ):
        async with database.transaction() as db:
            anna, boris = [
                await _enrol(db, vault, now, NewMember(phone=phone)) for phone in (ANNA, BORIS)
            ]

        async def take(member: Member) -> Member:
            async with database.transaction() as db:
                changed = await _change(db, vault, now, member, {"phone": VERA})
                await asyncio.sleep(0.05)
                return changed

        answers = await asyncio.gather(take(anna), take(boris), return_exceptions=True)
        (won,) = (answer for answer in answers if isinstance(answer, Member))
        (lost,) = (answer for answer in answers if isinstance(answer, MemberExists))
        assert lost.extra == {"member_id": won.member_id}

    async def test_swapping_with_each_other_at_once_ends(
        self, database: Database, vault: Vault, now: datetime
    ):
        async with database.transaction() as db:
            anna, boris = [
                await _enrol(db, vault, now, NewMember(phone=phone)) for phone in (ANNA, BORIS)
            ]

        async def take(member: Member, phone: str) -> Member:
            async with database.transaction() as db:
                return await _change(db, vault, now, member, {"phone": phone})

        both = [take(anna, BORIS), take(boris, ANNA)]
        answers = await asyncio.gather(*both, return_exceptions=True)
        assert any(isinstance(answer, MemberExists) for answer in answers)
        assert all(isinstance(answer, MemberExists | Member) for answer in answers)


class TestAddIdentity:
    async def test_is_found_by_it_from_then_on(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        added = await _add(db, vault, now, anna, "telegram", "4242")
        found = await queries.find(db, vault=vault, kind="telegram", value="4242")
        assert added == found
        assert await _facts(db) == [{"fields": ["telegram"]}]

    async def test_a_second_of_a_kind_is_not_the_main_one(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        added = await _add(db, vault, now, anna, "phone", VERA)
        assert added.phone == ANNA
        phones = {i.value: i.main for i in added.identities if i.kind == "phone"}
        assert phones == {ANNA: True, VERA: False}

    async def test_the_same_again_changes_nothing(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        assert await _add(db, vault, now, anna, "phone", "89160000001") == anna
        assert await _facts(db) == []

    async def test_somebody_elses_is_refused(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        new = NewMember(identities=(NewIdentity("telegram", "4242"),))
        boris = await _enrol(db, vault, now, new)
        with pytest.raises(MemberExists) as caught:
            await _add(db, vault, now, anna, "telegram", "4242")
        assert caught.value.extra == {"member_id": boris.member_id}


async def _enrol(db: Db, vault: Vault, now: datetime, person: NewMember) -> Member:
    (member,) = await operations.enrol(db, [person], vault=vault, now=now, actor="key:1")
    return member


async def _change(
    db: Db, vault: Vault, now: datetime, member: Member, patch: dict[str, Any]
) -> Member:
    later = now + timedelta(days=1)
    return await operations.change(
        db, member.member_id, patch, vault=vault, now=later, actor="key:2"
    )


async def _add(
    db: Db, vault: Vault, now: datetime, member: Member, kind: str, value: str
) -> Member:
    later = now + timedelta(hours=1)
    await operations.add_identity(
        db, member.member_id, kind=kind, value=value, vault=vault, now=later, actor="key:2"
    )
    return await queries.member(db, member.member_id, vault=vault)


async def _facts(db: Db) -> list[dict[str, Any]]:
    return [row[0] for row in await (await db.execute(CHANGES)).fetchall()]
