import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.ledger import operations as ledger
from vezde.ledger.model import Accrual, Hold, Part, Redemption
from vezde.ledger.operations import InsufficientPoints, NotMerged, PointsUnsettled
from vezde.ledger.queries import points
from vezde.members import operations, queries
from vezde.members.links.joining import parted
from vezde.members.model import (
    Member,
    MemberClosed,
    MemberNotFound,
    MergeNotLast,
    MergeTooOld,
    NewConsent,
    NewIdentity,
    NewMember,
    Status,
)
from vezde.wiring import STEPS

ANNA, BORIS, VERA = "+79160000001", "+79160000002", "+79160000003"
DAY, MONTH = timedelta(days=1), timedelta(days=30)
PERSON = NewMember(phone=ANNA, email="anna@example.ru", name="Анна", locale="ru", source="vk")
OTHER = NewMember(phone=BORIS, timezone="Asia/Omsk", identities=(NewIdentity("telegram", "4242"),))
FACTS = """
SELECT kind, member_id, data FROM outbox.fact
WHERE kind = ANY('{member.unmerged/1,consent.given/1}') ORDER BY id
"""
SEALED = "SELECT sealed FROM members.merge ORDER BY merged_at"
ROWS = """
SELECT to_jsonb(a) FROM members.arrival a ORDER BY member_id
"""


@pytest.fixture
async def anna(db: Db, vault: Vault, now: datetime) -> Member:
    return await _enrol(db, vault, now, PERSON)


@pytest.fixture
async def boris(db: Db, vault: Vault, now: datetime) -> Member:
    return await _enrol(db, vault, now, OTHER)


class TestUnmerge:
    async def test_gives_each_what_was_theirs(self, db, vault, now, anna, boris):
        before = await (await db.execute(ROWS)).fetchall()
        await _give(db, boris, now, "sms")
        told = await queries.member(db, boris.member_id, vault=vault)
        await _merge(db, vault, now, anna, boris)
        back = await _unmerge(db, vault, now + DAY, anna, boris)
        assert back == told
        assert await queries.member(db, anna.member_id, vault=vault) == anna
        assert await (await db.execute(ROWS)).fetchall() != before, "he agreed to something since"
        for text, who in ((ANNA, anna), (BORIS, boris)):
            assert (await queries.find(db, vault=vault, phone=text)).member_id == who.member_id
        assert await queries.surviving(db, boris.member_id) == boris.member_id
        assert await _facts(db) == [
            ("consent.given/1", boris.member_id, {"consent_id": str(told.consents[0].consent_id)}),
            (
                "member.unmerged/1",
                anna.member_id,
                {"into": str(anna.member_id), "gone": str(boris.member_id)},
            ),
        ]

    async def test_leaves_arrivals_as_they_were(self, db, vault, now, anna, boris):
        before = await (await db.execute(ROWS)).fetchall()
        await _merge(db, vault, now, boris, anna)
        await _unmerge(db, vault, now, boris, anna)
        assert await (await db.execute(ROWS)).fetchall() == before

    async def test_leaves_with_the_survivor_what_changed_since(self, db, vault, now, anna, boris):
        await _merge(db, vault, now, boris, anna)
        who = {"vault": vault, "now": now, "actor": "key:1"}
        await operations.change(db, boris.member_id, {"name": "Борис", "phone": VERA}, **who)
        await operations.add_identity(db, boris.member_id, kind="vk", value="7", **who)
        back = await _unmerge(db, vault, now, boris, anna)
        left = await queries.member(db, boris.member_id, vault=vault)
        assert (left.name, left.phone, left.email, left.source) == ("Борис", VERA, None, None)
        assert (back.name, back.phone, back.email, back.source) == (
            *("Анна", ANNA, "anna@example.ru"),
            "vk",
        )
        kinds = sorted(one.kind for one in left.identities)
        assert kinds == ["phone", "telegram", "vk"], "his own phone was changed for the new one"

    async def test_makes_another_phone_the_main_one(self, db, vault, now, anna, boris):
        guest = NewMember(identities=(NewIdentity("vk", "7"),))
        vera = await _enrol(db, vault, now, guest)
        await _merge(db, vault, now, vera, anna)
        await _merge(db, vault, now, vera, boris)
        assert (await queries.member(db, vera.member_id, vault=vault)).phone == ANNA
        await _unmerge(db, vault, now, vera, anna)
        assert (await queries.member(db, vera.member_id, vault=vault)).phone == BORIS

    async def test_done_again_answers_the_same(self, db, vault, now, anna, boris):
        await _merge(db, vault, now, anna, boris)
        back = await _unmerge(db, vault, now, anna, boris)
        facts = await _facts(db)
        assert await _unmerge(db, vault, now + 90 * DAY, anna, boris) == back
        assert await _facts(db) == facts

    async def test_may_be_merged_and_undone_again(self, db, vault, now, anna, boris):
        for _ in range(2):
            await _merge(db, vault, now, anna, boris)
            assert (await _unmerge(db, vault, now, anna, boris)).phone == BORIS
        await _merge(db, vault, now, boris, anna)
        assert (await _unmerge(db, vault, now, boris, anna)).phone == ANNA

    async def test_of_a_chain_goes_back_in_reverse_order(self, db, vault, now, anna, boris):
        vera = await _enrol(db, vault, now, NewMember(phone=VERA))
        await _merge(db, vault, now, boris, anna)
        await _merge(db, vault, now + DAY, vera, boris)
        for into in (boris, vera):
            with pytest.raises(MergeNotLast) as refused:
                await _unmerge(db, vault, now + DAY, into, anna)
            assert refused.value.extra == {"member_id": boris.member_id}
        await _unmerge(db, vault, now + DAY, vera, boris)
        shell = await queries.member(db, anna.member_id, vault=vault)
        assert shell.merged_into == boris.member_id
        await _unmerge(db, vault, now + DAY, boris, anna)
        for phone, who in ((ANNA, anna), (BORIS, boris), (VERA, vera)):
            assert (await queries.find(db, vault=vault, phone=phone)).member_id == who.member_id

    async def test_refuses_what_is_no_merge(self, db, vault, now, anna, boris):
        with pytest.raises(NotMerged):
            await _unmerge(db, vault, now, anna, boris)
        for pair in (
            (anna, replace(boris, member_id=uuid4())),
            (replace(anna, member_id=uuid4()), boris),
        ):
            with pytest.raises((MemberNotFound, NotMerged)):
                await _unmerge(db, vault, now, *pair)
        vera = await _enrol(db, vault, now, NewMember(phone=VERA))
        await _merge(db, vault, now, anna, boris)
        with pytest.raises(NotMerged):
            await _unmerge(db, vault, now, vera, boris)

    async def test_refuses_after_the_term(self, db, vault, now, anna, boris):
        await _merge(db, vault, now, anna, boris)
        with pytest.raises(MergeTooOld) as refused:
            await _unmerge(db, vault, now + MONTH + timedelta(seconds=1), anna, boris)
        assert "adjustment" in refused.value.detail
        assert await operations.sweep_merges(db, before=now) == 0
        await _unmerge(db, vault, now + MONTH, anna, boris)

    async def test_refuses_once_swept_or_merged_before_there_was_a_journal(
        self, db, vault, now, anna, boris
    ):
        await _merge(db, vault, now, anna, boris)
        assert await operations.sweep_merges(db, before=now + DAY) == 1
        assert await (await db.execute(SEALED)).fetchall() == [(None,)]
        with pytest.raises(MergeTooOld):
            await _unmerge(db, vault, now, anna, boris)

    async def test_of_somebody_forgotten_is_refused_and_nothing_of_them_kept(
        self, db, vault, now, anna, boris
    ):
        vera = await _enrol(db, vault, now, NewMember(phone=VERA))
        await _merge(db, vault, now, boris, anna)
        await _merge(db, vault, now, vera, boris)
        await operations.forget(db, vera.member_id, steps=STEPS, now=now, actor="key:1")
        assert await (await db.execute(SEALED)).fetchall() == [(None,), (None,)]
        with pytest.raises(MemberClosed):
            await _unmerge(db, vault, now, vera, boris)


