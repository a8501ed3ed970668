import asyncio
from datetime import timedelta

import pytest

from access.conftest import ORIGIN, PHONE, enrolled, page_key
from vezde.access import doors, operations, queries
from vezde.access.doors import (
    ConsentRequired,
    How,
    NotAMember,
    SessionOver,
    SignInOver,
    SignInUnknown,
    SignInWaiting,
    State,
    WrongCode,
)
from vezde.access.operations import signing_in
from vezde.access.operations.entering import Asked, Consent, Document
from vezde.access.operations.telling import By, Channels
from vezde.kit.db import Database
from vezde.members.model import NewIdentity
from vezde.messaging import queries as messaging
from vezde.messaging.sms import queries as sms

BOTH = Channels(("telegram",), 100)
DOCUMENT = Document("2026-11", None)


async def ask(shop, phone=PHONE, *, channels=BOTH, by=None, key=None, wall=None):
    return await operations.ask_code(
        shop.db,
        Asked(key or shop.key, ORIGIN, phone, by),
        channels=channels,
        vault=shop.vault,
        now=shop.now,
        wall=wall or shop.now,
    )


async def tried(shop, begun, code, *, key=None, origin=ORIGIN, wall=None):
    return await operations.try_code(
        shop.db,
        begun.handle,
        code,
        key=key or shop.key,
        origin=origin,
        vault=shop.vault,
        wall=wall or shop.now,
    )


async def entered(shop, begun, consent=None, *, key=None, wall=None):
    wall = wall or shop.now
    found = await operations.sign_in(
        shop.db, begun.handle, key=key or shop.key, origin=ORIGIN, vault=shop.vault, wall=wall
    )
    return await operations.enter(
        shop.db,
        found,
        consent,
        key=key or shop.key,
        document=DOCUMENT,
        vault=shop.vault,
        now=shop.now,
        wall=wall,
    )


def other(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06}"


