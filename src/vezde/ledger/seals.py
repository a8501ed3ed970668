"""Seals: who changes a written entry, even with the database's own rights, is found out.

An account's seals are a chain. A seal is a keyed hash (HMAC-SHA256 by a key that is not in the
database) of the seal before it and of the canonical form of the entries since, each with what it
took from lots. A changed, missing or added row below a seal breaks it and all that follow.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from vezde.ledger.audit import AllocRow, EntryRow, Rows, Violation

# Text to 32 bytes, by the installation's key.
Signer = Callable[[str], bytes]
START = b"\x00" * 32


@dataclass(frozen=True, slots=True)
class Seal:
    """The account's entries up to `through_seq` were as hashed at `sealed_at`, by the wall."""

    member_id: UUID
    through_seq: int
    hash: bytes
    sealed_at: datetime


def next_seal(rows: Rows, seals: Sequence[Seal], signer: Signer, *, wall: datetime) -> Seal | None:
    """The seal over what came since the last of `seals`; None when nothing did."""
    last = seals[-1] if seals else None
    through = last.through_seq if last else 0
    if rows.account.seq <= through:
        return None
    fresh = [entry for entry in rows.entries if entry.seq > through]
    hashed = _sealed(last.hash if last else START, fresh, _by_entry(rows.allocs), signer)
    return Seal(rows.account.member_id, rows.account.seq, hashed, wall)


def broken(rows: Rows, seals: Sequence[Seal], signer: Signer) -> list[Violation]:
    """The first of the account's seals that does not fit its rows, if any."""
    allocs, entries = _by_entry(rows.allocs), rows.entries
    before, start = START, 0
    for seal in seals:
        end = start
        while end < len(entries) and entries[end].seq <= seal.through_seq:
            end += 1
        if _sealed(before, entries[start:end], allocs, signer) != seal.hash:
            said = f"entries {start + 1} to {seal.through_seq} are not what was sealed"
            return [Violation(seal.member_id, "seals", seal.through_seq, said)]
        before, start = seal.hash, end
    return []


class Head:
    """One hash of the last seals of all accounts, added in the order of their ids.

    Kept elsewhere it tells later whether an account lost its newest entries together with their
    seals, which a chain alone cannot.
    """

    def __init__(self) -> None:
        self._whole = hashlib.sha256()

    def add(self, sealed: Sequence[Seal], *, until: datetime) -> None:
        """The last of an account's seals that is not younger than `until`, if there is one."""
        known = [seal for seal in sealed if seal.sealed_at <= until]
        if known:
            last = known[-1]
            told = last.member_id.bytes + last.through_seq.to_bytes(8, "big") + last.hash
            self._whole.update(told)

    def hexdigest(self) -> str:
        return self._whole.hexdigest()


def _sealed(
    before: bytes,
    entries: Sequence[EntryRow],
    allocs: dict[int, list[tuple[int, int]]],
    signer: Signer,
) -> bytes:
    hashed = hashlib.sha256(before)
    for entry in entries:
        hashed.update(_canonical(entry, allocs.get(entry.seq, [])))
    return signer(hashed.hexdigest())


def _by_entry(allocs: Sequence[AllocRow]) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for alloc in allocs:
        found[alloc.debit_seq].append((alloc.lot_seq, alloc.points))
    return found


def _canonical(entry: EntryRow, taken: list[tuple[int, int]]) -> bytes:
    row = [
        str(entry.member_id),
        entry.seq,
        entry.kind,
        entry.points,
        entry.active_after,
        entry.pending_after,
        entry.held_after,
        entry.debt_after,
        _instant(entry.occurred_at),
        _instant(entry.recorded_at),
        entry.lot_seq,
        entry.about_seq,
        entry.op_key,
        entry.actor,
        entry.title,
        entry.proof,
        sorted(taken),
    ]
    return _json(row) + b"\n"


def _instant(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat()


def _json(value: Any) -> bytes:
    told = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return told.encode()
