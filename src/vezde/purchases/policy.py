"""What becomes of points that are to be taken back and were spent: our copy of `returns`."""

from datetime import datetime
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.ledger.model import Debt, DebtPolicy

INSTALL: LiteralString = """
INSERT INTO purchases.section (version, valid_from, section) VALUES (%s, %s, %s)
"""
IN_FORCE: LiteralString = """
SELECT section FROM purchases.section WHERE valid_from <= %s ORDER BY version DESC LIMIT 1
"""


async def install(db: Db, section: dict[str, Any], *, version: int, valid_from: datetime) -> None:
    """Keep the section `returns` of a version just published."""
    kept = {name: section.get(name) for name in ("debt", "debt_limit")}
    await db.execute(INSTALL, [version, valid_from, Jsonb(kept)])


async def debt(db: Db, *, now: datetime) -> Debt:
    """What the programme in force now says; a receipt of a return cannot be refused, so where it
    forbids debts they are forgiven.
    """
    section = await kit_db.fetch_value(db, IN_FORCE, [now]) or {}
    if section.get("debt") != DebtPolicy.DEBT:
        return Debt(DebtPolicy.FORGIVE)
    return Debt(DebtPolicy.DEBT, section.get("debt_limit"))
