import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from vezde.program import operations as program
from vezde.program import queries
from vezde.program.model import BEGINNING
from vezde.program.sections import Section
from vezde.sellers import queries as sellers
from vezde.sellers.section import SellersSection

from .conftest import NOON

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def publish(sections):
    async def publish(db, document, *, valid_from=None, now=NOON, sections=sections):
        return await program.publish(
            db,
            document,
            sections=sections,
            valid_from=valid_from,
            now=now,
            actor="operator:cli",
        )

    return publish


class TestPublish:
    async def test_numbers_versions_from_one(self, db, document, publish):
        one = await publish(db, document())
        two = await publish(db, document({"point_value_kopecks": 50}))
        assert (one.version, two.version) == (1, 2)
        assert (two.valid_from, two.published_by) == (NOON, "operator:cli")

    async def test_keeps_the_document_as_it_was_given(self, db, document, publish):
        given = document()
        await publish(db, given)
        kept = await queries.in_force(db, at=NOON)
        assert kept.document == given

    async def test_takes_the_text_of_a_file(self, db, publish):
        text = (
            "timezone: Europe/Moscow\npoint_value_kopecks: 100\nrounding: floor\n"
            "earning: {default_rate_bp: 300}\n"
        )
        version = await publish(db, text)
        assert version.document["earning"] == {"default_rate_bp": 300}

    async def test_answers_the_same_version_for_the_same_document(self, db, document, publish):
        one = await publish(db, document())
        again = await publish(db, document(), now=NOON + timedelta(days=1))
        assert again == one
        assert len(await queries.versions(db, limit=10)) == 1

    async def test_makes_a_version_of_an_older_document_again(self, db, document, publish):
        await publish(db, document())
        await publish(db, document({"rounding": "ceil"}))
        back = await publish(db, document())
        assert back.version == 3

    async def test_refuses_a_bad_document_and_names_the_places(self, db, document, publish):
        with pytest.raises(program.ProgramInvalid) as refused:
            await publish(db, document({"rounding": "up", "timezone": "Moscow"}))
        assert {error.path for error in refused.value.errors} == {"rounding", "timezone"}
        assert await queries.in_force(db, at=NOON) is None

    async def test_refuses_a_start_in_the_past(self, db, document, publish):
        await publish(db, document())
        with pytest.raises(program.ValidFromPast):
            await publish(
                db, document({"rounding": "ceil"}), valid_from=NOON - timedelta(microseconds=1)
            )

    async def test_lets_the_first_start_whenever(self, db, document, publish):
        version = await publish(db, document(), valid_from=DECEMBER)
        assert version.valid_from == DECEMBER
        assert version.in_force_from == BEGINNING
        second = await publish(db, document({"rounding": "ceil"}))
        both = await queries.programmes(db)
        assert both.at(NOON - timedelta(days=1)).version == 1
        assert both.at(NOON).version == second.version

    async def test_refuses_to_start_before_a_scheduled_version(self, db, document, publish):
        await publish(db, document())
        scheduled = await publish(db, document({"rounding": "ceil"}), valid_from=DECEMBER)
        with pytest.raises(program.VersionScheduled) as refused:
            await publish(db, document({"rounding": "half_up"}))
        assert refused.value.extra["version"] == scheduled.version
        with pytest.raises(program.VersionScheduled):  # the same document, but sooner
            await publish(db, document({"rounding": "ceil"}))

    async def test_replaces_a_scheduled_version_from_the_same_instant(self, db, document, publish):
        await publish(db, document())
        await publish(db, document({"rounding": "ceil"}), valid_from=DECEMBER)
        third = await publish(db, document({"rounding": "half_up"}), valid_from=DECEMBER)
        assert (await queries.programmes(db)).at(DECEMBER).version == third.version
        assert (await queries.in_force(db, at=DECEMBER)).version == third.version
        assert (await queries.in_force(db, at=NOON)).version == 1

    async def test_hands_each_section_to_its_owner(self, db, document, publish):
        await publish(db, document())
        own = await sellers.own_inns(db, NOON - timedelta(days=1_000))
        assert own == frozenset({"7801234564"})

    async def test_hands_over_the_defaults_of_a_section_left_out(self, db, document, publish):
        handed = []

        async def install(_db, section, *, version, valid_from):
            handed.append((section, version, valid_from))

        without = document()
        del without["sellers"]
        section = Section("sellers", SellersSection, install)
        await publish(db, without, sections=[section])
        assert handed == [({"own_inns": []}, 1, BEGINNING)]

    async def test_records_a_fact(self, db, document, publish):
        await publish(db, document())
        facts = await db.execute("SELECT subject, kind, data FROM outbox.fact")
        assert await facts.fetchall() == [
            ("program", "program.published/1", {"version": 1, "valid_from": NOON.isoformat()})
        ]

    async def test_leaves_nothing_behind_when_an_owner_refuses(self, database, document, publish):
        async def refuse(_db, _section, *, version, valid_from):
            raise RuntimeError(version)

        section = Section("sellers", SellersSection, refuse)

        async def attempt():
            async with database.transaction() as db:
                await publish(db, document(), sections=[section])

        with pytest.raises(RuntimeError):
            await attempt()
        async with database.transaction() as db:
            assert await queries.in_force(db, at=NOON) is None

    async def test_lets_nobody_change_a_version(self, db, document, publish):
        await publish(db, document())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await db.execute("UPDATE program.version SET valid_from = %s", [DECEMBER])


