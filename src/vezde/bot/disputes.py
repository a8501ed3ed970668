"""A disputed receipt: both people are told how it goes, neither of them anything of the other."""

from typing import Final
from uuid import UUID

from vezde.bot import telling
from vezde.bot.telling import Voice
from vezde.kit.db import Db
from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging.model import View
from vezde.messaging.templates import Points
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program
from vezde.receipts import queries as receipts
from vezde.receipts.events import QUESTIONED, RECHECKED, RESOLVED, WITHHELD
from vezde.receipts.queries import ReceiptMissing

KINDS: Final = frozenset({QUESTIONED, RECHECKED, RESOLVED, WITHHELD})
# The claimant by what was decided; who has it, or had it.
CLAIMANT: Final = {
    "moved": "dispute_moved",
    "kept": "dispute_kept",
    "dropped": "dispute_dropped",
}
# A receipt that was asked for again: points wait for a person, then are there again or not.
AGAIN: Final = {"released": "recheck_released", "declined": "recheck_declined"}
HOLDER: Final = {"moved": "dispute_lost", "kept": "dispute_answered"}


class Mediator(Voice):
    """Tells the two of a dispute."""

    def reaction(self) -> Reaction:
        return Reaction("bot.disputes", KINDS, self.tell)

    async def tell(self, db: Db, fact: FactRow) -> None:
        """One message; who withdrew the consent hears nothing."""
        assert fact.member_id is not None, "a receipt is a member's"
        member_id = await member_queries.surviving(db, fact.member_id)
        chat = await telling.chat_of(db, member_id)
        if chat is None or not await members.present(db, [member_id]):
            return
        now = await self.clock.programme(db)
        view = await self._view(db, member_id, fact)
        if view is None:
            return
        programme = (await program.programmes(db)).at(now)
        await self.say(db, [self.message(chat, f"dispute/{fact.id}", view)], programme, now=now)

    async def _view(self, db: Db, member_id: UUID, fact: FactRow) -> View | None:
        if fact.kind == RESOLVED and "dispute_id" in fact.data:
            text = CLAIMANT.get(fact.data["outcome"])
            return View(text) if text else None
        text = "dispute_asked"
        if fact.kind == WITHHELD:
            text = "recheck_held"
        if fact.kind == RECHECKED:
            text = AGAIN[fact.data["outcome"]]
        if fact.kind == RESOLVED:
            text = HOLDER.get(fact.data["outcome"], "")
        if not text:
            return None
        said: dict[str, object] = {"place": await _place(db, member_id, fact)}
        if text == HOLDER["moved"]:
            now = await self.clock.programme(db)
            said["active"] = Points((await ledger.points(db, member_id, as_of=now)).active)
        return View(text, said)


async def _place(db: Db, member_id: UUID, fact: FactRow) -> str:
    """The shop and the day, as the answer to the receipt says them."""
    try:
        receipt = await receipts.receipt(db, member_id, UUID(fact.data["receipt_id"]))
    except ReceiptMissing:
        return "—"
    day = f"{receipt.wall_time:%d.%m.%Y}" if receipt.wall_time else ""
    return ", ".join(part for part in (receipt.seller_name, day) if part) or "—"
