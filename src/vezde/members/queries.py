"""Questions about members: who they are, and whose a phone, an e-mail or an id is."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import identities, model, sealing
from vezde.members.model import (
    Consent,
    Identity,
    InvalidField,
    Member,
    MemberClosed,
    MemberMerged,
    MemberNotFound,
    Profile,
    Status,
)

MEMBERS: LiteralString = """
SELECT member.member_id, status, locale, timezone, source, sealed, created_at, created_by,
    merged.into_id AS merged_into
FROM members.member LEFT JOIN members.merged USING (member_id)
WHERE member.member_id = ANY(%s)
"""
IDENTITIES: LiteralString = """
SELECT member_id, kind, main, sealed FROM members.identity
WHERE member_id = ANY(%s) ORDER BY added_at, kind, blind
"""
CONSENTS: LiteralString = """
SELECT member_id, consent_id, purpose, channel, document_version, text_sha256, given_at, how,
       recorded_at, recorded_by, withdrawn_at, withdrawn_how, withdrawn_by
FROM members.consent WHERE member_id = ANY(%s) ORDER BY recorded_at, consent_id
"""
OWNERS: LiteralString = """
SELECT blind, member_id FROM members.claim WHERE kind = %s AND blind = ANY(%s)
"""
ACTIVE: LiteralString = """
SELECT member_id FROM members.member WHERE member_id = ANY(%s) AND status = 'active'
"""
REACH: LiteralString = """
SELECT member.member_id, member.status, member.locale, identity.sealed, unreachable.reason
FROM members.member
LEFT JOIN members.unreachable
    ON unreachable.member_id = member.member_id AND unreachable.kind = %(kind)s
LEFT JOIN LATERAL (
    SELECT sealed FROM members.identity
    WHERE identity.member_id = member.member_id AND identity.kind = %(kind)s
    ORDER BY main DESC, added_at DESC LIMIT 1
) AS identity ON true
WHERE member.member_id = ANY(%(members)s)
"""
UNREACHABLE: LiteralString = """
SELECT member_id FROM members.unreachable WHERE member_id = ANY(%s) AND kind = %s
"""
AGREED: LiteralString = """
SELECT DISTINCT member_id FROM members.consent
WHERE member_id = ANY(%s) AND purpose = %s AND (channel IS NULL OR channel = %s)
  AND withdrawn_at IS NULL
"""


@dataclass(frozen=True)
class Reach:
    """How to speak to a member over a channel; `address` None: they have none there.

    `unreachable` says why the last attempt was refused for good: they blocked the bot, …
    """

    member_id: UUID
    active: bool
    locale: str | None
    address: str | None = field(repr=False)
    unreachable: str | None = None


INTO: LiteralString = "SELECT into_id FROM members.merged WHERE member_id = %s"
INTO_ALL: LiteralString = "SELECT member_id, into_id FROM members.merged WHERE member_id = ANY(%s)"
FORMER: LiteralString = "SELECT member_id, into_id FROM members.merged WHERE into_id = ANY(%s)"
PARTED: LiteralString = """
SELECT DISTINCT member_id FROM members.merge WHERE into_id = %s AND undone_at IS NOT NULL
"""
WAS_PART_OF: LiteralString = """
SELECT DISTINCT into_id FROM members.merge WHERE member_id = %s AND undone_at IS NOT NULL
"""
STATUS: LiteralString = "SELECT status FROM members.member WHERE member_id = %s"


@dataclass(frozen=True)
class MemberRow:
    """A member with name and birthday still sealed."""

    member_id: UUID
    status: str
    locale: str | None
    timezone: str | None
    source: str | None
    sealed: bytes | None
    created_at: datetime
    created_by: str
    merged_into: UUID | None


@dataclass(frozen=True)
class IdentityRow:
    """An identity of a member, still sealed."""

    member_id: UUID
    kind: str
    main: bool
    sealed: bytes


async def member(db: Db, member_id: UUID, *, vault: Vault) -> Member:
    """The member with everything unsealed; raises `MemberNotFound`."""
    found = await members(db, [member_id], vault=vault)
    if not found:
        raise model.no_such_member()
    return found[member_id]


async def members(db: Db, member_ids: Sequence[UUID], *, vault: Vault) -> dict[UUID, Member]:
    """Members by id in three set reads; unknown ids are left out."""
    ids = list(member_ids)
    rows = await kit_db.fetch_all(db, MemberRow, MEMBERS, [ids])
    held: dict[UUID, list[Identity]] = {row.member_id: [] for row in rows}
    for got in await kit_db.fetch_all(db, IdentityRow, IDENTITIES, [ids]):
        value = sealing.open_contact(vault, got.member_id, got.kind, got.sealed)
        held[got.member_id].append(Identity(got.kind, value, got.main))
    agreed: dict[UUID, list[Consent]] = {row.member_id: [] for row in rows}
    for consent in await kit_db.fetch_all(db, Consent, CONSENTS, [ids]):
        agreed[consent.member_id].append(consent)
    return {
        row.member_id: Member(
            row.member_id,
            Status(row.status),
            _opened_profile(row, vault),
            tuple(held[row.member_id]),
            tuple(agreed[row.member_id]),
            row.created_at,
            row.created_by,
            row.merged_into,
        )
        for row in rows
    }


async def find(
    db: Db,
    *,
    vault: Vault,
    phone: str | None = None,
    email: str | None = None,
    kind: str | None = None,
    value: str | None = None,
) -> Member | None:
    """The active member with this phone, or this e-mail, or this `kind` and `value`.

    Takes exactly one of the three; raises `InvalidField` otherwise, and what `identities.read`
    raises for text in no usual form.
    """
    contact = _asked_for(phone, email, kind, value)
    cursor = await db.execute(OWNERS, [contact.kind, [contact.blind(vault)]])
    owner = await cursor.fetchone()
    return await member(db, owner[1], vault=vault) if owner else None


async def ids_by_phone(db: Db, phones: Sequence[str], *, vault: Vault) -> dict[str, UUID]:
    """Members by phone, the phones as given, in one read.

    Left out are phones that nobody active has, and texts that are no phones; `identities.phone`
    raises the error for the latter.
    """
    blinds = {
        text: vault.blind(number, purpose=f"members.{identities.PHONE}")
        for text, number in identities.phones(phones).items()
    }
    if not blinds:
        return {}
    cursor = await db.execute(OWNERS, [identities.PHONE, list(set(blinds.values()))])
    owners: dict[bytes, UUID] = dict(await cursor.fetchall())
    return {text: owners[blind] for text, blind in blinds.items() if blind in owners}


async def surviving_all(db: Db, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """As `surviving`, for many in one read: who each is now."""
    cursor = await db.execute(INTO_ALL, [list(member_ids)])
    return {one: one for one in member_ids} | dict(await cursor.fetchall())


async def surviving(db: Db, member_id: UUID) -> UUID:
    """Who the member of this id is now: themselves, or whom they were merged into."""
    into: UUID | None = await kit_db.fetch_value(db, INTO, [member_id])
    return member_id if into is None else into


async def parted(db: Db, member_id: UUID) -> list[UUID]:
    """Who was part of this member until a merge was undone: ids from then may name this member."""
    return await kit_db.fetch_column(db, PARTED, [member_id])


async def was_part_of(db: Db, member_id: UUID) -> list[UUID]:
    """Of whom this member was part until that was undone."""
    return await kit_db.fetch_column(db, WAS_PART_OF, [member_id])


async def former(db: Db, member_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The ids that these members had before they were merged; most members have none."""
    found: dict[UUID, list[UUID]] = {}
    cursor = await db.execute(FORMER, [list(member_ids)])
    for gone, into in await cursor.fetchall():
        found.setdefault(into, []).append(gone)
    return found


