"""An operator gives or takes points."""

from datetime import datetime

from vezde.kit.db import Db
from vezde.ledger import model
from vezde.ledger.model import Adjustment, EntryKind
from vezde.ledger.operations.accounts import check
from vezde.ledger.operations.accruing import accrue
from vezde.ledger.operations.spending import spend_all


async def adjust(db: Db, command: Adjustment, *, now: datetime, actor: str) -> int:
    """Give points, or (below zero) take active ones; answers the entry's seq.

    Raises `BadCommand`, `AccountMissing`, `AccountClosed`, `OpConflict`, `TooManyPoints`,
    `InsufficientPoints`.
    """
    check(command)
    if command.points > 0:
        credit = model.credit(command)
        return (await accrue(db, [credit], now=now, actor=actor))[0]
    return (await spend_all(db, EntryKind.ADJUST, [command], now=now, actor=actor))[0][0]
