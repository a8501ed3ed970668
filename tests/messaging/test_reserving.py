import pytest

from messaging.conftest import NOW, TEXT, inline, mailing_consent
from vezde.members import operations as members
from vezde.messaging import operations, queries
from vezde.messaging.model import BadButton, Button, Keyboard, Outgoing, Purpose, Tap, View
from vezde.messaging.operations import UnknownText
from vezde.messaging.pictures import UnknownPicture
from vezde.messaging.templates import BrokenTemplate, Lines


class TestReserve:
    async def test_answers_ids_in_the_order_given(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        given = [post.message(one) for one in (boris, anna, boris)]
        made = await post.reserve(*given)
        assert made == sorted(made)
        async with post.database.transaction() as db:
            found = await queries.sends(db, boris.member_id)
        assert [one.send_id for one in found] == [made[2], made[0]]

    async def test_nothing_for_nothing(self, post):
        assert await post.reserve() == []

    async def test_the_same_key_in_one_call_is_written_once(self, post):
        anna = await post.addressee()
        assert len(await post.reserve(post.message(anna, "k"), post.message(anna, "k"))) == 1

    async def test_a_key_is_the_members_own(self, post):
        anna, boris = await post.addressee(), await post.addressee("Борис")
        assert len(await post.reserve(post.message(anna, "k"), post.message(boris, "k"))) == 2

    async def test_leaves_out_who_left(self, post):
        anna = await post.addressee()
        async with post.database.transaction() as db:
            await members.forget(db, anna.member_id, steps=(), now=NOW, actor="test")
        assert await post.say(anna) == []

    @pytest.mark.parametrize(
        ("channel", "purpose", "count"),
        [(None, "marketing", 1), ("telegram", "marketing", 1), ("email", "marketing", 0)],
    )
    async def test_a_mailing_needs_consent_to_this_channel(self, post, channel, purpose, count):
        anna = await post.addressee(consents=(mailing_consent(channel),))
        assert len(await post.say(anna, purpose=Purpose.MARKETING)) == count

    async def test_a_mailing_needs_consent_at_all(self, post):
        anna = await post.addressee()
        assert await post.say(anna, purpose=Purpose.MARKETING) == []
        assert await post.say(anna, purpose=Purpose.SERVICE)

    async def test_channels_of_one_call_do_not_mix(self, post):
        anna = await post.addressee(consents=(mailing_consent("telegram"),))
        other = Outgoing(anna.member_id, "max", "k", Purpose.MARKETING, View(TEXT))
        assert len(await post.reserve(post.message(anna, purpose=Purpose.MARKETING), other)) == 1

    async def test_wakes_the_stage_when_it_is_committed(self, post):
        anna = await post.addressee()
        async with post.database.transaction() as db:
            await post.reserve_in(db, post.message(anna))
            assert "messaging.deliver" in db.woken

    async def test_a_transaction_that_is_undone_sends_nothing(self, post):
        anna = await post.addressee()

        async def undone() -> None:
            async with post.database.transaction() as db:
                await post.reserve_in(db, post.message(anna))
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await undone()
        assert await post.deliver() == 0

    async def test_speaks_the_members_language(self, post):
        anna = await post.addressee()
        async with post.database.transaction() as db:
            await members.change(
                db, anna.member_id, {"locale": "en"}, vault=post.vault, now=NOW, actor="test"
            )
        await post.say(anna)
        await post.deliver()
        assert anna.said == ["Next"]

    async def test_says_the_programmes_own_words(self, post):
        anna = await post.addressee()
        async with post.database.transaction() as db:
            section = {"ru": {TEXT: "Вперёд &lt;3"}}
            await operations.install_section(db, section, version=1, valid_from=NOW)
        await post.say(anna, view=View(TEXT, buttons=((Button(TEXT, "go"),),)))
        await post.deliver()
        assert anna.said == ["Вперёд <3"]
        assert anna.person.buttons == ["Вперёд <3"]

    async def test_keeps_no_text_in_the_clear(self, post):
        anna = await post.addressee()
        await post.say(anna, "Анна Каренина")
        async with post.database.transaction() as db:
            row = await (await db.execute("SELECT sealed FROM messaging.queue")).fetchone()
        assert "Каренина".encode() not in row[0]


class TestNothingBroken:
    @pytest.mark.parametrize(
        ("view", "error"),
        [
            (View("no_such_text"), UnknownText),
            (View("welcome", {"brand": "x"}), BrokenTemplate),
            (View("welcome", {"brand": None, "points_pay": "x"}), BrokenTemplate),
            (View(TEXT, buttons=((Button("no_such_text", "go"),),)), UnknownText),
            (View(TEXT, photo="no_such_picture"), UnknownPicture),
            (View(TEXT, buttons=((Button(TEXT),),)), BadButton),
            (View(TEXT, buttons=((Button(TEXT, "a", "https://x.ru"),),)), BadButton),
            (View(TEXT, buttons=((Button(TEXT, ""),),)), BadButton),
            (View(TEXT, buttons=((Button(TEXT, "я" * 33),),)), BadButton),
            (View(TEXT, buttons=((Button(TEXT, url="javascript:x"),),)), BadButton),
            (View(TEXT, buttons=((Button(TEXT, contact=True),),)), BadButton),
            (View(TEXT, buttons=((Button(TEXT, "a"),),), keyboard=Keyboard.REPLY), BadButton),
            (View(TEXT, buttons=((Button(TEXT, "a"),),), keyboard=Keyboard.REMOVE), BadButton),
        ],
    )
    async def test_is_refused_before_anything_is_written(self, post, view, error):
        anna = await post.addressee()
        with pytest.raises(error):
            await post.say(anna, view=view)
        assert await post.waiting() == 0

    async def test_what_is_too_long_is_cut_to_a_message(self, post):
        anna = await post.addressee()
        brand = Lines(tuple("очень длинная строка" * 20 for _ in range(100)))
        await post.say(anna, view=View("welcome", {"brand": brand, "points_pay": "1"}))
        await post.deliver()
        assert await post.states(anna) == ["sent"]
        assert 500 < len(anna.said[0]) <= 4096

    async def test_names_with_anything_in_them_arrive(self, post):
        anna = await post.addressee()
        for name in ("<b>Анна", "A & B", "😀" * 300, "שלום", "\u202eevil", "{brand}", "\ud83d"):
            await post.say(anna, name)
            await post.deliver()
            post.wall.pass_by(seconds=2)
        assert await post.states(anna) == ["sent"] * 7
        assert "<b>Анна" in anna.said[0]
        assert "{brand}" in anna.said[5]

    async def test_an_action_of_64_bytes_is_taken(self, post):
        anna = await post.addressee()
        await post.say(anna, view=inline("menu", "я" * 32))
        await post.deliver()
        assert await post.states(anna) == ["sent"]

    async def test_what_buttons_and_notices_say_is_cut_to_their_length(self, post):
        anna = await post.addressee()
        async with post.database.transaction() as db:
            section = {"ru": {TEXT: "очень " * 100}}
            await operations.install_section(db, section, version=1, valid_from=NOW)
        await post.say(anna, view=inline("menu"))
        await post.deliver()
        (button,) = anna.person.buttons
        assert len(button) < 65
        tapped = (await anna.person.tap(button)).removeprefix("callback:")
        await post.reserve(Tap(anna.member_id, "telegram", tapped, TEXT))
        await post.deliver()
        (notice,) = anna.person.notices
        assert 150 < len(notice) < 201
