"""A sandbox: its clock moved, its beginning, beginning anew."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from ruamel.yaml import YAML

from vezde.access import operations as access
from vezde.bot import inbox as bot_inbox
from vezde.catalog import operations as catalog
from vezde.catalog import queries as catalog_queries
from vezde.catalog import reading
from vezde.catalog.model import Change, Mode, Row
from vezde.kit import emptying, migrate, share
from vezde.kit.db import Db
from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.kit.work import jobs, pause, sandbox
from vezde.ledger import queries as ledger
from vezde.messaging.operations.reserving import DELIVER
from vezde.messaging.sms.operations import STAGE
from vezde.program import operations as program
from vezde.program import queries as program_queries
from vezde.receipts.operations import checking
from vezde.wiring.house import House, open_months, settle_in
from vezde.wiring.lists import SECTIONS
from vezde.wiring.stages import stages


async def advance(house: House, until: datetime) -> datetime:
    """Move a sandbox's programme clock to `until`, working off what falls due on the way."""
    by_the_wall = {DELIVER, STAGE, bot_inbox.WORK}
    worked = [one for one in stages(house) if one.name not in by_the_wall]
    return await sandbox.advance(
        house.database, house.clock, worked, until=until, before_move=open_months
    )


# What people wait for; the timetable's sweeps are nothing to see.
SEEN = (
    partial(checking.next_due, step="ask"),
    partial(checking.next_due, step="settle"),
    ledger.next_due,
    jobs.due,
)


async def next_event(db: Db) -> datetime | None:
    """When something falls due next that people notice: a reminder, points becoming active."""
    found = [due for ask in SEEN if (due := await ask(db)) is not None]
    return min(found, default=None)


# Keys and operators outlive a reset; of the rest, what migrations or running processes put there.
KEPT = frozenset(
    {
        "access.answer",  # emptied row by row: `access.forget_answers`
        "access.journal",
        "access.key",
        "access.operator",
        "access.operator_code",
        "access.operator_invitation",
        "access.operator_session",
        "kit.migration",
        "kit.clock",
        "kit.worker",
        "kit.call",
        "outbox.lane",
        "outbox.subscription",
    }
)


class CatalogInvalid(DomainError):
    """Rows of the catalogue to begin with are wrong; `errors` name them."""

    code = "catalog_invalid"
    kind = Kind.INVALID


async def furnish(house: House) -> None:
    """Give a sandbox the shipped programme and catalogue where it has none yet."""
    async with house.database.transaction() as db:
        now = await house.clock.programme(db)
        if await program_queries.in_force(db, at=now) is None:
            await _publish(db, None, now=now)
        if await catalog_queries.revision(db) is None:
            await _import(db, None, now=now)


async def reset(
    house: House,
    *,
    programme: dict[str, Any] | None = None,
    products: Sequence[dict[str, Any]] | None = None,
) -> datetime:
    """Empty a sandbox of everything but keys and operators, begin anew; returns the wall's time.

    The programme and catalogue are as the API takes them, None for the shipped ones, and in force
    from the beginning. All or nothing: raises `ProgramInvalid`, `CatalogInvalid`, and `Unavailable`
    when requests in hand do not let go of the tables. Needs the owner's login.
    """
    owner = house.settings.database.owner_url
    if not house.clock.sandbox or owner is None:
        raise sandbox.NotASandbox("Only a sandbox is emptied; start Vezde with VEZDE_SANDBOX=1")

    async def begin(db: Db) -> tuple[datetime, set[str]]:
        now = await house.clock.programme(db)
        await access.forget_answers(db)
        await settle_in(db, house.vault, now=now)
        await _publish(db, programme, now=now)
        await _import(db, products, now=now)
        return now, db.woken

    schemas = {one.domain for one in migrate.read(share.folder("migrations"))}
    async with pause.alone(house.database):
        now, woken = await emptying.begin_anew(owner, schemas=schemas, kept=KEPT, begin=begin)
    house.waker.wake(woken)
    return now


async def _publish(db: Db, document: dict[str, Any] | None, *, now: datetime) -> None:
    given = _shipped() if document is None else document
    await program.publish(db, given, sections=SECTIONS, valid_from=None, now=now, actor="system")


def _shipped() -> dict[str, Any]:
    """The shipped programme, but nothing waits for a person: here one shows everything at once."""
    text = (share.folder("examples") / "program.yaml").read_text("utf-8")
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    document["signals"]["quarantine_at"] = None
    return document


async def _import(db: Db, products: Sequence[dict[str, Any]] | None, *, now: datetime) -> None:
    rows: Sequence[dict[str, Any] | Row]
    if products is None:
        rows = reading.read((share.folder("examples") / "catalog.csv").read_bytes()).rows
    else:
        rows = products
    outcomes = await catalog.import_products(db, rows, mode=Mode.MERGE, now=now, actor="system")
    wrong = [one for one in outcomes if one.outcome is Change.INVALID]
    if wrong:
        raise CatalogInvalid(
            f"{len(wrong)} of {len(rows)} products are wrong, so nothing was changed. Correct them "
            "and send all again.",
            errors=tuple(
                FieldError(f"catalog.{one.row}", "invalid", one.error or "") for one in wrong
            ),
        )
