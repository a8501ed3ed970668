"""Verbs that write purchases."""

from vezde.purchases.operations.lapsing import lapse, next_lapse, overdue
from vezde.purchases.operations.merging import merge, unmerge
from vezde.purchases.operations.packing import PackDisputeMissing, add_own_codes
from vezde.purchases.operations.packing import decide as decide_pack
from vezde.purchases.operations.recognising import Recognised, add_lines, recognise, relabel
from vezde.purchases.operations.recording import Recorded, fact_of, record
from vezde.purchases.operations.reporting import MARKETPLACES, begin_report, finish_report, take_in
from vezde.purchases.operations.retracting import retract
from vezde.purchases.operations.scanning import NotAMarkingCode, Scan, scan
from vezde.purchases.operations.withdrawing import (
    Because,
    Withdrawn,
    carry_returns,
    is_entangled,
    reinstate,
    withdraw,
)

__all__ = [
    "MARKETPLACES",
    "Because",
    "NotAMarkingCode",
    "PackDisputeMissing",
    "Recognised",
    "Recorded",
    "Scan",
    "Withdrawn",
    "add_lines",
    "add_own_codes",
    "begin_report",
    "carry_returns",
    "decide_pack",
    "fact_of",
    "finish_report",
    "is_entangled",
    "lapse",
    "merge",
    "next_lapse",
    "overdue",
    "recognise",
    "record",
    "reinstate",
    "relabel",
    "retract",
    "scan",
    "take_in",
    "unmerge",
    "withdraw",
]
