"""Texts with {variables}: checked before they are kept, filled in without a way to break.

A variable's value says how it is shown: `Points(83)` as «83 балла», `Money(8300)` as «83 ₽», a
date as «3 декабря», text escaped for HTML. Nothing else of Python's format language is taken, and
of HTML only <b>, <i>, <u>, <s>, <code> and <a href="…">, which messengers know or can drop.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from string import Formatter
from typing import Any

from vezde.kit import i18n
from vezde.kit.errors import DomainError, Kind
from vezde.kit.i18n import Locale, Plural

MOST_SHOWN = 4_096  # https://core.telegram.org/bots/api#sendmessage, after entities are parsed
MOST_OF_A_TEXT = 300  # of a variable: names, addresses, items of a receipt
MOST_LINES = 40
MARK = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)((?: [^<>]*|/)?)>")
LINK = re.compile(r' href="(?:(?:https?|tg)://[^"<>{}\s]+|\{\w+\})"')
PLAIN_MARKS = frozenset({"b", "i", "u", "s", "code"})
BIDI_CONTROLS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
FIRST_STRONG, POP = "\u2068", "\u2069"


class BrokenTemplate(DomainError):
    """A text and its variables do not fit; nothing is sent."""

    code = "broken_template"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Points:
    """A number of points, shown with the programme's own word; `signed` as «+83 балла»."""

    amount: int
    signed: bool = False


@dataclass(frozen=True)
class Money:
    kopecks: int


@dataclass(frozen=True)
class Lines:
    """Several lines, each escaped, put one under another; those over 40 are counted: «… +3»."""

    texts: tuple[str, ...]


def variables_in(text: str) -> frozenset[str]:
    """The names in a text's braces; raises `BrokenTemplate` for anything else in them."""
    names = set()
    try:
        for _literal, name, spec, conversion in Formatter().parse(text):
            if name is None:
                continue
            if spec or conversion or not name.isidentifier():
                raise BrokenTemplate(f"«{{{name}}}» is not a plain variable; write {{name}}.")
            names.add(name)
    except ValueError as error:
        raise BrokenTemplate("A brace is not closed; write {{ for a brace itself.") from error
    return frozenset(names)


def check_markup(text: str) -> None:
    """Raises `BrokenTemplate` for HTML that no messenger would take: unknown, unclosed, crossed."""
    opened: list[str] = []
    for closing, name, inside in MARK.findall(text):
        good = bool(LINK.fullmatch(inside)) if name == "a" else name in PLAIN_MARKS and not inside
        if closing:
            good = bool(opened) and opened.pop() == name and not inside
        elif good:
            opened.append(name)
        if not good:
            raise BrokenTemplate(
                f"«<{closing}{name}{inside}>» cannot stand here; use <b>, <i>, <u>, <s>, <code> or "
                '<a href="https://…">, and close them in order.'
            )
    if opened:
        raise BrokenTemplate(f"«<{opened[-1]}>» is not closed; write </{opened[-1]}>.")
    if "<" in MARK.sub("", text):
        raise BrokenTemplate("«<» begins a tag; write &lt; for the sign itself.")


def fill(
    text: str,
    variables: Mapping[str, Any],
    *,
    locale: Locale,
    points_name: Plural | None = None,
    most: int = MOST_SHOWN,
) -> str:
    """The text as HTML with its variables shown, `most` characters at most when read.

    Long variables are cut, never the text. Raises `BrokenTemplate` when a variable is missing, is
    of a type that cannot be shown, or there is too much text.
    """
    longest, lines = MOST_OF_A_TEXT, MOST_LINES
    while True:
        shown = _filled(text, variables, _Show(locale, points_name, longest, lines))
        if length(shown) <= most:
            return shown
        if longest < 10:
            raise BrokenTemplate(f"The text is longer than {most} characters; shorten it.")
        longest, lines = longest // 2, max(lines // 2, 3)


def plain(text: str, *, most: int | None = None) -> str:
    """What one reads of filled text, without HTML, cut to `most` characters: for buttons."""
    read = html.unescape(MARK.sub("", text))
    if most is None or len(read) <= most:
        return read
    return read[: most - 1].rstrip() + "…"


def length(text: str) -> int:
    """How long a messenger finds filled text: UTF-16 units of what one reads."""
    return len(plain(text).encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class _Show:
    locale: Locale
    points_name: Plural | None
    longest: int
    lines: int


def _filled(text: str, variables: Mapping[str, Any], show: _Show) -> str:
    shown = []
    for literal, name, _spec, _conversion in Formatter().parse(text):
        shown.append(literal)
        if name is None:
            continue
        if name not in variables:
            raise BrokenTemplate(f"The text needs «{name}», which is not known here.")
        shown.append(_shown(variables[name], show))
    return "".join(shown)


def _shown(value: Any, show: _Show) -> str:
    match value:
        case Points(amount, signed):
            return i18n.points(amount, show.points_name, show.locale, signed=signed)
        case Money(kopecks):
            return i18n.rubles(kopecks, show.locale)
        case Lines(texts):
            return _lines(texts, show)
        case bool() | None:
            raise BrokenTemplate("A variable is neither text nor a number.")
        case int():
            return i18n.number(value, show.locale)
        case date():
            return i18n.day(value, show.locale)
        case str():
            return html.escape(_tidy(value, show.longest))
    raise BrokenTemplate(f"A variable of type {type(value).__name__} cannot be shown.")


def _lines(texts: tuple[str, ...], show: _Show) -> str:
    short = replace(show, longest=max(show.longest // 3, 10))
    shown = [html.escape(_tidy(one, short.longest)) for one in texts[: show.lines]]
    if len(texts) > show.lines:
        shown.append(f"… +{len(texts) - show.lines}")
    return "\n".join(shown)


def _tidy(text: str, longest: int) -> str:
    """One line that cannot disturb what stands around it, whatever somebody called himself.

    Control characters go; a text written from right to left is isolated (Unicode UAX 9), so that
    it does not turn the sentence about.
    """
    known = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    known = BIDI_CONTROLS.sub("", known)
    known = "".join(
        " " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in known
    )
    known = " ".join(known.split())
    if len(known) > longest:
        known = known[: longest - 1].rstrip() + "…"
    if any(unicodedata.bidirectional(char) in {"R", "AL"} for char in known):
        return f"{FIRST_STRONG}{known}{POP}"
    return known
