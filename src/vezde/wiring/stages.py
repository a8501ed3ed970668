"""Background work of an installation, and what faces hand to it."""

from collections.abc import Mapping
from functools import partial

from vezde.kit.work import Stage, calls, timetable
from vezde.ledger import events as ledger_events
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger import work as ledger_work
from vezde.outbox import operations as outbox
from vezde.outbox import work as outbox_work
from vezde.outbox.webhooks import reactions as webhook_reactions
from vezde.outbox.webhooks import work as webhook_work
from vezde.receipts import lapsing as receipt_lapsing
from vezde.receipts import rechecking as receipt_rechecking
from vezde.receipts import work as receipt_work
from vezde.receipts.mailing.work import Postman
from vezde.receipts.operations import checking, rechecking, rematching
from vezde.wiring import messengers
from vezde.wiring.house import House, reach
from vezde.wiring.lists import REACTIONS
from vezde.wiring.ticks import tick_handlers

# Lots that fall due by the thousand are worked by the hundred, so that no account waits long.
SETTLE_AT_ONCE = 500
# A receipt takes three such steps from its first answer to its points.
GATHER_SECONDS = 0.08


def stages(house: House) -> list[Stage]:
    """All background work of an installation; every worker process runs every stage."""
    from vezde.api import facts

    database, clock = house.database, house.clock
    ask = partial(
        receipt_work.ask_once, database, house.providers, clock=clock, person=house.person
    )
    next_ask = partial(receipt_work.next_ask, providers=house.providers, clock=clock)
    settle = partial(receipt_work.settle_once, database, clock=clock)
    lapse = partial(receipt_lapsing.lapse_once, database, clock=clock)
    rematch = partial(receipt_lapsing.rematch_once, database, clock=clock)
    telling = webhook_reactions.reaction(kinds=facts.KINDS, wall=clock.wall)
    reactions = [
        *REACTIONS,
        *messengers.teller(house).reactions(),
        messengers.herald(house).reaction(),
        messengers.letters(house).reaction(),
        messengers.regret(house).reaction(),
        messengers.mediator(house).reaction(),
    ]

    handlers = tick_handlers(house)
    round_ = partial(timetable.work_timetable, database, handlers, clock=clock)

    audit = partial(ledger_work.audit_once, database, house.ledger_signer, clock=clock)

    async def settle_points() -> int:
        async with database.transaction() as db:
            now = await clock.programme(db)
            worked, entries = await ledger.settle_due(db, now=now, limit=SETTLE_AT_ONCE)
            await outbox.record(db, ledger_events.by_time(entries, now=now))
            return worked

    async def tell_of_inactivity() -> int:
        async with database.transaction() as db:
            now = await clock.programme(db)
            return await ledger.tell_accounts(db, now=now, limit=SETTLE_AT_ONCE)

    return [
        Stage(
            "receipts.ask",
            ask,
            next_ask,
            gather_seconds=GATHER_SECONDS,
            full=receipt_work.ASK_AT_ONCE,
        ),
        Stage(
            "receipts.settle",
            settle,
            partial(checking.next_due, step="settle"),
            gather_seconds=GATHER_SECONDS,
            full=receipt_work.SETTLE_AT_ONCE,
        ),
        _rechecks(house),
        Stage(rematching.STAGE, rematch, rematching.next_due),
        Stage("receipts.lapse", lapse, receipt_lapsing.next_lapse),
        Stage("ledger.settle", settle_points, ledger_queries.next_due),
        Stage(ledger_work.AUDIT, audit, pauses=False),
        Stage("ledger.inactivity", tell_of_inactivity, ledger_queries.next_rule),
        *outbox_work.stages(database, [*reactions, telling], clock=clock),
        _sender(house).stage(),
        Postman(house.database, house.clock, house.vault, house.reader).stage(),
        messengers.photographer(house).stage(),
        *messengers.messengers(house),
        *messengers.bot(house),
        Stage(timetable.STAGE, round_, timetable.due),
        Stage(calls.STAGE, partial(calls.work_calls, database, call_handlers(house)), pauses=False),
    ]


def _rechecks(house: House) -> Stage:
    """Receipts asked for again before the hold of their points ends."""
    providers, clock = house.providers, house.clock
    ask = partial(
        receipt_rechecking.recheck_once,
        house.database,
        providers,
        clock=clock,
        person=house.person,
    )
    due = partial(receipt_rechecking.next_recheck, providers=providers, clock=clock)
    return Stage(rechecking.STAGE, ask, due)


def _sender(house: House) -> webhook_work.Sender:
    from vezde.api import facts
    from vezde.outbox.webhooks import delivery

    post = delivery.Post(reach(house.settings))
    return webhook_work.Sender(house.database, house.vault, house.clock, facts.message, post)


def call_handlers(house: House) -> Mapping[str, calls.Handler]:
    """CPU and batch work that a face hands to a worker."""
    from vezde.api import batch, receipts, reports

    return {
        batch.TAKE_IN: batch.Worker(house.database, house.clock, house.vault),
        receipts.READ_SENT: receipts.SentReader(house.reader),
        reports.LOAD: reports.Worker(house.database, house.clock),
    }
