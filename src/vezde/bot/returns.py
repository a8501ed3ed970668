"""Points were taken back: the member is told what for, kindly, and what is left."""

from typing import Final
from uuid import UUID

from vezde.bot import telling
from vezde.bot.conversation import screens
from vezde.bot.telling import Voice
from vezde.kit.db import Db
from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program
from vezde.purchases import events
from vezde.receipts import queries as receipts
from vezde.receipts.queries import ReceiptMissing

KINDS: Final = frozenset({events.RETURNED})
# Of two documents of one purchase only one earns: nothing was lost, so nobody is told. Of receipts
# that are disputed or looked at again other messages tell.
SILENT: Final = frozenset({"superseded", "disputed", "rechecked"})


class Regret(Voice):
    """Tells of points that were taken back."""

    def reaction(self) -> Reaction:
        return Reaction("bot.returned", KINDS, self.tell)

    async def tell(self, db: Db, fact: FactRow) -> None:
        """One message a line; who withdrew the consent hears nothing."""
        assert fact.member_id is not None, "a purchase is a member's"
        points = int(fact.data["points"])
        if fact.data["because"] in SILENT or points <= 0:
            return
        member_id = await member_queries.surviving(db, fact.member_id)
        chat = await telling.chat_of(db, member_id)
        if chat is None or not await members.present(db, [member_id]):
            return
        now = await self.clock.programme(db)
        active = (await ledger.points(db, member_id, as_of=now)).active
        goods = await _goods(db, member_id, UUID(fact.data["receipt_id"]), int(fact.data["line"]))
        view = screens.taken_back(points, active, goods)
        programme = (await program.programmes(db)).at(now)
        await self.say(db, [self.message(chat, f"returned/{fact.id}", view)], programme, now=now)


async def _goods(db: Db, member_id: UUID, receipt_id: UUID, line: int) -> str | None:
    """The line as its receipt printed it."""
    try:
        receipt = await receipts.receipt(db, member_id, receipt_id)
    except ReceiptMissing:
        return None
    lines = receipt.document.lines if receipt.document else ()
    return next((one.name for one in lines if one.line == line), None)
