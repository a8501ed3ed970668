"""Where a till stands: its subject and its zone, by its address or its region's code, if sure.

A postal index, a named subject and a region code are strong: they must agree. A settlement's name
counts only where none of these is given, because streets bear names of cities.
Source of the data: regions.yaml beside this file.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Any

from ruamel.yaml import YAML

WORD = re.compile(r"[а-яa-z0-9]+(?:-[а-яa-z0-9]+)*")
INDEX = re.compile(r"[1-6]\d{5}")
EARTH_KM = 6371.0
SUBJECT_TYPES = frozenset(
    [
        "обл",
        "область",
        "край",
        "респ",
        "республика",
        "народная",
        "ао",
        "авт",
        "автономный",
        "автономная",
    ]
)


@dataclass(frozen=True)
class Subject:
    """A subject of the federation: its zone, and words that mean another zone of it.

    `code` is the tax service's, `at` its capital in degrees north and east.
    """

    code: str
    at: tuple[float, float]
    zone: str
    parts: Mapping[str, str]


@dataclass(frozen=True)
class Regions:
    by_code: Mapping[str, Subject]
    by_index: Mapping[str, Subject]
    by_key: Mapping[str, Subject]
    by_city: Mapping[str, Subject]


def timezone_of(address: str | None, *, region: str | None = None) -> str | None:
    """The IANA zone of an address as printed and of a tax service's region code ("27")."""
    return locate(address, region=region)[1]


def locate(address: str | None, *, region: str | None = None) -> tuple[str | None, str | None]:
    """The subject's code and the IANA zone; each None unless all that is said agrees on it."""
    regions = shipped()
    words = WORD.findall((address or "").casefold().replace("ё", "е"))
    names = set(_names(words))
    found = list(_strong(regions, words))
    if region is not None and (subject := regions.by_code.get(region.strip().zfill(2))):
        found.append(subject)
    found = found or [regions.by_city[name] for name in names if name in regions.by_city]
    codes, zones = {one.code for one in found}, {_zone(one, names) for one in found}
    return (
        codes.pop() if len(codes) == 1 else None,
        zones.pop() if len(zones) == 1 else None,
    )


def kilometres(one: str, other: str) -> float:
    """As the crow flies between the capitals of two subjects, by their codes; 0 if unknown."""
    first, second = shipped().by_code.get(one), shipped().by_code.get(other)
    if first is None or second is None:
        return 0.0
    (north, east), (north_2, east_2) = (map(math.radians, at.at) for at in (first, second))
    half = math.sin((north_2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north_2) * math.sin((east_2 - east) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(half))  # the haversine formula


def _strong(regions: Regions, words: list[str]) -> Iterator[Subject]:
    index = next((word for word in words if INDEX.fullmatch(word)), "")
    if subject := regions.by_index.get(index[:3]):
        yield subject
    for i, word in enumerate(words):
        if word not in SUBJECT_TYPES:
            continue
        # «Хабаровский край» is the rule, «обл. Томская» and «Республика Тыва» the exceptions.
        before = regions.by_key.get(words[i - 1]) if i else None
        after = regions.by_key.get(words[i + 1]) if i + 1 < len(words) else None
        if subject := before or after:
            yield subject


def _names(words: list[str]) -> Iterator[str]:
    """Single words and pairs of neighbours: «новый уренгой» is one name."""
    yield from words
    for first, second in pairwise(words):
        yield f"{first} {second}"


def _zone(subject: Subject, names: set[str]) -> str:
    return next((zone for word, zone in subject.parts.items() if word in names), subject.zone)


@cache
def shipped() -> Regions:
    """The regions of this version of the package, read once a process."""
    text = resources.files(__package__).joinpath("regions.yaml").read_text("utf-8")
    regions = Regions({}, {}, {}, {})
    for zone, rows in YAML(typ="safe", pure=True).load(text).items():
        for row in rows:
            _add(regions, zone, row)
    return regions


def _add(regions: Any, zone: str, row: dict[str, Any]) -> None:
    parts = {word: part for part, words in row.get("parts", {}).items() for word in words}
    subject = Subject(row["code"], (row["at"][0], row["at"][1]), zone, parts)
    regions.by_code[row["code"]] = subject
    for span in row["index"]:
        first, _, last = span.partition("-")
        for prefix in range(int(first), int(last or first) + 1):
            regions.by_index[str(prefix)] = subject
    regions.by_key.update(dict.fromkeys(row.get("keys", ()), subject))
    regions.by_city.update(dict.fromkeys([*row["cities"], *parts], subject))
