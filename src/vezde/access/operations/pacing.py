"""How often something may be tried: a leaky bucket a subject, shared by all processes.

The generic cell rate algorithm (ITU-T I.371): a bucket is one instant, when it is empty again. A
burst of `most` passes at once, after that one every `per / most`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from vezde.access.doors import Attempt, TooOften
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.kit.vault import Vault

SPEND: LiteralString = """
INSERT INTO access.pace AS pace (bucket, empty_wall)
VALUES (%(bucket)s, %(wall)s::timestamptz + %(every)s::interval)
ON CONFLICT (bucket) DO UPDATE
SET empty_wall = greatest(pace.empty_wall, %(wall)s) + %(every)s::interval
WHERE pace.empty_wall <= %(wall)s::timestamptz + %(room)s::interval
RETURNING bucket
"""
EMPTY: LiteralString = "SELECT empty_wall FROM access.pace WHERE bucket = %s"


async def spend(db: Db, attempts: Sequence[Attempt], *, vault: Vault, wall: datetime) -> None:
    """Count these attempts; raises `TooOften`, and then nothing of the call may be kept.

    Commit before what is counted is done: an attempt that fails counts, too.
    """
    named = [(_bucket(one, vault), one.pace) for one in attempts]
    for bucket, pace in sorted(named, key=lambda pair: pair[0]):  # one order for everybody
        every = pace.per / pace.most
        room = pace.per - every
        asked = {"bucket": bucket, "wall": wall, "every": every, "room": room}
        if await kit_db.fetch_value(db, SPEND, asked) is None:
            empty: datetime = await kit_db.fetch_value(db, EMPTY, [bucket])
            wait = (empty - room - wall).total_seconds()
            raise TooOften(
                "That was too often. Wait a little, then try again.",
                retry_after_seconds=max(1, round(wait + 0.5)),
            )


def _bucket(one: Attempt, vault: Vault) -> bytes:
    return vault.blind(f"{one.pace.what}\0{one.subject}", purpose="access.pace")
