"""Pictures of receipts that a person is to look at are fetched from where they were sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.errors import DomainError, Kind, Unavailable
from vezde.kit.vault import Vault
from vezde.kit.work import Stage, failures, leases
from vezde.kit.work.leases import Lease
from vezde.receipts.photos import operations
from vezde.receipts.photos.operations import Wanted
from vezde.receipts.reading.reader import Reader

log = structlog.get_logger(__name__)

AT_ONCE = 2
LEASE_SECONDS = 120.0  # above what two files take to come and to be made small


class Files(Protocol):
    """A messenger that hands over files."""

    async def get_file(self, file_id: str) -> bytes: ...


@dataclass(frozen=True)
class Photographer:
    """Fetches pictures; `files` are messengers by bot."""

    database: Database
    clock: Clock
    vault: Vault
    reader: Reader
    files: Mapping[str, Files]

    def stage(self) -> Stage:
        return Stage(operations.WORK, self.run, pauses=False)

    async def run(self) -> int:
        """Fetch some pictures that are due; how many."""
        wall = self.clock.wall()
        lease = leases.take(wall=wall, seconds=LEASE_SECONDS)
        async with self.database.transaction() as db:
            wanted = await operations.claim(db, lease, vault=self.vault, wall=wall, limit=AT_ONCE)
        for one in wanted:
            await self._work(one, lease)
        return len(wanted)

    async def _work(self, one: Wanted, lease: Lease) -> None:
        try:
            jpeg = await self._fetched(one)
        except Unavailable:
            raise
        except Exception as error:
            gone = isinstance(error, DomainError) and error.kind in {Kind.INVALID, Kind.MISSING}
            await self._failed(one, lease, failures.describe(error), is_final=gone)
            return
        if jpeg is None:
            await self._failed(one, lease, "no picture in the file", is_final=True)
            return
        async with self.database.transaction() as db:
            await operations.fetched(db, one, lease, jpeg, vault=self.vault)

    async def _fetched(self, one: Wanted) -> bytes | None:
        """The small picture; None when the file is none, or its bot is not served any more."""
        files = self.files.get(one.bot)
        if files is None:
            return None
        (jpeg,) = await self.reader.photos(await files.get_file(one.file_id), [one.key])
        return jpeg

    async def _failed(self, one: Wanted, lease: Lease, error: str, *, is_final: bool) -> None:
        async with self.database.transaction() as db:
            over = is_final
            if is_final:
                await operations.give_up(db, one, lease)
            else:
                over = await operations.failed(db, one, lease, wall=self.clock.wall())
        told = {"receipt_id": str(one.receipt_id), "error": error, "given_up": over}
        log.warning("photo_not_fetched", **told)
