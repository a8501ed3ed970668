"""`vezde audit`: every invariant of the ledger, over all of it or a member."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from vezde.ledger.audit import Violation
    from vezde.ledger.operations.auditing import Slice
    from vezde.wiring import House

SHOWN = 20


def audit(
    member: Annotated[
        str | None, typer.Argument(help="A member's id; without it the whole ledger.")
    ] = None,
    seals: Annotated[
        bool, typer.Option("--seals", help="Tell one hash of all seals, to be kept elsewhere.")
    ] = False,
    until: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%SZ"], help="With --seals: as it was then, to compare with."
        ),
    ] = None,
) -> None:
    """Check that points add up, from the rows alone; exit code 1 when anything does not."""
    from vezde.api import names
    from vezde.cli import screen, session
    from vezde.kit import clock

    member_id = names.member_id(member) if member else None
    asked = until.replace(tzinfo=UTC) if until else clock.utc_now().replace(microsecond=0)
    found = session.in_house(lambda house: _walk(house, member_id, asked))
    screen.show(*found.lines())
    if seals:
        screen.show(f"seals until {asked:%Y-%m-%dT%H:%M:%SZ}: {found.head.hexdigest()}")
    if found.violations:
        raise typer.Exit(1)


class _Found:
    """What was gone through; of the violations the first are kept."""

    def __init__(self, until: datetime) -> None:
        from vezde.ledger.seals import Head

        self.until = until
        self.head = Head()
        self.accounts = self.entries = self.lots = self.sealed = self.violations = 0
        self.first: list[Violation] = []

    def add(self, part: "Slice", violations: "list[Violation]") -> None:
        for rows, sealed in part.accounts:
            self.accounts += 1
            self.entries += len(rows.entries)
            self.lots += len(rows.lots)
            self.sealed += sealed[-1].through_seq if sealed else 0
            self.head.add(sealed, until=self.until)
        self.violations += len(violations)
        self.first += violations[: SHOWN - len(self.first)]

    def lines(self) -> list[str]:
        from vezde.api import names
        from vezde.ledger.audit import RULES

        looked = f"{self.accounts} accounts, {self.entries} entries ({self.sealed} sealed), "
        told = [f"{looked}{self.lots} lots. Looked at:"]
        told += [f"  {rule:<10} {words}" for rule, words in RULES.items()]
        for one in self.first:
            place = "the account" if one.seq is None else f"entry {one.seq}"
            told.append(f"BROKEN {one.rule}: {names.member(one.member_id)}, {place}: {one.detail}")
        if self.violations > len(self.first):
            told.append(f"… and {self.violations - len(self.first)} more")
        told.append(f"{self.violations} violations" if self.violations else "All of it holds.")
        return told


async def _walk(house: "House", member_id: UUID | None, until: datetime) -> _Found:
    from vezde.cli import screen
    from vezde.ledger.operations import AccountMissing, auditing

    found, signer = _Found(until), house.ledger_signer
    if member_id is not None:
        async with house.database.transaction() as db:
            part = await auditing.read_account(db, member_id)
        if not part.accounts:
            raise AccountMissing("There is no such member; check the id.")
        found.add(part, auditing.examine(part, signer))
        return found
    after, more = None, True
    with screen.counting("accounts") as counted:
        while more:
            async with house.database.transaction() as db:
                part = await auditing.read_slice(db, after)
            found.add(part, auditing.examine(part, signer))
            counted(len(part.accounts))
            after, more = part.walked_to, part.walked_to is not None
    return found
