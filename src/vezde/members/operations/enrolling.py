"""Enrol people: one by one, in batches, and whoever of a batch of phones is not there yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit import ids
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.ledger import operations as ledger_ops
from vezde.members import events, identities, model, queries, sealing
from vezde.members.identities import Contact
from vezde.members.links import arrivals
from vezde.members.links.model import Arrived, Link
from vezde.members.model import (
    Consent,
    Identity,
    IdentityRequired,
    Member,
    MemberExists,
    NewMember,
    Profile,
    Status,
)
from vezde.members.operations import claiming, consenting
from vezde.outbox import operations as outbox_ops
from vezde.outbox.model import FactRow

INSERT: LiteralString = """
INSERT INTO members.member (member_id, status, locale, timezone, source, sealed,
    created_at, created_by, changed_at, changed_by)
VALUES (%s, 'active', %s, %s, %s, %s, %s, %s, %s, %s)
"""
INSERT_IDENTITY: LiteralString = """
INSERT INTO members.identity (member_id, kind, blind, main, sealed, added_at, added_by)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True)
class Draft:
    """A person read and found sound, not yet written; contacts by claim key, main ones first."""

    member_id: UUID
    profile: Profile
    contacts: dict[claiming.Key, Contact]
    consents: tuple[Consent, ...]
    link: Link | None = None


async def enrol(
    db: Db, people: Sequence[NewMember], *, vault: Vault, now: datetime, actor: str
) -> list[Member]:
    """Make members of these people, in the order given, each with a ledger account.

    All or none; a source that is a link's code stands for the link's source. Raises `MemberExists`
    when one of them has an identity that somebody holds, `IdentityRequired`, `InvalidField` and
    what `identities.read` raises.
    """
    links = await arrivals.links_of(db, [person.source for person in people])
    drafts = [_draft(person, links, vault, now, actor) for person in people]
    wanted: dict[claiming.Key, UUID] = {}
    for draft in drafts:
        for key in draft.contacts:
            if wanted.setdefault(key, draft.member_id) != draft.member_id:
                raise MemberExists("Two people of this list share an identity; enrol one of them")
    owners = await claiming.take(db, wanted)
    for draft in drafts:
        refuse_if_held(owners, draft.contacts, draft.member_id)
    return await _write(db, drafts, vault=vault, now=now, actor=actor)


async def enrol_missing(
    db: Db,
    phones: Sequence[str],
    *,
    vault: Vault,
    now: datetime,
    actor: str,
    source: str | None = None,
) -> dict[str, UUID]:
    """Members by phone, phones as given; those who were not members become so.

    Of processes that enrol the same phone at once one does, the others wait for its commit and
    answer the same member. Texts that are no phones are left out of the answer;
    `identities.phone` raises the error for them.
    """
    known = await queries.ids_by_phone(db, phones, vault=vault)
    missing = {
        text: number for text, number in identities.phones(phones).items() if text not in known
    }
    numbers = sorted(set(missing.values()))
    links = await arrivals.links_of(db, [source] if missing else [])
    by_phone = {
        number: _draft(NewMember(phone=number, source=source), links, vault, now, actor)
        for number in numbers
    }
    keys = {number: next(iter(draft.contacts)) for number, draft in by_phone.items()}
    owners = await claiming.take(
        db, {keys[number]: draft.member_id for number, draft in by_phone.items()}
    )
    won = [draft for number, draft in by_phone.items() if owners[keys[number]] == draft.member_id]
    await _write(db, won, vault=vault, now=now, actor=actor)
    return known | {text: owners[keys[number]] for text, number in missing.items()}


def refuse_if_held(
    owners: Mapping[claiming.Key, UUID], contacts: Mapping[claiming.Key, Contact], member_id: UUID
) -> None:
    """Raises `MemberExists` for the first of the contacts that is another member's."""
    for key, contact in contacts.items():
        if owners[key] != member_id:
            raise MemberExists(
                f"A member with this {contact.kind} exists; use that member, or merge the two",
                extra={"member_id": owners[key]},
            )


