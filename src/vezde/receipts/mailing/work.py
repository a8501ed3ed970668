"""Letters are read one after another and register what is in them."""

from dataclasses import dataclass

import structlog

from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.errors import Unavailable
from vezde.kit.vault import Vault
from vezde.kit.work import Stage, failures, leases
from vezde.kit.work.leases import Lease
from vezde.members import operations as members
from vezde.receipts.mailing import operations
from vezde.receipts.mailing.operations import Letter
from vezde.receipts.model import Way
from vezde.receipts.operations import registering
from vezde.receipts.reading import handing
from vezde.receipts.reading.model import Findings
from vezde.receipts.reading.reader import Reader

log = structlog.get_logger(__name__)

AT_ONCE = 2
LEASE_SECONDS = 45.0  # above what two letters with links may take
ACTOR = "mail"


@dataclass(frozen=True)
class Postman:
    """Works letters; a stage of the workers."""

    database: Database
    clock: Clock
    vault: Vault
    reader: Reader

    def stage(self) -> Stage:
        return Stage(operations.WORK, self.run, pauses=False)

    async def run(self) -> int:
        """Read the letters that are due; how many."""
        wall = self.clock.wall()
        lease = leases.take(wall=wall, seconds=LEASE_SECONDS)
        async with self.database.transaction() as db:
            letters = await operations.claim(db, lease, vault=self.vault, wall=wall, limit=AT_ONCE)
        for letter in letters:
            await self._work(letter, lease)
        return len(letters)

    async def _work(self, letter: Letter, lease: Lease) -> None:
        try:
            found = await self.reader.file(letter.raw, photos=True)
            await self._register(letter, lease, found)
        except Unavailable:
            raise
        except Exception as error:
            said = failures.describe(error)
            log.warning("letter failed", letter_id=str(letter.letter_id), error=said)
            async with self.database.transaction() as db:
                await operations.failed(db, letter, lease, said, wall=self.clock.wall())

    async def _register(self, letter: Letter, lease: Lease, found: Findings) -> None:
        """Register its receipts, each once however often the letter is worked.

        A letter without any is erased in silence: shops write of other things, too.
        """
        async with self.database.transaction() as db:
            # The member first, as everywhere: whoever merges or forgets them has ended, or waits.
            present = await members.present(db, [letter.member_id])
            if not present or not await operations.mine(db, letter, lease):
                return
            now = await self.clock.programme(db)
            new = []
            if found.receipts:
                made = await registering.register(
                    db,
                    handing.submissions(
                        *(letter.member_id, found),
                        way=Way.LETTER,
                        batch_ref=letter.letter_id,
                        pictured=handing.small(self.vault),
                    ),
                    now=now,
                    wall=self.clock.wall(),
                    actor=ACTOR,
                    once=True,
                )
                new = [one.receipt_id for one in made if not one.repeated]
            excerpt = None if found.receipts else found.excerpt
            await operations.done(db, letter, new, excerpt, vault=self.vault, now=now)
