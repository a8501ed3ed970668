"""A bot under a crowd: 200 updates a second of mixed conversation, and how soon each is answered.

    python benchmarks/bot.py
    python benchmarks/bot.py --seconds 600     # memory over minutes

Starts `vezde serve` in a folder of its own; this process is Telegram (`vezde.testing.telegram`)
and the people in it, so their CPU is told apart. Updates come at a fixed rate, answered or not.
The time is from Telegram handing an update out to the first answer it gets. Then the same
installation with Telegram's real allowance of 30 messages a second: answers queue, none is lost.
Prints a JSON line a figure.
"""

import argparse
import bisect
import json
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import _machine
from _crowd import Crowd, Papers

from vezde.receipts.model import FiscalDocument
from vezde.testing.installation import Installation
from vezde.testing.receipts import (
    CORNER_SHOP,
    OZON,
    PYATEROCHKA,
    WILDBERRIES,
    Shape,
    line,
    receipt,
    render,
)
from vezde.testing.telegram import actions
from vezde.testing.telegram.fake import FakeTelegram
from vezde.testing.telegram.statistics import Timing

PROGRAM = {
    "name": "Лунария",
    "timezone": "Europe/Moscow",
    "point_value_kopecks": 100,
    "rounding": "floor",
    "earning": {"default_rate_bp": 500},
    "receipts": {"window_days": 30, "per_day": 1_000},
    "sellers": {"own_inns": ["7801234564"]},
    "bot": {"personal_data": {"url": "https://lunaria.example/consent", "version": "1"}},
}
PRODUCTS = [
    {"sku": "CREAM-50", "name": "Крем для лица LUNARIA 50 мл", "brand": "LUNARIA", "size": "50 мл"},
    {"sku": "MASK", "name": "Маска для волос LUNARIA 100 мл", "brand": "LUNARIA", "size": "100 мл"},
]
SHOPS = (PYATEROCHKA, WILDBERRIES, OZON, CORNER_SHOP)
PICTURES_A_SECOND, TEXTS_A_SECOND = 0.22, 0.12  # of updates a second, with some to spare
WARM_SECONDS = 45  # as long as a newcomer's conversation
PATIENCE_SECONDS = 60


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=float, default=200)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--per-second", type=int, default=1_000, help="sends a second")
    options.add_argument("--queued", type=int, default=600, help="answers of the second run")
    options.add_argument("--outage", type=float, default=0, help="seconds without Telegram, after")
    chosen = options.parse_args()
    updates = chosen.rate * (chosen.seconds + WARM_SECONDS / 2)
    pictures, texts = int(updates * PICTURES_A_SECOND), int(updates * TEXTS_A_SECOND)
    bought = receipts(pictures + texts)
    with FakeTelegram() as fake, serving(chosen, fake, bought) as server:
        crowd = Crowd(fake, Papers(bought, pictures=pictures))
        talk(server, crowd, chosen)
        if chosen.outage:
            outage(server, crowd, chosen)
        if chosen.queued:
            queue(server, crowd, chosen)


def receipts(count: int) -> list[FiscalDocument]:
    """Receipts of the last weeks, two lines each, one of the brand's."""
    today = datetime.now().replace(second=0, microsecond=0) - timedelta(hours=3)  # noqa: DTZ005
    names = [one["name"] for one in PRODUCTS]
    return [
        receipt(
            number,
            lines=[line(names[number % 2], 83_000 + number % 1_000), line("Пакет-майка", 1_000)],
            seller=SHOPS[number % len(SHOPS)],
            at=today - timedelta(minutes=number % 20_000),
        )
        for number in range(count)
    ]


