"""Change what is known of a member: plain fields, and the identities they are recognised by."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.members import events, identities, model, queries, sealing
from vezde.members.identities import Contact
from vezde.members.links import arrivals
from vezde.members.model import (
    IdentityRequired,
    InvalidField,
    Member,
    Profile,
    Status,
)
from vezde.members.operations import claiming, enrolling
from vezde.outbox import operations as outbox_ops

# Not so strong that it would stop receipts of the member: `locking`.
LOCK: LiteralString = """
SELECT status FROM members.member WHERE member_id = %s FOR NO KEY UPDATE
"""
HELD: LiteralString = """
SELECT kind, blind, main FROM members.identity WHERE member_id = %s ORDER BY added_at, kind, blind
"""
UPDATE: LiteralString = """
UPDATE members.member
SET locale = %s, timezone = %s, source = %s, sealed = %s, changed_at = %s, changed_by = %s
WHERE member_id = %s
"""
STAMP: LiteralString = """
UPDATE members.member SET changed_at = %s, changed_by = %s WHERE member_id = %s
"""
DROP: LiteralString = """
DELETE FROM members.identity WHERE member_id = %s AND kind = %s AND blind = %s
"""

CONTACT_FIELDS = (identities.PHONE, identities.EMAIL)
FIELDS = (*CONTACT_FIELDS, *Profile.__dataclass_fields__)


@dataclass(frozen=True)
class HeldRow:
    """An identity the member has, by its blind index."""

    kind: str
    blind: bytes
    main: bool

    @property
    def key(self) -> claiming.Key:
        return self.kind, self.blind


@dataclass(frozen=True)
class Swap:
    """What a patch does to a member's identities; nothing in it when it changes none."""

    drop: tuple[claiming.Key, ...]
    add: dict[claiming.Key, Contact]


async def change(
    db: Db, member_id: UUID, patch: Mapping[str, Any], *, vault: Vault, now: datetime, actor: str
) -> Member:
    """Apply a merge patch (RFC 7396) of phone, email, name, birthday, locale, timezone, source.

    A new phone or e-mail replaces the main one; null clears a field, a phone or e-mail with every
    other of its kind. A patch that changes nothing leaves no trace. Raises `InvalidField`, what
    `identities.read` raises, `MemberExists`, `MemberNotFound`, `MemberClosed`, and
    `IdentityRequired` when nothing would be left to know the member by.
    """
    _refuse_unknown(patch)
    asked = model.profile(patch, now=now)
    contacts = {
        kind: None if patch[kind] is None else identities.read(kind, patch[kind], path=kind)
        for kind in CONTACT_FIELDS
        if kind in patch
    }
    wanted = {(c.kind, c.blind(vault)): c for c in contacts.values() if c}
    await _claim(db, member_id, wanted)
    await _lock(db, member_id)
    current = await queries.member(db, member_id, vault=vault)
    moved = {kind: c for kind, c in contacts.items() if (c and c.value) != getattr(current, kind)}
    profile = replace(current.profile, **asked)
    fields = [*moved, *(key for key in asked if asked[key] != getattr(current, key))]
    if not fields:
        return current
    if moved:
        held = await kit_db.fetch_all(db, HeldRow, HELD, [member_id])
        await _swap(db, member_id, _planned(held, moved, wanted), vault=vault, now=now, actor=actor)
    await db.execute(
        UPDATE,
        [
            *(profile.locale, profile.timezone, profile.source),
            sealing.seal_profile(vault, member_id, profile),
            *(now, actor, member_id),
        ],
    )
    if "source" in fields:
        await arrivals.rename(db, member_id, profile.source)
    await outbox_ops.record(db, [events.changed(member_id, fields, now=now)])
    return await queries.member(db, member_id, vault=vault)


async def add_identity(
    db: Db, member_id: UUID, *, kind: str, value: str, vault: Vault, now: datetime, actor: str
) -> None:
    """Know the member by one more identity; the first of its kind is the main one.

    One they have already changes nothing. Raises what `identities.read` raises, `MemberExists`,
    `MemberNotFound`, `MemberClosed`.
    """
    contact = identities.read(kind, value)
    key = (contact.kind, contact.blind(vault))
    await _claim(db, member_id, {key: contact})
    await _lock(db, member_id)
    held = await kit_db.fetch_all(db, HeldRow, HELD, [member_id])
    if any(row.key == key for row in held):
        return
    main = all(row.kind != contact.kind for row in held)
    row = enrolling.identity_row(member_id, key, contact, vault, main=main, at=now, by=actor)
    await db.execute(enrolling.INSERT_IDENTITY, row)
    await db.execute(STAMP, [now, actor, member_id])
    await outbox_ops.record(db, [events.changed(member_id, [contact.kind], now=now)])


def _refuse_unknown(patch: Mapping[str, Any]) -> None:
    for key in patch:
        if key not in FIELDS:
            raise InvalidField(key, f"No such field to change; take one of {', '.join(FIELDS)}")


async def _claim(db: Db, member_id: UUID, wanted: dict[claiming.Key, Contact]) -> None:
    """Before the member's row is locked: claims come first in everybody's lock order."""
    owners = await claiming.take(db, dict.fromkeys(wanted, member_id))
    enrolling.refuse_if_held(owners, wanted, member_id)


async def _lock(db: Db, member_id: UUID) -> None:
    if await kit_db.fetch_value(db, LOCK, [member_id]) != Status.ACTIVE:
        raise await queries.refusal(db, member_id)


def _planned(
    held: list[HeldRow],
    moved: Mapping[str, Contact | None],
    wanted: Mapping[claiming.Key, Contact],
) -> Swap:
    """Raises `IdentityRequired` when the member would be left without any."""
    add = {key: contact for key, contact in wanted.items() if key[0] in moved}
    drop = tuple(
        row.key
        for row in held
        if row.kind in moved and (row.main or moved[row.kind] is None or row.key in add)
    )
    if not add and len(drop) == len(held):
        raise IdentityRequired(
            "This is the last thing the member is known by; add another identity before"
        )
    return Swap(drop, add)


async def _swap(
    db: Db, member_id: UUID, swap: Swap, *, vault: Vault, now: datetime, actor: str
) -> None:
    await kit_db.execute_many(db, DROP, [(member_id, *key) for key in swap.drop])
    freed = [(*key, member_id) for key in swap.drop if key not in swap.add]
    await kit_db.execute_many(db, claiming.DROP, freed)
    rows = [
        enrolling.identity_row(member_id, key, contact, vault, main=True, at=now, by=actor)
        for key, contact in swap.add.items()
    ]
    await kit_db.execute_many(db, enrolling.INSERT_IDENTITY, rows)
