"""Facts as the outside sees them: which kinds are told, and in what shape.

    {"id": "evt_…", "type": "receipt.accepted", "version": 1, "timestamp": "…", "recorded_at": "…",
     "data": {"member_id": "mem_…", "receipt_id": "rcp_…", "points": 83}}

`timestamp` is when it happened, `recorded_at` when we learned it: facts of a member sorted by
(recorded_at, id) are in order. A kind's fields only grow; what would break a reader is a new
version, told beside the old one.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from vezde.api import names
from vezde.catalog import events as catalog
from vezde.checkout import events as checkout
from vezde.ledger import events as ledger
from vezde.members import events as members
from vezde.members.links import events as links
from vezde.outbox.model import FactRow
from vezde.outbox.webhooks import events as webhooks
from vezde.outbox.webhooks.model import Message
from vezde.program import events as program
from vezde.purchases import events as purchases
from vezde.receipts import events as receipts
from vezde.receipts.model import Reason, Status
from vezde.sellers import events as sellers

# Field of a fact -> its public id, which carries the fact's member where the row is the member's.
IDS: Mapping[str, Callable[[UUID, UUID], str]] = {
    "gone": lambda _member_id, gone: names.member(gone),
    "receipt_id": names.receipt,
    "purchase_id": names.purchase,
    "consent_id": names.consent,
    "hold_id": names.hold,
    "adjustment_id": names.adjustment,
    "dispute_id": lambda _member_id, dispute_id: names.dispute(dispute_id),
}

# Kind -> the fields of its data that are told; others, added for our own use, are not.
TOLD: Mapping[str, tuple[str, ...]] = {
    members.ENROLLED: (),
    members.CHANGED: ("fields",),
    members.MERGED: ("gone",),  # into member_id
    members.UNMERGED: ("gone",),  # a member by themselves again
    members.FORGOTTEN: (),
    members.UNREACHABLE: ("kind", "reason"),
    members.REACHABLE: ("kind",),
    links.CAME_BY: ("code", "first"),
    members.CONSENT_GIVEN: ("consent_id",),
    members.CONSENT_WITHDRAWN: ("consent_id",),
    "receipt.registered/1": ("receipt_id",),
    **{
        f"receipt.{status}/1": ("receipt_id", "reason", "purchase_id", "points")
        for status in Status
        if status is not Status.CHECKING
    },
    receipts.DELAYED: ("receipt_id",),
    receipts.DISPUTED: ("receipt_id", "dispute_id"),
    receipts.QUESTIONED: ("receipt_id",),
    receipts.RESOLVED: ("receipt_id", "dispute_id", "outcome"),
    receipts.WITHHELD: ("receipt_id",),
    receipts.RECHECKED: ("receipt_id", "outcome"),
    receipts.PAUSED: ("provider", "because"),
    receipts.RESUMED: ("provider",),
    receipts.RUNNING_OUT: ("provider", "what", "used", "most"),
    purchases.RECORDED: (
        "purchase_id",
        "receipt_id",
        "order_id",
        "sales_channel",
        "total_kopecks",
        "ours_kopecks",
        "skus",
    ),
    purchases.ADVANCE_SETTLED: ("receipt_id", "order_id"),
    purchases.RETURNED: ("purchase_id", "receipt_id", "line", "points", "because"),
    purchases.LINE_RETRACTED: ("purchase_id", "receipt_id", "line", "points"),
    purchases.LINES_RECOGNISED: ("purchase_id", "receipt_id", "lines"),
    program.POINTS_ACCRUED: ("purchase_id", "points", "active_at"),
    checkout.HELD: ("hold_id", "points", "sales_channel"),
    checkout.RELEASED: ("hold_id", "points"),
    checkout.SPENT: ("purchase_id", "sales_channel", "order_id", "points"),
    checkout.RECORDED: (
        "purchase_id",
        "sales_channel",
        "order_id",
        "paid_kopecks",
        "spent_points",
        "earned_points",
    ),
    checkout.RETURNED: (
        "purchase_id",
        "sales_channel",
        "order_id",
        "return_id",
        "restored_points",
        "reversed_points",
        "refund_kopecks",
    ),
    checkout.CANCELLED: (
        "purchase_id",
        "sales_channel",
        "order_id",
        "restored_points",
        "reversed_points",
        "refund_kopecks",
    ),
    ledger.ACTIVATED: ("points",),
    ledger.ADJUSTED: ("adjustment_id", "points"),
    ledger.EXPIRED: ("points",),
    ledger.HOLD_EXPIRED: ("points",),
    program.PUBLISHED: ("version", "valid_from"),
    sellers.LABELLED: ("inn", "kind", "sales_channel"),
    catalog.IMPORTED: ("created", "updated", "archived", "revision"),
}
KINDS = frozenset(TOLD)


def message(fact: FactRow) -> Message:
    """What a webhook is sent of this fact; its id is the fact's, at every attempt."""
    kind, _, version = fact.kind.partition("/")
    event_id = names.event(fact.id)
    body = {
        "id": event_id,
        "type": kind,
        "version": int(version),
        "timestamp": _instant(fact.occurred_at),
        "recorded_at": _instant(fact.recorded_at),
        "data": _data(fact),
    }
    return Message(event_id, json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())


def _data(fact: FactRow) -> dict[str, Any]:
    if fact.kind == webhooks.PINGED:
        assert fact.subject is not None, "a ping is of a webhook"
        return {"webhook_id": names.webhook(UUID(fact.subject))}
    told: dict[str, Any] = {}
    if fact.member_id is not None:
        told["member_id"] = names.member(fact.member_id)
    for field in TOLD[fact.kind]:
        if field in fact.data:
            told[field] = _told(fact, field, fact.data[field])
    return told


def _told(fact: FactRow, field: str, value: Any) -> Any:
    if field in IDS:
        assert fact.member_id is not None, "these ids belong to a member"
        return IDS[field](fact.member_id, UUID(value))
    if field == "reason" and value == Reason.FORGED:  # for operators only
        return str(Reason.NOT_FOUND)
    return value


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
