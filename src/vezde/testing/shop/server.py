"""The sample shop's server: holds points by its own prices, commits when an order is paid.

Orders live as long as the process; what became of their points is Vezde's to know.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import uuid4

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from vezde.kit.errors import DomainError
from vezde.testing.shop import goods
from vezde.web import problems
from vezde.web.guard import Loopback
from vezde.web.pages import Pages
from vezde_client import (
    AsyncVezde,
    Call,
    PriceChanged,
    Problem,
    QuoteExpired,
    Unreachable,
    checkout,
    orders,
)

PATH, CHANNEL = "/shop", "own_site"
MOST_ORDERS = 1_000


class NoSuchOrder(goods.ShopError):
    """The shop has no such order (any more)."""

    code = "no_such_order"
    status = 404


class NotNow(goods.ShopError):
    """The order is not that far, or further."""

    code = "not_now"
    status = 409


@dataclass(frozen=True)
class Order:
    """`hold_id` None: nothing is paid with points; `quote_id` tells who earns all the same.

    Without both nobody is signed in.
    """

    order_id: str
    lines: Sequence[checkout.Line]
    pay_kopecks: int
    points: int = 0
    hold_id: str | None = None
    quote_id: str | None = None
    ordered_at: datetime | None = None
    paid_at: datetime | None = None
    paid: bool = False
    returned: bool = False

    def shown(self) -> dict[str, Any]:
        return {
            "order_id": self.order_id,
            "pay_kopecks": self.pay_kopecks,
            "points": self.points,
            "paid": self.paid,
            "returned": self.returned,
        }


class Shop:
    """`key` is the publishable one, for the page; `now` the time that orders are paid at."""

    def __init__(
        self,
        vezde: AsyncVezde,
        pages: Pages,
        *,
        key: str,
        now: Callable[[], Awaitable[datetime]],
        url: str,
    ) -> None:
        self._vezde = vezde
        self._pages = pages
        self._key = key
        self._now = now
        self._url = url
        self._orders: dict[str, Order] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._vezde.close()

    def app(self) -> ASGIApp:
        """The shop at `/shop`, for browsers of this machine."""
        routes = [
            Route("/", self.page),
            Route("/api/shop", self.about),
            Route("/api/orders", self.order, methods=["POST"]),
            Route("/api/orders/{order_id}/pay", self.pay, methods=["POST"]),
            Route("/api/orders/{order_id}/cancel", self.cancel, methods=["POST"]),
            Route("/api/orders/{order_id}/return", self.take_back, methods=["POST"]),
            Route("/{file:path}", self.page),
        ]
        app = Starlette(
            routes=[Route(PATH, self.page), Mount(PATH, routes=routes)],
            exception_handlers={
                DomainError: problems.answer,
                goods.ShopError: _refused,
                Problem: _problem,
                Unreachable: _unreachable,
            },
        )
        return Loopback(app, page=PATH, address=f"{self._url}{PATH}")

    async def page(self, request: Request) -> Response:
        return self._pages.answer(request.path_params.get("file", ""))

    async def about(self, _request: Request) -> Response:
        """The goods, and the key for the widget."""
        return problems.shown({"key": self._key, "goods": [asdict(one) for one in goods.GOODS]})

    async def order(self, request: Request) -> Response:
        """`{lines: [{sku, quantity}], quote_id?, points?}`: an order to pay, its points held.

        The browser is believed what is in the basket and how many points; prices are the shop's.
        """
        given = await problems.body(request)
        lines = goods.lines(given.get("lines"))
        total = sum(int(line.quantity) * line.price_kopecks for line in lines)
        made = Order(f"LU-{uuid4().hex[:8].upper()}", lines, total)
        points, quote_id = given.get("points", 0), given.get("quote_id")
        if type(points) is int and points > 0 and isinstance(quote_id, str):
            key = f"hold-{made.order_id}"
            hold = await self._vezde.send(checkout.hold(quote_id, lines, points, key=key))
            made = replace(
                made, pay_kopecks=hold.pay_kopecks, points=hold.points, hold_id=hold.hold_id
            )
        elif isinstance(quote_id, str):
            made = replace(made, quote_id=quote_id, ordered_at=await self._now())
        if len(self._orders) >= MOST_ORDERS:
            self._orders.pop(next(iter(self._orders)))
        return self._keep(made)

    async def pay(self, request: Request) -> Response:
        """The money is here; pressed twice, it is one order all the same."""
        order = self._order(request)
        paid_at = order.paid_at or await self._now()
        self._orders[order.order_id] = order = replace(order, paid_at=paid_at)
        earned = 0
        if (call := _sale(order, paid_at)) is not None:
            sold = await self._vezde.send(call)
            earned = sold.earned.active + sold.earned.pending
        return self._keep(replace(order, paid=True), earned_points=earned)

    async def cancel(self, request: Request) -> Response:
        """The buyer changed their mind before paying."""
        order = self._order(request)
        if order.paid:
            raise NotNow("The order is paid; return it instead.")
        if order.hold_id is not None:
            await self._vezde.send(checkout.cancel(order.hold_id))
        del self._orders[order.order_id]
        return problems.shown({"cancelled": order.order_id})

    async def take_back(self, request: Request) -> Response:
        """Everything comes back: money, spent points, and the earned ones go."""
        order = self._order(request)
        if not order.paid or order.returned:
            raise NotNow("There is nothing of this order to return.")
        back: dict[str, int] = {"refund_kopecks": order.pay_kopecks}
        if order.hold_id is not None or order.quote_id is not None:
            done = await self._vezde.send(
                orders.cancel(CHANNEL, order.order_id, key=f"return-{order.order_id}")
            )
            back = {
                "refund_kopecks": done.refund_kopecks,
                "restored_points": done.restored_points,
                "reversed_points": done.reversed_points,
            }
        return self._keep(replace(order, returned=True), **back)

    def _order(self, request: Request) -> Order:
        found = self._orders.get(request.path_params["order_id"])
        if found is None:
            raise NoSuchOrder("The shop has no such order; it forgets them when it is restarted.")
        return found

    def _keep(self, order: Order, **more: int) -> Response:
        self._orders[order.order_id] = order
        return problems.shown({**order.shown(), **more})


def _sale(order: Order, paid_at: datetime) -> Call[orders.Order] | None:
    """How a paid order is told: by its hold, or, with money alone, by the quote of who bought."""
    if order.hold_id is not None:
        return checkout.commit(order.hold_id, order.order_id, paid_at)
    if order.quote_id is None:
        return None
    return orders.record_quoted(
        order.order_id,
        order.quote_id,
        CHANNEL,
        order.lines,
        paid_kopecks=order.pay_kopecks,
        ordered_at=order.ordered_at or paid_at,
        paid_at=paid_at,
    )


def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, goods.ShopError), "installed for those alone"
    body = {"code": error.code, "detail": str(error)}
    return problems.shown(body, error.status, kind="application/problem+json")


def _problem(_request: Request, error: Exception) -> Response:
    """What Vezde refused; a fresh quote goes on to the page."""
    assert isinstance(error, Problem), "installed for those alone"
    body: dict[str, Any] = {"code": error.code, "detail": error.detail}
    if isinstance(error, PriceChanged | QuoteExpired):
        body["max_points"] = error.quote.max_points
    status = error.status if error.status in {409, 422, 429, 503} else 502
    return problems.shown(body, status, kind="application/problem+json")


def _unreachable(_request: Request, _error: Exception) -> Response:
    body = {"code": "unreachable", "detail": "Points are not available just now; pay in money."}
    return problems.shown(body, 503, kind="application/problem+json")
