"""What receipts do about facts of other domains."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from vezde.catalog import events as catalog_events
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.members.links.model import Step
from vezde.outbox.model import FactRow, Reaction, by_the_batch
from vezde.program import events as program_events
from vezde.purchases import operations as purchases
from vezde.purchases.events import ADVANCE_SETTLED, RETURNED
from vezde.receipts.model import Status
from vezde.receipts.operations import rematching, writing
from vezde.sellers import queries as sellers
from vezde.sellers.events import LABELLED

RELABEL = """
UPDATE receipts.receipt SET seller_name = %(name)s, seller_kind = %(kind)s,
    sales_channel = %(channel)s
WHERE seller_inn = %(inn)s
  AND (seller_name, seller_kind, sales_channel)
      IS DISTINCT FROM (%(name)s::text, %(kind)s::text, %(channel)s::text)
RETURNING member_id, receipt_id, purchase_id
"""


@dataclass(frozen=True)
class _Relabelled:
    member_id: UUID
    receipt_id: UUID
    purchase_id: UUID | None


async def relabel(db: Db, fact: FactRow) -> None:
    """Somebody named a shop: its receipts and purchases get the name and the sales channel.

    What was priced stays; what is recognised later is priced under the new channel. A shop that
    nobody had named has few receipts, so one statement does.
    """
    assert fact.subject is not None, "a label is of an INN"
    seller = await sellers.seller(db, fact.subject)
    assert seller is not None, "the label's own row is there"
    rows = await kit_db.fetch_all(
        db,
        _Relabelled,
        RELABEL,
        {
            "inn": fact.subject,
            "name": seller.name,
            "kind": seller.kind,
            "channel": seller.sales_channel,
        },
    )
    await purchases.relabel(
        db,
        [(row.member_id, row.receipt_id, row.purchase_id) for row in rows],
        sales_channel=seller.sales_channel,
    )


async def settle_advance(db: Db, fact: FactRow) -> None:
    """The shop's own order says that what an advance receipt paid for is bought: it is accepted."""
    assert fact.member_id is not None, "an advance is a member's"
    owner = await member_queries.surviving(db, fact.member_id)
    if await members.present(db, [owner]):
        receipt_id = UUID(fact.data["receipt_id"])
        await writing.close(db, [(owner, receipt_id)], now=fact.recorded_at)


ACCEPTED = f"receipt.{Status.ACCEPTED}/1"
SHOWN = frozenset(
    {
        "receipt.registered/1",
        *(f"receipt.{status}/1" for status in Status if status is not Status.CHECKING),
    }
)


async def progress(db: Db, facts: Sequence[FactRow]) -> None:
    """Receipts were shown, or accepted: a member's first such step counts for where they came from.

    Dated by when it was shown, not bought: people find a link on the box after the purchase.
    """
    steps = [
        (fact.member_id, Step.ACCEPTED if fact.kind == ACCEPTED else Step.RECEIPT, fact.recorded_at)
        for fact in facts
        if fact.member_id is not None
    ]
    await members.reached_all(db, steps)


TAKEN: LiteralString = """
SELECT matches FROM receipts.document WHERE member_id = %s AND receipt_id = %s FOR UPDATE
"""


async def take_back(db: Db, fact: FactRow) -> None:
    """Points of a line were taken back: the receipt shows what it still brings."""
    assert fact.member_id is not None, "a purchase is a member's"
    owner = await member_queries.surviving(db, fact.member_id)
    receipt_id = UUID(fact.data["receipt_id"])
    kept = await kit_db.fetch_value(db, TAKEN, [owner, receipt_id])
    if kept is None:  # an order of the shop, or a member who was forgotten
        return
    matched = tuple(
        replace(one, points=one.points - int(fact.data["points"]))
        if one.line == fact.data["line"]
        else one
        for one in writing.from_json(kept)
    )
    await db.execute(writing.MATCH, [Jsonb(writing.to_json(matched)), owner, receipt_id])


# Whoever decides a name decides all lines alike at once, and may undo it: they go first.
DECIDED_TOGETHER = timedelta(minutes=10)


async def match_again(db: Db, fact: FactRow) -> None:
    """What lines mean may have changed: for one shop, or everywhere."""
    scope = fact.subject if fact.kind in {LABELLED, catalog_events.NAME_LEARNED} else None
    if scope is None or scope == catalog_events.SUBJECT:
        scope = rematching.EVERYWHERE
    learned = fact.kind == catalog_events.NAME_LEARNED
    at = fact.recorded_at + DECIDED_TOGETHER if learned else fact.recorded_at
    await rematching.request(db, scope, at=at)


MEANING = frozenset(
    {catalog_events.IMPORTED, catalog_events.NAME_LEARNED, LABELLED, program_events.PUBLISHED}
)
REACTIONS = (
    Reaction("receipts.match_again", MEANING, match_again),
    Reaction("receipts.take_back", frozenset({RETURNED}), take_back),
    Reaction("receipts.relabel", frozenset({LABELLED}), relabel),
    Reaction("receipts.settle_advance", frozenset({ADVANCE_SETTLED}), settle_advance),
    by_the_batch("receipts.progress", SHOWN, progress),
)
