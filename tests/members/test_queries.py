from datetime import datetime
from uuid import uuid4

import pytest

from vezde.kit.db import Db
from vezde.kit.vault import UnknownKey, Vault
from vezde.members import operations, queries
from vezde.members.identities import InvalidIdentity, InvalidPhone
from vezde.members.model import InvalidField, Member, MemberNotFound, NewIdentity, NewMember

ANNA, BORIS = "+79160000001", "+79160000002"


@pytest.fixture
async def anna(db: Db, vault: Vault, now: datetime) -> Member:
    person = NewMember(ANNA, "anna@example.ru", identities=(NewIdentity("crm:retail", "C-1"),))
    (member,) = await operations.enrol(db, [person], vault=vault, now=now, actor="key:1")
    return member


class TestMember:
    async def test_an_unknown_id_is_missing(self, db: Db, vault: Vault):
        with pytest.raises(MemberNotFound):
            await queries.member(db, uuid4(), vault=vault)

    async def test_several_are_read_at_once(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        (boris,) = await operations.enrol(
            db, [NewMember(phone=BORIS)], vault=vault, now=now, actor="key:1"
        )
        asked = [boris.member_id, uuid4(), anna.member_id]
        assert await queries.members(db, asked, vault=vault) == {
            anna.member_id: anna,
            boris.member_id: boris,
        }

    async def test_a_vault_without_the_key_says_which_it_lacks(
        self, db: Db, vault: Vault, anna: Member
    ):
        with pytest.raises(UnknownKey):
            await queries.member(db, anna.member_id, vault=Vault(b"x" * 32))

    async def test_a_rotated_vault_reads_and_finds_the_old(
        self, db: Db, vault: Vault, anna: Member
    ):
        rotated = Vault(b"x" * 32, older=[bytes(range(32))])
        assert await queries.find(db, vault=rotated, phone=ANNA) == anna


class TestFind:
    async def test_by_any_identity(self, db: Db, vault: Vault, anna: Member):
        assert await queries.find(db, vault=vault, phone=" 79160000001") == anna
        assert await queries.find(db, vault=vault, email="ANNA@example.ru") == anna
        assert await queries.find(db, vault=vault, kind="crm:retail", value="C-1") == anna
        assert await queries.find(db, vault=vault, kind="phone", value="89160000001") == anna

    async def test_nobody_is_none(self, db: Db, vault: Vault, anna: Member):
        assert await queries.find(db, vault=vault, phone=BORIS) is None
        assert await queries.find(db, vault=vault, kind="crm:retail", value="c-1") is None
        assert await queries.find(db, vault=vault, kind="crm", value="C-1") is None

    @pytest.mark.parametrize(
        "asked",
        [
            {},
            {"phone": ANNA, "email": "anna@example.ru"},
            {"kind": "telegram"},
            {"value": "42"},
            {"phone": ANNA, "kind": "telegram"},
        ],
    )
    async def test_asks_for_exactly_one_thing(self, db: Db, vault: Vault, asked: dict[str, str]):
        with pytest.raises(InvalidField, match="Look for one"):
            await queries.find(db, vault=vault, **asked)

    async def test_unreadable_text_is_an_error_with_its_parameter(self, db: Db, vault: Vault):
        with pytest.raises(InvalidPhone) as caught:
            await queries.find(db, vault=vault, phone="anna")
        assert caught.value.errors[0].path == "phone"
        with pytest.raises(InvalidIdentity) as caught_id:
            await queries.find(db, vault=vault, kind="telegram", value="anna")
        assert caught_id.value.errors[0].path == "value"


class TestIdsByPhone:
    async def test_answers_for_the_phones_as_given(self, db: Db, vault: Vault, anna: Member):
        asked = ["8 (916) 000-00-01", ANNA, BORIS, "anna"]
        assert await queries.ids_by_phone(db, asked, vault=vault) == {
            "8 (916) 000-00-01": anna.member_id,
            ANNA: anna.member_id,
        }
        assert await queries.ids_by_phone(db, ["anna"], vault=vault) == {}


class TestActive:
    async def test_tells_who_is(self, db: Db, anna: Member):
        assert await queries.active(db, [anna.member_id, uuid4()]) == {anna.member_id}
        await db.execute("UPDATE members.member SET status = 'closed'")
        assert await queries.active(db, [anna.member_id]) == frozenset()
