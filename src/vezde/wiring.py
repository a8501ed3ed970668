"""The only file that knows every domain: facts to reactions, stages, sections, adapters by name."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vezde.access import operations as access
from vezde.bot import inbox as bot_inbox
from vezde.bot import reactions as bot_reactions
from vezde.bot import section as bot_section
from vezde.bot import work as bot_work
from vezde.bot.conversation import account as bot_account
from vezde.bot.polling import Poller
from vezde.bot.presence import Presence
from vezde.bot.section import BotSection
from vezde.catalog import operations as catalog
from vezde.catalog import queries as catalog_queries
from vezde.catalog import reading
from vezde.catalog.model import Change, Mode, Row
from vezde.kit import emptying, migrate, share
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.errors import DomainError, FieldError, Kind
from vezde.kit.vault import Vault
from vezde.kit.work import Stage, Waker, calls, jobs, pause, sandbox, timetable
from vezde.kit.work.timetable import Tick
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.members import operations as members
from vezde.members.links.model import Door, Doors
from vezde.members.operations import Step
from vezde.messaging import operations as messaging
from vezde.messaging import work as messaging_work
from vezde.messaging.catalogue import TextsSection
from vezde.messaging.operations.reserving import DELIVER
from vezde.messaging.transports.telegram import Telegram
from vezde.outbox import operations as outbox
from vezde.outbox import work as outbox_work
from vezde.outbox.model import Reaction
from vezde.outbox.webhooks import operations as webhooks
from vezde.outbox.webhooks import reactions as webhook_reactions
from vezde.outbox.webhooks import work as webhook_work
from vezde.outbox.webhooks.model import Reach
from vezde.program import operations as program
from vezde.program import queries as program_queries
from vezde.program import reactions as program_reactions
from vezde.program.sections import Section
from vezde.purchases import operations as purchases
from vezde.receipts import reactions as receipt_reactions
from vezde.receipts import work as receipt_work
from vezde.receipts.operations import checking, merging
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.providers.protocol import Provider
from vezde.sellers import operations as sellers
from vezde.sellers.section import SellersSection
from vezde.settings import Settings

if TYPE_CHECKING:
    from vezde.bot.webhook import Receiver

Application = Callable[..., Awaitable[None]]  # ASGI

SECTIONS: tuple[Section, ...] = (
    Section("sellers", SellersSection, sellers.install_section),
    Section("texts", TextsSection, messaging.install_section),
    Section("bot", BotSection, bot_section.install_section),
)
REACTIONS: tuple[Reaction, ...] = (*program_reactions.REACTIONS, *receipt_reactions.REACTIONS)

# What merging and forgetting do, lowest layer first. Decisions stay under the id they were made
# for, and program reads those of every id a member had. Purchases name nobody.
STEPS: tuple[Step, ...] = (
    Step("ledger", ledger.merge, ledger.forget),
    Step("messaging", messaging.merge, messaging.forget),
    Step("program", None, None),
    Step("purchases", purchases.merge, None),
    Step("access", access.merge, access.forget),
    Step("receipts", merging.merge, merging.forget, lock=merging.lock),
    bot_work.STEP,
)

# Lots that fall due by the thousand are worked by the hundred, so that no account waits long.
ACTIVATE_AT_ONCE = 500
SWEEP_AT_ONCE = 1_000
DELIVERIES_AT_ONCE = 20_000
MONTHS_AHEAD = timedelta(days=62)


@dataclass(frozen=True)
class House:
    """What one process works with; made by `open_house`, closed when its block ends."""

    settings: Settings
    database: Database
    clock: Clock
    vault: Vault
    waker: Waker
    providers: tuple[Provider, ...]
    telegram: Telegram | None = None


@asynccontextmanager
async def open_house(
    settings: Settings, conninfo: str, *, vault: Vault, size: int = 8, clock: Clock | None = None
) -> AsyncIterator[House]:
    """Connect this process to its database and vendors.

    Raises `Unavailable`, and what `members.operations.pin_index_key` raises for a wrong key.
    """
    clock = clock or Clock(sandbox=settings.sandbox)
    async with Database(conninfo, size=size) as database, Waker(conninfo) as waker:
        database.on_commit = waker.wake
        async with database.transaction() as db:
            await _settle_in(db, vault, now=await clock.programme(db))
        house = House(
            settings, database, clock, vault, waker, providers(settings), telegram(settings)
        )
        try:
            yield house
        finally:
            for provider in house.providers:
                await provider.close()
            if house.telegram is not None:
                await house.telegram.close()


async def _settle_in(db: Db, vault: Vault, *, now: datetime) -> None:
    """What every process finds or puts into the database it works with."""
    await members.pin_index_key(db, vault=vault, now=now, actor="system")
    wanted = {kind for one in REACTIONS for kind in one.kinds}
    await outbox.subscribe(db, wanted | bot_reactions.KINDS)
    await _open_months(db, now, now + MONTHS_AHEAD)
    await timetable.install(db, TICKS, now=now)


def providers(settings: Settings) -> tuple[Provider, ...]:
    """Who is asked for documents, in order: a folder first, it costs nothing."""
    found: list[Provider] = []
    if settings.documents_dir is not None:
        found.append(DocumentsFolder(settings.documents_dir))
    if settings.proverkacheka.token is not None:
        from vezde.receipts.providers.proverkacheka import Proverkacheka

        found.append(
            Proverkacheka(token=settings.proverkacheka.token, base_url=settings.proverkacheka.base)
        )
    return tuple(found)


def telegram(settings: Settings) -> Telegram | None:
    """The brand's bot; None where no token is set."""
    given = settings.telegram
    if given.token is None:
        return None
    return Telegram(given.token, api_base=given.api_base, proxy=given.proxy)


