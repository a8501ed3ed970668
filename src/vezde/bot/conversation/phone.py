"""The phone: by the contact button alone, and a guest becomes who the phone's owner is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from vezde.bot import chats
from vezde.bot.conversation import screens
from vezde.bot.conversation.talk import MARKETING, Answer, Talk
from vezde.bot.model import Shared
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.ledger import queries as ledger
from vezde.members import identities
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging.model import Button, Keyboard, View

PHONE = "phone"


def asking(talk: Talk) -> View:
    """The request with its button; it says until when a guest is kept."""
    since = talk.chat.guest_since or talk.now
    until = since + timedelta(days=talk.section.guest_days)
    return screens.ask_phone(screens.local_day(until, talk.programme.zone))


async def merging(db: Db, contacts: Mapping[UUID, Shared], *, vault: Vault) -> set[UUID]:
    """Of these contacts, by event id, whose phone somebody has: most of them join two members."""
    phones = {event_id: contact.phone for event_id, contact in contacts.items() if contact.own}
    owners = await member_queries.ids_by_phone(db, list(phones.values()), vault=vault)
    return {event_id for event_id, number in phones.items() if number in owners}


async def shared(db: Db, talk: Talk, event: Shared) -> Answer:
    """A contact came: only one's own counts, by the messenger's word.

    Raises what `members.operations.merge` raises; then nothing may be kept.
    """
    if not event.own:
        return Answer((talk.say(_again("phone_foreign")),))
    try:
        number = identities.phone(event.phone)
    except identities.InvalidPhone:
        return Answer((talk.say(_again("phone_odd")),))
    if talk.phone:
        return Answer((talk.say(View("phone_known", keyboard=Keyboard.REMOVE)),))
    owners = await member_queries.ids_by_phone(db, [number], vault=talk.vault)
    owner = owners.get(number)
    if owner is None:
        await members.add_identity(
            db,
            talk.member_id,
            kind=PHONE,
            value=number,
            vault=talk.vault,
            now=talk.now,
            actor=talk.actor,
        )
        text = "phone_saved"
    else:
        talk = await _joined(db, talk, owner)
        text = "phone_merged"
    await chats.known_well(db, talk.member_id)
    points = await ledger.points(db, talk.member_id, as_of=talk.now)
    said = [talk.say(screens.phone_done(text, points.active + points.pending))]
    agreed = await member_queries.agreed(
        db, [talk.member_id], purpose=MARKETING, channel=talk.chat.channel
    )
    if not agreed:
        said.append(talk.say(screens.ask_marketing(talk.brand, talk.section.marketing)))
    return Answer(tuple(said))


async def _joined(db: Db, talk: Talk, owner: UUID) -> Talk:
    """The guest is the member who has this phone; the talk goes on with them."""
    await members.merge(
        db,
        owner,
        talk.member_id,
        steps=talk.steps,
        vault=talk.vault,
        now=talk.now,
        actor=talk.actor,
    )
    return replace(talk, chat=replace(talk.chat, member_id=owner, guest_since=None), phone=True)


def _again(text: str) -> View:
    return View(text, buttons=((Button("phone_button", contact=True),),), keyboard=Keyboard.REPLY)
