"""Publish a document as a version and hand its sections to their owners."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, Kind
from vezde.ledger import operations as ledger
from vezde.outbox import operations as outbox
from vezde.program import checking, compiling, events
from vezde.program.decide import inactive_after
from vezde.program.document import Document
from vezde.program.model import Version
from vezde.program.sections import Section

PUBLICATION = 7_386_007  # any constant; one publication at a time
LOCK: LiteralString = "SELECT pg_advisory_xact_lock(%s)"
LATEST: LiteralString = """
SELECT version, valid_from, document, published_at, published_by, document_sha256, chain_sha256
FROM program.version ORDER BY version DESC LIMIT 1
"""
KEEP: LiteralString = """
INSERT INTO program.version
    (version, valid_from, document, document_sha256, chain_sha256, published_at, published_by)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


class ValidFromPast(DomainError):
    """A version may not be in force before it was published."""

    code = "valid_from_past"
    kind = Kind.REFUSED


class VersionScheduled(DomainError):
    """A later start is published already; this version would begin before it."""

    code = "version_scheduled"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class _Latest(Version):
    document_sha256: bytes
    chain_sha256: bytes


async def publish(
    db: Db,
    document: str | bytes | Mapping[str, Any],
    *,
    sections: Sequence[Section],
    valid_from: datetime | None,
    now: datetime,
    actor: str,
) -> Version:
    """Publish a document, in force from `valid_from` (None: `now`), and install its sections.

    The first version is in force for all earlier time, whatever its `valid_from`. The document of
    the latest version again answers that version and changes nothing. A version scheduled for
    later stays: the next may start with it (and so replace it) or after it, not before.
    Raises `ProgramInvalid`, `ValidFromPast`, `VersionScheduled`.
    """
    checked = checking.check(document, sections=sections)
    model = checked.sound()
    sha256 = hashlib.sha256(_canonical(checked.document)).digest()
    start = now if valid_from is None else valid_from
    await db.execute(LOCK, [PUBLICATION])
    latest = await kit_db.fetch_one(db, _Latest, LATEST)
    if latest is not None:
        if latest.document_sha256 == sha256 and start >= latest.in_force_from:
            return _plain(latest)
        _check_start(latest, start, now)
    version = Version(
        version=1 if latest is None else latest.version + 1,
        valid_from=start,
        document=checked.document,
        published_at=now,
        published_by=actor,
    )
    await _keep(db, version, sha256, latest)
    await _tell_ledger(db, model, version, now=now)
    for section in sections:
        owned = getattr(model, section.name).model_dump(mode="json")
        await section.install(db, owned, version=version.version, valid_from=version.in_force_from)
    await outbox.record(db, [events.published(version, now=now)])
    return version


async def _tell_ledger(db: Db, document: Document, version: Version, *, now: datetime) -> None:
    """What the version says of inactivity; a new rule grants a full period from its beginning."""
    rules = compiling.programme(
        document, version=version.version, in_force_from=version.in_force_from
    )
    idle = document.expiry.inactivity if document.expiry else None
    rule = None if idle is None else _canonical(idle.model_dump(mode="json")).decode()
    ends_at = inactive_after(rules, max(version.in_force_from, now))
    await ledger.set_inactivity(db, from_at=version.in_force_from, rule=rule, inactive_at=ends_at)


def _check_start(latest: _Latest, start: datetime, now: datetime) -> None:
    if start < now:
        raise ValidFromPast(
            "A programme cannot start in the past: purchases were priced by the one before. "
            "Leave valid_from out to start now, or give a later time."
        )
    if start < latest.in_force_from:
        shown = latest.valid_from.astimezone(UTC).isoformat()
        raise VersionScheduled(
            f"Version {latest.version} is scheduled for {shown}. Give that time or a later one as "
            "valid_from; with the same time this version takes its place.",
            extra={"version": latest.version, "valid_from": shown},
        )


async def _keep(db: Db, version: Version, sha256: bytes, latest: _Latest | None) -> None:
    head = _canonical([version.version, version.valid_from.astimezone(UTC).isoformat()])
    before = b"" if latest is None else latest.chain_sha256
    row = (
        version.version,
        version.valid_from,
        Jsonb(version.document),
        sha256,
        hashlib.sha256(before + sha256 + head).digest(),
        version.published_at,
        version.published_by,
    )
    await kit_db.execute_many(db, KEEP, [row])


def _plain(latest: _Latest) -> Version:
    return Version(
        latest.version,
        latest.valid_from,
        latest.document,
        latest.published_at,
        latest.published_by,
    )


def _canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
