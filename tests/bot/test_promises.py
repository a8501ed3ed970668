"""What is said while a receipt has no document yet: points set aside for it."""

from bot.conftest import Door
from vezde.testing.receipts import line, picture, receipt

TRUST = {"up_to_kopecks": 100_000, "points": 10, "per_day": 2}


async def test_points_set_aside_are_told(door: Door) -> None:
    await door.publish(receipts={"window_days": 30, "per_day": 10, "trust": TRUST})
    yesterday = door.paper(1).wall_time
    anna = await door.member()
    unknown = receipt(77, lines=[line("Крем", 5_000)], at=yesterday)
    await anna.photo(picture(unknown))
    await anna.sees("Чек на проверке", "отложили для вас 10 баллов")


async def test_nothing_is_set_aside_without_trust(door: Door) -> None:
    anna = await door.member()
    unknown = receipt(77, lines=[line("Крем", 5_000)], at=door.paper(1).wall_time)
    await anna.photo(picture(unknown))
    await anna.sees("Проверяем чек")
