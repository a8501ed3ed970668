"""Verbs that write purchases."""

from vezde.purchases.operations.lapsing import lapse, next_lapse, overdue
from vezde.purchases.operations.merging import merge, unmerge
from vezde.purchases.operations.packing import add_own_codes
from vezde.purchases.operations.recognising import Recognised, add_lines, recognise, relabel
from vezde.purchases.operations.recording import Recorded, fact_of, record
from vezde.purchases.operations.reporting import MARKETPLACES, begin_report, finish_report, take_in
from vezde.purchases.operations.retracting import retract
from vezde.purchases.operations.scanning import NotAMarkingCode, Scan, scan

__all__ = [
    "MARKETPLACES",
    "NotAMarkingCode",
    "Recognised",
    "Recorded",
    "Scan",
    "add_lines",
    "add_own_codes",
    "begin_report",
    "fact_of",
    "finish_report",
    "lapse",
    "merge",
    "next_lapse",
    "overdue",
    "recognise",
    "record",
    "relabel",
    "retract",
    "scan",
    "take_in",
    "unmerge",
]
