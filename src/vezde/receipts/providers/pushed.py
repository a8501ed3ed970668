"""Documents that the brand's own operator of fiscal data pushed: asked first, they cost nothing.

What is not there may still be pushed, so it is asked for again like any document that is late.
"""

from typing import Any, LiteralString

from vezde.kit import db as kit_db
from vezde.kit.db import Database
from vezde.kit.errors import Unavailable
from vezde.receipts.model import FiscalDocument
from vezde.receipts.providers import protocol
from vezde.receipts.providers.protocol import PUSHED, Answer, Query, Source, Verdict

HELD: LiteralString = "SELECT document FROM receipts.pushed WHERE fn = %s AND fd = %s"


class Pushed:
    """Reads the installation's own database."""

    name = PUSHED
    source = Source.OWN

    def __init__(self, database: Database) -> None:
        self._database = database

    async def fetch(self, query: Query) -> Answer:
        """FOUND, FORGED when the pushed document of that number is another, else NOT_YET."""
        try:
            async with self._database.transaction() as db:
                held: dict[str, Any] | None = await kit_db.fetch_value(
                    db, HELD, [query.qr.fn, query.qr.fd]
                )
        except Unavailable:
            return Answer(Verdict.UNAVAILABLE, note=f"{PUSHED}: the database does not answer")
        if held is None:
            return Answer(Verdict.NOT_YET)
        return protocol.compare(FiscalDocument.from_json(held), query.qr, name=PUSHED)

    async def close(self) -> None:
        """The database is closed by whoever opened it."""
