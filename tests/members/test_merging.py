import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.members import operations, queries
from vezde.members.model import (
    ConsentNotFound,
    Member,
    MemberClosed,
    MemberMerged,
    MemberNotFound,
    MergeWithItself,
    NewConsent,
    NewIdentity,
    NewMember,
    Status,
)
from vezde.wiring import STEPS

ANNA, BORIS, VERA = "+79160000001", "+79160000002", "+79160000003"
FACTS = """
SELECT kind, member_id, data FROM outbox.fact WHERE kind <> 'member.enrolled/1' ORDER BY id
"""
PERSON = NewMember(
    phone=ANNA,
    email="anna@example.ru",
    name="Анна",
    birthday="1990-12-31",
    locale="ru",
    source="blogger-17",
)
GUEST = NewMember(
    phone=BORIS, locale="en", timezone="Asia/Omsk", identities=(NewIdentity("telegram", "4242"),)
)


@pytest.fixture
async def anna(db: Db, vault: Vault, now: datetime) -> Member:
    return await _enrol(db, vault, now, PERSON)


@pytest.fixture
async def guest(db: Db, vault: Vault, now: datetime) -> Member:
    return await _enrol(db, vault, now, GUEST)


class TestMerge:
    async def test_keeps_what_the_one_has_and_takes_what_only_the_other_has(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        merged = await _merge(db, vault, now, guest, anna)
        assert (merged.name, str(merged.birthday)) == ("Анна", "1990-12-31")
        assert (merged.locale, merged.timezone) == ("en", "Asia/Omsk")
        assert merged.source == "blogger-17"
        assert (merged.phone, merged.email) == (BORIS, "anna@example.ru")
        phones = {one.value: one.main for one in merged.identities if one.kind == "phone"}
        assert phones == {BORIS: True, ANNA: False}
        assert len(merged.identities) == 4

    async def test_finds_the_member_by_all_that_both_were_known_by(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        merged = await _merge(db, vault, now, anna, guest)
        phones = await queries.ids_by_phone(db, [ANNA, BORIS], vault=vault)
        assert phones == {ANNA: anna.member_id, BORIS: anna.member_id}
        assert await queries.find(db, vault=vault, kind="telegram", value="4242") == merged
        changed = await operations.change(
            db, anna.member_id, {"phone": BORIS}, vault=vault, now=now, actor="key:1"
        )
        assert changed.phone == BORIS

    async def test_leaves_a_shell_that_says_who_it_is_now(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        await _merge(db, vault, now, anna, guest)
        shell = await queries.member(db, guest.member_id, vault=vault)
        assert shell.status is Status.CLOSED
        assert shell.merged_into == anna.member_id
        assert (shell.identities, shell.consents, shell.locale) == ((), (), None)
        assert await queries.surviving(db, guest.member_id) == anna.member_id
        assert await queries.former(db, [anna.member_id, guest.member_id]) == {
            anna.member_id: [guest.member_id]
        }

    async def test_the_shell_refuses_everything_and_names_the_member(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        await _merge(db, vault, now, anna, guest)
        gone, vera = guest.member_id, await _enrol(db, vault, now, NewMember(phone=VERA))
        common = {"now": now, "actor": "key:1"}
        for verb in (
            operations.change(db, gone, {"name": "x"}, vault=vault, **common),
            operations.add_identity(db, gone, kind="vk", value="1", vault=vault, **common),
            operations.give_consent(db, gone, _consent(now), **common),
            operations.forget(db, gone, steps=STEPS, **common),
            _merge(db, vault, now, guest, vera),
            _merge(db, vault, now, vera, guest),
        ):
            with pytest.raises(MemberMerged) as refused:
                await verb
            assert refused.value.extra == {"member_id": anna.member_id}
        assert await operations.present(db, [gone, anna.member_id]) == {anna.member_id}

    async def test_done_again_changes_nothing(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        merged = await _merge(db, vault, now, anna, guest)
        before = await _facts(db)
        assert await _merge(db, vault, now + timedelta(days=1), anna, guest) == merged
        assert await _facts(db) == before

    async def test_leads_on_from_merge_to_merge(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        vera = await _enrol(db, vault, now, NewMember(phone=VERA))
        await _merge(db, vault, now, guest, anna)
        merged = await _merge(db, vault, now, vera, guest)
        assert {one.value for one in merged.identities if one.kind == "phone"} == {
            ANNA,
            BORIS,
            VERA,
        }
        for member in (anna, guest):
            assert await queries.surviving(db, member.member_id) == vera.member_id
        assert await _merge(db, vault, now, vera, anna) == merged

    async def test_says_what_happened(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        await _merge(db, vault, now, anna, guest)
        ids = {"into": str(anna.member_id), "gone": str(guest.member_id)}
        assert await _facts(db) == [("member.merged/1", anna.member_id, ids)]

    async def test_with_itself_or_nobody_is_refused(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        with pytest.raises(MergeWithItself):
            await _merge(db, vault, now, anna, anna)
        nobody = replace(anna, member_id=uuid4())
        for pair in ((anna, nobody), (nobody, anna)):
            with pytest.raises(MemberNotFound):
                await _merge(db, vault, now, *pair)

    async def test_with_somebody_forgotten_is_refused(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        await operations.forget(db, guest.member_id, steps=STEPS, now=now, actor="key:1")
        for pair in ((anna, guest), (guest, anna)):
            with pytest.raises(MemberClosed) as refused:
                await _merge(db, vault, now, *pair)
            assert refused.value.code == "member_closed"


class TestConsents:
    async def test_of_both_stay_with_their_evidence(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        one = await _give(db, anna, now, channel="email")
        other = await _give(db, guest, now, channel="telegram")
        merged = await _merge(db, vault, now, anna, guest)
        assert merged.consents == (one, replace(other, member_id=anna.member_id))

    @pytest.mark.parametrize("into_anna", [True, False])
    async def test_one_withdrawn_by_the_other_after_it_was_given_ends(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member, into_anna: bool
    ):
        given = await _give(db, anna, now - timedelta(days=2), channel="email")
        kept = await _give(db, anna, now - timedelta(days=2), channel="sms")
        no = await _give(db, guest, now - timedelta(days=3), channel="email")
        await _withdraw(db, no, now - timedelta(days=1))
        pair = (anna, guest) if into_anna else (guest, anna)
        merged = await _merge(db, vault, now, *pair)
        ended = {one.consent_id: one.withdrawn_how for one in merged.consents}
        assert ended == {
            given.consent_id: "merge",
            kept.consent_id: None,
            no.consent_id: "stop_word",
        }
        kinds = [(kind, who) for kind, who, _ in await _facts(db)]
        assert ("consent.withdrawn/1", merged.member_id) in kinds

    async def test_one_given_anew_after_the_other_withdrew_stands(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        no = await _give(db, guest, now - timedelta(days=3))
        await _withdraw(db, no, now - timedelta(days=2))
        again = await _give(db, anna, now - timedelta(days=1))
        merged = await _merge(db, vault, now, anna, guest)
        (live,) = [one for one in merged.consents if one.withdrawn_at is None]
        assert live.consent_id == again.consent_id

    async def test_is_withdrawn_by_its_old_id(
        self, db: Db, vault: Vault, now: datetime, anna: Member, guest: Member
    ):
        given = await _give(db, guest, now)
        await _merge(db, vault, now, anna, guest)
        withdrawn = await _withdraw(db, given, now)
        assert (withdrawn.member_id, withdrawn.withdrawn_at) == (anna.member_id, now)
        with pytest.raises(ConsentNotFound):
            await _withdraw(db, replace(given, consent_id=uuid4()), now)


class TestAtOnce:
    async def test_of_two_directions_one_wins(
        self, database: Database, vault: Vault, now: datetime
    ):
        anna, guest = await _two(database, vault, now)

        async def merge(into: UUID, gone: UUID) -> Member:
            async with database.transaction() as db:
                return await _merge_ids(db, vault, now, into, gone)

        answers = await asyncio.gather(
            *(merge(anna, guest) for _ in range(3)),
            *(merge(guest, anna) for _ in range(3)),
            return_exceptions=True,
        )
        won = {one.member_id for one in answers if isinstance(one, Member)}
        assert len(won) == 1
        lost = [one for one in answers if not isinstance(one, Member)]
        assert len(lost) == 3
        for error in lost:
            assert isinstance(error, MemberMerged)
            assert error.extra == {"member_id": won.copy().pop()}

    async def test_in_a_ring_ends_with_one_member(
        self, database: Database, vault: Vault, now: datetime
    ):
        async with database.transaction() as db:
            phones = [f"+7916000{n:04d}" for n in range(6)]
            ring = [
                (await _enrol(db, vault, now, NewMember(phone=phone))).member_id for phone in phones
            ]

        async def merge(into: UUID, gone: UUID) -> bool:
            async with database.transaction() as db:
                await _merge_ids(db, vault, now, into, gone)
            return True

        pairs = [(ring[n], ring[(n + 1) % 6]) for n in range(6)]
        answers = await asyncio.gather(*(merge(*pair) for pair in pairs), return_exceptions=True)
        assert all(one is True or isinstance(one, MemberMerged) for one in answers)
        async with database.transaction() as db:
            owners = set((await queries.ids_by_phone(db, phones, vault=vault)).values())
            assert owners == await operations.present(db, ring)
            for member_id in ring:
                assert await queries.surviving(db, member_id) in owners

    async def test_a_change_waits_and_reads_that_the_member_is_gone(
        self, database: Database, vault: Vault, now: datetime
    ):
        anna, guest = await _two(database, vault, now)

        async def change() -> None:
            async with database.transaction() as db:
                await operations.change(
                    db, guest, {"phone": VERA}, vault=vault, now=now, actor="key:1"
                )

        async with database.transaction() as db:
            await _merge_ids(db, vault, now, anna, guest)
            waiting = asyncio.create_task(change())
            await asyncio.sleep(0.1)
            assert not waiting.done()
        with pytest.raises(MemberMerged):
            await waiting
        async with database.transaction() as db:
            assert await queries.ids_by_phone(db, [VERA], vault=vault) == {}

    async def test_background_work_passes_a_member_by_and_doors_wait(
        self, database: Database, vault: Vault, now: datetime
    ):
        anna, guest = await _two(database, vault, now)

        async def present() -> frozenset[UUID]:
            async with database.transaction() as db:
                return await operations.present(db, [guest, anna])

        async with database.transaction() as db:
            await _merge_ids(db, vault, now, anna, guest)
            async with database.transaction() as other:
                assert await operations.undisturbed(other, [anna, guest]) == frozenset()
            waiting = asyncio.create_task(present())
            await asyncio.sleep(0.05)
            assert not waiting.done()
        assert await waiting == {anna}
        async with database.transaction() as db:
            assert await operations.undisturbed(db, [anna, guest]) == {anna, guest}


async def _two(database: Database, vault: Vault, now: datetime) -> tuple[UUID, UUID]:
    async with database.transaction() as db:
        made = [await _enrol(db, vault, now, person) for person in (PERSON, GUEST)]
    return made[0].member_id, made[1].member_id


async def _enrol(db: Db, vault: Vault, now: datetime, person: NewMember) -> Member:
    (member,) = await operations.enrol(db, [person], vault=vault, now=now, actor="key:1")
    return member


async def _merge(db: Db, vault: Vault, now: datetime, into: Member, gone: Member) -> Member:
    return await _merge_ids(db, vault, now, into.member_id, gone.member_id)


async def _merge_ids(db: Db, vault: Vault, now: datetime, into: UUID, gone: UUID) -> Member:
    return await operations.merge(db, into, gone, steps=STEPS, vault=vault, now=now, actor="key:2")


def _consent(at: datetime, channel: str | None = None) -> NewConsent:
    return NewConsent("promo", "2026-01", at, "site_form", channel)


async def _give(db: Db, member: Member, at: datetime, channel: str | None = None):
    return await operations.give_consent(
        db, member.member_id, _consent(at, channel), now=at, actor="key:1"
    )


async def _withdraw(db: Db, consent, at: datetime):
    return await operations.withdraw_consent(
        db, consent.member_id, consent.consent_id, how="stop_word", now=at, actor="key:1"
    )


async def _facts(db: Db) -> list[tuple]:
    return await (await db.execute(FACTS)).fetchall()
