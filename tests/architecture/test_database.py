"""What the migrated database is like: keys, rights, and what is not in it."""

import re
from collections.abc import Mapping
from datetime import datetime

import psycopg
import pytest

from architecture.reading import told, without_comments
from architecture.test_statements import CASE_FOLDING, CLOCKS, SCHEMAS
from conftest import TestDatabase
from vezde.kit import db as kit_db
from vezde.kit.db import Db
from vezde.outbox import operations as outbox

APPEND_ONLY = (
    "access.journal",
    "ledger.entry",
    "ledger.alloc",
    "ledger.op",
    "outbox.fact",
    "program.decision",
    "program.version",
)

# Table with member_id -> why its key does not begin with it.
KEYED_OTHERWISE: Mapping[str, str] = {
    "members.claim": "an identity is unique in the whole programme",
    "receipts.claim": "a fiscal document has one owner in the whole programme",
    "receipts.turn": "waits for the claim of a fiscal document",
    "receipts.mailbox": "found by the address, before anybody is known",
    "outbox.fact": "partitioned by recorded_at; some facts are of no member",
    "access.answer": "a stored answer belongs to the key that asked",
    "access.card": "found by its code, before anybody is known",
    "access.journal": "what operators did, mostly about nobody",
    "access.sign_in": "nobody's until it is proved",
    "messaging.sms": "some go to people who are no members yet",
    "ledger.due": "work, read by time",
    "purchases.pack": "a physical pack has one owner in the whole programme",
    "purchases.pack_dispute": "who else claimed a pack, looked at by pack",
    "receipts.dispute": "about a document, whoever claims it and has it; they may merge",
    "receipts.proof": "of a dispute, by the one or the other",
    "checkout.order_claim": "a shop's number of an order is unique in its sales channel",
}

# As CREATE TABLE wrote them: constants, no calls.
PLAIN_DEFAULT = re.compile(r"(?:true|false|NULL|-?[\d.]+|'[^']*')(?:::[\w \[\]().]+)?")

TABLES = """
SELECT format('%%s.%%s', n.nspname, c.relname), array_agg(a.attname ORDER BY k.position)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
LEFT JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, position) ON true
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname = ANY(%s)
GROUP BY 1
"""
OF_MEMBERS = """
SELECT format('%%s.%%s', n.nspname, c.relname)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attname = 'member_id' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND n.nspname = ANY(%s)
"""
WITH_PARTITIONS = """
SELECT coalesce(tree.relid, parent)::regclass::text
FROM unnest(%s::text[]::regclass[]) AS parent
LEFT JOIN LATERAL pg_partition_tree(parent) AS tree ON true
"""
DEFAULTS = """
SELECT d.adrelid::regclass::text || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid)
FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE a.attgenerated = '' AND d.adrelid IN (
    SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(%s))
"""
FUNCTIONS = """
SELECT p.oid::regprocedure::text, pg_get_functiondef(p.oid), p.prosecdef,
       coalesce(array_to_string(p.proconfig, ' '), ''), has_function_privilege('public', p.oid, 'EXECUTE')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(%s) AND p.prokind IN ('f', 'p')
"""
FOREIGN_KEYS = """
SELECT f.conrelid::regclass::text, f.confrelid::regclass::text
FROM pg_constraint f
JOIN pg_class child ON child.oid = f.conrelid
JOIN pg_class parent ON parent.oid = f.confrelid
WHERE f.contype = 'f' AND child.relnamespace <> parent.relnamespace
"""
TRIGGERS = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal"
EXTENSIONS = "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'"
SEQUENCES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S'"
ELSEWHERE = """
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> ALL(%s) AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname <> 'information_schema'
"""
POWERS = """
SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles
WHERE rolname = current_user
"""
MAY_CREATE = "SELECT s FROM unnest(%s::text[]) AS s WHERE has_schema_privilege(s, 'CREATE')"
OWNED = "SELECT relname FROM pg_class WHERE relowner = current_user::regrole"
MAY_CHANGE = """
SELECT t::text, a.attname, has_any_column_privilege(t, 'UPDATE') OR has_table_privilege(t, 'DELETE')
    OR has_table_privilege(t, 'TRUNCATE') OR has_table_privilege(t, 'TRIGGER')
FROM unnest(%s::text[]::regclass[]) AS t
JOIN pg_attribute a ON a.attrelid = t AND a.attnum = 1
"""


@pytest.fixture
def schemas() -> list[str]:
    return sorted(SCHEMAS)


class TestKeys:
    async def test_of_members_tables_begin_with_the_member(
        self, db: Db, schemas: list[str]
    ) -> None:
        keys = dict(await rows(db, TABLES, schemas))
        of_members = {name for (name,) in await rows(db, OF_MEMBERS, schemas)}
        otherwise = sorted(name for name in of_members if keys[name][0] != "member_id")
        assert len(of_members) > 10
        assert otherwise == sorted(KEYED_OTHERWISE)

    async def test_are_in_every_table(self, db: Db, schemas: list[str]) -> None:
        keyless = [name for name, key in await rows(db, TABLES, schemas) if key == [None]]
        assert keyless == []

    async def test_across_schemas_there_are_none(self, db: Db) -> None:
        assert await rows(db, FOREIGN_KEYS) == []


