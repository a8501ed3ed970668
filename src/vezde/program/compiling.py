"""A document, made ready to decide by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from vezde.kit.i18n import Locale, Plural
from vezde.program.document import ChannelRule, Document, ExpirySection, TrustSection
from vezde.program.model import Earning, Expiry, Inactivity, PackBonus, Programme, Programmes, Trust
from vezde.sellers.model import SALES_CHANNELS

DEFAULT_RULE = "earning.default"


def programme(document: Document, *, version: int, in_force_from: datetime) -> Programme:
    """The document's own sections as one flat programme, sets and lookups built once."""
    earning, exclude, expiry = document.earning, document.earning.exclude, document.expiry
    default = Earning(
        DEFAULT_RULE,
        earning.default_rate_bp,
        earning.default_hold_days,
        earning.default_at_once_bp,
    )
    return Programme(
        version=version,
        in_force_from=in_force_from,
        zone=ZoneInfo(document.timezone),
        point_value_kopecks=document.point_value_kopecks,
        rounding=document.rounding,
        default_earning=default,
        earning={name: _earning(name, rule, default) for name, rule in earning.channels.items()},
        line_rates={
            name.casefold(): (f"earning.lines.{name}", rule.rate_bp)
            for name, rule in earning.lines.items()
        },
        excluded_skus=frozenset(exclude.skus),
        excluded_categories=_folded(exclude.categories),
        excluded_tags=_folded(exclude.tags),
        points_per_day=earning.points_per_day,
        pack_bonus=(
            PackBonus(earning.pack_bonus.points, earning.pack_bonus.per_day)
            if earning.pack_bonus
            else None
        ),
        window_days=document.receipts.window_days,
        receipts_per_day=document.receipts.per_day,
        trust=_trust(document.receipts.trust),
        expiry=_expiry(expiry) if expiry else None,
        sales_channels=frozenset((*SALES_CHANNELS, *document.sales_channels)),
        name=document.name,
        points_name=_names(document),
    )


def programmes(versions: Sequence[Programme], *, chain: bytes = b"") -> Programmes:
    """All versions, by number; `chain` names them all."""
    starts = tuple(version.in_force_from for version in versions)
    return Programmes(tuple(versions), starts, chain)


def _trust(trust: TrustSection | None) -> Trust | None:
    return Trust(trust.up_to_kopecks, trust.points, trust.per_day) if trust else None


def _earning(name: str, rule: ChannelRule, default: Earning) -> Earning:
    return Earning(
        f"earning.channels.{name}",
        default.rate_bp if rule.rate_bp is None else rule.rate_bp,
        default.hold_days if rule.hold_days is None else rule.hold_days,
        default.at_once_bp if rule.at_once_bp is None else rule.at_once_bp,
    )


def _expiry(expiry: ExpirySection) -> Expiry:
    end_of, idle = expiry.end_of, expiry.inactivity
    return Expiry(
        expiry.days,
        expiry.months,
        (end_of.period, end_of.after) if end_of else None,
        Inactivity(idle.days, idle.months, frozenset(idle.activity)) if idle else None,
    )


def _folded(words: Sequence[str]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words)


def _names(document: Document) -> Mapping[Locale, Plural]:
    """What a point is called, in the languages given; Russian 1,5 балла is as 2 балла."""
    names: dict[Locale, Plural] = {}
    ru, en = document.points_name.ru, document.points_name.en
    if ru is not None:
        names[Locale.RU] = Plural(ru.one, ru.other or ru.few, ru.few, ru.many)
    if en is not None:
        names[Locale.EN] = Plural(en.one, en.other)
    return names
