"""A fact is handed over: a delivery for every webhook that wants its kind."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from vezde.kit.db import Db
from vezde.outbox import model
from vezde.outbox.model import FactRow, Reaction
from vezde.outbox.webhooks import operations


def reaction(*, kinds: Collection[str], wall: Callable[[], datetime]) -> Reaction:
    """Queues facts of `kinds`, all that are ever told; who wants which is looked up each time.

    Its kinds are not subscribed to: `outbox.operations.record` asks what webhooks want.
    """

    async def queue(db: Db, facts: Sequence[FactRow]) -> None:
        await operations.queue(db, facts, wall=wall())

    return model.by_the_batch("outbox.webhooks", frozenset(kinds), queue)
