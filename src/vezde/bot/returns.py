"""Points were taken back: the member is told what for, kindly, and what is left."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from vezde.bot import chats
from vezde.bot.conversation import screens
from vezde.bot.conversation.talk import PERSONAL_DATA
from vezde.kit.clock import Clock
from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.ledger import queries as ledger
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.messaging import operations as messaging
from vezde.messaging.model import Outgoing, Purpose
from vezde.outbox.model import FactRow, Reaction
from vezde.program import queries as program
from vezde.purchases import events
from vezde.receipts import queries as receipts
from vezde.receipts.queries import ReceiptMissing

KINDS: Final = frozenset({events.RETURNED})
ACTOR: Final = "system"
# Of two documents of one purchase only one earns: nothing was lost, so nobody is told. Of receipts
# that are disputed or looked at again other messages tell.
SILENT: Final = frozenset({"superseded", "disputed", "rechecked"})


@dataclass(frozen=True)
class Regret:
    """Tells of points that were taken back."""

    vault: Vault
    clock: Clock

    def reaction(self) -> Reaction:
        return Reaction("bot.returned", KINDS, self.tell)

    async def tell(self, db: Db, fact: FactRow) -> None:
        """One message a line; who withdrew the consent hears nothing."""
        assert fact.member_id is not None, "a purchase is a member's"
        points = int(fact.data["points"])
        if fact.data["because"] in SILENT or points <= 0:
            return
        member_id = await member_queries.surviving(db, fact.member_id)
        known = await chats.of_member(db, member_id)
        if not known or not await members.present(db, [member_id]):
            return
        chat = known[0]
        if not await member_queries.agreed(
            db, [member_id], purpose=PERSONAL_DATA, channel=chat.channel
        ):
            return
        now = await self.clock.programme(db)
        active = (await ledger.points(db, member_id, as_of=now)).active
        goods = await _goods(db, member_id, UUID(fact.data["receipt_id"]), int(fact.data["line"]))
        view = screens.taken_back(points, active, goods)
        programme = (await program.programmes(db)).at(now)
        say = Outgoing(
            member_id,
            chat.channel,
            f"returned/{fact.id}",
            Purpose.SERVICE,
            view,
            None,
            chat.opened(self.vault),
        )
        await messaging.reserve(
            db,
            [say],
            vault=self.vault,
            now=now,
            wall=self.clock.wall(),
            actor=ACTOR,
            points_name=programme.points_name,
        )


async def _goods(db: Db, member_id: UUID, receipt_id: UUID, line: int) -> str | None:
    """The line as its receipt printed it."""
    try:
        receipt = await receipts.receipt(db, member_id, receipt_id)
    except ReceiptMissing:
        return None
    lines = receipt.document.lines if receipt.document else ()
    return next((one.name for one in lines if one.line == line), None)
