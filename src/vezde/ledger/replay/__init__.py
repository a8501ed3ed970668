"""The same ledger as a pure fold: the same commands give the same entries, without a database.

The backtest runs on it, and the tests hold the real one against it after every step. An account
is a value; every command answers the next one.
"""

from vezde.ledger.replay.accounts import Account, Done, opened, points, settle
from vezde.ledger.replay.closing import came, close, merge, unmerge
from vezde.ledger.replay.moving import (
    accrue,
    activate,
    adjust,
    commit,
    extend,
    hold,
    redeem,
    release,
)
from vezde.ledger.replay.returning import restore, reverse

__all__ = [
    "Account",
    "Done",
    "accrue",
    "activate",
    "adjust",
    "came",
    "close",
    "commit",
    "extend",
    "hold",
    "merge",
    "opened",
    "points",
    "redeem",
    "release",
    "restore",
    "reverse",
    "settle",
    "unmerge",
]