async def refusal(db: Db, member_id: UUID) -> MemberNotFound | MemberClosed:
    """Why a member who is not active cannot be worked with, to be raised."""
    status = await kit_db.fetch_value(db, STATUS, [member_id])
    if status is None:
        return model.no_such_member()
    into = await surviving(db, member_id)
    if into != member_id:
        return MemberMerged(
            "This member became part of another one; use member_id of this answer",
            extra={"member_id": into},
        )
    return MemberClosed("This member is closed for good; nothing of them can be changed")


async def active(db: Db, member_ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of these are active members."""
    cursor = await db.execute(ACTIVE, [list(member_ids)])
    return frozenset(row[0] for row in await cursor.fetchall())


async def reach(
    db: Db, member_ids: Collection[UUID], *, kind: str, vault: Vault
) -> dict[UUID, Reach]:
    """Addresses and languages by member in one read; `kind` is the identity that is the address."""
    asked = {"kind": kind, "members": list(member_ids)}
    rows = await (await db.execute(REACH, asked)).fetchall()
    return {
        member_id: Reach(
            member_id,
            status == Status.ACTIVE,
            locale,
            sealing.open_contact(vault, member_id, kind, sealed) if sealed else None,
            reason,
        )
        for member_id, status, locale, sealed, reason in rows
    }


async def unreachable(db: Db, member_ids: Collection[UUID], *, kind: str) -> frozenset[UUID]:
    """Of these, whom the messenger `kind` refuses to write to."""
    cursor = await db.execute(UNREACHABLE, [list(member_ids), kind])
    return frozenset(row[0] for row in await cursor.fetchall())


async def agreed(
    db: Db, member_ids: Collection[UUID], *, purpose: str, channel: str
) -> frozenset[UUID]:
    """Of these, who has a live consent to `purpose`, for this channel or for any."""
    cursor = await db.execute(AGREED, [list(member_ids), purpose, channel])
    return frozenset(row[0] for row in await cursor.fetchall())


def _asked_for(
    phone: str | None, email: str | None, kind: str | None, value: str | None
) -> identities.Contact:
    given = [(identities.PHONE, phone, "phone"), (identities.EMAIL, email, "email")]
    given += [(kind or "", value, "value")]
    asked = [(of, text, path) for of, text, path in given if text is not None]
    if len(asked) != 1 or (kind is None) != (value is None):
        raise InvalidField("phone", "Look for one: a phone, an email, or a kind with its value")
    of, text, path = asked[0]
    return identities.read(of, text, path=path)


def _opened_profile(row: MemberRow, vault: Vault) -> Profile:
    """The row's plain fields with name and birthday unsealed."""
    name, birthday = sealing.open_profile(vault, row.member_id, row.sealed)
    return Profile(name, birthday, row.locale, row.timezone, row.source)
