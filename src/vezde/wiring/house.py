"""What one process works with: its database, clocks, keys and vendors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from vezde.bot import activations as bot_activations
from vezde.bot import disputes as bot_disputes
from vezde.bot import letters as bot_letters
from vezde.bot import reactions as bot_reactions
from vezde.bot import returns as bot_returns
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.pace import Mark, Pace
from vezde.kit.vault import Vault
from vezde.kit.work import Waker, timetable
from vezde.members import operations as members
from vezde.messaging.transports.sms import Gateway, Smsc
from vezde.messaging.transports.telegram import Telegram
from vezde.messaging.uploads import Uploads
from vezde.outbox import operations as outbox
from vezde.outbox.webhooks.model import Reach
from vezde.receipts.links.fetching import Pages
from vezde.receipts.providers.documents import DocumentsFolder
from vezde.receipts.providers.protocol import Provider
from vezde.receipts.providers.pushed import Pushed
from vezde.receipts.reading.reader import Reader
from vezde.settings import PLAYGROUND, Settings, own_address
from vezde.wiring.lists import REACTIONS, TICKS

MONTHS_AHEAD = timedelta(days=62)
# Where the SMS gateway of a sandbox is.
PLAYGROUND_SMS = f"{PLAYGROUND}/sms"


@dataclass(frozen=True)
class House:
    """What one process works with; made by `open_house`, closed when its block ends."""

    settings: Settings
    database: Database
    clock: Clock
    vault: Vault
    waker: Waker
    providers: tuple[Provider, ...]
    waiting: Mark  # set for whoever stands at a till
    telegram: Telegram | None = None
    sms: Gateway | None = None
    reader: Reader = field(default_factory=Reader)

    @property
    def messengers(self) -> tuple[str, ...]:
        """Those that the installation serves, by the kind of identity they reach."""
        return (self.telegram.name,) if self.telegram is not None else ()

    def person(self, member_id: UUID) -> str:
        """A member's name to providers of documents, which nobody can trace back to them."""
        return self.vault.blind(str(member_id), purpose="receipts.person").hex()

    def ledger_signer(self, text: str) -> bytes:
        """Seals the ledger's entries, by a key that is not in the database."""
        return self.vault.blind(text, purpose="ledger.seal")


@asynccontextmanager
async def open_house(
    settings: Settings,
    conninfo: str,
    *,
    vault: Vault,
    size: int = 8,
    planned_once: bool = False,
    clock: Clock | None = None,
    waiting: Mark | None = None,
) -> AsyncIterator[House]:
    """Connect this process to its database (`size` and `planned_once` as there) and vendors.

    `waiting` is the mark that the processes of this installation share; None: one of its own.
    Raises `Unavailable`, and what `members.operations.pin_index_key` raises for a wrong key.
    """
    clock = clock or Clock(sandbox=settings.sandbox)
    waiting = waiting or Mark()
    pace = partial(Pace, waiting)
    async with (
        Database(conninfo, size=size, planned_once=planned_once, pace=pace) as database,
        Waker(conninfo) as waker,
    ):
        database.on_commit = waker.wake
        async with database.transaction() as db:
            await settle_in(db, vault, now=await clock.programme(db))
        house = House(
            *(settings, database, clock, vault, waker),
            providers=providers(settings, database),
            waiting=waiting,
            telegram=telegram(settings, database, clock),
            sms=sms(settings),
            reader=Reader(Pages(Reach())),
        )
        try:
            yield house
        finally:
            house.reader.close()
            for provider in house.providers:
                await provider.close()
            if house.telegram is not None:
                await house.telegram.close()
            if house.sms is not None:
                await house.sms.close()


async def settle_in(db: Db, vault: Vault, *, now: datetime) -> None:
    """What every process finds or puts into the database it works with."""
    await members.pin_index_key(db, vault=vault, now=now, actor="system")
    wanted = {kind for one in REACTIONS for kind in one.kinds}
    await outbox.subscribe(
        db,
        wanted
        | bot_reactions.KINDS
        | bot_activations.KINDS
        | bot_letters.KINDS
        | bot_returns.KINDS
        | bot_disputes.KINDS,
    )
    await open_months(db, now, now + MONTHS_AHEAD)
    await timetable.install(db, TICKS, now=now)


def providers(settings: Settings, database: Database) -> tuple[Provider, ...]:
    """Who is asked for documents, in order: first who costs nothing, last who promises nothing."""
    found: list[Provider] = []
    if settings.documents_dir is not None:
        found.append(DocumentsFolder(settings.documents_dir))
    if settings.ofd_documents:
        found.append(Pushed(database))
    if settings.fns.token is not None:
        from vezde.receipts.providers.fns import Fns

        found.append(Fns(master_token=settings.fns.token, base_url=settings.fns.base))
    if settings.qr_cash.token is not None:
        from vezde.receipts.providers.qr_cash import QrCash

        found.append(QrCash(token=settings.qr_cash.token, base_url=settings.qr_cash.base))
    if settings.proverkacheka.token is not None:
        from vezde.receipts.providers.proverkacheka import Proverkacheka

        found.append(
            Proverkacheka(token=settings.proverkacheka.token, base_url=settings.proverkacheka.base)
        )
    if settings.ofd_pages and not settings.sandbox:
        from vezde.receipts.providers.pages import Pages as OperatorsPages

        found.append(OperatorsPages())
    return tuple(found)


def telegram(settings: Settings, database: Database, clock: Clock) -> Telegram | None:
    """The brand's bot; None where no token is set."""
    given = settings.telegram
    if given.token is None:
        return None
    uploads = Uploads(database, clock, bot_name(settings))
    return Telegram(given.token, api_base=given.api_base, proxy=given.proxy, uploads=uploads)


def bot_name(settings: Settings) -> str:
    """Update ids and files are a bot's own, so another token is another inbox."""
    token = settings.telegram.token or ""
    return f"telegram:{token.partition(':')[0]}"


def sms(settings: Settings) -> Gateway | None:
    """The SMS gateway; without a key a sandbox's own, else None."""
    given = settings.sms
    if given.token is not None:
        return Smsc(given.token, base_url=given.base, sender=given.sender)
    if settings.sandbox:
        from vezde.testing.sms.gateway import TOKEN

        return Smsc(TOKEN, base_url=f"{own_address(settings.http)}{PLAYGROUND_SMS}")
    return None


def reach(settings: Settings) -> Reach:
    """Where webhooks may go: a sandbox's to its own machine too."""
    return Reach(loopback=settings.sandbox, private=settings.webhooks_private)


async def open_months(db: Db, first: datetime, last: datetime) -> None:
    await outbox.open_months(db, first=first, last=last)
