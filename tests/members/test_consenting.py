from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import operations, queries
from vezde.members.model import (
    ConsentNotFound,
    InvalidField,
    Member,
    MemberClosed,
    MemberNotFound,
    NewConsent,
    NewMember,
)

FACTS = "SELECT kind, data FROM outbox.fact WHERE kind LIKE 'consent.%' ORDER BY recorded_at, id"


@pytest.fixture
async def anna(db: Db, vault: Vault, now: datetime) -> Member:
    new = NewMember(phone="+79160000001")
    (member,) = await operations.enrol(db, [new], vault=vault, now=now, actor="key:1")
    return member


@pytest.fixture
def promo(now: datetime) -> NewConsent:
    return NewConsent("promo", "2026-09", now, "site_form", channel="email")


class TestGiveConsent:
    async def test_is_a_row_of_the_member(
        self, db: Db, vault: Vault, now: datetime, anna: Member, promo: NewConsent
    ):
        given = await operations.give_consent(db, anna.member_id, promo, now=now, actor="key:1")
        read = await queries.member(db, anna.member_id, vault=vault)
        assert read.consents == (given,)
        assert await _facts(db) == [("consent.given/1", {"consent_id": str(given.consent_id)})]

    async def test_each_giving_is_kept(
        self, db: Db, vault: Vault, now: datetime, anna: Member, promo: NewConsent
    ):
        for consent in (promo, replace(promo, document_version="2026-10")):
            await operations.give_consent(db, anna.member_id, consent, now=now, actor="key:1")
        read = await queries.member(db, anna.member_id, vault=vault)
        assert [c.document_version for c in read.consents] == ["2026-09", "2026-10"]

    async def test_needs_an_active_member_and_sound_fields(
        self, db: Db, now: datetime, anna: Member, promo: NewConsent
    ):
        with pytest.raises(MemberNotFound):
            await operations.give_consent(db, uuid4(), promo, now=now, actor="key:1")
        with pytest.raises(InvalidField):
            await operations.give_consent(
                db, anna.member_id, replace(promo, how=""), now=now, actor="key:1"
            )
        await db.execute("UPDATE members.member SET status = 'closed'")
        with pytest.raises(MemberClosed):
            await operations.give_consent(db, anna.member_id, promo, now=now, actor="key:1")

    async def test_what_was_given_cannot_be_altered_or_erased(
        self, db: Db, now: datetime, anna: Member, promo: NewConsent
    ):
        await operations.give_consent(db, anna.member_id, promo, now=now, actor="key:1")
        for altering in (
            "UPDATE members.consent SET given_at = recorded_at",
            "DELETE FROM members.consent",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                async with db.transaction():
                    await db.execute(altering)


class TestWithdrawConsent:
    async def test_adds_when_how_and_by_whom(
        self, db: Db, vault: Vault, now: datetime, anna: Member, promo: NewConsent
    ):
        given = await operations.give_consent(db, anna.member_id, promo, now=now, actor="key:1")
        later = now + timedelta(days=1)
        withdrawn = await operations.withdraw_consent(
            db, anna.member_id, given.consent_id, how="stop_word", now=later, actor="key:2"
        )
        assert withdrawn == replace(
            given, withdrawn_at=later, withdrawn_how="stop_word", withdrawn_by="key:2"
        )
        assert (await queries.member(db, anna.member_id, vault=vault)).consents == (withdrawn,)
        kinds = [kind for kind, _ in await _facts(db)]
        assert kinds == ["consent.given/1", "consent.withdrawn/1"]

    async def test_again_answers_as_it_was_withdrawn_first(
        self, db: Db, now: datetime, anna: Member, promo: NewConsent
    ):
        given = await operations.give_consent(db, anna.member_id, promo, now=now, actor="key:1")
        answers = [
            await operations.withdraw_consent(
                db,
                anna.member_id,
                given.consent_id,
                how="one_click",
                now=now + timedelta(days=days),
                actor="key:2",
            )
            for days in (1, 2)
        ]
        assert answers[0] == answers[1]
        assert len(await _facts(db)) == 2

    async def test_an_unknown_one_or_anothers_is_missing(
        self, db: Db, now: datetime, anna: Member, promo: NewConsent
    ):
        given = await operations.give_consent(db, anna.member_id, promo, now=now, actor="key:1")
        for member_id, consent_id in ((anna.member_id, uuid4()), (uuid4(), given.consent_id)):
            with pytest.raises(ConsentNotFound):
                await operations.withdraw_consent(
                    db, member_id, consent_id, how="x", now=now, actor="key:1"
                )


async def _facts(db: Db) -> list[tuple]:
    return await (await db.execute(FACTS)).fetchall()
