"""Work that asks somebody else (a vendor, a slow CPU) is leased, so no transaction waits for it.

The rows differ from domain to domain, the pattern does not:

1. Claim and commit. `UPDATE … SET lease_token = %s, leased_until = %s, attempts = attempts + 1
   WHERE id IN (SELECT id … WHERE leased_until IS NULL OR leased_until < %(wall)s …
   ORDER BY … LIMIT n FOR UPDATE SKIP LOCKED) RETURNING …`
2. Call, with no connection in hand, for less than the lease lasts.
3. Finish in a second transaction: `UPDATE … WHERE id = %s AND lease_token = %s`. No row: the lease
   ran out and somebody else took the work; throw the answer away and write nothing.

A process that dies in step 2 leaves a row that anybody claims once `leased_until` is past, so the
called side must bear being asked twice. Leases are wall time: a sandbox jump does not end them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from vezde.kit import ids


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds the work (`token`) and until when (wall time)."""

    token: UUID
    until: datetime


def take(*, wall: datetime, seconds: float) -> Lease:
    """A lease from now on; take `seconds` well above the longest call it covers."""
    return Lease(ids.new(), wall + timedelta(seconds=seconds))
