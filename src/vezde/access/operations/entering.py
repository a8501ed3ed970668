"""From a phone or a link to a session: the code told, the person known or enrolled, signed in."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from vezde.access import doors
from vezde.access.doors import (
    ConsentRequired,
    NotAMember,
    Session,
    SignIn,
    SignInOver,
    State,
)
from vezde.access.model import Key
from vezde.access.operations import sessions, signing_in, telling
from vezde.access.operations.signing_in import Begun
from vezde.access.operations.telling import By, Channels, Message
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import identities
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.model import MemberExists, NewConsent, NewMember
from vezde.messaging.model import View

PERSONAL_DATA = "personal_data"


@dataclass(frozen=True)
class Asked:
    """Who asks for a code: a page of this key and origin, for this phone; `site` is its host."""

    key: Key
    origin: str
    phone: str = field(repr=False)
    by: By | None = None
    locale: str | None = None

    @property
    def site(self) -> str:
        return self.origin.partition("://")[2]


@dataclass(frozen=True)
class Document:
    """What is to be agreed to before somebody becomes a member."""

    version: str
    url: str | None


@dataclass(frozen=True)
class Consent:
    """That they agreed to it, on the page."""

    document_version: str
    text_sha256: str | None = None


async def ask_code(
    db: Db, asked: Asked, *, channels: Channels, vault: Vault, now: datetime, wall: datetime
) -> Begun:
    """Begin a sign-in by phone and tell the code to the phone's owner.

    The same whether anybody has the phone or not: a code goes to members, and by SMS to others
    where the key enrols. Raises `identities.InvalidPhone`.
    """
    assert asked.key.page is not None, "a publishable key"
    number = identities.phone(asked.phone)
    owners = await member_queries.ids_by_phone(db, [number], vault=vault)
    owner = owners.get(number)
    if owner is not None and not await members.present(db, [owner]):
        owner = None
    way = await telling.way(db, owner, phone=number, channels=channels, wish=asked.by, vault=vault)
    sends = way is not None and (owner is not None or asked.key.page.enrols)
    begun = await signing_in.begin_by_code(
        db,
        key=asked.key,
        origin=asked.origin,
        phone=number,
        member_id=owner,
        sends=sends,
        vault=vault,
        wall=wall,
    )
    if way is not None and begun.code is not None:
        said = {"code": doors.shown(begun.code), "site": asked.site}
        message = Message(
            f"sign_in/{begun.sign_in_id}",
            View("sign_in_code", said),
            "sign_in_sms",
            useless=begun.expires_wall,
        )
        await telling.tell(
            db,
            way,
            message,
            member_id=owner,
            locale=asked.locale,
            channels=channels,
            vault=vault,
            now=now,
            wall=wall,
            actor=asked.key.actor,
        )
    return begun


async def enter(
    db: Db,
    found: SignIn,
    consent: Consent | None,
    *,
    key: Key,
    document: Document,
    vault: Vault,
    now: datetime,
    wall: datetime,
) -> tuple[str, Session]:
    """A session by a proved sign-in, once; whoever has no membership gets one by consent.

    `found` as `signing_in.sign_in` locked it. Raises `SignInWaiting`, `SignInOver`, `NotAMember`,
    `ConsentRequired` (also for the consent to another version than the one in force).
    """
    if found.state is not State.PROVED:
        raise signing_in.over(found)
    member_id = await _who(db, found, vault=vault)
    if member_id is None:
        member_id = await _enrolled(
            db, found, consent, key=key, document=document, vault=vault, now=now
        )
    await signing_in.use(db, found, member_id)
    return await sessions.open_session(db, member_id, found, wall=wall)


async def _who(db: Db, found: SignIn, *, vault: Vault) -> UUID | None:
    """Who it is now, present until the transaction ends."""
    if found.phone is not None:
        owners = await member_queries.ids_by_phone(db, [found.phone], vault=vault)
        owner = owners.get(found.phone)
    else:
        assert found.member_id is not None, "a link is proved by a member"
        owner = await member_queries.surviving(db, found.member_id)
    if owner is None or await members.present(db, [owner]):
        return owner
    raise SignInOver(
        "The member of this sign-in left; begin a new one", extra={"state": "declined"}
    )


async def _enrolled(
    db: Db,
    found: SignIn,
    consent: Consent | None,
    *,
    key: Key,
    document: Document,
    vault: Vault,
    now: datetime,
) -> UUID:
    assert key.page is not None, "a publishable key"
    if not key.page.enrols:
        raise NotAMember("Nobody has this phone; join the programme first")
    if consent is None or consent.document_version != document.version:
        raise ConsentRequired(
            "Show the document, ask for consent as a step of its own, and send it with the code",
            extra={"document": {"version": document.version, "url": document.url}},
        )
    agreed = NewConsent(
        PERSONAL_DATA, document.version, now, "widget", text_sha256=consent.text_sha256
    )
    person = NewMember(phone=found.phone, source="widget", consents=(agreed,))
    try:
        (made,) = await members.enrol(db, [person], vault=vault, now=now, actor=key.actor)
    except MemberExists as known:  # by another door, this moment
        member_id: UUID = known.extra["member_id"]
        return member_id
    return made.member_id
