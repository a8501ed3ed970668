"""Opening balances: enrolled and credited, once, whatever the table looks like."""

from datetime import UTC, date, datetime, timedelta

from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.ledger import queries as ledger
from vezde.members import operations, queries
from vezde.members.balances import model
from vezde.members.balances.model import Broken, Row
from vezde.members.model import NewMember
from vezde.members.operations import Import, Imported

ANNA, BORIS = "+79160000001", "+79160000002"
YEAR = timedelta(days=365)


def run(name: str, batch: str = "old-crm", by_default: datetime | None = None) -> Import:
    return Import(
        batch=batch,
        run=name,
        title="Перенос баллов",
        valid_until=lambda day: datetime(day.year, day.month, day.day, tzinfo=UTC),
        by_default=by_default,
    )


def rows(*given: dict[str, str]) -> list[Row]:
    return [model.row(line, cells) for line, cells in enumerate(given, start=2)]


async def load(db: Db, vault: Vault, now: datetime, given: Import, *cells: dict[str, str]):
    return await operations.import_balances(db, rows(*cells), given, vault=vault, now=now)


async def active(db: Db, vault: Vault, phone: str, now: datetime) -> int:
    member = await queries.find(db, vault=vault, phone=phone)
    assert member is not None
    return (await ledger.points(db, member.member_id, as_of=now)).active


class TestImport:
    async def test_enrols_and_credits(self, db: Db, vault: Vault, now: datetime):
        anna = {"phone": ANNA, "name": "Анна", "points": "120", "expires_on": "2027-01-31"}
        (done,) = await load(db, vault, now, run("1"), anna)
        assert done == Imported(2, enrolled=True)
        member = await queries.find(db, vault=vault, phone=ANNA)
        points = await ledger.points(db, member.member_id, as_of=now)
        assert (member.profile.name, member.profile.source) == ("Анна", "import")
        assert points.active == 120
        assert points.next_expiry.at == datetime(2027, 1, 31, tzinfo=UTC)
        (entry,) = await ledger.history(db, member.member_id, limit=9)
        assert entry.kind == "import"

    async def test_takes_the_programmes_term_where_the_row_has_none(
        self, db: Db, vault: Vault, now: datetime
    ):
        given = run("1", by_default=now + YEAR)
        never = {"phone": BORIS, "points": "5", "expires_on": "never"}
        await load(db, vault, now, given, {"phone": ANNA, "points": "5"}, never)
        anna = await queries.find(db, vault=vault, phone=ANNA)
        boris = await queries.find(db, vault=vault, phone=BORIS)
        assert (await ledger.points(db, anna.member_id, as_of=now)).next_expiry.at == now + YEAR
        assert (await ledger.points(db, boris.member_id, as_of=now)).next_expiry is None

    async def test_the_same_table_again_changes_nothing(self, db: Db, vault: Vault, now: datetime):
        table = [{"phone": ANNA, "points": "10"}, {"phone": BORIS, "points": "20"}]
        await load(db, vault, now, run("1"), *table)
        again = await load(db, vault, now + timedelta(days=1), run("2"), *reversed(table))
        assert all(one.repeated for one in again)
        assert await active(db, vault, ANNA, now) == 10
        assert await active(db, vault, BORIS, now) == 20

    async def test_another_table_adds(self, db: Db, vault: Vault, now: datetime):
        await load(db, vault, now, run("1"), {"phone": ANNA, "points": "10"})
        await load(db, vault, now, run("2", batch="shops"), {"phone": ANNA, "points": "7"})
        assert await active(db, vault, ANNA, now) == 17

    async def test_a_row_changed_since_is_named(self, db: Db, vault: Vault, now: datetime):
        await load(db, vault, now, run("1"), {"phone": ANNA, "points": "10"})
        (told,) = await load(db, vault, now, run("2"), {"phone": ANNA, "points": "11"})
        assert isinstance(told, Broken)
        assert "10" in told.why
        assert await active(db, vault, ANNA, now) == 10

    async def test_lots_of_several_dates_are_one_member(self, db: Db, vault: Vault, now: datetime):
        table = [
            {"phone": ANNA, "points": "10", "expires_on": "2027-01-31"},
            {"phone": ANNA, "email": "anna@example.ru", "points": "20", "expires_on": "2027-02-28"},
        ]
        first, second = await load(db, vault, now, run("1"), *table)
        assert (first.enrolled, second.enrolled) == (True, False)
        assert await active(db, vault, ANNA, now) == 30

    async def test_two_rows_of_one_person_and_date_are_no_double_credit(
        self, db: Db, vault: Vault, now: datetime
    ):
        row = {"phone": ANNA, "points": "10"}
        first, second = await load(db, vault, now, run("1"), row, row)
        assert isinstance(first, Imported)
        assert isinstance(second, Broken)
        (third,) = await load(db, vault, now, run("1"), row)
        assert isinstance(third, Broken)
        ids = await load(db, vault, now, run("1"), row | {"id": "a"}, row | {"id": "b"})
        assert all(isinstance(one, Imported) for one in ids)
        assert await active(db, vault, ANNA, now) == 30

    async def test_a_row_of_two_people_is_named(self, db: Db, vault: Vault, now: datetime):
        people = [NewMember(phone=ANNA), NewMember(email="boris@example.ru")]
        await operations.enrol(db, people, vault=vault, now=now, actor="key:1")
        both = {"phone": ANNA, "email": "boris@example.ru", "points": "5"}
        (told,) = await load(db, vault, now, run("1"), both)
        assert isinstance(told, Broken)
        assert "two members" in told.why

    async def test_points_already_gone_are_named_and_enrol_nobody(
        self, db: Db, vault: Vault, now: datetime
    ):
        past = {"phone": ANNA, "points": "5", "expires_on": str(date(2020, 1, 1))}
        (told,) = await load(db, vault, now, run("1"), past)
        assert isinstance(told, Broken)
        assert await queries.find(db, vault=vault, phone=ANNA) is None

    async def test_two_at_once_credit_once(self, database: Database, vault: Vault, now: datetime):
        import asyncio

        from vezde.kit.errors import DomainError

        async def once(name: str) -> object:
            try:
                async with database.transaction() as db:
                    return await load(db, vault, now, run(name), {"phone": ANNA, "points": "10"})
            except DomainError as refused:
                return refused

        await asyncio.gather(*(once(str(n)) for n in range(6)))
        async with database.transaction() as db:
            assert await active(db, vault, ANNA, now) == 10
