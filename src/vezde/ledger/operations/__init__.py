"""What changes points. Each call belongs to the caller's transaction; nothing here commits."""

from vezde.ledger.operations.accounts import (
    REFUSALS,
    AccountClosed,
    AccountMissing,
    BadAccrual,
    BadCommand,
    InsufficientPoints,
    OpConflict,
    PointsUnsettled,
    TooManyPoints,
    lock,
    open_accounts,
)
from vezde.ledger.operations.accruing import NotPending, accrue, activate
from vezde.ledger.operations.adjusting import adjust
from vezde.ledger.operations.closing import forget, merge
from vezde.ledger.operations.holding import (
    Held,
    HoldClosed,
    HoldMissing,
    HoldTaken,
    commit,
    commit_all,
    extend,
    hold,
    hold_all,
    release,
)
from vezde.ledger.operations.returning import (
    DebtForbidden,
    NotReturnable,
    OverReturned,
    Restored,
    Reversed,
    restore,
    reverse,
)
from vezde.ledger.operations.settling import settle_due
from vezde.ledger.operations.spending import Spent, redeem, redeem_all

__all__ = [
    "REFUSALS",
    "AccountClosed",
    "AccountMissing",
    "BadAccrual",
    "BadCommand",
    "DebtForbidden",
    "Held",
    "HoldClosed",
    "HoldMissing",
    "HoldTaken",
    "InsufficientPoints",
    "NotPending",
    "NotReturnable",
    "OpConflict",
    "OverReturned",
    "PointsUnsettled",
    "Restored",
    "Reversed",
    "Spent",
    "TooManyPoints",
    "accrue",
    "activate",
    "adjust",
    "commit",
    "commit_all",
    "extend",
    "forget",
    "hold",
    "hold_all",
    "lock",
    "merge",
    "open_accounts",
    "redeem",
    "redeem_all",
    "release",
    "restore",
    "reverse",
    "settle_due",
]
