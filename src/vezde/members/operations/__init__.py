"""Verbs on members: enrol, change, consents; the links they come by."""

from vezde.members.links.arrivals import came_by, earned, reached
from vezde.members.links.operations import archive as archive_link
from vezde.members.links.operations import create as create_link
from vezde.members.links.operations import scan as scan_link
from vezde.members.operations.changing import add_identity, change
from vezde.members.operations.consenting import give_consent, withdraw_consent
from vezde.members.operations.enrolling import enrol, enrol_missing
from vezde.members.operations.pinning import pin_index_key

__all__ = [
    "add_identity",
    "archive_link",
    "came_by",
    "change",
    "create_link",
    "earned",
    "enrol",
    "enrol_missing",
    "give_consent",
    "pin_index_key",
    "reached",
    "scan_link",
    "withdraw_consent",
]
