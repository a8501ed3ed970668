"""A bot's members, the fake Telegram they are in, and what tests say of both."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from vezde.kit.clock import Clock
from vezde.kit.db import Database, Db
from vezde.kit.vault import Vault
from vezde.members import operations as members
from vezde.members.model import NewConsent, NewIdentity, NewMember
from vezde.messaging import operations, queries, work
from vezde.messaging.model import Button, Outgoing, Purpose, Tap, View
from vezde.messaging.transports.telegram import Telegram
from vezde.messaging.work import Channel
from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.person import Person

NOW = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
TEXT = "button_next"  # a text without variables


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(range(32)))


@dataclass
class Wall:
    """A wall clock that a test moves; it goes on by itself unless it is stopped."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_by(self, **how: float) -> None:
        self.ahead += timedelta(**how)


@dataclass
class Addressee:
    """Somebody who is a member and has a Telegram."""

    member_id: UUID
    person: Person

    @property
    def said(self) -> list[str]:
        """What the bot has in their chat, oldest first."""
        return [one.text for one in self.person.messages if not one.mine]


@dataclass
class Post:
    """The installation's side: reserve, deliver, look."""

    database: Database
    vault: Vault
    fake: FakeTelegram
    channel: Channel
    wall: Wall
    clock: Clock
    keys: int = field(default=0)

    async def addressee(self, name: str = "Анна", **fields: Any) -> Addressee:
        """A person who wrote to the bot and is a member; `consents` are of mailings."""
        consents = fields.pop("consents", ())
        person = self.fake.user(name, **fields)
        await person.start()
        async with self.database.transaction() as db:
            known = NewIdentity("telegram", str(person.id))
            made = await members.enrol(
                db,
                [NewMember(identities=(known,), consents=consents)],
                vault=self.vault,
                now=NOW,
                actor="test",
            )
        return Addressee(made[0].member_id, person)

    def message(self, to: Addressee, key: str = "", **given: Any) -> Outgoing:
        self.keys += 1
        text = given.pop("text", None)
        view = given.pop("view", None) or (
            View(TEXT) if text is None else View("welcome", {"brand": text, "points_pay": "1"})
        )
        purpose = given.pop("purpose", Purpose.REPLY)
        return Outgoing(to.member_id, "telegram", key or f"key:{self.keys}", purpose, view, **given)

    async def reserve(self, *outgoing: Outgoing | Tap) -> list[UUID]:
        async with self.database.transaction() as db:
            return await self.reserve_in(db, *outgoing)

    async def reserve_in(self, db: Db, *outgoing: Outgoing | Tap) -> list[UUID]:
        return await operations.reserve(
            db, outgoing, vault=self.vault, now=NOW, wall=self.wall(), actor="test"
        )

    async def say(self, to: Addressee, text: str | None = None, **given: Any) -> list[UUID]:
        return await self.reserve(self.message(to, text=text, **given))

    async def deliver(self) -> int:
        return await work.deliver_once(
            self.database, self.channel, vault=self.vault, clock=self.clock
        )

    async def states(self, of: Addressee) -> list[str]:
        """States of a member's sends, oldest first, refusals with their reasons."""
        async with self.database.transaction() as db:
            found = await queries.sends(db, of.member_id)
        return [
            f"{one.state}: {one.reason}" if one.state == "refused" else one.state
            for one in reversed(found)
        ]

    async def waiting(self) -> int:
        async with self.database.transaction() as db:
            return (await queries.backlog(db)).waiting

    async def fact_kinds(self) -> list[str]:
        async with self.database.transaction() as db:
            found = await db.execute("SELECT kind FROM outbox.fact ORDER BY recorded_at, id")
            return [row[0] for row in await found.fetchall()]


def mailing_consent(channel: str | None = None) -> NewConsent:
    return NewConsent("marketing", "1", NOW, "bot_button", channel)


def inline(text: str, action: str = "go") -> View:
    return View("welcome", {"brand": text, "points_pay": "1"}, ((Button(TEXT, action),),))


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as made:
        yield made


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Telegram]:
    made = Telegram(fake.token, api_base=fake.base_url, timeout_seconds=4)
    yield made
    await made.close()


@pytest.fixture
def post(database: Database, vault: Vault, fake: FakeTelegram, bot: Telegram) -> Post:
    wall = Wall()
    clock = Clock(wall=wall)
    return Post(database, vault, fake, Channel(bot, 1000), wall, clock)
