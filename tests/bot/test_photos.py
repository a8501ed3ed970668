"""A photo that somebody has to look at is fetched again from where it was sent; no other is."""

from bot.conftest import CREAM, PRODUCTS, Door
from vezde.testing.receipts import line, picture

LIPSTICKS = [
    {"sku": f"LIP-0{one}", "name": f"Помада LUNARIA, оттенок 0{one}", "brand": "LUNARIA"}
    for one in (1, 2)
]


async def test_of_a_line_in_doubt_is_kept_and_of_a_sure_one_is_not(door: Door) -> None:
    await door.stock([*PRODUCTS, *LIPSTICKS])
    await door.publish(moderation={"first_names": 0, "audit_bp": 0})
    anna = await door.member()
    await anna.photo(picture(door.paper(1, lines=[line(CREAM, 83_000)])))
    await anna.sees("+83 балла")
    assert await door.value("SELECT count(*) FROM receipts.photo") == 0
    await anna.photo(picture(door.paper(2, lines=[line("Помада LUNARIA", 50_000)])))
    await door.until("SELECT picture IS NOT NULL FROM receipts.photo WHERE awaited")
    assert await door.value("SELECT count(*) FROM receipts.photo") == 1
