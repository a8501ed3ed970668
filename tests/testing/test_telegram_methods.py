"""The fake Telegram through aiogram: its objects decode, its methods do what they say."""

import io

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ChatMemberStatus, ParseMode
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InlineQueryResultArticle,
    InputMediaPhoto,
    InputTextMessageContent,
    KeyboardButton,
    MenuButtonWebApp,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    WebAppInfo,
)
from PIL import Image

from vezde.testing.telegram import faults


@pytest.fixture
async def bot(telegram):
    server = TelegramAPIServer.from_base(telegram.base_url)
    made = Bot(telegram.token, session=AiohttpSession(api=server))
    yield made
    await made.session.close()


@pytest.fixture
async def anna(telegram):
    person = telegram.user("Анна <b>&</b> 🦊 شيماء", last_name="Лис", username="anna")
    await person.start("blogger-17")
    return person


def inline(*names):
    rows = [[InlineKeyboardButton(text=name, callback_data=f"do:{name}")] for name in names]
    return InlineKeyboardMarkup(inline_keyboard=rows)


CONTACT = ReplyKeyboardMarkup(
    keyboard=[[KeyboardButton(text="Поделиться номером", request_contact=True)]],
    one_time_keyboard=True,
)


class TestUpdatesDecode:
    async def test_of_a_start_with_a_payload(self, bot, anna):
        [update] = await bot.get_updates()
        assert update.message.text == "/start blogger-17"
        assert update.message.entities[0].type == "bot_command"
        assert update.message.from_user.full_name == "Анна <b>&</b> 🦊 شيماء Лис"
        assert update.message.chat.id == anna.id == update.message.from_user.id

    async def test_of_a_photo_in_several_sizes_that_download(self, bot, anna, picture):
        await anna.photo(picture(1600, 1200), caption="чек")
        update = (await bot.get_updates())[-1]
        sizes = update.message.photo
        assert [max(one.width, one.height) for one in sizes] == [90, 320, 800, 1280]
        assert update.message.caption == "чек"
        kept = await bot.download(sizes[-1])
        assert Image.open(kept).size == (1280, 960)
        assert sizes[-1].file_size == len(kept.getvalue())

    async def test_of_an_album(self, bot, anna, picture):
        await anna.album([picture(100, 80), picture(100, 80, "red")], caption="два чека")
        _start, first, second = await bot.get_updates()
        assert first.message.media_group_id == second.message.media_group_id
        assert (first.message.caption, second.message.caption) == ("два чека", None)

    async def test_of_a_document(self, bot, anna):
        await anna.document(b"%PDF-1.7 receipt", name="чек.pdf")
        update = (await bot.get_updates())[-1]
        assert update.message.document.file_name == "чек.pdf"
        assert update.message.document.mime_type == "application/pdf"
        assert (await bot.download(update.message.document)).read() == b"%PDF-1.7 receipt"

    async def test_of_a_document_that_is_too_big(self, bot, anna):
        await anna.document(25_000_000, name="receipt.pdf")
        update = (await bot.get_updates())[-1]
        assert update.message.document.file_size == 25_000_000
        with pytest.raises(TelegramBadRequest, match="file is too big"):
            await bot.get_file(update.message.document.file_id)

    async def test_of_contacts(self, bot, telegram, anna):
        boris = telegram.user("Борис", phone="+79000000002")
        await anna.contact()
        await anna.contact(of=boris)
        await anna.contact(with_user_id=False)
        got = [update.message.contact for update in (await bot.get_updates())[1:]]
        assert [one.user_id for one in got] == [anna.id, boris.id, None]
        assert got[1].phone_number == "79000000002"

    async def test_of_a_tap(self, bot, anna):
        sent = await bot.send_message(anna.id, "Согласны?", reply_markup=inline("Да"))
        await anna.tap("Да")
        query = (await bot.get_updates())[-1].callback_query
        assert (query.data, query.message.message_id) == ("do:Да", sent.message_id)
        assert query.message.reply_markup == sent.reply_markup
        assert await query.answer("Спасибо").as_(bot)
        assert anna.notices == ["Спасибо"]
        with pytest.raises(TelegramBadRequest, match="query is too old"):
            await query.answer("Ещё раз").as_(bot)

    async def test_of_a_tap_on_a_message_that_is_gone(self, bot, anna):
        await anna.tap_data("do:x", message_id=1)
        await anna.tap_data("do:x", message_id=404)
        await anna.tap_data("do:x", message_id=1, accessible=False)
        queries = [update.callback_query for update in (await bot.get_updates())[1:]]
        assert [query.message.date == 0 for query in queries] == [False, True, True]

    async def test_of_an_edit_and_of_blocking(self, bot, anna):
        said = await anna.send("превет")
        await anna.edit(said, "привет")
        await anna.block()
        await anna.unblock()
        got = (await bot.get_updates())[2:]
        assert got[0].edited_message.text == "привет"
        assert [one.my_chat_member.new_chat_member.status for one in got[1:]] == [
            ChatMemberStatus.KICKED,
            ChatMemberStatus.MEMBER,
        ]

    async def test_of_a_group(self, bot, telegram, anna):
        group = telegram.group("Покупки", anna)
        await anna.send("всем привет", chat=group)
        message = (await bot.get_updates())[-1].message
        assert (message.chat.type, message.chat.title) == ("supergroup", "Покупки")
        assert message.from_user.id == anna.id


