"""What the API stands on, made once a process and handed in by wiring."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request

from vezde.access.operations.entering import Document
from vezde.access.operations.telling import Channels
from vezde.api.keys import Keys
from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.pace import Mark
from vezde.kit.troubles import Source
from vezde.kit.vault import Vault
from vezde.kit.work import Waker
from vezde.members.links.model import Doors
from vezde.members.operations import Step
from vezde.outbox.webhooks.model import Reach
from vezde.program.sections import Section


@dataclass(frozen=True)
class Sandbox:
    """What only a sandbox can do: move the programme's clock, begin anew.

    `advance(until)` works off all that falls due on the way; `reset(program, catalog)` takes the
    documents as the API's routes do, None for the shipped ones. Both answer the programme's now.
    """

    advance: Callable[[datetime], Awaitable[datetime]]
    reset: Callable[[dict[str, Any] | None, Sequence[dict[str, Any]] | None], Awaitable[datetime]]


@dataclass(frozen=True)
class Tools:
    """One process's connections and clocks; `sandbox` is None in a real installation.

    `reach` is where webhooks may go, `troubles` what may be given up on, `providers` who is asked
    for documents, `channels` what codes are sent by, `document` the consent to personal data in
    force at an instant, `adjust_alone` how many points one operator may give or take,
    `unmerge_within` for how long a merge may be undone, `face` the number of this process among
    those that answer at one port, 0 where it is alone, `keys` the API keys met a moment ago,
    `waiting` is set for whoever stands at a till.
    """

    database: Database
    clock: Clock
    vault: Vault
    waker: Waker
    sections: tuple[Section, ...]
    steps: tuple[Step, ...]
    migrations: int
    doors: Doors
    reach: Reach
    troubles: tuple[Source, ...]
    providers: tuple[str, ...]
    channels: Channels
    document: Callable[[Db, datetime], Awaitable[Document]]
    adjust_alone: int
    unmerge_within: timedelta
    waiting: Mark
    sandbox: Sandbox | None = None
    face: int = 0
    keys: Keys = field(default_factory=Keys)


def of(request: Request) -> Tools:
    """The tools of the app that serves this request."""
    given: Tools = request.app.state.tools
    return given


async def tools(request: Request) -> Tools:
    """The same as a dependency; async, as others are each run on a thread."""
    return of(request)
