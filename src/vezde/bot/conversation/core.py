"""Which event is answered by what."""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from vezde.bot.conversation import account, disputes, doors, phone, showing, starting
from vezde.bot.conversation.showing import Showing
from vezde.bot.conversation.talk import PERSONAL_DATA, Answer, Talk
from vezde.bot.model import Event, Flooded, Left, Returned, Said, Sent, Shared, Started, Tapped
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.members import operations as members
from vezde.messaging.model import View
from vezde.receipts.model import Way
from vezde.receipts.reading import reader
from vezde.receipts.reading.model import Findings

BLOCKED = "blocked"


def needs_reading(talk: Talk, event: Event) -> bool:
    """Whether a file or a page has to be fetched and read before the event can be answered."""
    if PERSONAL_DATA not in talk.agreed:
        return False
    match event:
        case Sent():
            return not _is_too_large(event)
        case Said(text):
            return not text.startswith("/") and showing.needs_fetching(text)
    return False


Asked = tuple[Talk, Event, Findings | None]


async def answer(db: Db, asked: Sequence[Asked]) -> list[Answer]:
    """Do what events of different chats ask for and say what there is to say, in the same order.

    The findings are what was read from the file or page of an event that needs it. Raises what the
    operations raise; then nothing may be kept.
    """
    shown = {index: one for index, one in enumerate(map(_showing, asked)) if one is not None}
    answers = dict(zip(shown, await showing.show(db, list(shown.values())), strict=True))
    rest = [index for index in range(len(asked)) if index not in answers]
    said = await kit_db.together(db, *(_answer(db, *asked[index][:2]) for index in rest))
    answers |= dict(zip(rest, said, strict=True))
    return [answers[index] for index in range(len(asked))]


def _showing(asked: Asked) -> Showing | None:
    """What is shown, if the event is somebody's who agreed and shows a receipt."""
    talk, event, found = asked
    if PERSONAL_DATA not in talk.agreed:
        return None
    match event:
        case Sent(album=album) if not _is_too_large(event):
            assert found is not None, "needs_reading says so"
            return Showing(talk, found, album, event.file_id, Way.FILE)
        case Said() if found is not None:
            return Showing(talk, found)
        case Said(text) if _command(text) is None and showing.is_receipt(text):
            return Showing(talk, reader.of_text(text))
    return None


async def _answer(db: Db, talk: Talk, event: Event) -> Answer:
    """Of anything but a receipt."""
    match event:
        case Left():
            await members.mark_unreachable(db, talk.member_id, talk.chat.channel, BLOCKED, talk.now)
            return Answer()
        case Returned():
            await members.mark_reachable(db, talk.member_id, talk.chat.channel, talk.now)
            return Answer()
        case Flooded():
            return Answer((talk.say(View("too_fast")),))
        case Started(payload) if doors.is_login(payload):
            return await doors.login(db, talk, payload or "")
        case Started():
            return await starting.started(db, talk, event)
    if PERSONAL_DATA not in talk.agreed:
        return await starting.before_consent(db, talk, event)
    match event:
        case Sent():
            return showing.too_large(talk)
        case Said(text):
            command = _command(text)
            return await command(db, talk) if command else _hint(talk)
        case Shared():
            return await phone.shared(db, talk, event)
        case Tapped():
            return await _tapped(db, talk, event)
    return _hint(talk)


def _is_too_large(event: Sent) -> bool:
    return event.size is not None and event.size > showing.MOST_BYTES


def _command(text: str) -> "Command | None":
    return COMMANDS.get(text.split(maxsplit=1)[0].partition("@")[0].casefold())


async def _tapped(db: Db, talk: Talk, event: Tapped) -> Answer:
    """A button of this or any earlier message; one that is not known any more does no harm."""
    name, _, rest = event.action.partition(":")
    toast: str | None = None
    done = Answer()
    try:
        match name:
            case "agree" | "next" | "later" if not rest:
                toast = "already_done"
            case "stop":
                await account.quiet(db, talk, UUID(rest))
                toast = "reminders_off"
            case "later":
                toast = "reminders_on"
            case _:
                done = await _acted(db, talk, name, rest)
    except ValueError:
        done = _hint(talk)
    except DomainError as error:
        if error.kind is not Kind.MISSING:
            raise
        done = _hint(talk)
    return Answer((talk.tapped(event.callback_id, toast), *done.say))


async def _acted(db: Db, talk: Talk, name: str, rest: str) -> Answer:
    match name:
        case "why":
            return await account.why(db, talk, int(rest))
        case "help":
            shop, _, mark = rest.partition(":")
            return account.help_(talk, shop or None, mark or None)
        case "mailings":
            return await account.mailings(db, talk, on=rest == "on")
        case "leave":
            return await account.leave(db, talk, sure=rest == "yes")
        case "stay":
            return Answer((talk.say(View("stayed")),))
        case "phone":
            return account.ask_phone(talk)
        case "card":
            return await doors.card(db, talk, rest or None)
        case "mine":
            return await disputes.claim(db, talk, UUID(rest))
        case "pay":
            return await doors.answer_payment(db, talk, rest)
        case "login":
            return await doors.answer_login(db, talk, rest)
    command = COMMANDS.get(f"/{name}")
    return await command(db, talk) if command else _hint(talk)


def _hint(talk: Talk) -> Answer:
    return Answer((talk.say(View("hint")),))


async def _help(_db: Db, talk: Talk) -> Answer:
    return account.help_(talk)


async def _settings(_db: Db, talk: Talk) -> Answer:
    return account.settings(talk)


async def _card(db: Db, talk: Talk) -> Answer:
    return await doors.card(db, talk)


Command = Callable[[Db, Talk], Awaitable[Answer]]

COMMANDS: dict[str, Command] = {
    "/card": _card,
    "/balance": account.balance,
    "/history": account.history,
    "/help": _help,
    "/email": account.email,
    "/settings": _settings,
}
