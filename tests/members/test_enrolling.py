import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from vezde.kit.db import Database, Db
from vezde.kit.vault import CannotUnseal, Vault
from vezde.ledger import queries as ledger_queries
from vezde.members import identities, operations, queries
from vezde.members.identities import InvalidPhone
from vezde.members.model import (
    IdentityRequired,
    InvalidField,
    MemberExists,
    NewConsent,
    NewIdentity,
    NewMember,
    Status,
    WrongIndexKey,
)
from vezde.members.operations import claiming

ANNA, BORIS, VERA = "+79160000001", "+79160000002", "+79160000003"
MEMBERS = "SELECT member_id FROM members.member"
FACTS = "SELECT kind, member_id, data FROM outbox.fact ORDER BY recorded_at, id"


class TestEnrol:
    async def test_keeps_all_that_was_given(self, db: Db, vault: Vault, now: datetime):
        given_at = now - timedelta(hours=1)
        anna = NewMember(
            phone="8 916 000-00-01",
            email="Anna@Example.RU",
            name=" Анна  Смирнова ",
            birthday="1990-12-31",
            locale="ru",
            timezone="Asia/Omsk",
            source="landing",
            identities=(NewIdentity("telegram", "4242"),),
            consents=(NewConsent("promo", "v3", given_at, "site_form", "email", "ab" * 32),),
        )
        (member,) = await operations.enrol(db, [anna], vault=vault, now=now, actor="key:1")
        assert member == await queries.member(db, member.member_id, vault=vault)
        assert (member.phone, member.email) == (ANNA, "Anna@example.ru")
        assert (member.name, member.birthday) == ("Анна Смирнова", date(1990, 12, 31))
        assert (member.locale, member.timezone, member.source) == ("ru", "Asia/Omsk", "landing")
        assert (member.status, member.created_at, member.created_by) == (
            Status.ACTIVE,
            now,
            "key:1",
        )
        kinds = [(identity.kind, identity.main) for identity in member.identities]
        assert sorted(kinds) == [("email", True), ("phone", True), ("telegram", True)]
        (consent,) = member.consents
        assert (consent.channel, consent.given_at, consent.recorded_by) == (
            "email",
            given_at,
            "key:1",
        )
        assert consent.withdrawn_at is None

    async def test_an_identity_alone_is_enough(self, db: Db, vault: Vault, now: datetime):
        member = await _enrol(db, vault, now, NewMember(identities=(NewIdentity("max", "77"),)))
        assert (member.phone, member.email, member.name, member.birthday) == (None,) * 4

    async def test_nothing_to_know_by_is_refused(self, db: Db, vault: Vault, now: datetime):
        with pytest.raises(IdentityRequired):
            await _enrol(db, vault, now, NewMember(name="Анна"))

    async def test_somebody_known_is_named_by_id(self, db: Db, vault: Vault, now: datetime):
        anna = await _enrol(db, vault, now, NewMember(phone=ANNA, email="anna@example.ru"))
        for again in (
            NewMember(phone="8 (916) 000-00-01"),
            NewMember(phone=BORIS, email="ANNA@EXAMPLE.RU"),
            NewMember(identities=(NewIdentity("phone", ANNA),)),
        ):
            with pytest.raises(MemberExists) as caught:
                async with db.transaction():
                    await _enrol(db, vault, now, again)
            assert caught.value.extra == {"member_id": anna.member_id}
            assert "916" not in str(caught.value)
        assert len(await _rows(db, MEMBERS)) == 1

    async def test_a_list_is_enrolled_in_its_order(self, db: Db, vault: Vault, now: datetime):
        people = [NewMember(phone=phone) for phone in (VERA, ANNA, BORIS)]
        members = await operations.enrol(db, people, vault=vault, now=now, actor="system")
        assert [member.phone for member in members] == [VERA, ANNA, BORIS]

    async def test_two_of_a_list_with_one_phone_are_refused(
        self, db: Db, vault: Vault, now: datetime
    ):
        people = [NewMember(phone=ANNA), NewMember(phone="89160000001")]
        with pytest.raises(MemberExists, match="share") as caught:
            await operations.enrol(db, people, vault=vault, now=now, actor="system")
        assert caught.value.extra == {}

    async def test_the_same_phone_twice_in_one_person_is_one_identity(
        self, db: Db, vault: Vault, now: datetime
    ):
        twice = NewMember(phone=ANNA, identities=(NewIdentity("phone", "89160000001"),))
        assert len((await _enrol(db, vault, now, twice)).identities) == 1

    async def test_the_first_phone_is_the_main_one(self, db: Db, vault: Vault, now: datetime):
        two = NewMember(phone=ANNA, identities=(NewIdentity("phone", BORIS),))
        member = await _enrol(db, vault, now, two)
        assert member.phone == ANNA
        again = await queries.find(db, vault=vault, phone=BORIS)
        assert again is not None
        assert again.phone == ANNA

    async def test_errors_name_the_place(self, db: Db, vault: Vault, now: datetime):
        wrong_phone = NewMember(email="a@example.ru", identities=(NewIdentity("phone", "1"),))
        with pytest.raises(InvalidPhone) as caught:
            await _enrol(db, vault, now, wrong_phone)
        assert caught.value.errors[0].path == "identities.0.value"
        late = NewConsent("promo", "v3", now + timedelta(days=9), "site")
        with pytest.raises(InvalidField) as caught_field:
            await _enrol(db, vault, now, NewMember(phone=ANNA, consents=(late,)))
        assert caught_field.value.errors[0].path == "consents.0.given_at"

    async def test_opens_a_ledger_account(self, db: Db, vault: Vault, now: datetime):
        anna = await _enrol(db, vault, now, NewMember(phone=ANNA))
        points = await ledger_queries.points(db, anna.member_id, as_of=now)
        assert (points.active, points.pending) == (0, 0)

    async def test_records_facts_with_ids_only(self, db: Db, vault: Vault, now: datetime):
        consent = NewConsent("promo", "v3", now, "site_form", "email")
        new = NewMember(phone=ANNA, name="Анна", consents=(consent,))
        anna = await _enrol(db, vault, now, new)
        assert await _rows(db, FACTS) == [
            ("member.enrolled/1", anna.member_id, {}),
            (
                "consent.given/1",
                anna.member_id,
                {"consent_id": str(anna.consents[0].consent_id)},
            ),
        ]

    async def test_another_vault_key_opens_nothing(self, db: Db, vault: Vault, now: datetime):
        anna = await _enrol(db, vault, now, NewMember(phone=ANNA))
        await db.execute(
            "UPDATE members.member SET sealed = (SELECT sealed FROM members.identity LIMIT 1)"
        )
        with pytest.raises(CannotUnseal):
            await queries.member(db, anna.member_id, vault=vault)