class TestMachinery:
    @pytest.mark.parametrize("query", [TRIGGERS, EXTENSIONS, SEQUENCES])
    async def test_is_not_there(self, db: Db, query: str) -> None:
        assert await rows(db, query) == []

    async def test_is_in_its_domains_schemas_alone(self, db: Db, schemas: list[str]) -> None:
        assert await rows(db, ELSEWHERE, schemas) == []

    async def test_defaults_are_constants(self, db: Db, schemas: list[str]) -> None:
        called = [
            f"{column}: {default}"
            for column, default in await rows(db, DEFAULTS, schemas)
            if not PLAIN_DEFAULT.fullmatch(default)
        ]
        assert not called, told(called)

    @pytest.mark.parametrize("default", ["now()", "CURRENT_DATE", "gen_random_uuid()", "random()"])
    def test_defaults_that_ask_are_noticed(self, default: str) -> None:
        assert not PLAIN_DEFAULT.fullmatch(default)


class TestFunctions:
    async def test_ask_no_clock_and_fold_no_case(self, db: Db, schemas: list[str]) -> None:
        found = [
            f"{name}: «{match[0]}»"
            for name, text, *_ in await rows(db, FUNCTIONS, schemas)
            for match in (words.search(without_comments(text)) for words in (CLOCKS, CASE_FOLDING))
            if match
        ]
        assert not found, told(found)

    async def test_are_for_those_they_are_granted_to(self, db: Db, schemas: list[str]) -> None:
        for_all = [name for name, *_, public in await rows(db, FUNCTIONS, schemas) if public]
        assert not for_all, f"REVOKE ALL ON FUNCTION … FROM PUBLIC: {for_all}"

    async def test_of_the_owner_have_their_own_search_path(
        self, db: Db, schemas: list[str]
    ) -> None:
        """Else a caller's search_path decides what the owner runs."""
        open_ones = [
            name
            for name, _, as_owner, settings, _ in await rows(db, FUNCTIONS, schemas)
            if as_owner and "search_path=" not in settings
        ]
        assert open_ones == []


class TestApplicationLogin:
    async def test_owns_and_makes_nothing(self, db: Db, schemas: list[str]) -> None:
        assert await rows(db, POWERS) == [(False,)]
        assert await rows(db, OWNED) == []
        assert await rows(db, MAY_CREATE, [*schemas, "public"]) == []

    async def test_may_not_change_what_is_append_only(self, db: Db, now: datetime) -> None:
        rights = await rows(db, MAY_CHANGE, await _append_only(db, now))
        assert len(rights) > len(APPEND_ONLY)
        assert [table for table, _, may in rights if may] == []

    async def test_tries_to_in_vain(self, db: Db, now: datetime) -> None:
        for table, column, _ in await rows(db, MAY_CHANGE, await _append_only(db, now)):
            for attempt in (
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"UPDATE {table} SET {column} = {column}",
                f"SELECT 1 FROM {table} FOR UPDATE",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    async with db.transaction():
                        await db.execute(attempt.encode())

    async def test_may_change_what_is_not(self, db: Db) -> None:
        """So that the two tests above are known to be able to fail."""
        (account,) = await rows(db, MAY_CHANGE, ["ledger.account"])
        assert account[2]


class TestOffences:
    """What the tests above look for is found where it is."""

    OFFENDING = """
    CREATE TABLE ledger.offending (
        id bigserial,
        member_id uuid REFERENCES members.member,
        at timestamptz DEFAULT now(),
        PRIMARY KEY (id, member_id)
    );
    CREATE SCHEMA elsewhere;
    CREATE TABLE elsewhere.stray ();
    CREATE TABLE ledger.keyless ();
    CREATE FUNCTION ledger.offend() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    AS $$ BEGIN NEW.at := lower('X'); RETURN NEW; END $$;
    CREATE TRIGGER offend BEFORE INSERT ON ledger.offending
        FOR EACH ROW EXECUTE FUNCTION ledger.offend();
    """

    async def test_are_found(self, shared_copy: TestDatabase, schemas: list[str]) -> None:
        owner = await kit_db.connect(shared_copy.owner)
        try:
            await owner.execute(self.OFFENDING.encode())
            keys = dict(await rows(owner, TABLES, schemas))
            assert keys["ledger.offending"] == ["id", "member_id"]
            assert keys["ledger.keyless"] == [None]
            assert ("ledger.offending",) in await rows(owner, OF_MEMBERS, schemas)
            assert await rows(owner, FOREIGN_KEYS) == [("ledger.offending", "members.member")]
            assert await rows(owner, TRIGGERS) == [("offend",)]
            assert await rows(owner, SEQUENCES) == [("ledger.offending_id_seq",)]
            assert await rows(owner, ELSEWHERE, schemas) == [("elsewhere.stray",)]
            defaults = dict(await rows(owner, DEFAULTS, schemas))
            assert defaults["ledger.offending.at"] == "now()"
            (offend,) = [row for row in await rows(owner, FUNCTIONS, schemas) if "offend" in row[0]]
            assert CASE_FOLDING.search(offend[1])
            assert offend[2:] == (True, "", True)
            assert await rows(owner, OWNED)
            assert ("ledger",) in await rows(owner, MAY_CREATE, schemas)
        finally:
            await owner.rollback()
            await owner.close()


async def _append_only(db: Db, now: datetime) -> list[str]:
    """The append-only tables and their partitions, those made by the application among them."""
    assert await outbox.open_months(db, first=now, last=now) == 1
    return [name for (name,) in await rows(db, WITH_PARTITIONS, list(APPEND_ONLY))]


async def rows(db: Db, query: str, *params: object) -> list[tuple]:
    cursor = await db.execute(query.encode(), params or None)
    return await cursor.fetchall()
