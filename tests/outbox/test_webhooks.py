"""Webhooks on a real database, to a real receiver: signed, tried again, paused, replayed."""

import asyncio
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from vezde.api import facts
from vezde.kit import ids
from vezde.kit.clock import Clock
from vezde.kit.vault import Vault
from vezde.outbox import operations as outbox
from vezde.outbox import work as outbox_work
from vezde.outbox.model import FactRow
from vezde.outbox.webhooks import model, operations, queries, reactions, signing
from vezde.outbox.webhooks.delivery import Post
from vezde.outbox.webhooks.model import Because, Outcome, Reach, State
from vezde.outbox.webhooks.work import Sender
from vezde.testing.webhooks import NotGenuine, WebhookReceiver, http, oversized, slow, verify

ANNA = UUID("01930000-0000-7000-8000-0000000000a1")
ACCEPTED, ENROLLED = "receipt.accepted/1", "member.enrolled/1"
VAULT = Vault(bytes(32))
LOOPBACK = Reach(loopback=True)
ACTOR = "key:test"


class Hands:
    """A wall clock that a test turns by hand."""

    def __init__(self, at):
        self.at = at

    def wall(self):
        return self.at


class Desk:
    """A worker and an operator on one database, with a receiver to send to."""

    def __init__(self, database, receiver, hands, *, timeout_seconds=5.0):
        self.database, self.receiver, self.hands = database, receiver, hands
        clock = Clock(wall=hands.wall)
        post = Post(LOOPBACK, timeout_seconds=timeout_seconds)
        self.sender = Sender(database, VAULT, clock, facts.message, post)
        self.reaction = reactions.reaction(kinds=facts.KINDS, wall=hands.wall)
        self.clock = clock

    async def webhook(self, kinds=("*",), url=None):
        async with self.database.transaction() as db:
            made, secret = await operations.create(
                db,
                url=url or self.receiver.url,
                kinds=kinds,
                description=None,
                known=facts.KINDS,
                reach=LOOPBACK,
                vault=VAULT,
                now=self.hands.at,
                wall=self.hands.at,
                actor=ACTOR,
            )
        self.receiver.secrets.append(secret)
        return made.webhook_id

    async def record(self, *given):
        async with self.database.transaction() as db:
            await outbox.record(db, given)
        while await outbox_work.hand_over(
            self.database, [self.reaction], clock=self.clock, limit=100
        ):
            pass

    async def ask(self, question, *args, **more):
        async with self.database.transaction() as db:
            return await question(db, *args, **more)

    async def health(self, webhook_id):
        return await self.ask(queries.webhook, webhook_id)

    async def delivery(self, webhook_id, fact):
        return await self.ask(queries.delivery, webhook_id, fact.id)

    async def change(self, verb, webhook_id, **more):
        return await self.ask(
            verb, webhook_id, now=self.hands.at, wall=self.hands.at, actor=ACTOR, **more
        )

    async def send(self, *, after=timedelta(0)):
        self.hands.at += after
        return await self.sender.send_due()


@pytest.fixture
def hands(now):
    return Hands(now)


@pytest.fixture
async def receiver(hands):
    async with WebhookReceiver(wall=hands.wall) as made:
        yield made


@pytest.fixture
def desk(database, receiver, hands):
    return Desk(database, receiver, hands)


def accepted(now, *, points=83, kind=ACCEPTED):
    data = {"receipt_id": str(ids.new()), "purchase_id": str(ids.new()), "points": points}
    return FactRow(ids.new(), ANNA, None, kind, now - timedelta(hours=2), now, data)


class TestSignature:
    def test_is_that_of_the_standard(self):
        """The example of the standard's own libraries."""
        made = signing.headers(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            b'{"test": 2432232314}',
            wall=datetime.fromtimestamp(1614265330, UTC),
            secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        )
        assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        assert made["webhook-timestamp"] == "1614265330"

    def test_is_of_id_time_and_body(self, now):
        secret = signing.new_secret()
        made = signing.headers("evt_1", b"{}", wall=now, secrets=[secret])
        verify(b"{}", made, secrets=[secret], now=now)
        for changed, body in (
            ({"webhook-id": "evt_2"}, b"{}"),
            ({"webhook-timestamp": str(int(now.timestamp()) + 1)}, b"{}"),
            ({}, b"{ }"),
        ):
            with pytest.raises(NotGenuine):
                verify(body, {**made, **changed}, secrets=[secret], now=now)
        with pytest.raises(NotGenuine, match="too far"):
            verify(b"{}", made, secrets=[secret], now=now + timedelta(minutes=6))