class TestEnrolMissing:
    async def test_makes_those_who_are_not_there(self, db: Db, vault: Vault, now: datetime):
        anna = await _enrol(db, vault, now, NewMember(phone=ANNA, name="Анна"))
        phones = ["8 916 000-00-01", "89160000002", "+7 916 000-00-02", "anna", ANNA]
        found = await operations.enrol_missing(
            db, phones, vault=vault, now=now, actor="key:1", source="pos"
        )
        assert found["8 916 000-00-01"] == found[ANNA] == anna.member_id
        assert found["89160000002"] == found["+7 916 000-00-02"] != anna.member_id
        assert "anna" not in found
        boris = await queries.member(db, found["89160000002"], vault=vault)
        assert (boris.phone, boris.source, boris.created_by) == (BORIS, "pos", "key:1")
        assert await queries.ids_by_phone(db, phones, vault=vault) == found

    async def test_nothing_missing_writes_nothing(self, db: Db, vault: Vault, now: datetime):
        first = await _missing(db, [ANNA], vault, now)
        facts = await _rows(db, FACTS)
        assert await _missing(db, [ANNA], vault, now) == first
        assert await _missing(db, [], vault, now) == {}
        assert await _rows(db, FACTS) == facts


class TestAtOnce:
    async def test_one_process_enrols_and_the_others_read_it(
        self, database: Database, vault: Vault, now: datetime
    ):
        async def one() -> UUID:
            async with database.transaction() as db:
                return (await _missing(db, [ANNA], vault, now))[ANNA]

        assert len(set(await asyncio.gather(*(one() for _ in range(8))))) == 1
        async with database.transaction() as db:
            assert len(await _rows(db, MEMBERS)) == 1
            assert len(await _rows(db, FACTS)) == 1

    async def test_batches_in_opposite_orders_do_not_deadlock(
        self, database: Database, vault: Vault, now: datetime
    ):
        def index(phone: str) -> bytes:
            return identities.read("phone", phone).blind(vault)

        first, middle, last = sorted([ANNA, BORIS, VERA], key=index)

        async def batch(*phones: str) -> dict[str, UUID]:
            async with database.transaction() as db:
                return await _missing(db, list(phones), vault, now)

        async with database.transaction() as holder:
            # Both stop at the middle phone, with whatever they have taken before it in hand.
            await claiming.take(holder, {("phone", index(middle)): uuid4()})
            running = [
                asyncio.create_task(batch(first, middle, last)),
                asyncio.create_task(batch(last, middle, first)),
            ]
            await asyncio.sleep(0.2)
            await holder.execute("DELETE FROM members.claim")
        one, other = await asyncio.gather(*running)
        assert one == other
        assert len(set(one.values())) == 3

    async def test_overlapping_batches_agree(self, database: Database, vault: Vault, now: datetime):
        phones = [f"+7916{n:07}" for n in range(120)]

        async def batch(start: int) -> dict[str, UUID]:
            async with database.transaction() as db:
                found = await _missing(db, phones[start : start + 80], vault, now)
                await asyncio.sleep(0.01)  # the batch goes on: the losers wait for its end
                return found

        seen: dict[str, UUID] = {}
        for found in await asyncio.gather(*(batch(start) for start in range(0, 41, 5))):
            for phone, member_id in found.items():
                assert seen.setdefault(phone, member_id) == member_id
        async with database.transaction() as db:
            assert {row[0] for row in await _rows(db, MEMBERS)} == set(seen.values())
        assert len(set(seen.values())) == len(seen) == 120

    async def test_who_comes_second_is_told_who_came_first(
        self, database: Database, vault: Vault, now: datetime
    ):
        async def one() -> UUID | MemberExists:
            try:
                async with database.transaction() as db:
                    return (await _enrol(db, vault, now, NewMember(phone=ANNA))).member_id
            except MemberExists as error:
                return error

        answers = await asyncio.gather(*(one() for _ in range(4)))
        (made,) = (answer for answer in answers if isinstance(answer, UUID))
        refused = [answer for answer in answers if isinstance(answer, MemberExists)]
        assert [error.extra for error in refused] == [{"member_id": made}] * 3

    async def test_a_first_that_fails_leaves_the_place_to_the_second(
        self, database: Database, vault: Vault, now: datetime
    ):
        claimed = asyncio.Event()

        async def failing() -> None:
            async with database.transaction() as db:
                await _enrol(db, vault, now, NewMember(phone=ANNA))
                claimed.set()
                await asyncio.sleep(0.2)
                raise RuntimeError("the power went")

        async def second() -> UUID:
            await claimed.wait()
            async with database.transaction() as db:
                return (await _enrol(db, vault, now, NewMember(phone=ANNA))).member_id

        failed, made = await asyncio.gather(failing(), second(), return_exceptions=True)
        assert isinstance(failed, RuntimeError)
        async with database.transaction() as db:
            assert await _rows(db, MEMBERS) == [(made,)]