async def _open_months(db: Db, first: datetime, last: datetime) -> None:
    await outbox.open_months(db, first=first, last=last)


def stages(house: House) -> list[Stage]:
    """All background work of an installation; every worker process runs every stage."""
    from vezde.api import facts

    database, clock = house.database, house.clock
    ask = partial(receipt_work.ask_once, database, house.providers, clock=clock)
    asked = house.providers
    settle = partial(receipt_work.settle_once, database, clock=clock)
    telling = webhook_reactions.reaction(kinds=facts.KINDS, wall=clock.wall)
    reactions = [*REACTIONS, *_teller(house).reactions()]

    handlers = tick_handlers(house)
    round_ = partial(timetable.work_timetable, database, handlers, clock=clock)

    async def activate() -> int:
        async with database.transaction() as db:
            now = await clock.programme(db)
            return await ledger.activate_due(db, now=now, limit=ACTIVATE_AT_ONCE)

    return [
        # Without anybody to ask, what is to be asked falls due for nobody.
        Stage("receipts.ask", ask, partial(checking.next_due, step="ask") if asked else None),
        Stage("receipts.settle", settle, partial(checking.next_due, step="settle")),
        Stage("ledger.activate", activate, ledger_queries.next_due),
        *outbox_work.stages(database, [*reactions, telling], clock=clock),
        _sender(house).stage(),
        *_messengers(house),
        *_bot(house),
        Stage(timetable.STAGE, round_, timetable.due),
        Stage(calls.STAGE, partial(calls.work_calls, database, call_handlers(house)), pauses=False),
    ]


def _sender(house: House) -> webhook_work.Sender:
    from vezde.api import facts
    from vezde.outbox.webhooks import delivery

    post = delivery.Post(reach(house.settings))
    return webhook_work.Sender(house.database, house.vault, house.clock, facts.message, post)