class TestConsents:
    async def test_ended_by_the_merge_stand_again(self, db, vault, now, anna, boris):
        given = await _give(db, anna, now - 2 * DAY, "email")
        no = await _give(db, boris, now - 3 * DAY, "email")
        await _withdraw(db, boris.member_id, no, now - DAY)
        await _merge(db, vault, now, anna, boris)
        await _unmerge(db, vault, now, anna, boris)
        (left,) = (await queries.member(db, anna.member_id, vault=vault)).consents
        assert (left.consent_id, left.withdrawn_at) == (given.consent_id, None)
        (his,) = (await queries.member(db, boris.member_id, vault=vault)).consents
        assert his.withdrawn_how == "stop_word"

    async def test_stay_ended_where_somebody_said_no_since(self, db, vault, now, anna, boris):
        await _give(db, anna, now - 2 * DAY, "email")
        no = await _give(db, boris, now - 3 * DAY, "email")
        await _withdraw(db, boris.member_id, no, now - DAY)
        await _merge(db, vault, now, anna, boris)
        again = await _give(db, anna, now, "email")
        await _withdraw(db, anna.member_id, again, now + DAY)
        await _unmerge(db, vault, now + DAY, anna, boris)
        left = (await queries.member(db, anna.member_id, vault=vault)).consents
        assert all(one.withdrawn_at for one in left)

    async def test_are_withdrawn_by_an_id_of_the_time_between(self, db, vault, now, anna, boris):
        his = await _give(db, boris, now, "sms")
        await _merge(db, vault, now, anna, boris)
        await _unmerge(db, vault, now, anna, boris)
        done = await _withdraw(db, anna.member_id, his, now)
        assert (done.member_id, done.withdrawn_at) == (boris.member_id, now)


