"""Verbs on members: enrol, change, consents, merge, forget; the links they come by."""

from vezde.members.links.arrivals import came_by, earned, earned_all, reached, reached_all
from vezde.members.links.operations import archive as archive_link
from vezde.members.links.operations import create as create_link
from vezde.members.links.operations import scan as scan_link
from vezde.members.operations.changing import add_identity, change
from vezde.members.operations.consenting import give_consent, note_consent, withdraw_consent
from vezde.members.operations.enrolling import enrol, enrol_missing
from vezde.members.operations.forgetting import forget
from vezde.members.operations.importing import Import, Imported, import_balances
from vezde.members.operations.journal import sweep_merges
from vezde.members.operations.locking import present, undisturbed
from vezde.members.operations.merging import merge
from vezde.members.operations.pinning import pin_index_key
from vezde.members.operations.reaching import (
    drop_unreachable,
    mark_reachable,
    mark_unreachable,
)
from vezde.members.operations.steps import Moved, Step
from vezde.members.operations.unmerging import unmerge

__all__ = [
    "Import",
    "Imported",
    "Moved",
    "Step",
    "add_identity",
    "archive_link",
    "came_by",
    "change",
    "create_link",
    "drop_unreachable",
    "earned",
    "earned_all",
    "enrol",
    "enrol_missing",
    "forget",
    "give_consent",
    "import_balances",
    "mark_reachable",
    "mark_unreachable",
    "merge",
    "note_consent",
    "pin_index_key",
    "present",
    "reached",
    "reached_all",
    "scan_link",
    "sweep_merges",
    "undisturbed",
    "unmerge",
    "withdraw_consent",
]