def _messengers(house: House) -> list[Stage]:
    """A stage for each messenger; by the wall, so that a moved clock waits for none of them."""
    if house.telegram is None:
        return []
    channel = messaging_work.Channel(house.telegram, house.settings.telegram.per_second)
    deliver = partial(
        messaging_work.deliver_once,
        house.database,
        channel,
        vault=house.vault,
        clock=house.clock,
        waker=house.waker,
    )
    return [Stage(DELIVER, deliver, pauses=False)]


def _bot(house: House) -> list[Stage]:
    """The bot's inbox, by the wall: people are answered while a sandbox moves the clock.

    Reminders and leaving are jobs of programme time; there are some without a messenger, too.
    """
    handlers: Mapping[str, jobs.Handler] = {
        bot_reactions.REMIND: _teller(house).remind,
        bot_account.FORGET: _bot_worker(house).forget,
    }
    work = partial(jobs.work_jobs, house.database, handlers, clock=house.clock)
    found = [Stage(jobs.STAGE, work, jobs.due)]
    if house.telegram is not None:
        found.append(Stage(bot_inbox.WORK, _bot_worker(house).run))
    return found


def _bot_worker(house: House) -> bot_work.Worker:
    files: dict[str, bot_work.Files] = {}
    if house.telegram is not None:
        files[house.telegram.name] = house.telegram
    return bot_work.Worker(house.database, house.clock, house.vault, files, STEPS)


def _teller(house: House) -> bot_reactions.Teller:
    return bot_reactions.Teller(house.vault, house.clock)


def listener(house: House, conninfo: str) -> Poller | Presence | None:
    """Who sees to it that updates come, beside the stages; None without a token.

    One of all workers asks Telegram for them; with a webhook the HTTP face gets them.
    """
    given = house.settings.telegram
    if house.telegram is None:
        return None
    presence = Presence(
        house.telegram, house.database, house.clock, given.webhook_url, given.webhook_secret
    )
    if given.webhook_url is not None:
        return presence
    return Poller(
        _bot_name(house),
        house.telegram,
        house.database,
        conninfo,
        house.vault,
        house.clock,
        presence.prepare,
    )


def _bot_name(house: House) -> str:
    """Update ids are a bot's own, so another token is another inbox."""
    token = house.settings.telegram.token or ""
    return f"telegram:{token.partition(':')[0]}"


def _telegram_posts(house: House) -> "Receiver | None":
    """Who takes what Telegram posts; None where nothing is posted."""
    from vezde.bot.webhook import Receiver

    secret = house.settings.telegram.webhook_secret
    if secret is None:
        return None
    return Receiver(_bot_name(house), secret, house.database, house.vault, house.clock)


def reach(settings: Settings) -> Reach:
    """Where webhooks may go: a sandbox's to its own machine too."""
    return Reach(loopback=settings.sandbox, private=settings.webhooks_private)


# Where the fake messenger of a sandbox is.
PLAYGROUND = "/playground"


def doors(settings: Settings) -> Doors:
    """Where links lead: in a sandbox every door is the playground, else the ones that have a name.

    A payload is 64 characters of [A-Za-z0-9_-] at most (core.telegram.org/bots/features).
    """

    def target(door: str, code: str) -> str | None:
        if settings.sandbox:
            return f"{PLAYGROUND}?start={code}"
        if door == Door.TELEGRAM and settings.telegram.bot:
            return f"https://t.me/{settings.telegram.bot}?start={code}"
        return None

    return Doors(settings.public_url, target)


TICKS = (
    Tick("outbox.months", period_seconds=86_400),
    Tick("outbox.deliveries", period_seconds=600),
    Tick("access.answers", period_seconds=600),
    Tick("messaging.sweep", period_seconds=3_600),
    Tick("bot.sweep", period_seconds=3_600),
    Tick(bot_work.GUESTS, period_seconds=86_400, calendar=True),
)