@contextmanager
def serving(
    chosen: argparse.Namespace, fake: FakeTelegram, bought: list[FiscalDocument]
) -> Iterator[Installation]:
    """An installation whose tax service knows these receipts, stopped and removed at the end."""
    with tempfile.TemporaryDirectory(prefix="vezde-bench-") as folder:
        documents = Path(folder) / "documents"
        documents.mkdir()
        known = [one for paper in bought for one in render(paper, Shape.EXPORT)]
        for start in range(0, len(known), 1_000):
            text = json.dumps(known[start : start + 1_000], ensure_ascii=False)
            (documents / f"{start}.json").write_text(text, "utf-8")
        with Installation(
            Path(folder) / "var",
            VEZDE_WORKERS=str(chosen.workers),
            VEZDE_DOCUMENTS_DIR=str(documents),
            VEZDE_TELEGRAM_TOKEN=fake.token,
            VEZDE_TELEGRAM_API_BASE=fake.base_url,
            VEZDE_TELEGRAM_PER_SECOND=str(chosen.per_second),
        ) as server:
            server.make_key("benchmark")
            server.call("PUT", "/v1/program", {"document": PROGRAM})
            server.call("PUT", "/v1/catalog/products", {"items": PRODUCTS, "mode": "merge"})
            yield server


def talk(server: Installation, crowd: Crowd, chosen: argparse.Namespace) -> None:
    """The first run: how soon everybody is answered, at what cost."""
    crowd.run(chosen.rate, WARM_SECONDS, rising=True)
    patient(crowd)
    first, before = crowd.fake.bot.updates.next_id, _machine.cpu(server)
    crowd.late_seconds, crowd.missed_buttons = 0.0, 0
    with _machine.watching(server) as memory:
        began = time.perf_counter()
        crowd.run(chosen.rate, chosen.seconds)
        seconds = time.perf_counter() - began
        after = _machine.cpu(server)
    drained = patient(crowd)
    answers = {one for one in crowd.wanted if one >= first}
    report_answers(server, crowd, answers, seconds, drained)
    spent = {kind: after[kind] - before[kind] for kind in after}
    updates = crowd.fake.bot.updates.next_id - first
    product = sum(one for kind, one in spent.items() if kind != "generator")
    say(
        "bot_cpu_ms_per_update",
        1e3 * product / updates,
        **{kind: round(1e3 * one / updates, 3) for kind, one in spent.items()},
        cores_busy=round(sum(spent.values()) / seconds, 2),
        cores=os.cpu_count(),
    )
    share, facts = _machine.growth(memory)
    say("bot_memory_last_to_second", share, **facts)


def patient(crowd: Crowd) -> float:
    """Wait until everybody is answered, or long enough; how long it took."""
    began = time.perf_counter()
    while time.perf_counter() - began < PATIENCE_SECONDS:
        if not unanswered(crowd, crowd.wanted):
            break
        time.sleep(0.1)
    return time.perf_counter() - began


def unanswered(crowd: Crowd, wanted: Iterable[int]) -> list[Timing]:
    """Updates without an answer; one message answers a whole album."""
    with crowd.fake.world.lock:
        timings = crowd.fake.bot.statistics.timings
        asked = [timings[one] for one in wanted if one in timings]
        albums = {one.album for one in asked if one.album and one.answered is not None}
    return [one for one in asked if one.answered is None and one.album not in albums]


def report_answers(
    server: Installation, crowd: Crowd, wanted: set[int], seconds: float, drained: float
) -> None:
    lost = unanswered(crowd, wanted)
    with crowd.fake.world.lock:
        timings = [crowd.fake.bot.statistics.timings[one] for one in wanted]
    by_kind: dict[str, list[float]] = defaultdict(list)
    for one in timings:
        if one.answered and one.handed:
            by_kind[crowd.wanted[one.update_id]].append(one.answered - one.handed)
    took = sorted(one.answered - one.handed for one in timings if one.answered and one.handed)
    waited = sorted(one.handed - one.created for one in timings if one.handed)
    say(
        "bot_first_answer_p95_ms",
        1e3 * at(took, 95),
        p50_ms=round(1e3 * at(took, 50), 1),
        p99_ms=round(1e3 * at(took, 99), 1),
        max_ms=round(1e3 * took[-1], 1),
        p95_ms_by_kind={kind: round(1e3 * at(sorted(all_), 95)) for kind, all_ in by_kind.items()},
        waited_to_be_handed_out_p95_ms=round(1e3 * at(waited, 95), 1),
        updates_per_second=round(len(wanted) / seconds, 1),
        generator_late_ms=round(1e3 * crowd.late_seconds, 1),
        buttons_not_there_yet=crowd.missed_buttons,
    )
    counted = crowd.fake.statistics()
    say(
        "bot_lost",
        len(lost),
        wanted=len(wanted),
        answered_after_the_end_seconds=round(drained, 2),
        receipts_shown=crowd.papers.shown,
        **settled(server),
        sent={name: counted["requests"].get(name, 0) for name in SENT},
        refused=counted["refusals"],
    )


