"""Verbs that write purchases."""

from vezde.purchases.operations.merging import merge
from vezde.purchases.operations.recognising import Recognised, recognise, relabel
from vezde.purchases.operations.recording import Recorded, fact_of, record
from vezde.purchases.operations.retracting import retract

__all__ = [
    "Recognised",
    "Recorded",
    "fact_of",
    "merge",
    "recognise",
    "record",
    "relabel",
    "retract",
]