class TestPublishTogether:
    async def test_gives_each_document_its_own_number(self, database, document, publish):
        async def one(value_kopecks):
            async with database.transaction() as db:
                made = await publish(db, document({"point_value_kopecks": value_kopecks}))
                return made.version

        numbers = await asyncio.gather(*(one(10 * at) for at in range(1, 9)))
        assert sorted(numbers) == list(range(1, 9))

    async def test_gives_the_same_document_one_number(self, database, document, publish):
        async def one():
            async with database.transaction() as db:
                return (await publish(db, document())).version

        assert await asyncio.gather(*(one() for _ in range(6))) == [1] * 6


class TestProgrammes:
    async def test_are_none_before_any_publication(self, db):
        assert (await queries.programmes(db)).versions == ()

    async def test_are_parsed_once(self, db, document, publish):
        await publish(db, document())
        assert await queries.programmes(db) is await queries.programmes(db)

    async def test_see_what_another_connection_published(self, database, document, publish):
        async with database.transaction() as db:
            await publish(db, document())
        async with database.transaction() as reading:
            assert len((await queries.programmes(reading)).versions) == 1
            async with database.transaction() as other:
                await publish(other, document({"rounding": "ceil"}))
            assert len((await queries.programmes(reading)).versions) == 2

    async def test_forget_a_publication_that_was_rolled_back(self, database, document, publish):
        async with database.transaction() as db:
            await publish(db, document())

        async def roll_back():
            async with database.transaction() as db:
                await publish(db, document({"rounding": "ceil"}))
                assert len((await queries.programmes(db)).versions) == 2
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await roll_back()
        async with database.transaction() as db:
            await publish(db, document({"rounding": "half_up"}))
            both = await queries.programmes(db)
            assert [one.rounding.value for one in both.versions] == ["floor", "half_up"]

    async def test_page_from_the_newest(self, db, document, publish):
        for value in (1, 2, 3):
            await publish(db, document({"point_value_kopecks": value}))
        newest = await queries.versions(db, limit=2)
        assert [one.version for one in newest] == [3, 2]
        assert [one.version for one in await queries.versions(db, limit=2, before=2)] == [1]


IDLE = {"expiry": {"inactivity": {"days": 30}}}
RULES = "SELECT from_at, rule IS NULL, inactive_at FROM ledger.inactivity ORDER BY from_at"


class TestInactivity:
    async def test_that_begins_later_grants_a_full_period_from_then(self, db, document, publish):
        await publish(db, document())
        assert await self._rules(db) == []
        await publish(db, document(IDLE), valid_from=DECEMBER)
        # The end of 31 December in Moscow.
        ends_at = datetime(2026, 12, 31, 21, tzinfo=UTC)
        assert await self._rules(db) == [(DECEMBER, False, ends_at)]
        # Another version of the same rule puts nothing off.
        again = document({**IDLE, "rounding": "ceil"})
        await publish(db, again, valid_from=DECEMBER + timedelta(days=9), now=DECEMBER)
        assert await self._rules(db) == [(DECEMBER, False, ends_at)]
        await publish(db, document(), valid_from=DECEMBER + timedelta(days=20), now=DECEMBER)
        assert (await self._rules(db))[1:] == [(DECEMBER + timedelta(days=20), True, None)]

    async def test_of_a_scheduled_version_goes_with_it(self, db, document, publish):
        await publish(db, document())
        await publish(db, document(IDLE), valid_from=DECEMBER)
        await publish(db, document({"rounding": "ceil"}), valid_from=DECEMBER)
        assert await self._rules(db) == []

    async def test_of_the_first_version_is_in_force_from_the_beginning(self, db, document, publish):
        await publish(db, document(IDLE))
        ends_at = datetime(2026, 12, 18, 21, tzinfo=UTC)
        assert await self._rules(db) == [(BEGINNING, False, ends_at)]

    async def _rules(self, db):
        return await (await db.execute(RULES)).fetchall()
