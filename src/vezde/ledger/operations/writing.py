"""Entries that Python has decided, written one after the other on an account that is settled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString

from vezde.kit.db import Db
from vezde.ledger import model
from vezde.ledger.model import Command, Draft
from vezde.ledger.operations.accounts import call_each, settle

WRITE: LiteralString = """
SELECT seq FROM ledger.write(
    %s, %s, %s, %s, %s, %s, %s, %s::bigint[], %s::bigint[], %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s, %s)
"""


async def write(
    db: Db,
    command: Command,
    fingerprint: bytes,
    drafts: Sequence[Draft],
    *,
    at: datetime,
    actor: str,
) -> int:
    """One op: its entries, then what they make due at once; answers the seq of the first."""
    heads = [(fingerprint, len(drafts)), *((None, None) for _ in drafts[1:])]
    rows = [
        arguments(command, draft, head, at, actor)
        for draft, head in zip(drafts, heads, strict=True)
    ]
    seqs = await call_each(db, WRITE, rows)
    await settle(db, command.member_id, now=at, since=at)
    return int(seqs[0][0])


def arguments(
    command: Command,
    draft: Draft,
    head: tuple[bytes | None, int | None],
    at: datetime,
    actor: str,
) -> tuple[Any, ...]:
    """A row for `WRITE`; `head` is the op's fingerprint and number of entries, with its first."""
    lot_seq, life = draft.ripens or (None, draft.makes)
    return (
        command.member_id,
        draft.kind,
        draft.points,
        draft.active,
        draft.pending,
        draft.held,
        draft.debt,
        [one.lot_seq for one in draft.taken],
        [one.points for one in draft.taken],
        draft.makes.points if draft.makes else None,
        lot_seq,
        life.active_at if life else None,
        life.expires_at if life else None,
        model.use_order(life.expires_at) if life else None,
        draft.about_seq,
        command.op_key,
        *head,
        draft.occurred_at,
        at,
        actor,
        draft.title or command.title,
        draft.proof,
    )
