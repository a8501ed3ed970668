"""Delivery over real HTTP: what the fake Telegram got is compared with what the ledger says."""

import asyncio
from dataclasses import replace

from messaging.conftest import NOW, TEXT, inline, mailing_consent
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging.model import Keyboard, Purpose, Tap, View
from vezde.messaging.work import Channel
from vezde.testing.telegram import faults


class TestDeliver:
    async def test_sends_what_is_reserved(self, post):
        anna = await post.addressee()
        await post.say(anna, "Лунария")
        assert await post.deliver() == 1
        assert "Лунария" in anna.said[0]
        assert await post.states(anna) == ["sent"]
        assert await post.waiting() == 0

    async def test_sends_a_key_once(self, post):
        anna = await post.addressee()
        assert len(await post.say(anna, key="receipt:1")) == 1
        await post.deliver()
        assert await post.say(anna, key="receipt:1") == []
        assert await post.deliver() == 0
        assert len(anna.said) == 1

    async def test_does_nothing_when_nothing_waits(self, post):
        assert await post.deliver() == 0

    async def test_keeps_the_order_of_a_chat(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        for number in range(4):
            await post.say(anna, f"a{number}")
            await post.say(boris, f"b{number}")
        while await post.waiting():
            await post.deliver()
            post.wall.pass_by(seconds=1)
        assert [
            text.split("<")[0][-3:-1] for text in (one.splitlines()[0] for one in anna.said)
        ] == [
            "a0",
            "a1",
            "a2",
            "a3",
        ]
        assert len(boris.said) == 4

    async def test_answers_go_before_mailings_and_overtake_them(self, post):
        anna = await post.addressee(consents=(mailing_consent(),))
        crowd = [
            await post.addressee(f"Гость {n}", consents=(mailing_consent(),)) for n in range(9)
        ]
        for one in [*crowd, anna]:
            await post.say(one, "mailing", purpose=Purpose.MARKETING)
        await post.say(anna, "answer")
        slow = replace(post, channel=Channel(post.channel.transport, 3))
        await slow.deliver()
        assert "answer" in anna.said[0]

    async def test_answers_a_tap(self, post):
        anna = await post.addressee()
        await post.say(anna, view=inline("menu"))
        await post.deliver()
        tapped = await anna.person.tap("Дальше")
        await post.reserve(
            Tap(anna.member_id, "telegram", tapped.removeprefix("callback:"), toast=TEXT)
        )
        assert await post.deliver() == 1
        assert anna.person.notices == ["Дальше"]
        assert await post.states(anna) == ["sent"]
        assert await post.waiting() == 0

    async def test_a_tap_that_is_over_is_over(self, post):
        anna = await post.addressee()
        await post.reserve(Tap(anna.member_id, "telegram", "12345"))
        await post.deliver()
        assert await post.waiting() == 0

    async def test_goes_to_the_account_they_write_from(self, post):
        anna = await post.addressee()
        other = post.fake.user("Анна")
        await other.start()
        async with post.database.transaction() as db:
            await members.add_identity(
                db,
                anna.member_id,
                kind="telegram",
                value=str(other.id),
                vault=post.vault,
                now=NOW,
                actor="test",
            )
        await post.say(anna, "here", address=str(other.id))
        await post.deliver()
        assert not anna.said
        assert "here" in other.messages[-1].text


class TestSlots:
    async def test_edits_the_message_of_its_slot(self, post):
        anna = await post.addressee()
        await post.say(anna, "checking", slot="receipt:1")
        await post.deliver()
        await post.say(anna, "accepted", slot="receipt:1")
        await post.deliver()
        assert len(anna.said) == 1
        assert "accepted" in anna.said[0]
        assert await post.states(anna) == ["sent", "sent"]

    async def test_an_edit_that_changes_nothing_is_done(self, post):
        anna = await post.addressee()
        for _ in range(2):
            await post.say(anna, "same", slot="receipt:1")
            await post.deliver()
        assert await post.states(anna) == ["sent", "sent"]
        assert len(anna.said) == 1

    async def test_a_newer_text_supersedes_one_that_waits(self, post):
        anna = await post.addressee()
        for text in ("one", "two", "three"):
            await post.say(anna, text, slot="receipt:1")
        while await post.deliver():
            pass
        assert len(anna.said) == 1
        assert "three" in anna.said[0]
        assert await post.states(anna) == ["superseded", "superseded", "sent"]

    async def test_an_older_text_that_was_overtaken_is_not_shown(self, post):
        anna = await post.addressee()
        await post.say(anna, "older", slot="receipt:1", purpose=Purpose.SERVICE)
        await post.say(anna, "newer", slot="receipt:1", purpose=Purpose.REPLY)
        while await post.deliver():
            pass
        assert len(anna.said) == 1
        assert "newer" in anna.said[0]
        assert await post.states(anna) == ["superseded", "sent"]

    async def test_a_less_urgent_text_supersedes_nothing_that_goes_before_it(self, post):
        anna = await post.addressee()
        await post.say(anna, "now", slot="receipt:1", purpose=Purpose.REPLY)
        await post.say(anna, "later", slot="receipt:1", purpose=Purpose.SERVICE)
        while await post.deliver():
            pass
        assert await post.states(anna) == ["sent", "sent"]
        assert ["later" in one for one in anna.said] == [True]

    async def test_a_message_that_is_gone_is_sent_anew(self, post):
        anna = await post.addressee()
        await post.say(anna, "checking", slot="receipt:1")
        await post.deliver()
        with post.fake.world.lock:
            anna.person.chat.messages.clear()
        await post.say(anna, "accepted", slot="receipt:1")
        await post.deliver()
        assert ["accepted" in one for one in anna.said] == [True]
        await post.say(anna, "and later", slot="receipt:1")
        await post.deliver()
        assert ["and later" in one for one in anna.said] == [True]

    async def test_a_reply_keyboard_makes_a_message_of_its_own(self, post):
        anna = await post.addressee()
        await post.say(anna, "first", slot="menu")
        await post.deliver()
        await post.say(anna, view=View(TEXT, keyboard=Keyboard.REMOVE), slot="menu")
        await post.deliver()
        assert len(anna.said) == 2
        await post.say(anna, "third", slot="menu")
        while await post.deliver():
            pass
        assert any("third" in one for one in anna.said)

    async def test_edits_nothing_in_another_chat(self, post):
        anna = await post.addressee()
        await post.say(anna, "checking", slot="receipt:1")
        await post.deliver()
        other = post.fake.user("Анна")
        await other.start()
        await post.say(anna, "accepted", slot="receipt:1", address=str(other.id))
        await post.deliver()
        assert "checking" in anna.said[0]
        assert "accepted" in other.messages[-1].text


class TestRefusals:
    async def test_who_blocked_the_bot_is_marked_and_left_alone(self, post):
        anna = await post.addressee()
        await anna.person.block()
        await post.say(anna)
        await post.deliver()
        assert await post.states(anna) == ["refused: blocked"]
        assert "member.unreachable/1" in await post.fact_kinds()
        before = len(post.fake.asked("sendMessage"))
        await post.say(anna, purpose=Purpose.SERVICE)
        await post.deliver()
        assert (await post.states(anna))[-1] == "refused: blocked"
        assert len(post.fake.asked("sendMessage")) == before

    async def test_who_comes_back_is_written_to_again(self, post):
        anna = await post.addressee()
        await anna.person.block()
        await post.say(anna)
        await post.deliver()
        await anna.person.send("/start")
        await post.say(anna, "again")
        await post.deliver()
        assert "again" in anna.said[-1]
        assert (await post.fact_kinds())[-1] == "member.reachable/1"
        await post.say(anna, purpose=Purpose.SERVICE)
        await post.deliver()
        assert (await post.states(anna))[-1] == "sent"

    async def test_deactivated_and_missing_chats_are_told_apart(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        post.fake.order(faults.deactivated(), method="sendMessage", chat=anna.person)
        post.fake.order(faults.chat_not_found(), method="sendMessage", chat=boris.person)
        await post.say(anna)
        await post.say(boris)
        await post.deliver()
        assert await post.states(anna) == ["refused: deactivated"]
        assert await post.states(boris) == ["refused: chat_missing"]

    async def test_a_bad_request_says_why_and_nothing_personal(self, post):
        anna = await post.addressee()
        said = 'Bad Request: can\'t parse entities: unsupported start tag "Анна" at byte offset 5'
        post.fake.order(faults.refused(400, said), method="sendMessage")
        await post.say(anna)
        await post.deliver()
        (state,) = await post.states(anna)
        assert state.startswith("refused: bad_request: can")
        assert "Анна" not in state
        assert "5" not in state

    async def test_a_mailing_needs_consent_when_it_is_sent(self, post):
        anna = await post.addressee(consents=(mailing_consent(),))
        assert await post.say(anna, purpose=Purpose.MARKETING)
        async with post.database.transaction() as db:
            anna_now = await member_queries.member(db, anna.member_id, vault=post.vault)
            (consent,) = anna_now.consents
            await members.withdraw_consent(
                db, anna.member_id, consent.consent_id, how="bot_button", now=NOW, actor="test"
            )
        await post.deliver()
        assert not anna.said
        assert await post.states(anna) == ["refused: no_consent"]

    async def test_what_waited_for_days_is_not_sent(self, post):
        anna = await post.addressee()
        await post.say(anna)
        post.wall.pass_by(days=4)
        await post.deliver()
        assert await post.states(anna) == ["refused: expired"]
        assert not anna.said

    async def test_what_cannot_be_read_holds_nobody_up(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        await post.say(anna)
        async with post.database.transaction() as db:
            await db.execute("UPDATE messaging.queue SET sealed = 'x'")
        await post.say(boris)
        await post.deliver()
        assert await post.states(anna) == ["refused: unreadable"]
        assert await post.states(boris) == ["sent"]


class TestLimits:
    async def test_a_crowded_chat_waits_alone(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        for number in range(3):
            await post.say(anna, f"{number}")
            await post.deliver()
        post.fake.order(faults.too_many(7), method="sendMessage", chat=anna.person)
        await post.say(anna, "late")
        await post.deliver()
        await post.say(boris, "now")
        await post.deliver()
        assert "now" in boris.said[0]
        assert len(anna.said) == 3
        post.wall.pass_by(seconds=5)
        await post.deliver()
        assert len(anna.said) == 3
        post.wall.pass_by(seconds=3)
        await post.deliver()
        assert "late" in anna.said[-1]
        assert len(post.fake.asked("sendMessage")) == 6

    async def test_a_limit_of_all_chats_holds_all(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        post.fake.order(faults.too_many(9), method="sendMessage", chat=anna.person)
        await post.say(anna, "first")
        await post.deliver()
        await post.say(boris, "second")
        await post.deliver()
        assert not boris.said
        post.wall.pass_by(seconds=10)
        await post.deliver()
        assert len(anna.said) == len(boris.said) == 1

    async def test_a_chat_gets_about_one_a_second(self, post):
        anna = await post.addressee()
        for number in range(10):
            await post.say(anna, f"{number}")
        began = asyncio.get_running_loop().time()
        while len(anna.said) < 7:
            await post.deliver()
            await asyncio.sleep(0.05)
        took = asyncio.get_running_loop().time() - began
        assert 2 < took < 6
        assert post.fake.bot.limits.over_chat == 0

    async def test_a_channel_sends_no_more_than_it_may(self, post):
        post.channel = Channel(post.channel.transport, 20)
        people = [await post.addressee(f"Гость {n}") for n in range(60)]
        await post.reserve(*(post.message(one) for one in people))
        began = asyncio.get_running_loop().time()
        while await post.waiting():
            await asyncio.gather(post.deliver(), post.deliver())
        took = asyncio.get_running_loop().time() - began
        at = sorted(call.at for call in post.fake.asked("sendMessage"))
        assert len(at) == 60
        most = max(sum(start <= one < start + 1 for one in at) for start in at)
        assert most <= 30
        assert 2 < took < 8


class TestFailures:
    async def test_a_lost_answer_is_unknown_and_never_sent_again(self, post):
        anna = await post.addressee()
        post.fake.order(faults.cut(taken=True), method="sendMessage")
        await post.say(anna)
        for _ in range(3):
            await post.deliver()
            post.wall.pass_by(minutes=5)
        assert len(anna.said) == 1
        assert await post.states(anna) == ["unknown"]

    async def test_silence_without_arrival_is_unknown_too(self, post):
        anna = await post.addressee()
        post.fake.order(faults.silence(), method="sendMessage")
        await post.say(anna)
        for _ in range(3):
            await post.deliver()
            post.wall.pass_by(minutes=5)
        assert not anna.said
        assert await post.states(anna) == ["unknown"]

    async def test_gateways_errors_are_not_trusted(self, post):
        anna = await post.addressee()
        post.fake.order(faults.http(502, taken=True), method="sendMessage")
        await post.say(anna)
        await post.deliver()
        post.wall.pass_by(minutes=5)
        await post.deliver()
        assert len(anna.said) == 1
        assert await post.states(anna) == ["unknown"]

    async def test_a_lost_edit_is_repeated(self, post):
        anna = await post.addressee()
        await post.say(anna, "checking", slot="receipt:1")
        await post.deliver()
        post.fake.order(faults.cut(), faults.garbage(), method="editMessageText")
        await post.say(anna, "accepted", slot="receipt:1")
        for _ in range(4):
            await post.deliver()
            post.wall.pass_by(seconds=10)
        assert ["accepted" in one for one in anna.said] == [True]
        assert await post.states(anna) == ["sent", "sent"]

    async def test_an_outage_loses_nothing_that_was_not_under_way(self, post, fake):
        people = [await post.addressee(f"Гость {n}") for n in range(20)]
        address = fake._address
        await asyncio.to_thread(fake.stop)
        await post.reserve(*(post.message(one) for one in people))
        for _ in range(12):
            await post.deliver()
            post.wall.pass_by(seconds=5)
        assert await post.waiting() == 20
        fake._address = address
        fake.start()
        for _ in range(8):
            await post.deliver()
            post.wall.pass_by(seconds=5)
        assert [len(one.said) for one in people] == [1] * 20

    async def test_answers_lost_in_a_row_close_the_channel_until_it_answers(self, post):
        people = [await post.addressee(f"Гость {n}") for n in range(12)]
        post.fake.outage()
        post.channel = Channel(post.channel.transport, 9)
        await post.reserve(*(post.message(one) for one in people))
        for _ in range(6):
            await post.deliver()
            post.wall.pass_by(seconds=20)
        states = [(await post.states(one))[0] for one in people]
        lost = states.count("unknown")
        assert 0 < lost < 12
        post.fake.recover()
        for _ in range(6):
            await post.deliver()
            post.wall.pass_by(seconds=20)
        states = [(await post.states(one))[0] for one in people]
        assert states.count("unknown") == lost
        assert states.count("sent") == 12 - lost

    async def test_a_token_that_is_not_known_refuses_nobody(self, post, bot):
        anna = await post.addressee()
        post.fake.order(faults.refused(401, "Unauthorized"), method="sendMessage")
        await post.say(anna)
        await post.deliver()
        assert await post.states(anna) == ["reserved"]
        post.wall.pass_by(seconds=30)
        while await post.deliver():
            pass
        await post.deliver()
        assert await post.states(anna) == ["sent"]
