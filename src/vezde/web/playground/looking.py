"""What the brand sees of a person: the member, points, consents, receipts, history."""

from datetime import datetime
from typing import Any
from uuid import UUID

from vezde.kit.db import Db
from vezde.ledger import queries as ledger
from vezde.ledger.model import Entry
from vezde.members import queries as members
from vezde.members.model import Member
from vezde.receipts import queries as receipts
from vezde.receipts.queries import Receipt
from vezde.web.playground.model import Play

MESSENGER = "telegram"
SHOWN = 20


async def member(play: Play, user: int) -> dict[str, Any]:
    """`{"member": null}` until they have written, and after they were erased."""
    async with play.database.transaction() as db:
        now = await play.clock.programme(db)
        found = await members.find(db, vault=play.vault, kind=MESSENGER, value=str(user))
        if found is None:
            return {"member": None}
        return {"member": await _told(db, found, now)}


async def _told(db: Db, found: Member, now: datetime) -> dict[str, Any]:
    member_id: UUID = found.member_id
    points = await ledger.points(db, member_id, as_of=now)
    entries = await ledger.history(db, member_id, limit=SHOWN)
    shown = await receipts.page(db, member_id=member_id, limit=SHOWN)
    return {
        "id": str(member_id),
        "since": found.created_at.isoformat(),
        "phone": found.phone,
        "source": found.profile.source,
        "points": {"active": points.active, "pending": points.pending},
        "consents": [
            {"purpose": one.purpose, "given_at": one.given_at.isoformat()}
            for one in found.consents
            if one.withdrawn_at is None
        ],
        "receipts": [_receipt(one, now) for one in shown],
        "history": [_entry(one) for one in entries],
    }


def _receipt(one: Receipt, now: datetime) -> dict[str, Any]:
    pending, active, active_at = one.points(now)
    return {
        "id": str(one.receipt_id),
        "status": one.status,
        "reason": one.reason,
        "place": one.seller_name,
        "channel": one.sales_channel,
        "total_kopecks": one.total_kopecks,
        "pending": pending,
        "active": active,
        "active_at": active_at.isoformat() if active_at else None,
        "lines": [
            {"sku": line.sku, "method": line.method, "points": line.points}
            for line in one.matched
            if line.sku or line.points
        ],
    }


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "seq": one.seq,
        "kind": one.kind,
        "points": one.points,
        "title": one.title,
        "at": one.occurred_at.isoformat(),
    }
