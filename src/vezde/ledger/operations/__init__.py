"""What changes points. Each call belongs to the caller's transaction; nothing here commits."""

from vezde.ledger.operations.accounts import (
    REFUSALS,
    AccountClosed,
    AccountMissing,
    BadAccrual,
    OpConflict,
    PointsUnsettled,
    TooManyPoints,
    lock,
    open_accounts,
)
from vezde.ledger.operations.accruing import accrue, activate_due
from vezde.ledger.operations.closing import forget, merge

__all__ = [
    "REFUSALS",
    "AccountClosed",
    "AccountMissing",
    "BadAccrual",
    "OpConflict",
    "PointsUnsettled",
    "TooManyPoints",
    "accrue",
    "activate_due",
    "forget",
    "lock",
    "merge",
    "open_accounts",
]
