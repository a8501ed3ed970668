"""Findings in words, for operators: what was seen, in numbers, and nobody's name."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from vezde.receipts.signals.model import Finding, Signal

Said = Callable[[Mapping[str, Any]], str]

RU: Final[Mapping[Signal, Said]] = {
    Signal.PER_HOUR: lambda saw: f"Покупок в магазинах за час: {_many(saw, 'обычно')}",
    Signal.PER_DAY: lambda saw: f"Покупок за день: {_many(saw, 'обычно')}",
    Signal.PER_WEEK: lambda saw: f"Покупок за семь дней: {_many(saw, 'обычно')}",
    Signal.PER_SHOP: lambda saw: f"Покупок в этом магазине за семь дней: {_many(saw, 'обычно')}",
    Signal.AGE: lambda saw: f"Чек показан через {saw['days']} дн. после покупки",
    Signal.OLD_IN_BULK: lambda saw: (
        f"Чеков старше {saw['older_than_days']} дн., показанных за неделю: {_many(saw, 'обычно')}"
    ),
    Signal.NEW_SELLER: lambda saw: (
        f"Продавца никто ещё не назвал, это его {saw['receipts']}-й чек у нас"
    ),
    Signal.TILL_RUN: lambda saw: (
        f"Чеки одной кассы с номерами рядом (не дальше {saw['within']}): {_many(saw, 'обычно')}"
    ),
    Signal.PACK_SEEN: lambda saw: f"Упаковки из этого чека уже были в другом чеке: {saw['packs']}",
    Signal.TRAVEL: lambda saw: (
        f"Две покупки в регионах {' и '.join(saw['subjects'])}: {saw['km']} км за "
        f"{saw['minutes']} мин"
    ),
    Signal.PRICE: lambda saw: (
        f"Цена — {saw['percent']} % от рекомендованной, таких строк: {saw['lines']}"
    ),
    Signal.NIGHT: lambda saw: f"Покупок за одну ночь: {_many(saw, 'обычно')}",
    Signal.DEVICE: lambda saw: (
        f"Участников с одного устройства за {saw['within_days']} дн.: {_many(saw, 'обычно')}"
    ),
    Signal.WATCHED_SELLER: lambda _: "За этим продавцом наблюдают",
}
EN: Final[Mapping[Signal, Said]] = {
    Signal.PER_HOUR: lambda saw: f"Purchases at shops within an hour: {_many(saw, 'usually')}",
    Signal.PER_DAY: lambda saw: f"Purchases of one day: {_many(saw, 'usually')}",
    Signal.PER_WEEK: lambda saw: f"Purchases of seven days: {_many(saw, 'usually')}",
    Signal.PER_SHOP: lambda saw: f"Purchases of seven days at this shop: {_many(saw, 'usually')}",
    Signal.AGE: lambda saw: f"Shown {saw['days']} days after the purchase",
    Signal.OLD_IN_BULK: lambda saw: (
        f"Receipts older than {saw['older_than_days']} days, shown within a week: "
        f"{_many(saw, 'usually')}"
    ),
    Signal.NEW_SELLER: lambda saw: (
        f"Nobody has named the seller yet, and this is receipt {saw['receipts']} of it here"
    ),
    Signal.TILL_RUN: lambda saw: (
        f"Receipts of one till with numbers side by side (within {saw['within']}): "
        f"{_many(saw, 'usually')}"
    ),
    Signal.PACK_SEEN: lambda saw: (
        f"Packs of this receipt that were on another receipt before: {saw['packs']}"
    ),
    Signal.TRAVEL: lambda saw: (
        f"Two purchases in the regions {' and '.join(saw['subjects'])}: {saw['km']} km in "
        f"{saw['minutes']} minutes"
    ),
    Signal.PRICE: lambda saw: (
        f"A price that is {saw['percent']} % of the recommended one; lines like that: "
        f"{saw['lines']}"
    ),
    Signal.NIGHT: lambda saw: f"Purchases of one night: {_many(saw, 'usually')}",
    Signal.DEVICE: lambda saw: (
        f"Members on one device in {saw['within_days']} days: {_many(saw, 'usually')}"
    ),
    Signal.WATCHED_SELLER: lambda _: "This seller is being watched",
}


def text(finding: Finding, locale: str) -> str:
    """The reason in `ru` or `en`; any other locale reads English."""
    said = RU if locale.split("-", maxsplit=1)[0] == "ru" else EN
    return said[finding.signal](finding.saw)


def _many(saw: Mapping[str, Any], usually: str) -> str:
    up_to = "до" if usually == "обычно" else "up to"
    return f"{saw['number']} ({usually} {up_to} {saw['usual']})"
