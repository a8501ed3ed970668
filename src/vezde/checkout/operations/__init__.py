"""Verbs that write: hold, commit, record and take back orders; and quotes, which write nothing."""

from vezde.checkout.operations.committing import commit
from vezde.checkout.operations.holding import cancel as cancel_hold
from vezde.checkout.operations.holding import extend, hold, shown_state
from vezde.checkout.operations.merging import forget, merge, unmerge
from vezde.checkout.operations.ordering import buyer, record
from vezde.checkout.operations.paying import ask_payment, give_up, pay, payment
from vezde.checkout.operations.quotes import Quote, quote
from vezde.checkout.operations.returning import cancel as cancel_order
from vezde.checkout.operations.returning import take_back

__all__ = [
    "Quote",
    "ask_payment",
    "buyer",
    "cancel_hold",
    "cancel_order",
    "commit",
    "extend",
    "forget",
    "give_up",
    "hold",
    "merge",
    "pay",
    "payment",
    "quote",
    "record",
    "shown_state",
    "take_back",
    "unmerge",
]