def tick_handlers(house: House) -> Mapping[str, timetable.Handler]:
    """What each tick of `TICKS` does."""

    async def months(db: Db, now: datetime) -> None:
        await _open_months(db, now, now + MONTHS_AHEAD)

    async def answers(db: Db, _now: datetime) -> None:
        await access.sweep_answers(db, wall=house.clock.wall(), limit=SWEEP_AT_ONCE)

    async def deliveries(db: Db, _now: datetime) -> None:
        await webhooks.sweep(db, wall=house.clock.wall(), limit=DELIVERIES_AT_ONCE)

    async def messages(db: Db, _now: datetime) -> None:
        await messaging.sweep(db, wall=house.clock.wall(), limit=DELIVERIES_AT_ONCE)

    async def updates(db: Db, _now: datetime) -> None:
        await bot_inbox.sweep(db, wall=house.clock.wall())

    return {
        "outbox.months": months,
        "outbox.deliveries": deliveries,
        "access.answers": answers,
        "messaging.sweep": messages,
        "bot.sweep": updates,
        bot_work.GUESTS: _bot_worker(house).forget_guests,
    }


def call_handlers(house: House) -> Mapping[str, calls.Handler]:
    """CPU and batch work that a face hands to a worker."""
    from vezde.api import batch, receipts

    return {
        batch.TAKE_IN: batch.Worker(house.database, house.clock, house.vault),
        receipts.READ_IMAGE: receipts.read_image,
    }


def web(house: House, *, after_reset: Callable[[], Awaitable[None]] | None = None) -> Application:
    """The HTTP application of this process; `after_reset` is run when a sandbox began anew."""
    from vezde.api import app
    from vezde.api.tools import Sandbox, Tools

    async def begin_anew(
        programme: dict[str, Any] | None, products: Sequence[dict[str, Any]] | None
    ) -> datetime:
        now = await reset(house, programme=programme, products=products)
        if after_reset is not None:
            await after_reset()
        return now

    application = app.create(
        Tools(
            database=house.database,
            clock=house.clock,
            vault=house.vault,
            waker=house.waker,
            sections=SECTIONS,
            steps=STEPS,
            migrations=max(one.number for one in migrate.read(share.folder("migrations"))),
            doors=doors(house.settings),
            reach=reach(house.settings),
            sandbox=Sandbox(partial(advance, house), begin_anew) if house.clock.sandbox else None,
        )
    )
    posted, url = _telegram_posts(house), house.settings.telegram.webhook_url
    if posted is not None and url is not None:
        application.add_route(urlsplit(url).path or "/", posted.receive, methods=["POST"])
    return application


async def advance(house: House, until: datetime) -> datetime:
    """Move a sandbox's programme clock to `until`, working off what falls due on the way."""
    by_the_wall = {DELIVER, bot_inbox.WORK}
    worked = [one for one in stages(house) if one.name not in by_the_wall]
    return await sandbox.advance(
        house.database, house.clock, worked, until=until, before_move=_open_months
    )


# --- a sandbox's beginning -------------------------------------------------------------------

# Keys outlive a reset; of the rest, what migrations or running processes put there.
KEPT = frozenset(
    {
        "access.answer",  # emptied row by row: `access.forget_answers`
        "access.key",
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
    """Empty a sandbox of everything but keys and begin anew at the wall's time; returns that.

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
        await _settle_in(db, house.vault, now=now)
        await _publish(db, programme, now=now)
        await _import(db, products, now=now)
        return now, db.woken

    schemas = {one.domain for one in migrate.read(share.folder("migrations"))}
    async with pause.alone(house.database):
        now, woken = await emptying.begin_anew(owner, schemas=schemas, kept=KEPT, begin=begin)
    house.waker.wake(woken)
    return now


async def _publish(db: Db, document: dict[str, Any] | None, *, now: datetime) -> None:
    shipped = share.folder("examples") / "program.yaml"
    given = shipped.read_bytes() if document is None else document
    await program.publish(db, given, sections=SECTIONS, valid_from=None, now=now, actor="system")


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
