"""Verbs that write purchases."""

from vezde.purchases.operations.merging import merge
from vezde.purchases.operations.recognising import Recognised, recognise, relabel
from vezde.purchases.operations.recording import Recorded, record

__all__ = ["Recognised", "Recorded", "merge", "recognise", "record", "relabel"]