class TestSecrecy:
    async def test_no_row_holds_anything_personal_in_clear(
        self, db: Db, vault: Vault, now: datetime
    ):
        anna = await _enrol(
            db,
            vault,
            now,
            NewMember(
                phone=ANNA,
                email="anna.smirnova@example.ru",
                name="Анна Смирнова",
                birthday=date(1990, 12, 31),
                identities=(NewIdentity("telegram", "424242424"), NewIdentity("crm", "C-77889900")),
            ),
        )
        patch = {"phone": BORIS, "name": "Анна Орлова"}
        await operations.change(
            db, anna.member_id, patch, vault=vault, now=now + timedelta(days=1), actor="key:1"
        )
        dump = await _dump(db, "members", "outbox", "ledger")
        assert str(anna.member_id) in dump
        secrets = [ANNA, BORIS, "9160000001", "anna.smirnova", "example.ru", "Анна", "Смирнова"]
        secrets += ["Орлова", "1990-12-31", "424242424", "C-778899"]
        for secret in secrets:
            assert secret not in dump
            assert secret.encode().hex() not in dump


class TestPinIndexKey:
    async def test_insists_on_the_key_of_the_first_start(self, db: Db, now: datetime):
        first, second = Vault(b"1" * 32), Vault(b"2" * 32)
        await operations.pin_index_key(db, vault=first, now=now, actor="system")
        await operations.pin_index_key(db, vault=first, now=now, actor="system")
        rotated = Vault(b"2" * 32, older=[b"1" * 32])
        await operations.pin_index_key(db, vault=rotated, now=now, actor="system")
        with pytest.raises(WrongIndexKey, match=first.index_key_id.hex()):
            await operations.pin_index_key(db, vault=second, now=now, actor="system")


async def _enrol(db: Db, vault: Vault, now: datetime, person: NewMember):
    (member,) = await operations.enrol(db, [person], vault=vault, now=now, actor="key:1")
    return member


async def _missing(db: Db, phones: list[str], vault: Vault, now: datetime) -> dict[str, UUID]:
    return await operations.enrol_missing(db, phones, vault=vault, now=now, actor="key:1")


async def _rows(db: Db, query: str) -> list[tuple]:
    return await (await db.execute(query)).fetchall()


async def _dump(db: Db, *schemas: str) -> str:
    """Every row of these schemas as text."""
    tables = await (
        await db.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_schema = ANY(%s) AND table_type = 'BASE TABLE'",
            [list(schemas)],
        )
    ).fetchall()
    assert {schema for schema, _ in tables} == set(schemas)
    rows = []
    for schema, table in tables:
        rows += await _rows(db, f"SELECT t::text FROM {schema}.{table} AS t")
    return "\n".join(row[0] for row in rows)
