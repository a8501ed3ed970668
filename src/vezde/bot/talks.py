"""Whose events these are and what is known of them, for many chats in a few reads.

A guest is enrolled by their first event, but not for having blocked the bot.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from vezde.bot import chats, inbox, section
from vezde.bot.chats import Chat
from vezde.bot.conversation.talk import MARKETING, PERSONAL_DATA, Talk
from vezde.bot.inbox import Waiting
from vezde.bot.model import Incoming, Left, Returned
from vezde.kit.clock import Clock
from vezde.kit.db import Db
from vezde.kit.i18n import locale_of
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.model import MemberExists, NewIdentity, NewMember
from vezde.members.operations import Step
from vezde.messaging.operations import reserving
from vezde.program import queries as program

Event = tuple[Waiting, Incoming]


async def read(
    db: Db,
    events: Sequence[Event],
    *,
    clock: Clock,
    vault: Vault,
    steps: Sequence[Step],
    mail_domain: str | None = None,
) -> dict[UUID, Talk]:
    """Talks by event id, of events of one bot; nobody's are left out.

    The members stay as they are until the transaction ends; they are locked by id.
    """
    now, wall = await clock.programme(db), clock.wall()
    channel = inbox.channel_of(events[0][0].bot)
    known = await chats.of_chats(db, channel, [event.chat for event, _ in events])
    unknown = [
        (event, incoming)
        for event, incoming in events
        if event.chat not in known and not isinstance(incoming.event, Left | Returned)
    ]
    known |= await _newcomers(db, channel, unknown, vault=vault, now=now)
    people = {chat.member_id for chat in known.values()}
    await members.present(db, people)
    reach = await member_queries.reach(db, people, kind="phone", vault=vault)
    agreed = {
        purpose: await member_queries.agreed(db, people, purpose=purpose, channel=channel)
        for purpose in (PERSONAL_DATA, MARKETING)
    }
    unreachable = await member_queries.unreachable(db, people, kind=channel)
    own = await reserving.own_texts(db, now=now)
    programme = (await program.programmes(db)).at(now)
    in_force = await section.in_force(db, now)
    return {
        event.event_id: Talk(
            chat=chat,
            address=incoming.address,
            bot=event.bot,
            key=event.event_key,
            locale=locale_of(reach[chat.member_id].locale),
            phone=reach[chat.member_id].address is not None,
            unreachable=chat.member_id in unreachable,
            agreed=frozenset(one for one, those in agreed.items() if chat.member_id in those),
            programme=programme,
            section=in_force,
            own=own,
            steps=steps,
            vault=vault,
            now=now,
            wall=wall,
            mail_domain=mail_domain,
        )
        for event, incoming in events
        if (chat := known.get(event.chat)) is not None
    }


async def _newcomers(
    db: Db, channel: str, events: Sequence[Event], *, vault: Vault, now: datetime
) -> Mapping[bytes, Chat]:
    if not events:
        return {}
    owners = await _enrolled(db, channel, [one for _, one in events], vault=vault, now=now)
    reach = await member_queries.reach(db, owners, kind="phone", vault=vault)
    return {
        event.chat: await chats.open_chat(
            db,
            member_id,
            channel,
            event.chat,
            incoming.address,
            guest=reach[member_id].address is None,
            vault=vault,
            now=now,
        )
        for (event, incoming), member_id in zip(events, owners, strict=True)
    }


async def _enrolled(
    db: Db, channel: str, people: Sequence[Incoming], *, vault: Vault, now: datetime
) -> list[UUID]:
    """Members with these accounts, in the order given.

    Raises `MemberExists` when another program enrolled one of several; one alone is that member.
    """
    new = [
        NewMember(locale=locale_of(one.language), identities=(NewIdentity(channel, one.address),))
        for one in people
    ]
    try:
        made = await members.enrol(db, new, vault=vault, now=now, actor=f"bot:{channel}")
    except MemberExists as known:
        if len(people) > 1:
            raise
        return [known.extra["member_id"]]
    return [member.member_id for member in made]
