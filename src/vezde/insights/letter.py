"""The weekly letter: what happened, in the words of the brand's people; sending it is others'."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape

from vezde.insights.model import CHANNEL, FACTS, STATUS, Figures
from vezde.kit import i18n
from vezde.kit.i18n import Locale

ENROLLED, ACCRUED = "member.enrolled/1", "points.accrued/1"
SPENT, EXPIRED = "points.spent/1", "points.expired/1"
MOST_CHANNELS = 5


@dataclass(frozen=True)
class Week:
    """A week, the one before it, and what waits for people now."""

    programme: str
    now: Figures
    before: Figures
    waiting: int
    late: bool
    troubles: int
    channels: Mapping[str, str]


@dataclass(frozen=True)
class Letter:
    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class _Words:
    subject: str
    intro: str
    members: str
    receipts: str
    accepted: str
    review: str
    rejected: str
    accrued: str
    spent: str
    before: str
    channels: str
    waiting: str
    late: str
    troubles: str
    none: str
    elsewhere: str
    foot: str


WORDS: Mapping[Locale, _Words] = {
    Locale.RU: _Words(
        subject="{programme}: неделя {dates}",
        intro="Что было за неделю {dates}. В скобках — неделей раньше.",
        members="Новых участников",
        receipts="Чеков",
        accepted="из них принято",
        review="ждут человека",
        rejected="отклонено",
        accrued="Начислено баллов",
        spent="Потрачено баллов",
        before="неделей раньше",
        channels="Откуда чеки",
        waiting="Сейчас в очереди на разбор: {count}.",
        late="Есть строки, которые ждут дольше обещанного.",
        troubles="Неполадки, на которые надо посмотреть: {count}.",
        none="Чеков не было.",
        elsewhere="остальные",
        foot="Подробности — в кабинете.",
    ),
    Locale.EN: _Words(
        subject="{programme}: week of {dates}",
        intro="What happened in the week of {dates}. In brackets: the week before.",
        members="New members",
        receipts="Receipts",
        accepted="of them accepted",
        review="wait for a person",
        rejected="rejected",
        accrued="Points given",
        spent="Points spent",
        before="the week before",
        channels="Where receipts come from",
        waiting="Lines waiting to be decided now: {count}.",
        late="Some have waited longer than promised.",
        troubles="Troubles to look at: {count}.",
        none="There were no receipts.",
        elsewhere="others",
        foot="More in the console.",
    ),
}


def letter(week: Week, *, locale: Locale) -> Letter:
    """The letter as text and as HTML; equal figures in both."""
    words = WORDS[locale]
    dates = f"{_day(week.now.first, locale)} – {_day(week.now.last, locale)}"
    subject = words.subject.format(programme=week.programme, dates=dates)
    intro = words.intro.format(dates=dates)
    rows = _rows(week, words)
    places = _places(week, words, locale)
    notes = _notes(week, words)
    return Letter(
        subject,
        _text(intro, rows, words, places, notes, locale),
        _html(subject, intro, rows, words, places, notes, locale),
    )


def _rows(week: Week, words: _Words) -> list[tuple[str, int, int]]:
    def pair(what: str, of: str, *, amount: bool = False) -> tuple[int, int]:
        one, other = week.now.of(what, of), week.before.of(what, of)
        return (one.amount, other.amount) if amount else (one.number, other.number)

    def receipts(found: Figures) -> int:
        return sum(one.number for one in found.by.get(STATUS, {}).values())

    return [
        (words.members, *pair(FACTS, ENROLLED)),
        (words.receipts, receipts(week.now), receipts(week.before)),
        (words.accepted, *pair(STATUS, "accepted")),
        (words.review, *pair(STATUS, "in_review")),
        (words.rejected, *pair(STATUS, "rejected")),
        (words.accrued, *pair(FACTS, ACCRUED, amount=True)),
        (words.spent, *pair(FACTS, SPENT, amount=True)),
    ]


def _places(week: Week, words: _Words, locale: Locale) -> list[tuple[str, str]]:
    sums = sorted(week.now.by.get(CHANNEL, {}).items(), key=lambda one: -one[1].number)
    return [
        (week.channels.get(name, name) or words.elsewhere, i18n.number(one.number, locale))
        for name, one in sums[:MOST_CHANNELS]
    ]


def _notes(week: Week, words: _Words) -> list[str]:
    notes = [words.waiting.format(count=week.waiting)]
    if week.late:
        notes.append(words.late)
    if week.troubles:
        notes.append(words.troubles.format(count=week.troubles))
    return notes


def _text(
    intro: str,
    rows: list[tuple[str, int, int]],
    words: _Words,
    places: list[tuple[str, str]],
    notes: list[str],
    locale: Locale,
) -> str:
    told = [
        f"{name}: {i18n.number(one, locale)} ({i18n.number(before, locale)})"
        for name, one, before in rows
    ]
    where = [f"{name}: {count}" for name, count in places] or [words.none]
    parts = [intro, "\n".join(told), "\n".join([f"{words.channels}:", *where]), "\n".join(notes)]
    return "\n\n".join([*parts, words.foot]) + "\n"


CELL = "padding:6px 12px 6px 0;border-bottom:1px solid #e3e3ec"


def _html(
    subject: str,
    intro: str,
    rows: list[tuple[str, int, int]],
    words: _Words,
    places: list[tuple[str, str]],
    notes: list[str],
    locale: Locale,
) -> str:
    """Tables and styles inline: what mail programs read."""
    told = "".join(
        f'<tr><td style="{CELL}">{escape(name)}</td>'
        f'<td style="{CELL};text-align:right"><b>{escape(i18n.number(one, locale))}</b></td>'
        f'<td style="{CELL};text-align:right;color:#5f6172">{escape(i18n.number(before, locale))}'
        "</td></tr>"
        for name, one, before in rows
    )
    where = "".join(
        f'<tr><td style="{CELL}">{escape(name)}</td>'
        f'<td style="{CELL};text-align:right">{escape(count)}</td></tr>'
        for name, count in places
    )
    said = "".join(f"<p>{escape(one)}</p>" for one in notes)
    table = '<table role="presentation" cellspacing="0" style="border-collapse:collapse">'
    places_html = f"{table}{where}</table>" if where else f"<p>{escape(words.none)}</p>"
    return (
        f'<!doctype html><html lang="{locale}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(subject)}</title></head>"
        '<body style="margin:0;background:#f6f6fa;font:16px/1.5 -apple-system,Segoe UI,Roboto,'
        'Arial,sans-serif;color:#1d1d24"><div style="max-width:560px;margin:0 auto;padding:24px;'
        f'background:#ffffff"><h1 style="font-size:20px">{escape(subject)}</h1>'
        f"<p>{escape(intro)}</p>{table}{told}</table>"
        f'<h2 style="font-size:16px">{escape(words.channels)}</h2>{places_html}'
        f"{said}<p>{escape(words.foot)}</p></div></body></html>"
    )


def _day(day: date, locale: Locale) -> str:
    return i18n.day(day, locale)