class TestCode:
    async def test_signs_its_phones_owner_in(self, shop):
        anna = await enrolled(shop.db, shop.vault, shop.now)
        begun = await ask(shop)
        assert (await tried(shop, begun, f" {begun.code[:3]} {begun.code[3:]} ")).state == "proved"
        token, session = await entered(shop, begun)
        assert session.member_id == anna
        found = await operations.session(
            shop.db, token, key=shop.key, origin=ORIGIN, wall=shop.at(days=29)
        )
        assert found.session_id == session.session_id

    async def test_goes_by_the_messenger_first_and_by_sms_else(self, shop):
        anna = await enrolled(
            shop.db, shop.vault, shop.now, PHONE, NewIdentity("telegram", "7000000001")
        )
        begun = await ask(shop)
        (sent,) = await messaging.sends(shop.db, anna)
        assert (sent.channel, sent.purpose, sent.state) == ("telegram", "service", "reserved")
        assert await sms.by_key(shop.db, f"sign_in/{begun.sign_in_id}") is None
        wished = await ask(shop, by=By.SMS)
        row = await sms.by_key(shop.db, f"sign_in/{wished.sign_in_id}")
        assert (row.member_id, row.segments) == (anna, 1)
        without = await ask(shop, channels=Channels((), 100))
        assert await sms.by_key(shop.db, f"sign_in/{without.sign_in_id}") is not None

    async def test_of_a_stranger_looks_the_same_and_is_sent_to_nobody(self, shop):
        begun = await ask(shop)
        assert begun.code is None
        assert (begun.expires_wall, len(begun.handle)) == (
            shop.now + doors.CODE_TTL,
            len((await ask(shop, "+79000000002")).handle),
        )
        for left in (4, 3, 2, 1):
            said = await tried(shop, begun, "123456")
            assert isinstance(said, WrongCode)
            assert said.extra == {"attempts_left": left}
        assert (await tried(shop, begun, "123456")).extra == {"state": "exhausted"}

    async def test_is_kept_as_an_hmac(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        begun = await ask(shop)
        row = await (await shop.db.execute("SELECT s::text FROM access.sign_in s")).fetchone()
        assert begun.code not in row[0].replace("-", "")
        assert begun.code.encode().hex() not in row[0]
        assert begun.code not in repr(begun)

    async def test_is_not_guessed_in_five_attempts(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        begun = await ask(shop)
        for _ in range(4):
            assert isinstance(await tried(shop, begun, other(begun.code)), WrongCode)
        assert isinstance(await tried(shop, begun, other(begun.code)), SignInOver)
        assert isinstance(await tried(shop, begun, begun.code), SignInOver)

    async def test_expires(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        begun = await ask(shop)
        late = shop.now + doors.CODE_TTL
        assert (await tried(shop, begun, begun.code, wall=late)).extra == {"state": "expired"}
        await tried(shop, begun, begun.code)
        with pytest.raises(SignInOver):
            await entered(shop, begun, wall=late)

    async def test_is_of_its_page_alone(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        begun = await ask(shop)
        elsewhere = await page_key(shop.db, shop.now, "https://other.example")
        with pytest.raises(SignInUnknown):
            await tried(shop, begun, begun.code, key=elsewhere)
        with pytest.raises(SignInUnknown):
            await tried(shop, begun, begun.code, origin="https://evil.example")
        forged = signing_in.Begun(begun.sign_in_id, begun.handle[:-3] + "AAA", begun.expires_wall)
        with pytest.raises(SignInUnknown):
            await tried(shop, forged, begun.code)

    async def test_without_being_tried_opens_nothing(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        with pytest.raises(SignInWaiting):
            await entered(shop, await ask(shop))

    async def test_twice_at_once_makes_one_session(self, database: Database, vault, now):
        from access.conftest import Shop

        async with database.transaction() as db:
            await enrolled(db, vault, now)
            key = await page_key(db, now)
            begun = await ask(Shop(db, key, vault, now))

        async def both() -> str:
            async with database.transaction() as db:
                said = await tried(Shop(db, key, vault, now), begun, begun.code)
            if isinstance(said, SignInOver):
                raise said
            assert said.how is How.CODE
            async with database.transaction() as db:
                return (await entered(Shop(db, key, vault, now), begun))[0]

        answers = await asyncio.gather(*(both() for _ in range(6)), return_exceptions=True)
        assert sum(isinstance(one, str) for one in answers) == 1
        assert {type(one) for one in answers} <= {str, SignInOver}

    async def test_wrong_attempts_at_once_are_all_counted(self, database: Database, vault, now):
        from access.conftest import Shop

        async with database.transaction() as db:
            await enrolled(db, vault, now)
            key = await page_key(db, now)
            begun = await ask(Shop(db, key, vault, now))

        async def guess() -> object:
            async with database.transaction() as db:
                return await tried(Shop(db, key, vault, now), begun, other(begun.code))

        said = await asyncio.gather(*(guess() for _ in range(12)))
        assert sum(isinstance(one, WrongCode) for one in said) == 4
        assert sum(isinstance(one, SignInOver) for one in said) == 8


class TestEnrolling:
    async def test_needs_a_key_that_enrols(self, shop):
        begun = await ask(shop, channels=BOTH)
        await shop.db.execute("UPDATE access.sign_in SET state = 'proved'")
        with pytest.raises(NotAMember):
            await entered(shop, begun, Consent("2026-11"))

    async def test_comes_after_consent_to_the_document_in_force(self, shop):
        key = await page_key(shop.db, shop.now, enrols=True)
        begun = await ask(shop, key=key)
        row = await sms.by_key(shop.db, f"sign_in/{begun.sign_in_id}")
        assert row.member_id is None
        await tried(shop, begun, begun.code, key=key)
        for consent in (None, Consent("2019-01")):
            with pytest.raises(ConsentRequired) as caught:
                await entered(shop, begun, consent, key=key)
            assert caught.value.extra["document"] == {"version": "2026-11", "url": None}
        _, session = await entered(shop, begun, Consent("2026-11"), key=key)
        from vezde.members import queries as members

        made = await members.member(shop.db, session.member_id, vault=shop.vault)
        assert made.phone == PHONE
        assert [(one.purpose, one.how) for one in made.consents] == [("personal_data", "widget")]

    async def test_finds_who_joined_by_another_door_meanwhile(self, shop):
        key = await page_key(shop.db, shop.now, enrols=True)
        begun = await ask(shop, key=key)
        await tried(shop, begun, begun.code, key=key)
        anna = await enrolled(shop.db, shop.vault, shop.now)
        _, session = await entered(shop, begun, key=key)
        assert session.member_id == anna


class TestLink:
    async def begun(self, shop):
        return await operations.begin_by_link(shop.db, key=shop.key, origin=ORIGIN, wall=shop.now)

    async def decide(self, shop, begun, member_id, *, agrees=True, wall=None):
        return await operations.decide_link(
            shop.db,
            begun.link,
            member_id=member_id,
            agrees=agrees,
            vault=shop.vault,
            wall=wall or shop.now,
        )

    async def test_is_a_payload_a_messenger_takes(self, shop):
        begun = await self.begun(shop)
        assert begun.link.startswith("login-")
        assert len(begun.link) <= 64
        assert begun.link.replace("-", "").replace("_", "").isalnum()
        assert begun.link[6:] not in begun.handle

    async def test_is_confirmed_by_one_tap_and_used_once(self, shop):
        anna = await enrolled(shop.db, shop.vault, shop.now)
        begun = await self.begun(shop)
        with pytest.raises(SignInWaiting):
            await entered(shop, begun)
        assert (await self.decide(shop, begun, anna)).state is State.PROVED
        _, session = await entered(shop, begun)
        assert (session.member_id, session.how) == (anna, "link")
        with pytest.raises(SignInOver):
            await entered(shop, begun)

    async def test_the_first_answer_counts(self, shop):
        anna = await enrolled(shop.db, shop.vault, shop.now)
        boris = await enrolled(shop.db, shop.vault, shop.now, "+79000000002")
        begun = await self.begun(shop)
        await self.decide(shop, begun, anna)
        assert (await self.decide(shop, begun, boris)).member_id == anna
        assert (await self.decide(shop, begun, anna, agrees=False)).state is State.PROVED

    async def test_declined_or_late_opens_nothing(self, shop):
        anna = await enrolled(shop.db, shop.vault, shop.now)
        declined, late = await self.begun(shop), await self.begun(shop)
        await self.decide(shop, declined, anna, agrees=False)
        wall = shop.now + doors.LINK_TTL
        assert (await self.decide(shop, late, anna, wall=wall)).state is State.EXPIRED
        for begun in (declined, late):
            with pytest.raises((SignInOver, SignInWaiting)):
                await entered(shop, begun)
        assert await operations.linked(shop.db, "login-none", vault=shop.vault, wall=wall) is None


class TestSession:
    async def opened(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        begun = await ask(shop)
        await tried(shop, begun, begun.code)
        return await entered(shop, begun)

    async def refused(self, shop, token, *, key=None, origin=ORIGIN, wall=None) -> None:
        with pytest.raises(SessionOver):
            await operations.session(
                shop.db, token, key=key or shop.key, origin=origin, wall=wall or shop.now
            )

    async def test_is_bound_to_key_and_origin(self, shop):
        token, _ = await self.opened(shop)
        other_key = await page_key(shop.db, shop.now)
        await self.refused(shop, token, key=other_key)
        await self.refused(shop, token, origin="https://evil.example")
        await self.refused(shop, token, wall=shop.now + doors.SESSION_TTL)

    async def test_forged_is_refused(self, shop):
        token, session = await self.opened(shop)
        ids_, secret = token.split(".")
        for forged in ("", "ses_", f"{ids_}.{'A' * 43}", secret, token + "A", token.upper()):
            await self.refused(shop, forged)
        stored = await (await shop.db.execute("SELECT s::text FROM access.session s")).fetchone()
        assert secret not in stored[0]
        assert str(session.member_id) in stored[0]

    async def test_ends_when_signed_out_everywhere(self, shop):
        token, session = await self.opened(shop)
        (listed,) = await queries.sessions(shop.db, session.member_id, wall=shop.now)
        assert listed.origin == ORIGIN
        assert await operations.end_sessions(shop.db, session.member_id) == 1
        await self.refused(shop, token)

    @pytest.mark.parametrize("how", ["forget", "merge"])
    async def test_ends_when_the_member_leaves(self, shop, how):
        token, session = await self.opened(shop)
        if how == "forget":
            await operations.forget(shop.db, session.member_id, now=shop.now, actor="test")
        else:
            boris = await enrolled(shop.db, shop.vault, shop.now, "+79000000002")
            await operations.merge(shop.db, boris, session.member_id, now=shop.now, actor="test")
            assert await queries.sessions(shop.db, boris, wall=shop.now) == []
        await self.refused(shop, token)


class TestSweep:
    async def test_takes_what_ran_out(self, shop):
        await enrolled(shop.db, shop.vault, shop.now)
        await ask(shop)
        assert await operations.sweep_doors(shop.db, wall=shop.now, limit=100) == 0
        later = shop.now + timedelta(days=1)
        assert await operations.sweep_doors(shop.db, wall=later, limit=100) == 1
