"""What the playground shows and is given to work with."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.receipts.model import FiscalDocument

Application = Callable[..., Awaitable[None]]  # ASGI


@dataclass(frozen=True)
class Card:
    """A receipt of the tray.

    `title` and `shows` by language; `code` is what its QR code says; `document` None: it is no
    receipt. `blurred`: beyond reading. `taken`: somebody else shows it first.
    """

    name: str
    title: Mapping[str, str]
    shows: Mapping[str, str]
    code: str
    document: FiscalDocument | None = None
    blurred: bool = False
    taken: bool = False


@dataclass(frozen=True)
class Play:
    """What one process gives the playground.

    `advance(until)` moves the programme's clock, working off what falls due; `next_event(db)` is
    when something falls due next; `reset()` empties the sandbox, its messenger too; `tray()` has
    fresh dates; `simulator` is the ASGI door to the people and chats of the fake messenger.
    """

    database: Database
    clock: Clock
    vault: Vault
    advance: Callable[[datetime], Awaitable[datetime]]
    next_event: Callable[..., Awaitable[datetime | None]]
    reset: Callable[[], Awaitable[datetime]]
    tray: Callable[[], Awaitable[Sequence[Card]]]
    simulator: Application
