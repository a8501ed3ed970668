"""What goes wrong to order: refusals, outages, slowness, cut connections; and sending limits.

    fake.order(faults.too_many(3), method="sendMessage", chat=anna)
    fake.order(faults.cut(taken=True), times=2)      # it was done, the answer never came
    fake.order(faults.http(502), seconds=10)         # whatever is asked in the next ten seconds

Descriptions are the vendor's own. Limits: https://core.telegram.org/bots/faq, "My bot is hitting
limits": about 30 messages a second for all, one a second for a chat with short bursts.
"""

import math
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field, replace
from typing import Any

from vezde.testing.telegram import model
from vezde.testing.telegram.model import ApiError

KEPT_BUCKETS = 100_000


@dataclass(frozen=True)
class Fault:
    """What a request gets instead of its answer.

    `taken` True: the request is carried out first and only the answer is lost or spoilt.
    `then` is "answer" (with `status`, `body`), "cut", "hang" or "pass" (the true answer, late).
    """

    then: str
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    error: ApiError | None = None
    delay_seconds: float = 0
    taken: bool = False


def too_many(retry_after: int) -> Fault:
    return Fault("answer", error=model.too_many(retry_after))


def blocked() -> Fault:
    return Fault("answer", error=ApiError(403, "Forbidden: bot was blocked by the user"))


def deactivated() -> Fault:
    return Fault("answer", error=ApiError(403, "Forbidden: user is deactivated"))


def chat_not_found() -> Fault:
    return Fault("answer", error=ApiError(400, "Bad Request: chat not found"))


def refused(code: int, description: str, **parameters: Any) -> Fault:
    """Any refusal in the Bot API's form."""
    return Fault("answer", error=ApiError(code, description, **parameters))


def http(status: int, *, taken: bool = False) -> Fault:
    """A gateway's page, no JSON; with 500 the Bot API's own words."""
    if status == 500:
        error = ApiError(500, "Internal Server Error")
        return Fault("answer", error=error, taken=taken)
    page = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
    page = page.replace(b"502 Bad Gateway", str(status).encode())
    return Fault("answer", status=status, body=page, content_type="text/html", taken=taken)


def garbage(body: bytes = b'{"ok":true,"result":') -> Fault:
    """Status 200 and something that is not the Bot API's JSON."""
    return Fault("answer", body=body)


def slow(seconds: float) -> Fault:
    """The true answer, late."""
    return Fault("pass", delay_seconds=seconds)


def cut(*, taken: bool = False) -> Fault:
    """The connection dies; whether the request was carried out is `taken`."""
    return Fault("cut", taken=taken)


def silence(*, taken: bool = False) -> Fault:
    """No answer ever: the client's own time limit ends it."""
    return Fault("hang", taken=taken)


@dataclass
class Order:
    """A fault, for whom, how often and until when; None is no limit."""

    fault: Fault
    methods: frozenset[str] = frozenset()  # lower case; empty is all
    chat_id: int | None = None
    times: int | None = 1
    until: float | None = None  # time.monotonic()

    def fits(self, method: str, chat_id: int | None) -> bool:
        return (not self.methods or method in self.methods) and (
            self.chat_id is None or self.chat_id == chat_id
        )


class Faults:
    """Orders in the sequence given; the first that fits a request is used."""

    def __init__(self) -> None:
        self.orders: deque[Order] = deque()
        self.used = 0

    def add(self, order: Order) -> None:
        if order.methods:
            order = replace(order, methods=frozenset(name.lower() for name in order.methods))
        self.orders.append(order)

    def clear(self) -> None:
        self.orders.clear()

    def next_for(self, method: str, chat_id: int | None) -> Fault | None:
        """The fault this request gets; a download asks as method "file"."""
        if not self.orders:
            return None
        now = time.monotonic()
        live = [one for one in self.orders if one.until is None or one.until > now]
        self.orders = deque(one for one in live if one.times is None or one.times > 0)
        for order in self.orders:
            if order.fits(method.lower(), chat_id):
                if order.times is not None:
                    order.times -= 1
                self.used += 1
                return order.fault
        return None


@dataclass
class Bucket:
    """Tokens come back at `rate` a second up to `burst`."""

    rate: float
    burst: float
    tokens: float
    at: float

    def wait(self, now: float, count: int) -> float:
        """Seconds until `count` may go; 0 takes them."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens >= count:
            self.tokens -= count
            return 0
        return (min(count, self.burst) - self.tokens) / self.rate


@dataclass
class Limits:
    """Sending limits of one bot: counted always, enforced when `enforced`."""

    enforced: bool = False
    per_second: float = 30
    chat_per_second: float = 1
    chat_burst: float = 5
    over_all: int = 0  # sends that were over, refused or not
    over_chat: int = 0
    _all: Bucket | None = None
    _chats: OrderedDict[int, Bucket] = field(default_factory=OrderedDict)

    def check(self, chat_id: int, count: int = 1) -> None:
        """Raises `ApiError` 429 with the seconds to wait, when enforced."""
        now = time.monotonic()
        if self._all is None:
            self._all = Bucket(self.per_second, self.per_second, self.per_second, now)
        wait_all = self._all.wait(now, count)
        wait_chat = self._of(chat_id, now).wait(now, count)
        self.over_all += wait_all > 0
        self.over_chat += wait_chat > 0
        if self.enforced and (wait_all or wait_chat):
            raise model.too_many(max(1, math.ceil(max(wait_all, wait_chat))))

    def _of(self, chat_id: int, now: float) -> Bucket:
        bucket = self._chats.get(chat_id)
        if bucket is None:
            bucket = Bucket(self.chat_per_second, self.chat_burst, self.chat_burst, now)
            self._chats[chat_id] = bucket
            if len(self._chats) > KEPT_BUCKETS:
                self._chats.popitem(last=False)
        return bucket
