"""Points that waited become active: the member hears of it, by day, once a day, all together."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.conftest import Door
from vezde.bot import activations
from vezde.members import operations as members
from vezde.members import queries as member_queries
from vezde.testing.receipts import OZON, picture

MOSCOW = ZoneInfo("Europe/Moscow")
TOLD = "Баллы активны"


def told(person) -> list[str]:
    return [one.text for one in person.messages if TOLD in one.text]


def points_told(person) -> int:
    return sum(int(re.findall(r"\+(\d+)", text)[0]) for text in told(person))


async def waiting(door: Door, person, *numbers: int, **changes) -> None:
    """Receipts of 41 points each that become active in two weeks."""
    for number in numbers:
        await person.photo(picture(door.paper(number, seller=OZON, **changes)))
        await person.sees("Баллы станут активны")


class TestActivation:
    async def test_is_told_with_what_there_is_now(self, door: Door) -> None:
        anna = await door.guest()
        await waiting(door, anna, 2)
        await door.passes(days=12)
        assert told(anna) == []
        await door.passes(days=3)
        seen = await anna.sees(TOLD, "+41 балл", "Теперь у вас 124 балла", since=0)
        assert seen.buttons == ("Баллы", "История")
        await door.passes(days=3)
        assert len(told(anna)) == 1
        facts = "SELECT count(*) FROM outbox.fact WHERE kind = 'points.activated/1'"
        assert await door.value(facts) == 1

    async def test_of_several_purchases_is_told_together(self, door: Door) -> None:
        anna = await door.member()
        await waiting(door, anna, 1, 2)
        yesterday = door.house.clock.wall().replace(tzinfo=None) - timedelta(days=1)
        await waiting(door, anna, 3, at=yesterday.replace(second=0, microsecond=0, minute=1))
        await door.passes(days=17)
        await anna.sees(TOLD, since=0)
        await door.until("SELECT coalesce(sum(points), 0) = 0 FROM bot.activated")
        await door.passes(hours=1)
        await anna.until(lambda _one: points_told(anna) >= 123, "all of it", within=20, since=0)
        assert points_told(anna) == 123
        assert len(told(anna)) <= 2
        instants = "SELECT count(DISTINCT occurred_at) FROM outbox.fact WHERE kind = %s"
        facts = "SELECT count(*) FROM outbox.fact WHERE kind = %s"
        kind = "points.activated/1"
        assert await door.value(facts, kind) == await door.value(instants, kind)

    async def test_is_not_told_without_the_consent(self, door: Door) -> None:
        anna = await door.member()
        await waiting(door, anna, 1)
        async with door.house.database.transaction() as db:
            now = await door.house.clock.programme(db)
            row = await (await db.execute(b"SELECT member_id FROM bot.chat")).fetchone()
            assert row is not None
            member = await member_queries.member(db, row[0], vault=door.house.vault)
            (consent,) = member.consents
            await members.withdraw_consent(
                db, row[0], consent.consent_id, how="letter", now=now, actor="system"
            )
        await door.passes(days=17)
        facts = "SELECT count(*) FROM outbox.fact WHERE kind = 'points.activated/1'"
        assert await door.value(facts) == 1
        assert told(anna) == []


class TestByDay:
    @pytest.mark.parametrize(
        ("at", "told_at"),
        [
            ("2026-12-09T08:59", "2026-12-09T09:00"),
            ("2026-12-09T09:00", "2026-12-09T09:00"),
            ("2026-12-09T20:59", "2026-12-09T20:59"),
            ("2026-12-09T21:00", "2026-12-10T09:00"),
            ("2026-12-31T23:30", "2027-01-01T09:00"),
        ],
    )
    def test_waits_for_the_morning(self, at: str, told_at: str) -> None:
        given, wanted = (
            datetime.fromisoformat(one).replace(tzinfo=MOSCOW) for one in (at, told_at)
        )
        assert activations.by_day(given, MOSCOW) == wanted
