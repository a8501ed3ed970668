"""Opening balances: who is not a member yet becomes one, and gets the points of their row."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from vezde.kit.db import Db
from vezde.kit.vault import Vault
from vezde.ledger import operations as ledger
from vezde.ledger import queries as ledger_queries
from vezde.ledger.model import Accrual, EntryKind
from vezde.members.balances.model import NEVER, Broken, Row
from vezde.members.model import NewIdentity, NewMember
from vezde.members.operations import claiming, enrolling

SOURCE = "import"


@dataclass(frozen=True)
class Import:
    """What one run of an import is: the table's name, this run, and how its dates are read.

    The same `batch` again repeats nothing. `run` tells a row of an earlier run from a double within
    this one. `valid_until` is the end of a day in the programme's zone, `by_default` the instant
    until which points without a date are valid (None: for ever).
    """

    batch: str
    run: str
    title: str
    valid_until: Callable[[date], datetime]
    by_default: datetime | None

    @property
    def actor(self) -> str:
        return f"import:{self.run}"

    def expires_at(self, row: Row) -> datetime | None:
        if row.expires_on is NEVER:
            return None
        return (
            self.valid_until(row.expires_on)
            if isinstance(row.expires_on, date)
            else self.by_default
        )

    def is_past(self, row: Row, now: datetime) -> bool:
        expires_at = self.expires_at(row)
        return expires_at is not None and expires_at <= now


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a row: `enrolled`, a new member; `repeated`, imported by an earlier run."""

    line: int
    enrolled: bool = False
    repeated: bool = False


async def import_balances(
    db: Db, rows: Sequence[Row], given: Import, *, vault: Vault, now: datetime
) -> list[Imported | Broken]:
    """Enrol and credit these people; an outcome for each row, in their order.

    Raises `MemberExists` when another process enrolled one of them at this moment, and what the
    ledger raises for a closed account: then nothing may be kept, and rows are to be tried alone.
    """
    owners, broken = await _owners(db, rows, vault)
    broken |= {i: _past(row) for i, row in enumerate(rows) if given.is_past(row, now)}
    fresh = await _enrol(db, rows, owners, broken, vault=vault, now=now, actor=given.actor)
    keys = [row.op_key(given.batch, vault) for row in rows]
    pairs = [(owners[i], keys[i]) for i in range(len(rows)) if i not in broken]
    known = await ledger_queries.done(db, pairs)
    outcomes: list[Imported | Broken] = []
    commands: dict[tuple[UUID, str], Accrual] = {}
    for i, row in enumerate(rows):
        if i in broken:
            outcomes.append(broken[i])
            continue
        pair = (owners[i], keys[i])
        if pair in commands:
            outcomes.append(_double(row))
        elif pair in known:
            outcomes.append(_known_before(row, known[pair], given.actor))
        else:
            commands[pair] = _accrual(*pair, row, given, now)
            outcomes.append(Imported(row.line, enrolled=i in fresh))
    await ledger.accrue(db, list(commands.values()), now=now, actor=given.actor)
    return outcomes


async def _owners(
    db: Db, rows: Sequence[Row], vault: Vault
) -> tuple[dict[int, UUID], dict[int, Broken]]:
    """Whose each row is, by its place, of those who are members; and rows that name two people."""
    keys = [[(one.kind, one.blind(vault)) for one in row.contacts] for row in rows]
    held = await claiming.read(db, {key for several in keys for key in several})
    owners, broken = {}, {}
    for i, several in enumerate(keys):
        members = {held[key] for key in several if key in held}
        if len(members) > 1:
            broken[i] = _two_people(rows[i])
        elif members:
            owners[i] = members.pop()
    return owners, broken


async def _enrol(
    db: Db,
    rows: Sequence[Row],
    owners: dict[int, UUID],
    broken: dict[int, Broken],
    *,
    vault: Vault,
    now: datetime,
    actor: str,
) -> set[int]:
    """Make members of those who are none, adding to `owners`; the places of their first rows."""
    people: list[NewMember] = []
    first: list[int] = []
    place: dict[tuple[str, str], int] = {}
    waiting: dict[int, int] = {}
    for i, row in enumerate(rows):
        if i in owners or i in broken:
            continue
        several = [(one.kind, one.text) for one in row.contacts]
        known = {place[one] for one in several if one in place}
        if len(known) > 1:
            broken[i] = _two_people(row)
            continue
        if not known:
            known = {len(people)}
            people.append(_person(row))
            first.append(i)
            place |= dict.fromkeys(several, len(people) - 1)
        waiting[i] = known.pop()
    made = await enrolling.enrol(db, people, vault=vault, now=now, actor=actor) if people else []
    owners |= {i: made[person].member_id for i, person in waiting.items()}
    return set(first)


def _accrual(
    member_id: UUID,
    op_key: str,
    row: Row,
    given: Import,
    now: datetime,
) -> Accrual:
    return Accrual(
        member_id=member_id,
        op_key=op_key,
        points=row.points,
        active_at=now,
        expires_at=given.expires_at(row),
        occurred_at=now,
        parts=(),
        proof={"import": given.run, "line": row.line},
        title=given.title,
        kind=EntryKind.IMPORT,
        counts_as_activity=False,
    )


def _person(row: Row) -> NewMember:
    return NewMember(
        name=row.name,
        birthday=row.birthday,
        source=SOURCE,
        identities=tuple(NewIdentity(one.kind, one.value) for one in row.contacts),
    )


def _two_people(row: Row) -> Broken:
    return Broken(
        row.line, "Its phone, email or card are of two members; merge them, or part the row"
    )


def _past(row: Row) -> Broken:
    return Broken(row.line, "expires_on is past: these points are gone already")


def _double(row: Row) -> Broken:
    return Broken(
        row.line,
        "An earlier row has the same person and date (or id); add their points up in one row, or "
        "give each row an id",
    )


def _known_before(row: Row, before: ledger_queries.Done, actor: str) -> Imported | Broken:
    if before.actor == actor:
        return _double(row)
    if before.points != row.points:
        return Broken(
            row.line,
            f"It was imported with {before.points} points before; correct the difference by an "
            "adjustment",
        )
    return Imported(row.line, repeated=True)