class TestSending:
    async def test_keeps_html_as_entities(self, bot, anna):
        sent = await bot.send_message(
            anna.id, "🦊 <b>+83 балла</b> &lt;3", parse_mode=ParseMode.HTML
        )
        assert sent.text == "🦊 +83 балла <3"
        assert [(one.type, one.offset, one.length) for one in sent.entities] == [("bold", 3, 9)]
        assert (await anna.sees("+83 балла")).id == sent.message_id

    @pytest.mark.parametrize("broken", ["<b>нет конца", "<h1>нет такого</h1>", "a < b", "</b>"])
    async def test_refuses_html_as_telegram_does(self, bot, anna, broken):
        with pytest.raises(TelegramBadRequest, match="can't parse entities"):
            await bot.send_message(anna.id, broken, parse_mode=ParseMode.HTML)
        assert anna.answers == []

    async def test_a_photo_uploaded_repeated_and_by_address(self, bot, anna, picture):
        file = BufferedInputFile(picture(400, 300), "receipt.png")
        sent = await bot.send_photo(anna.id, file, caption="<i>чек</i>", parse_mode="HTML")
        assert (sent.caption, sent.caption_entities[0].type) == ("чек", "italic")
        assert [one.width for one in sent.photo] == [90, 320, 400]
        again = await bot.send_photo(anna.id, sent.photo[-1].file_id)
        assert again.photo[-1].file_id == sent.photo[-1].file_id
        assert Image.open(io.BytesIO(await anna.content(anna.messages[-1]))).size == (400, 300)
        assert (await bot.send_photo(anna.id, "https://example.com/cream.jpg")).photo
        for wrong in ("no-such-file", BufferedInputFile(b"not a picture", "x.png")):
            with pytest.raises(TelegramBadRequest):
                await bot.send_photo(anna.id, wrong)

    async def test_a_document(self, bot, anna):
        sent = await bot.send_document(anna.id, BufferedInputFile(b"name;sum", "отчёт.csv"))
        assert (sent.document.file_name, sent.document.file_size) == ("отчёт.csv", 8)

    async def test_an_album(self, bot, anna, picture):
        photos = [
            InputMediaPhoto(media=BufferedInputFile(picture(90, 90), "a.png"), caption="шаг 1"),
            InputMediaPhoto(media=BufferedInputFile(picture(90, 90, "blue"), "b.png")),
        ]
        sent = await bot.send_media_group(anna.id, photos)
        assert len({one.media_group_id for one in sent}) == 1
        assert [one.text for one in anna.answers] == ["шаг 1", ""]
        with pytest.raises(TelegramBadRequest, match="2-10 items"):
            await bot.send_media_group(anna.id, photos[:1])

    async def test_a_keyboard_with_the_contact_button(self, bot, anna):
        asked = await bot.send_message(anna.id, "Ваш номер?", reply_markup=CONTACT)
        assert asked.reply_markup is None
        assert anna.keyboard == [["Поделиться номером"]]
        assert await anna.tap("Поделиться номером") == "contact"
        message = (await bot.get_updates())[-1].message
        assert message.contact.user_id == anna.id
        assert message.reply_to_message.message_id == asked.message_id
        assert anna.keyboard == []

    async def test_takes_a_keyboard_away(self, bot, anna):
        await bot.send_message(anna.id, "?", reply_markup=CONTACT)
        await bot.send_message(anna.id, "Готово", reply_markup=ReplyKeyboardRemove())
        assert anna.keyboard == []

    async def test_copies_and_shows_typing(self, bot, telegram, anna):
        boris = telegram.user("Борис")
        await boris.send("/start")
        said = await anna.send("отзыв")
        copy = await bot.copy_message(boris.id, anna.id, said.id)
        assert (boris.messages[-1].id, boris.messages[-1].text) == (copy.message_id, "отзыв")
        assert await bot.send_chat_action(anna.id, "typing")


