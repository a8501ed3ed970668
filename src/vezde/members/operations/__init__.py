"""Verbs on members: enrol, change, consents."""

from vezde.members.operations.changing import add_identity, change
from vezde.members.operations.consenting import give_consent, withdraw_consent
from vezde.members.operations.enrolling import enrol, enrol_missing
from vezde.members.operations.pinning import pin_index_key

__all__ = [
    "add_identity",
    "change",
    "enrol",
    "enrol_missing",
    "give_consent",
    "pin_index_key",
    "withdraw_consent",
]