def _draft(
    person: NewMember, links: Mapping[str, Link], vault: Vault, now: datetime, actor: str
) -> Draft:
    given = [
        (kind, text, kind)
        for kind, text in ((identities.PHONE, person.phone), (identities.EMAIL, person.email))
        if text is not None
    ]
    given += [(i.kind, i.value, f"identities.{n}.value") for n, i in enumerate(person.identities)]
    if not given:
        raise IdentityRequired("Give a phone, an email or one of identities to know the person by")
    member_id = ids.new()
    contacts = [identities.read(kind, text, path=path) for kind, text, path in given]
    profile = Profile(**model.profile(_plain_fields(person), now=now))
    link = links.get(person.source or "")
    return Draft(
        member_id,
        replace(profile, source=link.source) if link else profile,
        {(contact.kind, contact.blind(vault)): contact for contact in contacts},
        tuple(
            consenting.draft(member_id, consent, now=now, actor=actor, path=f"consents.{n}.")
            for n, consent in enumerate(person.consents)
        ),
        link,
    )


def _plain_fields(person: NewMember) -> dict[str, object]:
    return {name: getattr(person, name) for name in Profile.__dataclass_fields__}


async def _write(
    db: Db, drafts: Sequence[Draft], *, vault: Vault, now: datetime, actor: str
) -> list[Member]:
    if not drafts:
        return []
    await kit_db.execute_many(
        db, INSERT, [_member_row(draft, vault, now, actor) for draft in drafts]
    )
    await kit_db.execute_many(
        db,
        INSERT_IDENTITY,
        [
            identity_row(draft.member_id, key, contact, vault, main=main, at=now, by=actor)
            for draft in drafts
            for key, contact, main in _ranked(draft)
        ],
    )
    await consenting.write(db, [consent for draft in drafts for consent in draft.consents])
    await ledger_ops.open_accounts(db, [draft.member_id for draft in drafts], now=now)
    await outbox_ops.record(db, [fact for draft in drafts for fact in _facts(draft, now)])
    await arrivals.begin(
        db,
        {
            draft.member_id: Arrived(draft.profile.source, draft.link, bool(draft.consents))
            for draft in drafts
        },
        now=now,
    )
    return [_enrolled(draft, now, actor) for draft in drafts]


def identity_row(
    member_id: UUID,
    key: claiming.Key,
    contact: Contact,
    vault: Vault,
    *,
    main: bool,
    at: datetime,
    by: str,
) -> tuple[object, ...]:
    """Parameters of `INSERT_IDENTITY`."""
    sealed = sealing.seal_contact(vault, member_id, contact)
    return (member_id, *key, main, sealed, at, by)


def _member_row(draft: Draft, vault: Vault, now: datetime, actor: str) -> tuple[object, ...]:
    profile = draft.profile
    return (
        draft.member_id,
        profile.locale,
        profile.timezone,
        profile.source,
        sealing.seal_profile(vault, draft.member_id, profile),
        *(now, actor) * 2,
    )


def _ranked(draft: Draft) -> list[tuple[claiming.Key, Contact, bool]]:
    """The contacts with whether each is the main one: the first of a kind is."""
    first = {key[0]: key for key in reversed(draft.contacts)}
    return [(key, contact, first[key[0]] == key) for key, contact in draft.contacts.items()]


def _enrolled(draft: Draft, now: datetime, actor: str) -> Member:
    """The member as a query would read them: of one moment, identities stand by kind and index."""
    ranked = sorted(_ranked(draft), key=lambda held: held[0])
    return Member(
        draft.member_id,
        Status.ACTIVE,
        draft.profile,
        tuple(Identity(contact.kind, contact.value, main) for _, contact, main in ranked),
        draft.consents,
        now,
        actor,
    )


def _facts(draft: Draft, now: datetime) -> list[FactRow]:
    """Their ids order them: enrolled first."""
    enrolled = events.enrolled(draft.member_id, now=now)
    return [enrolled, *(events.consent_given(consent, now=now) for consent in draft.consents)]
