"""Paying with points through the client, against the installation itself."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from vezde.testing.receipts import line, receipt, render
from vezde.testing.webhooks import WebhookReceiver
from vezde_client import (
    AsyncVezde,
    Conflict,
    HoldClosed,
    InsufficientPoints,
    PriceChanged,
    checkout,
    orders,
    points,
    webhooks,
)

CREAM = checkout.Line("CREAM-50", 1, 90_000)
LIPS = checkout.Line("LIP-01", 2, 45_050)
QUIET = ["member.merged/1"]  # else it may be told of the programme that was published just before


@pytest.fixture
async def rich(api, anna: str) -> str:
    """Anna with 100 points."""
    bought = line("Крем для лица LUNARIA 50мл", 100_000)
    (answer,) = await api.batch({"member_id": anna, "document": render(receipt(1, lines=[bought]))})
    assert answer["points"]["active"] == 100, answer
    return anna


async def now(api) -> datetime:
    return datetime.fromisoformat((await api.ok("GET", "/v1/sandbox/clock"))["now"])


async def held(vezde: AsyncVezde, member: str, many: int = 60) -> checkout.Hold:
    quote = await vezde.send(checkout.quote(member, "own_site", [CREAM, LIPS]))
    assert quote.max_points == 100
    return await vezde.send(checkout.hold(quote.quote_id, [CREAM, LIPS], many))


class TestCheckout:
    async def test_holds_commits_and_takes_back(self, vezde, api, rich: str) -> None:
        hold = await held(vezde, rich)
        assert hold.pay_kopecks == 90_000 + 90_100 - 60 * hold.point_value_kopecks
        assert sum(one.discount_kopecks for one in hold.lines) == 6_000
        longer = await vezde.send(checkout.extend(hold.hold_id, 7_200))
        assert longer.expires_at > hold.expires_at
        call = checkout.commit(hold.hold_id, "A-1", await now(api))
        order = await vezde.send(call)
        assert (order.spent_points, order.lines[1].quantity) == (60, Decimal(2))
        assert await vezde.send(call) == order
        spent = await vezde.send(points.balance(rich))
        back = await vezde.send(
            orders.take_back("own_site", "A-1", "R-1", {2: 1}, returned_at=await now(api))
        )
        assert back.return_id == "R-1"
        assert back.refund_kopecks == back.lines[0].refund_kopecks > 0
        after = await vezde.send(points.balance(rich))
        assert after.active == spent.active + back.restored_points - back.reversed_points
        rest = await vezde.send(orders.cancel("own_site", "A-1"))
        assert rest.return_id is None
        assert back.restored_points + rest.restored_points == 60
        assert back.refund_kopecks + rest.refund_kopecks == hold.pay_kopecks
        with pytest.raises(HoldClosed):
            await vezde.send(checkout.cancel(hold.hold_id))

    async def test_a_hold_is_given_up(self, vezde, rich: str) -> None:
        hold = await held(vezde, rich)
        assert (await vezde.send(points.balance(rich))).held == 60
        assert (await vezde.send(checkout.cancel(hold.hold_id))).state == "cancelled"
        assert (await vezde.send(checkout.hold_as_it_is(hold.hold_id))).state == "cancelled"
        assert (await vezde.send(points.balance(rich))).active == 100

    async def test_one_key_holds_once(self, vezde, rich: str) -> None:
        quote = await vezde.send(checkout.quote(rich, "own_site", [CREAM]))
        for _ in range(2):  # a server that died in between makes the same call anew
            call = checkout.hold(quote.quote_id, [CREAM], 10, key="hold-cart-1")
            await vezde.send(call)
        assert (await vezde.send(points.balance(rich))).held == 10

    async def test_another_price_brings_a_fresh_quote(self, vezde, rich: str) -> None:
        quote = await vezde.send(checkout.quote(rich, "own_site", [CREAM]))
        dearer = checkout.Line("CREAM-50", 1, 95_000)
        with pytest.raises(PriceChanged) as changed:
            await vezde.send(checkout.hold(quote.quote_id, [dearer], 10))
        fresh = changed.value.quote
        assert fresh.quote_id != quote.quote_id
        hold = await vezde.send(checkout.hold(fresh.quote_id, [dearer], 10))
        assert hold.pay_kopecks == 95_000 - 10 * hold.point_value_kopecks

    async def test_points_are_spent_once(self, vezde, rich: str) -> None:
        quotes = [await vezde.send(checkout.quote(rich, "own_site", [CREAM])) for _ in range(2)]
        await vezde.send(checkout.hold(quotes[0].quote_id, [CREAM], 80))
        with pytest.raises(Conflict) as refused:
            await vezde.send(checkout.hold(quotes[1].quote_id, [CREAM], 80))
        assert isinstance(refused.value, InsufficientPoints | PriceChanged)

    async def test_an_order_in_money_earns(self, vezde, api, anna: str) -> None:
        at = await now(api)
        call = orders.record(
            "M-1",
            anna,
            "own_site",
            [checkout.Line("CREAM-50", Decimal("1.5"), 90_000)],
            paid_kopecks=135_000,
            ordered_at=at - timedelta(minutes=1),
            paid_at=at,
        )
        order = await vezde.send(call)
        assert order.spent_points == 0
        assert order.earned.active + order.earned.pending == 67
        assert order.lines[0].quantity == Decimal("1.5")


class TestWebhooks:
    async def test_are_read_as_they_are_sent(self, api, vezde) -> None:
        async with WebhookReceiver() as receiver:
            made = await api.ok("POST", "/v1/webhooks", {"url": receiver.url, "kinds": QUIET})
            receiver.secrets.append(made["secret"])
            await api.ok("POST", f"/v1/webhooks/{made['id']}/test", {})
            (came,) = await receiver.wait_for(1)
        headers = {
            "webhook-id": came.id,
            "webhook-timestamp": came.timestamp,
            "webhook-signature": " ".join(came.signatures),
        }
        event = webhooks.event(headers, came.body, secrets=[made["secret"]], now=datetime.now(UTC))
        assert (event.id, event.type, event.version) == (came.id, "webhook.pinged", 1)
