"""The shipped places of purchase and the rules that name one; pure but for reading its file once.

Source of the data and of the rules' order: registry.yaml beside this file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import resources
from typing import Any

from ruamel.yaml import YAML

from vezde.sellers.model import OTHER, Kind, Place, Whereabouts, clean_inn

HOST = re.compile(r"(?:[\w-]+\.)+[^\W\d_]{2,}")
MAIL_DOMAIN = re.compile(r"@([\w.-]+)\s*$")


@dataclass(frozen=True)
class LegalPerson:
    """An INN of a place; `evidence` is `receipt` or `public`, `until` its last day of trade."""

    inn: str
    legal_name: str
    evidence: str
    until: date | None = None


@dataclass(frozen=True)
class KnownPlace:
    name: str
    kind: Kind
    sales_channel: str
    hosts: tuple[str, ...]
    inns: tuple[LegalPerson, ...]
    when: re.Pattern[str] | None

    def fits(self, seen: Whereabouts) -> bool:
        if self.when is None:
            return True
        said = f"{seen.retail_place or ''}\n{seen.address or ''}"
        return self.when.search(said.casefold()) is not None


@dataclass(frozen=True)
class Label:
    """What an operator called an INN."""

    name: str
    kind: str
    sales_channel: str


@dataclass(frozen=True)
class Registry:
    places: tuple[KnownPlace, ...]
    by_inn: Mapping[str, tuple[KnownPlace, ...]]
    by_host: Mapping[str, KnownPlace]

    def of_inn(self, inn: str | None, seen: Whereabouts) -> KnownPlace | None:
        return next((place for place in self.by_inn.get(inn or "", ()) if place.fits(seen)), None)

    def of_host(self, text: str | None) -> KnownPlace | None:
        """The place whose site stands in the text, as itself or as a subdomain."""
        for match in HOST.finditer((text or "").casefold()):
            host = match.group()
            while "." in host:
                if host in self.by_host:
                    return self.by_host[host]
                host = host.partition(".")[2]
        return None


@cache
def shipped() -> Registry:
    """The registry of this version of the package, read once a process."""
    text = resources.files(__package__).joinpath("registry.yaml").read_text("utf-8")
    places = tuple(_place(row) for row in YAML(typ="safe", pure=True).load(text))
    by_inn: dict[str, tuple[KnownPlace, ...]] = {}
    for place in places:
        for person in place.inns:
            by_inn[person.inn] = (*by_inn.get(person.inn, ()), place)
    return Registry(places, by_inn, {host: place for place in places for host in place.hosts})


def _place(row: dict[str, Any]) -> KnownPlace:
    return KnownPlace(
        name=row["name"],
        kind=Kind(row["kind"]),
        sales_channel=row["sales_channel"],
        hosts=tuple(row.get("hosts", ())),
        inns=tuple(LegalPerson(**person) for person in row.get("inns", ())),
        when=re.compile(row["when"]) if "when" in row else None,
    )


def name_place(
    registry: Registry,
    seen: Whereabouts,
    *,
    own: frozenset[str],
    label: Label | None,
    timezone: str | None,
) -> Place:
    """The place of a receipt: own shops, label, INN, the till's site, its sender; else other."""
    inn = clean_inn(seen.inn)
    printed = (seen.name or seen.retail_place or "").strip()
    if inn in own:
        kind = Kind.OWN_SITE if seen.internet else Kind.OWN_SHOP
        name = label.name if label else printed
        return Place(inn, name or str(inn), kind.value, kind.value, timezone, known=True)
    if label is not None:
        return Place(inn, label.name, label.kind, label.sales_channel, timezone, known=True)
    sender = MAIL_DOMAIN.search(seen.sender or "")
    place = (
        registry.of_inn(inn, seen)
        or registry.of_host(seen.retail_place)
        or registry.of_host(sender[1] if sender else None)
    )
    if place is None:
        return Place(inn, printed or inn or "", Kind.OTHER.value, OTHER, timezone, known=False)
    return Place(inn, place.name, place.kind.value, place.sales_channel, timezone, known=True)
