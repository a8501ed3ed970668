"""A photo of the code on a jar: what it says of the member's purchase."""

from collections.abc import Sequence

from vezde.bot.conversation.talk import Answer, Talk
from vezde.kit.db import Db
from vezde.messaging.model import View
from vezde.messaging.templates import Points
from vezde.purchases import operations as purchases
from vezde.purchases.operations import Scan
from vezde.purchases.operations.scanning import Outcome
from vezde.receipts.operations import disputing


async def show(db: Db, talk: Talk, codes: Sequence[str]) -> Answer:
    """Scan the first code of a picture; the others of it are most likely the same shelf's."""
    found = await purchases.scan(db, talk.member_id, codes[0], now=talk.now, actor=talk.actor)
    if await disputing.show_pack(db, talk.member_id, found.pack, now=talk.now):
        return Answer((talk.say(View("pack_proof", {"goods": _goods(found)})),))
    return Answer((talk.say(_view(found)),))


def _goods(found: Scan) -> str:
    return found.product.name if found.product else found.pack.gtin


def _view(found: Scan) -> View:
    goods = _goods(found)
    if found.points:
        said = {"goods": goods, "points": Points(found.points, signed=True)}
        return View(f"pack_{found.outcome}_points", said)
    if found.outcome is Outcome.UNKNOWN:
        return View("pack_unknown")
    return View(f"pack_{found.outcome}", {"goods": goods})
