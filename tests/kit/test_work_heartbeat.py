import asyncio
from datetime import timedelta

import psycopg

from vezde.kit import ids
from vezde.kit.db import Database
from vezde.kit.work import heartbeat


async def alive(database, wall):
    async with database.transaction() as db:
        return await heartbeat.alive(db, wall=wall)


class TestBeating:
    async def test_shows_a_worker_while_it_works(self, database, now):
        async with heartbeat.beating(database, ["checks"], wall=lambda: now) as me:
            assert await alive(database, now) == [heartbeat.Worker(me, now, now, ["checks"])]
        assert await alive(database, now) == []

    async def test_goes_on_being_seen(self, database, now):
        wall = [now]
        async with heartbeat.beating(
            database, ["checks"], wall=lambda: wall[0], every_seconds=0.01
        ):
            wall[0] = later = now + timedelta(hours=1)
            await asyncio.sleep(0.2)
            assert [worker.seen_at for worker in await alive(database, later)] == [later]

    async def test_forgets_a_worker_that_died(self, database, now):
        await heartbeat._beat(database, ids.new(), now, ["checks"], now)
        assert len(await alive(database, now + timedelta(seconds=19))) == 1
        assert await alive(database, now + timedelta(seconds=20)) == []

    async def test_outlives_a_database_that_was_away(self, server, fresh, now):
        async with Database(fresh.app, size=1) as database:
            wall = [now]
            async with heartbeat.beating(
                database, ["checks"], wall=lambda: wall[0], every_seconds=0.01
            ):
                with psycopg.connect(server.superuser, dbname=fresh.name, autocommit=True) as db:
                    db.execute(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                wall[0] = later = now + timedelta(hours=1)
                await asyncio.sleep(0.5)
                assert len(await alive(database, later)) == 1
