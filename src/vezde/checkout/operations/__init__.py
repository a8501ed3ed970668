"""Verbs that write: hold, commit, record and take back orders; and quotes, which write nothing."""

from vezde.checkout.operations.committing import commit
from vezde.checkout.operations.holding import cancel as cancel_hold
from vezde.checkout.operations.holding import extend, hold, shown_state
from vezde.checkout.operations.merging import forget, merge
from vezde.checkout.operations.ordering import record
from vezde.checkout.operations.quotes import Quote, quote
from vezde.checkout.operations.returning import cancel as cancel_order
from vezde.checkout.operations.returning import take_back

__all__ = [
    "Quote",
    "cancel_hold",
    "cancel_order",
    "commit",
    "extend",
    "forget",
    "hold",
    "merge",
    "quote",
    "record",
    "shown_state",
    "take_back",
]