class TestParted:
    def test_takes_out_what_the_other_brought(self):
        own = {"code": "a", "at": "1", "times": 2}
        joined = [{"code": "a", "at": "0", "times": 5}, {"code": "b", "at": "0", "times": 1}]
        now = [{"code": "a", "at": "0", "times": 6}, joined[1], {"code": "c", "times": 1}]
        assert parted([own], joined, now) == [
            {"code": "a", "at": "1", "times": 3},
            {"code": "c", "times": 1},
        ]


class TestAtOnce:
    async def test_two_undos_are_one(self, database, vault, now):
        anna, boris = await _two(database, vault, now)

        async def undo() -> Member:
            async with database.transaction() as db:
                return await _unmerge_ids(db, vault, now, anna, boris)

        answers = await asyncio.gather(*(undo() for _ in range(5)))
        assert {one.status for one in answers} == {Status.ACTIVE}
        async with database.transaction() as db:
            assert len(await _facts(db)) == 1
            assert (await points(db, boris, as_of=now)).active == 60

    async def test_redemptions_beside_it_never_spend_twice(self, database, vault, now):
        anna, boris = await _two(database, vault, now)
        spent = []

        async def redeem(who: UUID, n: int) -> None:
            command = Redemption(
                member_id=who, op_key=f"r{n}", occurred_at=now, title="Покупка", points=10
            )
            try:
                async with database.transaction() as db:
                    await ledger.redeem(db, command, now=now, actor="key:1")
                spent.append(who)
            except (InsufficientPoints, ledger.AccountClosed):
                return

        async def undo() -> None:
            async with database.transaction() as db:
                await _unmerge_ids(db, vault, now, anna, boris)

        tries = [redeem(who, n) for n in range(10) for who in (anna, boris)]
        await asyncio.gather(*tries[:8], undo(), *tries[8:])
        async with database.transaction() as db:
            left = [(await points(db, who, as_of=now)).active for who in (anna, boris)]
        assert sum(left) + 10 * len(spent) == 100
        assert min(left) >= 0

    async def test_waits_for_an_order_in_hand(self, database, vault, now):
        anna, boris = await _two(database, vault, now)
        held = Hold(
            member_id=anna,
            op_key="h",
            occurred_at=now,
            title="Бронь",
            hold_id=uuid4(),
            points=90,
            expires_at=now + timedelta(minutes=15),
            held_outlives_lot=True,
        )
        async with database.transaction() as db:
            await ledger.hold(db, held, now=now, actor="key:1")
        with pytest.raises(PointsUnsettled):
            async with database.transaction() as db:
                await _unmerge_ids(db, vault, now, anna, boris)
        async with database.transaction() as db:  # once the hold is over
            later = now + timedelta(minutes=16)
            await _unmerge_ids(db, vault, later, anna, boris)
            assert (await points(db, boris, as_of=later)).active == 60


async def _two(database: Database, vault: Vault, now: datetime) -> tuple[UUID, UUID]:
    """Merged, of points 40 and 60."""
    async with database.transaction() as db:
        anna, boris = [(await _enrol(db, vault, now, one)).member_id for one in (PERSON, OTHER)]
        for who, amount in ((anna, 40), (boris, 60)):
            accrual = Accrual(
                member_id=who,
                op_key=f"a{amount}",
                occurred_at=now,
                title="Покупка",
                points=amount,
                parts=(Part(1, "base", 0, amount),),
                active_at=now,
                expires_at=None,
                proof={},
            )
            await ledger.accrue(db, [accrual], now=now, actor="system")
        await _merge_ids(db, vault, now, anna, boris)
    return anna, boris


async def _enrol(db: Db, vault: Vault, now: datetime, person: NewMember) -> Member:
    (member,) = await operations.enrol(db, [person], vault=vault, now=now, actor="key:1")
    return member


async def _merge(db: Db, vault: Vault, now: datetime, into: Member, gone: Member) -> None:
    await _merge_ids(db, vault, now, into.member_id, gone.member_id)


async def _merge_ids(db: Db, vault: Vault, now: datetime, into: UUID, gone: UUID) -> None:
    await operations.merge(db, into, gone, steps=STEPS, vault=vault, now=now, actor="key:2")


async def _unmerge(db: Db, vault: Vault, now: datetime, into: Member, gone: Member) -> Member:
    return await _unmerge_ids(db, vault, now, into.member_id, gone.member_id)


async def _unmerge_ids(db: Db, vault: Vault, now: datetime, into: UUID, gone: UUID) -> Member:
    return await operations.unmerge(
        db, into, gone, within=MONTH, steps=STEPS, vault=vault, now=now, actor="key:2"
    )


async def _give(db: Db, member: Member, at: datetime, channel: str | None = None):
    consent = NewConsent("promo", "2026-01", at, "site_form", channel)
    return await operations.give_consent(db, member.member_id, consent, now=at, actor="key:1")


async def _withdraw(db: Db, owner: UUID, consent, at: datetime):
    return await operations.withdraw_consent(
        db, owner, consent.consent_id, how="stop_word", now=at, actor="key:1"
    )


async def _facts(db: Db) -> list[tuple]:
    return await (await db.execute(FACTS)).fetchall()
