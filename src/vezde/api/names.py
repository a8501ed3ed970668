"""Public ids: what stands before the underscore, and which internal ids follow."""

from typing import Any
from uuid import UUID

from vezde.kit import ids

MEMBER, RECEIPT, ENTRY, CONSENT, PURCHASE = "mem", "rcp", "ent", "cns", "pur"
WEBHOOK, EVENT, ADJUSTMENT = "whk", "evt", "adj"
# A trouble's id says which kind of thing was given up on.
TROUBLES = {
    "update": "tup",
    "send": "tsn",
    "reaction": "trn",
    "delivery": "tdl",
    "job": "tjb",
    "receipt": "trc",
    "provider": "tpr",
    "letter": "tlt",
}
OPERATOR, JOURNAL, SESSION, PAYMENT = "opr", "jrn", "ssn", "pay"
HOLD, DECISION, DISPUTE = "hld", "dcs", "dsp"


def member(member_id: UUID) -> str:
    return ids.public(MEMBER, member_id)


def member_id(text: str) -> UUID:
    return ids.parse(MEMBER, text)[0]


def receipt(member_id: UUID, receipt_id: UUID) -> str:
    return ids.public(RECEIPT, member_id, receipt_id)


def receipt_ids(text: str) -> tuple[UUID, UUID]:
    """(member, receipt)."""
    return pair(RECEIPT, text)


def purchase(member_id: UUID, purchase_id: UUID) -> str:
    return ids.public(PURCHASE, member_id, purchase_id)


def hold(member_id: UUID, hold_id: UUID) -> str:
    return ids.public(HOLD, member_id, hold_id)


def hold_ids(text: str) -> tuple[UUID, UUID]:
    """(member, hold)."""
    return pair(HOLD, text)


def consent(member_id: UUID, consent_id: UUID) -> str:
    return ids.public(CONSENT, member_id, consent_id)


def consent_ids(text: str) -> tuple[UUID, UUID]:
    """(member, consent)."""
    return pair(CONSENT, text)


def entry(member_id: UUID, seq: int) -> str:
    """A ledger entry is the member's n-th: the number rides in the second id."""
    return ids.public(ENTRY, member_id, UUID(int=seq))


def entry_key(text: str) -> tuple[UUID, int]:
    """(member, seq)."""
    member, number = pair(ENTRY, text)
    if number.int >= 2**63:
        raise ids.UnknownId("This is not an entry of ours; take the id from the history.")
    return member, number.int


def adjustment(member_id: UUID, adjustment_id: UUID) -> str:
    return ids.public(ADJUSTMENT, member_id, adjustment_id)


def adjustment_ids(text: str) -> tuple[UUID, UUID]:
    """(member, adjustment)."""
    return pair(ADJUSTMENT, text)


def webhook(webhook_id: UUID) -> str:
    return ids.public(WEBHOOK, webhook_id)


def webhook_id(text: str) -> UUID:
    return ids.parse(WEBHOOK, text)[0]


def event(fact_id: UUID) -> str:
    """A fact as others know it: what a webhook's receiver sees as `webhook-id`."""
    return ids.public(EVENT, fact_id)


def event_id(text: str) -> UUID:
    return ids.parse(EVENT, text)[0]


def trouble(kind: str, first: UUID, second: UUID) -> str:
    """What was given up on, of a kind of `TROUBLES`."""
    return ids.public(TROUBLES[kind], first, second)


def trouble_key(text: str) -> tuple[str, UUID, UUID]:
    """(kind, first, second)."""
    prefix = text.partition("_")[0]
    kind = next((kind for kind, short in TROUBLES.items() if short == prefix), None)
    if kind is None:
        raise ids.UnknownId("This is not an id of a trouble; take it from GET /v1/troubles.")
    return kind, *pair(prefix, text)


def decision(decision_id: UUID) -> str:
    return ids.public(DECISION, decision_id)


def decision_id(text: str) -> UUID:
    return ids.parse(DECISION, text)[0]


def dispute(dispute_id: UUID) -> str:
    return ids.public(DISPUTE, dispute_id)


def dispute_id(text: str) -> UUID:
    return ids.parse(DISPUTE, text)[0]


def operator(operator_id: UUID) -> str:
    return ids.public(OPERATOR, operator_id)


def operator_id(text: str) -> UUID:
    return ids.parse(OPERATOR, text)[0]


def pair(prefix: str, text: str) -> tuple[UUID, UUID]:
    first, second = ids.parse(prefix, text, parts=2)
    return first, second


def in_extra(extra: dict[str, Any]) -> dict[str, Any]:
    """What an error tells beside its sentence, with internal ids as public ones."""
    shown = dict(extra)
    given = shown.get("member_id")
    if given is not None:
        shown["member_id"] = member(given if isinstance(given, UUID) else UUID(str(given)))
    return shown
