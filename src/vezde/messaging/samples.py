"""Texts as a member would read them, with made-up values in place of the real ones."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from vezde.kit import i18n
from vezde.kit.i18n import Locale, Plural
from vezde.messaging import catalogue, queries
from vezde.messaging.templates import Lines, Money, Points

POINTS, WAITING_POINTS, SHOWN_POINTS = 83, 41, 100
DAY = date(2026, 12, 9)
# Where points are what was just added.
SIGNED = ("receipt", "why", "points_activated", "pack_")
SAID: Mapping[Locale, Mapping[str, str]] = {
    Locale.RU: {
        "place": "Магазин у дома, 25.11.2026",
        "items": "Крем для лица, 50 мл · +83",
        "entries": "+83 · Покупка: Магазин у дома · 25 ноября",
        "parts": "Крем для лица, 50 мл · 10 % · +83",
        "title": "Покупка: Магазин у дома",
        "subject": "Подтвердите почту",
        "missing": "· ФН — 16 цифр",
        "goods": "Крем для лица, 50 мл",
    },
    Locale.EN: {
        "place": "Corner shop, 25.11.2026",
        "items": "Face cream, 50 ml · +83",
        "entries": "+83 · Purchase: Corner shop · 25 November",
        "parts": "Face cream, 50 ml · 10% · +83",
        "title": "Purchase: Corner shop",
        "subject": "Confirm your e-mail",
        "missing": "· FN (ФН), 16 digits",
        "goods": "Face cream, 50 ml",
    },
}


@dataclass(frozen=True)
class Brand:
    """What texts are made of beside their words: `own` is the programme's section `texts`."""

    name: str
    point_value_kopecks: int
    points_name: Mapping[Locale, Plural]
    own: Mapping[str, Any]


def shown(key: str, locale: Locale, brand: Brand) -> str:
    """The text, as HTML; raises `BrokenTemplate` where words and variables do not fit."""
    return queries.preview(
        key,
        locale,
        variables=variables(key, locale, brand),
        own=brand.own,
        points_name=brand.points_name.get(locale),
    )


def variables(key: str, locale: Locale, brand: Brand) -> dict[str, Any]:
    """A value for each variable of a text."""
    pay = i18n.points(SHOWN_POINTS, brand.points_name.get(locale), locale)
    money = i18n.rubles(SHOWN_POINTS * brand.point_value_kopecks, locale)
    said = SAID[locale]
    known: dict[str, Any] = {
        "brand": brand.name,
        "points_pay": f"{pay} = {money}",
        "points": Points(POINTS, signed=key.startswith(SIGNED)),
        "active": Points(POINTS),
        "pending": Points(WAITING_POINTS),
        "pays": Money(POINTS * brand.point_value_kopecks),
        "day": DAY,
        "guest_until": DAY,
        "left": Points(WAITING_POINTS),
        "site": "club.example",
        "sender": "shop.example",
        "address": "m-7f3k2q@mail.club.example",
        "code": "4071",
        "number": "27",
        "count": 3,
        "accepted": 2,
        "waiting": 0,
        "rejected": 1,
        "known": 1,
        "unread": 0,
        "place": said["place"],
        "title": said["title"],
        "subject": said["subject"],
        "goods": said["goods"],
        **{name: Lines((said[name],)) for name in ("items", "entries", "parts", "missing")},
    }
    return {name: known[name] for name in catalogue.shipped()[key].variables}