class TestEditing:
    async def test_of_a_text(self, bot, anna):
        sent = await bot.send_message(anna.id, "Проверяем…", reply_markup=inline("Отмена"))
        edited = await bot.edit_message_text(
            "+83 балла", chat_id=anna.id, message_id=sent.message_id
        )
        assert (edited.text, edited.reply_markup) == ("+83 балла", None)
        seen = await anna.sees("+83")
        assert seen.edited
        assert seen.buttons == ()
        with pytest.raises(TelegramBadRequest, match="message is not modified"):
            await bot.edit_message_text("+83 балла", chat_id=anna.id, message_id=sent.message_id)

    async def test_of_a_caption_media_and_markup(self, bot, anna, picture):
        file = BufferedInputFile(picture(90, 90), "a.png")
        where = {"chat_id": anna.id}
        where["message_id"] = (await bot.send_photo(anna.id, file)).message_id
        assert (await bot.edit_message_caption(caption="да", **where)).caption == "да"
        other = InputMediaPhoto(media=BufferedInputFile(picture(60, 90), "b.png"), caption="нет")
        edited = await bot.edit_message_media(other, **where)
        assert (edited.photo[-1].width, edited.caption) == (60, "нет")
        edited = await bot.edit_message_reply_markup(reply_markup=inline("Ещё"), **where)
        assert edited.reply_markup.inline_keyboard[0][0].text == "Ещё"
        with pytest.raises(TelegramBadRequest, match="there is no text in the message to edit"):
            await bot.edit_message_text("x", **where)

    async def test_is_refused_for_others_messages_and_those_gone(self, bot, anna):
        said = await anna.send("моё")
        for number, why in ((said.id, "message can't be edited"), (404, "to edit not found")):
            with pytest.raises(TelegramBadRequest, match=why):
                await bot.edit_message_text("x", chat_id=anna.id, message_id=number)
        await bot.delete_message(anna.id, said.id)
        assert said.id not in [one.id for one in anna.messages]
        with pytest.raises(TelegramBadRequest, match="message to delete not found"):
            await bot.delete_message(anna.id, said.id)
        assert await bot.delete_messages(anna.id, [said.id, 1])


