from datetime import timedelta

from messaging.conftest import NOW
from vezde.messaging import operations, queries
from vezde.messaging.model import Purpose

COUNTS = """
SELECT (SELECT count(*) FROM messaging.send WHERE member_id = %(m)s)
     + (SELECT count(*) FROM messaging.queue WHERE member_id = %(m)s)
     + (SELECT count(*) FROM messaging.slot WHERE member_id = %(m)s)
     + (SELECT count(*) FROM messaging.chat WHERE member_id = %(m)s)
"""


async def rows(post, of) -> int:
    async with post.database.transaction() as db:
        return (await (await db.execute(COUNTS, {"m": of.member_id})).fetchone())[0]


class TestMerge:
    async def test_messages_go_to_who_stays(self, post):
        guest, anna = await post.addressee("Гость"), await post.addressee()
        await post.say(guest, "checking", slot="receipt:1")
        await post.deliver()
        await post.say(guest, "accepted", slot="receipt:1", address=str(guest.person.id))
        async with post.database.transaction() as db:
            await operations.merge(db, anna.member_id, guest.member_id, now=NOW, actor="test")
        await post.deliver()
        assert ["accepted" in one for one in guest.said] == [True]
        assert not anna.said
        assert await post.states(anna) == ["sent", "sent"]

    async def test_a_key_of_both_counts_once(self, post):
        guest, anna = await post.addressee("Гость"), await post.addressee()
        await post.say(anna, key="welcome")
        await post.deliver()
        await post.say(guest, key="welcome")
        async with post.database.transaction() as db:
            await operations.merge(db, anna.member_id, guest.member_id, now=NOW, actor="test")
        await post.deliver()
        assert await post.states(anna) == ["sent"]
        assert len(anna.said) + len(guest.said) == 1
        assert await rows(post, guest) == 0


class TestForget:
    async def test_leaves_nothing(self, post):
        anna = await post.addressee()
        await post.say(anna, "checking", slot="receipt:1")
        await post.deliver()
        await post.say(anna, "accepted", slot="receipt:1")
        await post.say(anna, purpose=Purpose.SERVICE)
        assert await rows(post, anna) == 7
        async with post.database.transaction() as db:
            await operations.forget(db, anna.member_id, now=NOW, actor="test")
        assert await rows(post, anna) == 0
        assert await post.deliver() == 0


class TestSweep:
    async def test_takes_what_is_old(self, post):
        anna = await post.addressee()
        await post.say(anna, slot="receipt:1")
        await post.deliver()
        async with post.database.transaction() as db:
            assert await operations.sweep(db, wall=post.wall(), limit=10) == 0
            later = post.wall() + timedelta(days=2)
            assert await operations.sweep(db, wall=later, limit=10) == 1
            later = post.wall() + timedelta(days=401)
            assert await operations.sweep(db, wall=later, limit=10) == 1
            assert len(await queries.sends(db, anna.member_id)) == 1
