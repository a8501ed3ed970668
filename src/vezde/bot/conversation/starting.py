"""The first steps: what points are worth, then consent to personal data, then a receipt."""

import hashlib

from vezde.bot.conversation import screens, showing
from vezde.bot.conversation.talk import MARKETING, PERSONAL_DATA, Answer, Place, Talk
from vezde.bot.model import Event, Other, Said, Sent, Shared, Started, Tapped
from vezde.bot.section import ConsentDocument
from vezde.kit.db import Db
from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.members.model import NewConsent
from vezde.messaging import catalogue
from vezde.messaging.model import View

NEW, ASKED, HOLDING, READY = "new", "asked", "holding", "ready"


async def started(db: Db, talk: Talk, event: Started) -> Answer:
    """/start: where they came from is noted; who agreed before is greeted with their points."""
    await talk.is_here(db)
    if event.payload:
        # None for a payload that is no link's code: nothing to note.
        await members.came_by(db, talk.member_id, event.payload, now=talk.now)
    if PERSONAL_DATA not in talk.agreed:
        return Answer((talk.say(screens.welcome(talk.brand, talk.programme, talk.locale)),))
    points = await ledger.points(db, talk.member_id, as_of=talk.now)
    return Answer((talk.say(screens.home(talk.brand, points.active)),))


async def before_consent(db: Db, talk: Talk, event: Event) -> Answer:
    """What somebody gets who has not agreed yet; what they sent is kept for then."""
    match event:
        case Tapped("agree", callback_id):
            return await _agreed(db, talk, callback_id)
        case Tapped("later", callback_id):
            return Answer((talk.tapped(callback_id), talk.say(View("consent_later"))))
        case Tapped(_, callback_id):
            return Answer((talk.tapped(callback_id), talk.say(_ask(talk))), Place(ASKED))
        case Sent() | Shared():
            return _held(talk, event)
        case Said(text) if showing.is_receipt(text):
            return _held(talk, event)
        case Other() | Said():
            return Answer((talk.say(screens.welcome(talk.brand, talk.programme, talk.locale)),))
    return Answer()


def agree_first(talk: Talk) -> Answer:
    """What they came for is kept until they have agreed; then it goes on by itself."""
    return Answer((talk.say(_ask(talk)),), Place(ASKED), hold=True)


async def agree(db: Db, talk: Talk, purpose: str, document: ConsentDocument, text: str) -> None:
    """Record a consent given by a button: the document's version and the words that were shown."""
    words = catalogue.words(text, talk.locale, talk.own)
    await members.note_consent(
        db,
        talk.member_id,
        NewConsent(
            purpose,
            document.version,
            talk.now,
            "bot_button",
            channel=talk.chat.channel if purpose == MARKETING else None,
            text_sha256=hashlib.sha256(words.encode()).hexdigest(),
        ),
        now=talk.now,
        actor=talk.actor,
    )


async def _agreed(db: Db, talk: Talk, callback_id: str) -> Answer:
    held = talk.chat.state == HOLDING
    text = "consent_ask_held" if held else "consent_ask"
    await agree(db, talk, PERSONAL_DATA, talk.section.personal_data, text)
    done = View("consent_given_held" if held else "consent_given")
    # Of a chat that was never asked nothing is kept.
    kept = talk.chat.state in {ASKED, HOLDING}
    return Answer((talk.tapped(callback_id), talk.say(done)), Place(READY), let_go=kept)


def _held(talk: Talk, event: Event) -> Answer:
    """Kept until they agree; the pictures of one album are answered once."""
    album = event.album if isinstance(event, Sent) else None
    if album is not None and talk.chat.data.get("album") == album:
        return Answer(hold=True)
    return Answer((talk.say(_ask(talk, held=True)),), Place(HOLDING, {"album": album}), hold=True)


def _ask(talk: Talk, *, held: bool = False) -> View:
    return screens.consent(talk.brand, talk.section.personal_data, held=held)
