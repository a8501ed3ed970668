"""Faults, limits and the order of updates as the simulator gets them over HTTP, and figures."""

import time
from collections.abc import Callable

from vezde.testing.telegram import faults
from vezde.testing.telegram.faults import Fault, Limits, Order
from vezde.testing.telegram.model import JSON
from vezde.testing.telegram.world import Bot, Call, World

KINDS: dict[str, Callable[[JSON], Fault]] = {
    "too_many": lambda given: faults.too_many(int(given.get("retry_after", 1))),
    "blocked": lambda _given: faults.blocked(),
    "deactivated": lambda _given: faults.deactivated(),
    "chat_not_found": lambda _given: faults.chat_not_found(),
    "http": lambda given: faults.http(int(given.get("status", 502)), taken=_taken(given)),
    "garbage": lambda _given: faults.garbage(),
    "slow": lambda given: faults.slow(float(given.get("delay_seconds", 1))),
    "cut": lambda given: faults.cut(taken=_taken(given)),
    "silence": lambda given: faults.silence(taken=_taken(given)),
}


def read(given: JSON) -> Order:
    """`{"kind": …, "methods": [], "chat_id": …, "times": 1, "seconds": …}` and the kind's own.

    With `seconds` alone it holds for any number of requests. Raises ValueError.
    """
    make = KINDS.get(str(given.get("kind")))
    if make is None:
        raise ValueError(f"kind: one of {', '.join(KINDS)}")
    seconds = given.get("seconds")
    times = given.get("times", None if seconds is not None else 1)
    return Order(
        make(given),
        frozenset(given.get("methods", [])),
        given.get("chat_id"),
        times,
        time.monotonic() + float(seconds) if seconds is not None else None,
    )


def shown(order: Order) -> JSON:
    fault = order.fault
    return {
        "then": fault.then,
        "status": fault.error.code if fault.error else fault.status,
        "taken": fault.taken,
        "delay_seconds": fault.delay_seconds,
        "methods": sorted(order.methods),
        "chat_id": order.chat_id,
        "times": order.times,
        "seconds_left": order.until and max(0.0, order.until - time.monotonic()),
    }


def limits(given: JSON) -> Limits:
    made = Limits(bool(given.get("enforced")))
    for name in ("per_second", "chat_per_second", "chat_burst"):
        setattr(made, name, float(given.get(name, getattr(made, name))))
    return made


def updates(bot: Bot, order: str, given: JSON) -> int:
    """How many updates it concerns. Raises ValueError."""
    if order == "hold":
        bot.updates.hold()
        return 0
    if order == "release":
        count = bot.updates.release(given.get("order"), backwards=bool(given.get("backwards")))
    elif order == "repeat":
        count = bot.updates.repeat(int(given.get("count", 1)))
    else:
        raise ValueError("what can be done with updates: hold, release, repeat")
    bot.bell.ring()
    return count


def statistics(world: World, bot: Bot) -> JSON:
    callbacks = bot.callbacks.values()
    return bot.statistics.summary() | {
        "pending": len(bot.updates.pending),
        "lost": bot.updates.lost,
        "callbacks": len(callbacks),
        "callbacks_unanswered": sum(one.answer is None for one in callbacks),
        "over_limit_all": bot.limits.over_all,
        "over_limit_chat": bot.limits.over_chat,
        "faults_used": world.faults.used,
        "webhook_delivered": bot.webhook.delivered if bot.webhook else 0,
        "webhook_failed": bot.webhook.failed if bot.webhook else 0,
    }


def call(one: Call) -> JSON:
    return {
        "bot_id": one.bot_id,
        "method": one.method,
        "params": one.params,
        "at": one.at,
        "refusal": one.refusal,
        "description": one.description,
    }


def _taken(given: JSON) -> bool:
    return bool(given.get("taken"))
