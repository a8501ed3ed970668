"""The ledger's background work: the audit that never stops."""

from vezde.kit.clock import Clock
from vezde.kit.db import Contested, Database
from vezde.ledger.operations import auditing
from vezde.ledger.seals import Signer

AUDIT = "ledger.audit"


async def audit_once(database: Database, signer: Signer, *, clock: Clock) -> int:
    """Check and seal a slice when its turn has come; 0: the walk rests now."""
    began = clock.wall()
    try:
        async with database.transaction() as db:
            done = await auditing.audit_slice(db, signer=signer, wall=began)
    except Contested:  # another worker took this slice a moment ago
        return 0
    if done:
        wall = clock.wall()
        async with database.transaction() as db:
            await auditing.rest(db, took=wall - began, wall=wall)
    return 0
