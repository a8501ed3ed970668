"""A whole report: read row by row, kept slice by slice, each slice a transaction of its own."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from uuid import UUID

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.purchases import operations as purchases
from vezde.purchases.reports import reading
from vezde.purchases.reports.model import Broken, Kind, Movement

AT_ONCE: Final = 500
MOST_TOLD: Final = 1_000


@dataclass
class Loaded:
    """What became of a report's rows.

    `lines` are lines of members' purchases that new rows were about, `points` what was taken back
    from them; of the broken rows the first thousand are told.
    """

    report_id: UUID
    kind: Kind
    sold: int = 0
    returned: int = 0
    repeated: int = 0
    lines: int = 0
    points: int = 0
    broken: int = 0
    told: list[Broken] = field(default_factory=list)


async def load(
    database: Database,
    content: bytes,
    *,
    name: str,
    clock: Clock,
    actor: str,
    tell: Callable[[Broken], None] | None = None,
) -> Loaded:
    """Read a report and make points follow it; the same rows again change nothing.

    What was kept before a fault stays kept: load the file again. Raises `BadReport`.
    """
    report = reading.read(content)
    async with database.transaction() as db:
        report_id = await purchases.begin_report(
            db, report.kind, name, now=await clock.programme(db), actor=actor
        )
    loaded = Loaded(report_id, report.kind)
    while rows := list(islice(report.rows, AT_ONCE)):
        broken = [row for row in rows if isinstance(row, Broken)]
        for one in broken:
            if tell is not None:
                tell(one)
        loaded.told += broken[: MOST_TOLD - len(loaded.told)]
        loaded.broken += len(broken)
        await _slice(database, loaded, _movements(rows), len(broken), clock=clock, actor=actor)
    async with database.transaction() as db:
        await purchases.finish_report(db, report_id, now=await clock.programme(db))
    return loaded


def _movements(rows: list[Movement | Broken]) -> list[Movement]:
    return [row for row in rows if isinstance(row, Movement)]


async def _slice(
    database: Database,
    loaded: Loaded,
    rows: list[Movement],
    broken: int,
    *,
    clock: Clock,
    actor: str,
) -> None:
    async with database.transaction(gives_way=True) as db:
        counts = await purchases.take_in(
            db,
            loaded.report_id,
            loaded.kind.marketplace,
            rows,
            broken=broken,
            now=await clock.programme(db),
            actor=actor,
        )
    loaded.sold += counts.sold
    loaded.returned += counts.returned
    loaded.repeated += counts.repeated
    loaded.lines += counts.lines
    loaded.points += counts.points
