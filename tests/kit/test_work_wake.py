import asyncio
import contextlib

import psycopg

from vezde.kit import db as kit_db
from vezde.kit.work import Waker
from vezde.kit.work import wake as kit_wake


async def heard(event, seconds=5.0):
    await asyncio.wait_for(event.wait(), seconds)


def kill_wakers(server, fresh):
    with psycopg.connect(server.superuser, dbname=fresh.name, autocommit=True) as db:
        return db.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()


class TestWaker:
    async def test_wakes_its_own_process_at_once(self, fresh):
        waker = Waker(fresh.app)
        with waker.watch("checks") as event:
            waker.wake({"checks", "other"})
            assert event.is_set()

    async def test_wakes_another_process_within_milliseconds(self, fresh):
        loop = asyncio.get_running_loop()
        async with Waker(fresh.app) as face, Waker(fresh.app) as worker:
            await worker.listening()
            with worker.watch("checks") as event:
                face.wake(["warm"])
                await asyncio.sleep(0.2)
                assert not event.is_set()
                started = loop.time()
                face.wake(["checks"])
                await heard(event)
                assert loop.time() - started < 0.1

    async def test_leaves_what_another_began_to_it_for_a_moment(self, fresh, monkeypatch):
        monkeypatch.setattr(kit_wake, "HEAD_START_SECONDS", 60)
        async with Waker(fresh.app) as first, Waker(fresh.app) as second:
            await second.listening()
            with (
                first.watch("checks") as own,
                second.watch("checks") as event,
                second.watch("other") as other,
            ):
                first.wake(["checks", "other"])
                assert own.is_set()
                await heard(other)
                assert not event.is_set()
        assert not second._later  # and leaves no timer behind

    async def test_comes_to_what_another_began_after_a_moment(self, fresh):
        async with Waker(fresh.app) as first, Waker(fresh.app) as second:
            await second.listening()
            with first.watch("checks"), second.watch("checks") as event:
                for _ in range(5):
                    first.wake(["checks"])
                    await heard(event, seconds=20)
                    event.clear()

    async def test_sends_many_wake_ups_as_few_notifications(self, fresh):
        async with Waker(fresh.app) as face:
            await face.listening()
            async with await kit_db.connect(fresh.app, autocommit=True) as db:
                await db.execute("LISTEN vezde_wake")
                for number in range(200):
                    face.wake([f"stage.{number % 4}"])
                    await asyncio.sleep(0.001)
                face.wake(["last"])
                notes = []
                async for note in db.notifies(timeout=3):
                    notes.append(note.payload)
                    if "last" in note.payload:
                        break
        assert len(notes) <= 15

    async def test_hears_every_name_of_a_large_wake_up(self, fresh):
        names = [f"stage.with.a.long.name.{number}" for number in range(250)]
        async with Waker(fresh.app) as face, Waker(fresh.app) as worker:
            await worker.listening()
            with contextlib.ExitStack() as stack:
                events = [stack.enter_context(worker.watch(name)) for name in names]
                face.wake(names)
                await asyncio.wait_for(asyncio.gather(*(e.wait() for e in events)), 20)

    async def test_comes_back_after_its_connections_were_killed(self, server, fresh, monkeypatch):
        monkeypatch.setattr(kit_wake, "RECONNECT_SECONDS", 0.05)
        async with Waker(fresh.app) as face, Waker(fresh.app) as worker:
            await asyncio.gather(face.listening(), worker.listening())
            with worker.watch("checks") as event:
                face.wake(["warm"])
                await asyncio.sleep(0.1)
                assert len(kill_wakers(server, fresh)) >= 3
                await heard(event)  # whatever may have been said meanwhile
                event.clear()
                await asyncio.sleep(0.2)
                face.wake(["checks"])
                await heard(event)

    async def test_sends_after_the_outage_what_was_said_during_it(self, server, fresh, monkeypatch):
        monkeypatch.setattr(kit_wake, "RECONNECT_SECONDS", 0.05)
        async with Waker(fresh.app) as face, Waker(fresh.app) as worker:
            await asyncio.gather(face.listening(), worker.listening())
            face.wake(["warm"])
            await asyncio.sleep(0.1)
            kill_wakers(server, fresh)
            await asyncio.sleep(0.3)
            with worker.watch("checks") as event:
                face.wake(["checks"])
                await heard(event)

    async def test_forgets_who_watches_no_more(self, fresh):
        waker = Waker(fresh.app)
        with waker.watch("checks"), waker.watch("checks") as second:
            pass
        waker.wake(["checks"])
        assert not second.is_set()