class TestQueue:
    async def test_is_for_whoever_wants_the_kind(self, desk, now):
        everything = await desk.webhook()
        receipts = await desk.webhook([ACCEPTED, "receipt.rejected/1"])
        people = await desk.webhook([ENROLLED])
        fact = accepted(now)
        await desk.record(fact)
        for webhook_id, many in ((everything, 1), (receipts, 1), (people, 0)):
            found = await desk.ask(queries.deliveries, webhook_id, limit=10)
            assert [one.fact_id for one in found] == [fact.id] * many

    async def test_is_empty_without_webhooks(self, desk, now):
        await desk.record(accepted(now))
        async with desk.database.transaction() as db:
            cursor = await db.execute("SELECT count(*) FROM outbox.todo")
            assert await cursor.fetchone() == (0,)
        assert await desk.ask(queries.backlog) == queries.Backlog(0, 0, 0)

    async def test_leaves_out_what_nobody_is_told(self, desk, now):
        webhook_id = await desk.webhook()
        await desk.record(FactRow(ids.new(), None, "x", "access.key_created/1", now, now, {}))
        assert await desk.ask(queries.deliveries, webhook_id, limit=10) == []

    async def test_takes_a_fact_once(self, desk, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        await desk.ask(operations.queue, [fact], wall=now)
        assert len(await desk.ask(queries.deliveries, webhook_id, limit=10)) == 1


class TestSend:
    async def test_tells_the_fact_signed(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        assert await desk.send() == 1
        (got,) = receiver.received
        assert got.valid, got.refusal
        assert got.content["id"] == got.id
        assert (got.type, got.content["version"]) == ("receipt.accepted", 1)
        assert got.content["timestamp"] == "2026-11-18T07:00:00Z"
        assert got.data["member_id"].startswith("mem_")
        assert got.data["receipt_id"].startswith("rcp_")
        assert got.data["points"] == 83
        assert str(ANNA) not in got.body.decode()
        done = await desk.delivery(webhook_id, fact)
        assert (done.state, done.attempts, done.last_status) == (State.DELIVERED, 1, 204)
        assert await desk.send(after=timedelta(days=1)) == 0

    async def test_tries_again_after_a_500_under_the_same_id(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        receiver.order(http(500), http(503))
        await desk.send()
        failed = await desk.delivery(webhook_id, fact)
        assert (failed.state, failed.last_reason) == (State.WAITING, "http_500")
        assert timedelta(seconds=5) <= failed.next_try - now <= timedelta(seconds=6)
        assert (await desk.health(webhook_id)).failing_since == now
        assert await desk.send(after=timedelta(seconds=4)) == 0
        assert await desk.send(after=timedelta(seconds=2)) == 1
        assert await desk.send(after=timedelta(seconds=36)) == 1
        assert {one.id for one in receiver.received} == {receiver.received[0].id}
        assert len({one.timestamp for one in receiver.received}) == 3
        assert (await desk.delivery(webhook_id, fact)).state == State.DELIVERED
        assert (await desk.health(webhook_id)).failing_since is None

    async def test_waits_as_long_as_it_is_asked_to(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        receiver.order(http(429, retry_after=900))
        await desk.send()
        found = await desk.delivery(webhook_id, fact)
        assert found.next_try == now + timedelta(minutes=15)

    async def test_gives_a_slow_answer_up(self, database, receiver, hands, now):
        desk = Desk(database, receiver, hands, timeout_seconds=0.3)
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        receiver.order(slow(3))
        await desk.send()
        assert (await desk.delivery(webhook_id, fact)).last_reason == "timeout"

    async def test_says_when_nobody_is_there(self, desk, now):
        webhook_id = await desk.webhook(url="http://127.0.0.1:1/in")
        fact = accepted(now)
        await desk.record(fact)
        await desk.send()
        assert (await desk.delivery(webhook_id, fact)).last_reason == "unreachable"

    async def test_takes_a_long_answer_for_an_answer(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        receiver.order(oversized())
        await desk.send()
        assert (await desk.delivery(webhook_id, fact)).state == State.DELIVERED

    async def test_goes_on_to_others_while_one_is_slow(self, desk, receiver, hands, now):
        async with WebhookReceiver(wall=hands.wall) as sluggish:
            await desk.webhook(url=sluggish.url)
            sluggish.secrets = list(receiver.secrets)
            sluggish.always = slow(20)
            await desk.webhook()
            await desk.record(*(accepted(now) for _ in range(3)))
            running = asyncio.create_task(desk.send())
            await receiver.wait_for(3)
            await desk.record(*(accepted(now) for _ in range(20)))
            await receiver.wait_for(23, seconds=4)
            assert len(sluggish.received) == 3
            await running

    async def test_sends_side_by_side_within_bounds(self, desk, receiver, now):
        await desk.webhook()
        receiver.always = slow(0.05)
        await desk.record(*(accepted(now) for _ in range(30)))
        assert await desk.send() == 30
        assert 2 <= receiver.most_at_once <= 8

    async def test_shows_a_secret_that_no_key_opens(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        stranger = Vault(b"another key of thirty-two bytes!")
        other = Sender(desk.database, stranger, desk.clock, facts.message, desk.sender.post)
        await other.send_due()
        assert receiver.received == []
        assert (await desk.delivery(webhook_id, fact)).last_reason == "vault_key_unknown"


class TestGivingUp:
    def test_comes_after_three_days(self, now):
        failed = Outcome(500, "http_500")
        for jitter in (0, 0.999):
            at, tries = now, 0
            while (again := model.next_try(tries + 1, failed, wall=at, jitter=jitter)) is not None:
                at, tries = again, tries + 1
            assert tries == len(model.BACKOFF)
            assert timedelta(days=2.5) < at - now < timedelta(days=3.4)

    def test_waits_longer_the_longer_it_fails(self, now):
        assert model.hold(4, now, wall=now + timedelta(days=1)) is None
        waits = [
            (model.hold(5, now, wall=now + ago) - (now + ago)).total_seconds()
            for ago in (timedelta(0), timedelta(minutes=10), timedelta(hours=9))
        ]
        assert waits == [5, 300, 1800]

    async def test_fails_a_delivery_in_the_end(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        receiver.always = http(500)
        for pause in (timedelta(0), *model.BACKOFF):
            await desk.send(after=pause * 1.2 + timedelta(seconds=1))
            if not (await desk.health(webhook_id)).is_active:
                await desk.change(operations.resume, webhook_id)
                await desk.send()
        found = await desk.delivery(webhook_id, fact)
        assert (found.state, found.next_try, found.attempts) == (State.FAILED, None, 10)

    async def test_pauses_a_webhook_that_failed_for_three_days(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        receiver.always = http(500)
        await desk.record(*(accepted(now) for _ in range(40)))
        while (await desk.health(webhook_id)).is_active:
            await desk.send(after=timedelta(minutes=31))
            assert desk.hands.at < now + timedelta(days=4)
        paused = await desk.health(webhook_id)
        assert paused.paused_because == Because.FAILING
        assert paused.paused_by == "system"
        assert paused.last_failure == "http_500"
        assert timedelta(days=3) <= paused.paused_at - now <= timedelta(days=3.1)
        assert len(receiver.received) < 200  # tried ever less often, one at a time
        receiver.always = None
        assert await desk.send(after=timedelta(days=1)) == 0
        assert (await desk.ask(queries.backlog)).paused == 1

    async def test_pauses_at_once_what_is_gone(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        first = accepted(now)
        await desk.record(first)
        receiver.order(http(410))
        await desk.send()
        gone = await desk.health(webhook_id)
        assert (gone.is_active, gone.paused_because) == (False, Because.GONE)
        assert (await desk.delivery(webhook_id, first)).state == State.WAITING

    async def test_keeps_what_comes_while_paused_and_sends_it_when_resumed(
        self, desk, receiver, now
    ):
        webhook_id = await desk.webhook()
        await desk.change(operations.pause, webhook_id, because=Because.BY_HAND)
        await desk.record(accepted(now), accepted(now))
        assert await desk.send(after=timedelta(days=1)) == 0
        await desk.change(operations.resume, webhook_id)
        assert await desk.send() == 2
        assert [one.valid for one in receiver.received] == [True, True]

    async def test_sends_what_waited_for_its_back_off_when_resumed(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        await desk.record(accepted(now))
        receiver.order(http(410))
        await desk.send()
        await desk.change(operations.resume, webhook_id)
        assert await desk.send() == 1

    async def test_holds_a_dead_one_and_probes_it_alone(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        receiver.always = http(502)
        await desk.record(*(accepted(now) for _ in range(20)))
        assert await desk.send() == 8  # side by side, before anything was known
        assert await desk.send(after=timedelta(seconds=4)) == 0
        assert await desk.send(after=timedelta(seconds=2)) == 1
        receiver.always = None
        assert await desk.send(after=timedelta(seconds=30)) == 20
        assert (await desk.health(webhook_id)).failures == 0

    async def test_forgets_deliveries_after_two_weeks(self, desk, now):
        webhook_id = await desk.webhook()
        await desk.record(accepted(now))
        later = now + model.KEEP
        assert await desk.ask(operations.sweep, wall=later, limit=10) == 0
        later += timedelta(seconds=1)
        assert await desk.ask(operations.sweep, wall=later, limit=10) == 1
        assert await desk.ask(queries.deliveries, webhook_id, limit=10) == []


class TestReplay:
    async def test_sends_a_delivered_one_again(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        await desk.send()
        again = await desk.ask(operations.replay, webhook_id, fact.id, wall=now)
        assert (again.state, again.attempts) == (State.WAITING, 0)
        assert await desk.send() == 1
        assert len({one.id for one in receiver.received}) == 1
        assert len(receiver.received) == 2

    async def test_of_what_was_never_sent_is_refused(self, desk, now):
        webhook_id = await desk.webhook()
        with pytest.raises(queries.DeliveryMissing):
            await desk.ask(operations.replay, webhook_id, ids.new(), wall=now)

    async def test_since_sends_what_was_not_taken(self, desk, receiver, now):
        before = accepted(now - timedelta(days=2))
        early = accepted(now - timedelta(days=9))
        unwanted = accepted(now, kind=ENROLLED)
        await desk.record(early, before, unwanted)
        webhook_id = await desk.webhook([ACCEPTED])
        taken = accepted(now)
        await desk.record(taken)
        await desk.send()
        assert await self._since(desk, webhook_id, now - timedelta(days=5)) == 1
        await desk.send()
        assert [one.data["points"] for one in receiver.received] == [83, 83]
        again = await self._since(desk, webhook_id, now - timedelta(days=5), delivered=True)
        assert again == 2
        assert await self._since(desk, webhook_id, now - timedelta(days=5), delivered=True) == 0

    async def test_since_goes_on_where_it_stopped(self, desk, now):
        given = [accepted(now - timedelta(seconds=60 - i)) for i in range(5)]
        await desk.record(*given)
        webhook_id = await desk.webhook()
        first = await self._replay(desk, webhook_id, now - timedelta(hours=1), most=3)
        assert (first.replayed, first.last_recorded_at) == (3, given[2].recorded_at)
        rest = await self._replay(desk, webhook_id, first.last_recorded_at, most=3)
        assert rest.replayed == 2

    async def _replay(self, desk, webhook_id, since, *, delivered=False, most=100):
        return await desk.ask(
            operations.replay_since,
            webhook_id,
            since=since,
            delivered=delivered,
            known=facts.KINDS,
            wall=desk.hands.at,
            most=most,
        )

    async def _since(self, desk, webhook_id, since, **more):
        return (await self._replay(desk, webhook_id, since, **more)).replayed


class TestRotation:
    async def test_signs_by_both_for_a_day(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        (old,) = receiver.secrets
        fresh = await desk.ask(operations.rotate, webhook_id, vault=VAULT, now=now, wall=now)
        assert fresh != old
        await desk.record(accepted(now))
        receiver.secrets = [old]
        await desk.send()
        receiver.secrets = [fresh]
        await desk.record(accepted(now))
        await desk.send(after=timedelta(hours=23))
        assert [one.valid for one in receiver.received] == [True, True]
        assert [len(one.signatures) for one in receiver.received] == [2, 2]
        await desk.record(accepted(now))
        await desk.send(after=timedelta(hours=2))
        assert receiver.received[-1].valid
        assert len(receiver.received[-1].signatures) == 1

    async def test_keeps_the_secret_sealed(self, desk, receiver):
        webhook_id = await desk.webhook()
        async with desk.database.transaction() as db:
            cursor = await db.execute("SELECT secret FROM outbox.webhook")
            (sealed,) = await cursor.fetchone()
        assert receiver.secrets[0].encode() not in sealed
        assert operations.unseal(sealed, webhook_id, vault=VAULT) == receiver.secrets[0]


class TestPing:
    async def test_is_told_to_the_one_alone(self, desk, receiver, now):
        webhook_id = await desk.webhook()
        other = await desk.webhook()
        pinged = await desk.ask(operations.ping, webhook_id, now=now, wall=now)
        await desk.record()
        assert await desk.send() == 1
        (got,) = receiver.received
        assert (got.type, got.valid) == ("webhook.pinged", True)
        assert got.data["webhook_id"].startswith("whk_")
        assert pinged.state == State.WAITING
        assert await desk.ask(queries.deliveries, other, limit=5) == []

    async def test_is_refused_while_paused(self, desk, now):
        webhook_id = await desk.webhook()
        await desk.change(operations.pause, webhook_id, because=Because.BY_HAND)
        with pytest.raises(operations.WebhookPaused):
            await desk.ask(operations.ping, webhook_id, now=now, wall=now)


WORKER = """
import asyncio, sys
from vezde.api import facts
from vezde.kit.clock import Clock
from vezde.kit.db import Database
from vezde.kit.vault import Vault
from vezde.outbox.webhooks.delivery import Post
from vezde.outbox.webhooks.model import Reach
from vezde.outbox.webhooks.work import Sender

async def main():
    async with Database(sys.argv[1]) as database:
        post = Post(Reach(loopback=True))
        await Sender(database, Vault(bytes(32)), Clock(), facts.message, post).send_due()

asyncio.run(main())
"""


def started(conninfo):
    return subprocess.Popen([sys.executable, "-c", WORKER, conninfo])


class TestCrash:
    async def test_between_sending_and_noting_sends_again_under_the_same_id(self, fresh, database):
        hands = Hands(datetime.now(UTC))
        async with WebhookReceiver() as receiver:
            desk = Desk(database, receiver, hands)
            webhook_id = await desk.webhook()
            fact = accepted(hands.at)
            await desk.record(fact)
            receiver.order(slow(30))
            worker = started(fresh.app)
            try:
                await receiver.wait_for(1, seconds=20)
            finally:
                os.kill(worker.pid, signal.SIGKILL)
                worker.wait()
            assert await desk.send() == 0  # the dead one's lease holds
            assert await desk.send(after=timedelta(seconds=70)) == 1
            first, second = receiver.received
            assert (first.id, first.valid, second.valid) == (second.id, True, True)
            done = await desk.delivery(webhook_id, fact)
            assert (done.state, done.attempts) == (State.DELIVERED, 2)

    async def test_of_a_lease_notes_nothing(self, database, receiver, hands, now):
        desk = Desk(database, receiver, hands)
        webhook_id = await desk.webhook()
        fact = accepted(now)
        await desk.record(fact)
        receiver.order(slow(4), slow(0))
        slowly = asyncio.create_task(desk.send())
        await receiver.wait_for(1)
        hands.at += timedelta(seconds=61)
        assert await desk.sender.send_due() == 1
        done = await desk.delivery(webhook_id, fact)
        await slowly
        assert await desk.delivery(webhook_id, fact) == done
        assert done.attempts == 2

    async def test_two_workers_send_each_delivery_once(self, desk, receiver, now):
        await desk.webhook()
        receiver.always = slow(0.02)
        await desk.record(*(accepted(now) for _ in range(40)))
        counts = await asyncio.gather(*(desk.sender.send_due() for _ in range(2)))
        assert sum(counts) == 40
        assert len({one.id for one in receiver.received}) == 40 == len(receiver.received)