SENT = ("sendmessage", "editmessagetext", "answercallbackquery", "getupdates", "getfile")


def settled(server: Installation) -> dict[str, Any]:
    """What the installation says of itself once nothing is under way any more."""
    for _ in range(600):
        figures = metrics(server)
        checks = sum(one for name, one in figures.items() if "receipt_checks" in name)
        if not checks and not figures["vezde_sends_waiting"]:
            break
        time.sleep(0.2)
    status, page = {}, server.call("GET", "/v1/receipts?limit=100")
    counts: dict[str, int] = defaultdict(int)
    while True:
        for one in page["items"]:
            counts[one["status"]] += 1
        if not page.get("next_cursor"):
            break
        page = server.call("GET", f"/v1/receipts?limit=100&cursor={page['next_cursor']}")
    status["receipts"] = dict(counts)
    return {
        **status,
        "sends_waiting": figures["vezde_sends_waiting"],
        "sends_unknown": figures["vezde_sends_unknown"],
    }


def metrics(server: Installation) -> dict[str, float]:
    _status, text = server.request("GET", "/metrics")
    lines = [one for one in text.decode().splitlines() if one and not one.startswith("#")]
    return {one.rsplit(" ", 1)[0]: float(one.rsplit(" ", 1)[1]) for one in lines}


def outage(server: Installation, crowd: Crowd, chosen: argparse.Namespace) -> None:
    """Telegram away; people go on writing at a tenth of the rate, and everybody is answered."""
    first = crowd.fake.bot.updates.next_id
    crowd.fake.outage(chosen.outage)
    crowd.run(chosen.rate / 10, chosen.outage)
    crowd.fake.recover()
    drained = patient(crowd)
    wanted = {one for one in crowd.wanted if one >= first}
    say(
        "bot_answered_after_outage_seconds",
        drained,
        outage_seconds=chosen.outage,
        wanted=len(wanted),
        lost=len(unanswered(crowd, wanted)),
        **settled(server),
    )


def queue(server: Installation, crowd: Crowd, chosen: argparse.Namespace) -> None:
    """The second run: more is asked in 3 s than may be said in 20, by people who are known."""
    server.stop()
    server.environ["VEZDE_TELEGRAM_PER_SECOND"] = "30"
    server.start()
    first = crowd.fake.bot.updates.next_id
    people = crowd.agreed[: chosen.queued]
    began = time.monotonic()
    for place, who in enumerate(people):
        time.sleep(max(0.0, began + place / chosen.rate - time.monotonic()))
        with crowd.fake.world.lock:
            actions.say(crowd.fake.world, crowd.fake.bot, who, "/balance")
    crowd.wanted = dict.fromkeys(range(first, crowd.fake.bot.updates.next_id), "text")
    patient(crowd)
    lost = unanswered(crowd, crowd.wanted)
    with crowd.fake.world.lock:
        timings = [crowd.fake.bot.statistics.timings[one] for one in crowd.wanted]
    answered = sorted(one.answered for one in timings if one.answered)
    busiest = max(
        bisect.bisect_left(answered, one + 1) - place for place, one in enumerate(answered)
    )
    took = sorted(one.answered - one.handed for one in timings if one.answered and one.handed)
    say(
        "bot_queued_lost",
        len(lost),
        wanted=len(crowd.wanted),
        asked_per_second=chosen.rate,
        answered_per_second=round(len(answered) / (answered[-1] - answered[0]), 1),
        busiest_second=busiest,
        longest_wait_seconds=round(took[-1], 1),
        **settled(server),
    )


def at(ordered: list[float], percent: int) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def say(figure: str, value: float, **facts: Any) -> None:
    print(json.dumps({"figure": figure, "value": round(value, 3), **facts}, ensure_ascii=False))


if __name__ == "__main__":
    main()
