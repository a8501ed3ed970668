from datetime import datetime, timedelta
from uuid import UUID

import pytest

from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.members import operations, queries
from vezde.members.model import (
    Member,
    MemberClosed,
    MemberNotFound,
    NewConsent,
    NewIdentity,
    NewMember,
    Status,
)
from vezde.wiring import STEPS

ANNA = "+79160000001"
PERSON = NewMember(
    phone=ANNA,
    name="Анна",
    locale="ru",
    timezone="Asia/Omsk",
    source="Анна от Бориса",
    identities=(NewIdentity("telegram", "4242"),),
)


@pytest.fixture
async def anna(db: Db, vault: Vault, now: datetime) -> Member:
    consents = (
        NewConsent("promo", "2026-01", now, "site_form", "email"),
        NewConsent("processing", "2026-01", now, "по телефону, Анна Смирнова"),
    )
    return await _enrol(db, vault, now, consents)


class TestForget:
    async def test_leaves_a_shell(self, db: Db, vault: Vault, now: datetime, anna: Member):
        assert await _forget(db, now, anna)
        shell = await queries.member(db, anna.member_id, vault=vault)
        assert shell.status is Status.FORGOTTEN
        assert shell.identities == ()
        assert vars(shell.profile) == dict.fromkeys(vars(shell.profile))

    async def test_keeps_the_evidence_of_consents_without_the_person(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        promo, _ = anna.consents
        await operations.withdraw_consent(
            db, anna.member_id, promo.consent_id, how="сказала Анна", now=now, actor="key:1"
        )
        later = now + timedelta(days=1)
        await _forget(db, later, anna)
        shell = await queries.member(db, anna.member_id, vault=vault)
        told = [(one.how, one.withdrawn_how, one.withdrawn_at) for one in shell.consents]
        assert told == [("site_form", "erased", now), ("erased", "forgotten", later)]
        assert [one.given_at for one in shell.consents] == [now, now]

    async def test_makes_the_phone_free(self, db: Db, vault: Vault, now: datetime, anna: Member):
        await _forget(db, now, anna)
        assert await queries.ids_by_phone(db, [ANNA], vault=vault) == {}
        newcomer = await _enrol(db, vault, now)
        assert newcomer.member_id != anna.member_id

    async def test_closes_the_account(self, db: Db, now: datetime, anna: Member):
        await _forget(db, now, anna)
        with pytest.raises(ledger.AccountClosed):
            await ledger.lock(db, [anna.member_id])
        (entry,) = await ledger_queries.history(db, anna.member_id, limit=5)
        assert entry.kind == "close"

    async def test_done_again_changes_nothing(self, db: Db, now: datetime, anna: Member):
        assert await _forget(db, now, anna)
        assert not await _forget(db, now + timedelta(days=1), anna)
        cursor = await db.execute("SELECT kind FROM outbox.fact WHERE kind LIKE 'member.f%'")
        assert await cursor.fetchall() == [("member.forgotten/1",)]

    async def test_refuses_everything_afterwards(
        self, db: Db, vault: Vault, now: datetime, anna: Member
    ):
        await _forget(db, now, anna)
        for verb in (
            operations.change(
                db, anna.member_id, {"name": "x"}, vault=vault, now=now, actor="key:1"
            ),
            operations.give_consent(
                db,
                anna.member_id,
                NewConsent("promo", "1", now, "site_form"),
                now=now,
                actor="key:1",
            ),
        ):
            with pytest.raises(MemberClosed):
                await verb
        assert await operations.present(db, [anna.member_id]) == frozenset()

    async def test_of_nobody_is_refused(self, db: Db, now: datetime):
        with pytest.raises(MemberNotFound):
            await operations.forget(db, UUID(int=7), steps=STEPS, now=now, actor="key:1")


async def _enrol(db: Db, vault: Vault, now: datetime, consents=()) -> Member:
    person = NewMember(**{**vars(PERSON), "consents": consents})
    (member,) = await operations.enrol(db, [person], vault=vault, now=now, actor="key:1")
    return member


async def _forget(db: Db, now: datetime, member: Member) -> bool:
    return await operations.forget(db, member.member_id, steps=STEPS, now=now, actor="key:1")