class TestProfile:
    async def test_of_the_bot(self, bot):
        me = await bot.get_me()
        assert (me.is_bot, me.username) == (True, "lunaria_test_bot")
        await bot.set_my_commands([BotCommand(command="balance", description="Баланс")])
        await bot.set_my_commands(
            [BotCommand(command="balance", description="Balance")], language_code="en"
        )
        assert [one.description for one in await bot.get_my_commands()] == ["Баланс"]
        assert [one.description for one in await bot.get_my_commands(language_code="en")] == [
            "Balance"
        ]
        await bot.delete_my_commands(language_code="en")
        assert await bot.get_my_commands(language_code="en") == []
        with pytest.raises(TelegramBadRequest, match="BOT_COMMAND_INVALID"):
            await bot.set_my_commands([BotCommand(command="Баланс", description="x")])
        await bot.set_my_description("Баллы за покупки везде")
        assert (await bot.get_my_description()).description == "Баллы за покупки везде"
        await bot.set_my_short_description("Баллы")
        assert (await bot.get_my_short_description()).short_description == "Баллы"
        await bot.set_my_name("Лунария Клуб")
        assert (await bot.get_my_name()).name == "Лунария Клуб"

    async def test_of_a_chat(self, bot, anna):
        chat = await bot.get_chat(anna.id)
        assert (chat.type, chat.username) == ("private", "anna")
        button = MenuButtonWebApp(text="Карта", web_app=WebAppInfo(url="https://card.example.com/"))
        await bot.set_chat_menu_button(anna.id, button)
        assert (await bot.get_chat_menu_button(anna.id)).text == "Карта"
        assert (await bot.get_chat_menu_button()).type == "commands"

    async def test_prepares_a_message_to_share(self, bot, anna):
        article = InlineQueryResultArticle(
            id="1",
            title="Зову",
            input_message_content=InputTextMessageContent(message_text="Приходи"),
        )
        made = await bot.save_prepared_inline_message(anna.id, article, allow_user_chats=True)
        assert made.id
        with pytest.raises(TelegramBadRequest):
            await bot.save_prepared_inline_message(1, article)

    async def test_of_a_webhook(self, bot):
        assert await bot.set_webhook("https://example.com/hook", secret_token="s-1")
        info = await bot.get_webhook_info()
        assert (info.url, info.max_connections) == ("https://example.com/hook", 40)
        assert await bot.delete_webhook(drop_pending_updates=True)
        assert (await bot.get_webhook_info()).url == ""


class TestErrors:
    async def test_have_the_types_that_aiogram_knows(self, bot, telegram, anna):
        cases = [
            (faults.too_many(7), TelegramRetryAfter),
            (faults.blocked(), TelegramForbiddenError),
            (faults.chat_not_found(), TelegramBadRequest),
            (faults.http(500), TelegramServerError),
            (faults.cut(), TelegramNetworkError),
        ]
        for fault, kind in cases:
            telegram.order(fault, method="sendMessage", chat=anna)
            with pytest.raises(kind) as caught:
                await bot.send_message(anna.id, "x")
            if kind is TelegramRetryAfter:
                assert caught.value.retry_after == 7
        assert anna.answers == []
        assert await bot.send_message(anna.id, "y")

    async def test_of_a_wrong_token(self, telegram):
        server = TelegramAPIServer.from_base(telegram.base_url)
        async with Bot("42:stale", session=AiohttpSession(api=server)) as bot:
            with pytest.raises(TelegramUnauthorizedError):
                await bot.get_me()

    async def test_of_people_who_never_came_or_left(self, bot, telegram, anna):
        stranger = telegram.user("Глеб")
        with pytest.raises(TelegramBadRequest, match="chat not found"):
            await bot.send_message(stranger.id, "x")
        await anna.block()
        with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
            await bot.send_message(anna.id, "x")
        await anna.send("я вернулась")
        assert await bot.send_message(anna.id, "С возвращением")
        anna.user.deactivated = True
        with pytest.raises(TelegramForbiddenError, match="user is deactivated"):
            await bot.send_message(anna.id, "x")
