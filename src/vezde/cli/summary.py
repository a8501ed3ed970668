"""What became of submitted receipts: a table and totals for people, NDJSON for programs."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vezde.api import names
from vezde.cli import screen
from vezde.kit import i18n
from vezde.kit.i18n import Locale, Plural
from vezde.program.model import Programme
from vezde.receipts import reasons
from vezde.receipts.model import Reason, Status
from vezde.receipts.queries import Receipt

if TYPE_CHECKING:
    from rich.table import Table

# More rows than anybody reads, and than one wants to hold; `--json` gives all.
MOST_ROWS = 200
NAME_LENGTH = 44
COLUMNS = {"file": 3, "bought": 3, "items": 5, "points": 2, "what": 6}

WORDS: Mapping[Locale, Mapping[str, str]] = {
    Locale.RU: {
        "file": "Файл",
        "bought": "Покупка",
        "items": "Наши товары",
        "points": "Баллы",
        "what": "Что с чеком",
        Status.CHECKING: "проверяется",
        Status.AWAITING_SETTLEMENT: "ждёт второго чека",
        Status.ACCEPTED: "принят",
        Status.IN_REVIEW: "на проверке",
        Status.REJECTED: "отклонён",
        "error": "не записан",
        "repeated": "показан раньше",
        "active": "активны",
        "since": "с {day}",
        "total": "Всего",
        "pending": "из них {points} станут активны позже",
        "more": "… и ещё {count}; все сразу даёт --json.",
        "nobody": (
            "Документы по QR-кодам спросить не у кого: задайте VEZDE_FNS_TOKEN, "
            "VEZDE_PROVERKACHEKA_TOKEN или VEZDE_DOCUMENTS_DIR."
        ),
        "later": "Что проверяется, решат рабочие процессы, когда найдётся документ.",
    },
    Locale.EN: {
        "file": "File",
        "bought": "Bought",
        "items": "Our products",
        "points": "Points",
        "what": "What became of it",
        Status.CHECKING: "being checked",
        Status.AWAITING_SETTLEMENT: "awaits the second receipt",
        Status.ACCEPTED: "accepted",
        Status.IN_REVIEW: "in review",
        Status.REJECTED: "rejected",
        "error": "not recorded",
        "repeated": "shown before",
        "active": "active",
        "since": "from {day}",
        "total": "In all",
        "pending": "{points} of them active later",
        "more": "… and {count} more; --json gives them all.",
        "nobody": (
            "Nobody can be asked for the documents of QR codes: set VEZDE_FNS_TOKEN, "
            "VEZDE_PROVERKACHEKA_TOKEN or VEZDE_DOCUMENTS_DIR."
        ),
        "later": "What is being checked the workers will decide once its document is found.",
    },
}
# Of several: «принято 7, отклонено 2».
COUNTED: Mapping[Locale, Mapping[str, str]] = {
    Locale.RU: {
        Status.CHECKING: "проверяется",
        Status.AWAITING_SETTLEMENT: "ждёт второго чека",
        Status.ACCEPTED: "принято",
        Status.IN_REVIEW: "на проверке",
        Status.REJECTED: "отклонено",
        "error": "не записано",
    },
    Locale.EN: {},  # as one is called
}
RECEIPTS = {
    Locale.RU: Plural(one="чек", few="чека", many="чеков", other="чека"),
    Locale.EN: Plural(one="receipt", other="receipts"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One receipt of a run: the how many-th, what came of it by `now`, or the error instead."""

    number: int
    source: str
    now: datetime
    receipt: Receipt | None = None
    products: Mapping[str, str] = field(default_factory=dict)
    repeated: bool = False
    error: str | None = None


class Report:
    """Gathers rows and shows them: all at the end as a table, or each at once as JSON."""

    def __init__(self, locale: str, programme: Programme, *, as_json: bool) -> None:
        self._locale = Locale(locale)
        self._words = WORDS[self._locale]
        self._programme = programme
        self._as_json = as_json
        self._cells: list[tuple[int, tuple[str, ...]]] = []
        self._counts: Counter[str] = Counter()
        self._pending = self._active = 0
        self._unread: list[tuple[str, str]] = []

    @property
    def all_read(self) -> bool:
        return not self._unread

    def unread(self, source: str, why: str) -> None:
        """A file, or a part of one, that could not be read."""
        self._unread.append((source, why))
        if self._as_json:
            screen.show(_json({"file": source, "error": why}))

    def add(self, row: Row) -> None:
        receipt = row.receipt
        self._counts[receipt.status if receipt else "error"] += 1
        if receipt is not None and not row.repeated:
            pending, active, _ = receipt.points(row.now)
            self._pending += pending
            self._active += active
        if self._as_json:
            screen.show(_json(self._object(row)))
        elif len(self._cells) < MOST_ROWS:
            self._cells.append((row.number, self._row(row)))

    def close(self, *, asked: bool) -> None:
        """Show the table and the totals; `asked`: somebody is asked for documents."""
        if not self._as_json:
            if self._counts:
                self._show()
            if self._counts[Status.CHECKING]:
                screen.show(self._words["later" if asked else "nobody"])
        for source, why in self._unread:
            screen.say(f"vezde: {source}: {why}")

    def _show(self) -> None:
        console = screen.console()
        console.print(self._table())
        count = self._counts.total()
        if count > len(self._cells):
            console.print(self._words["more"].format(count=count - len(self._cells)))
        called = {**self._words, **COUNTED[self._locale]}
        parts = [f"{called[what]} {number}" for what, number in self._counts.items()]
        head = i18n.counted(count, RECEIPTS[self._locale], self._locale)
        console.print(f"{self._words['total']}: {head} ({', '.join(parts)}). {self._sum()}")

    def _sum(self) -> str:
        total = self._points(self._pending + self._active, signed=True)
        if not self._pending:
            return f"{total}."
        pending = self._words["pending"].format(points=i18n.number(self._pending, self._locale))
        return f"{total}, {pending}."

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table(show_edge=False, pad_edge=False, show_lines=True)
        for name, ratio in COLUMNS.items():
            table.add_column(self._words[name], ratio=ratio, overflow="fold")
        for _, cells in sorted(self._cells):
            table.add_row(*cells)
        return table

    def _row(self, row: Row) -> tuple[str, ...]:
        receipt = row.receipt
        if receipt is None:
            return Path(row.source).name, "", "", "", f"{self._words['error']}: {row.error}"
        bought = f"{receipt.wall_time:%d.%m.%Y %H:%M}" if receipt.wall_time else ""
        return (
            Path(row.source).name,
            f"{receipt.seller_name or ''}\n{bought}".strip(),
            "\n".join(_items(row, receipt)),
            self._earned(row, receipt),
            self._what(row, receipt),
        )

    def _earned(self, row: Row, receipt: Receipt) -> str:
        pending, active, active_at = receipt.points(row.now)
        if not pending + active:
            return ""
        points = self._points(pending + active, signed=True)
        if not pending or active_at is None:
            return f"{points}\n{self._words['active']}"
        day = i18n.day(active_at.astimezone(self._programme.zone), self._locale)
        return f"{points}\n{self._words['since'].format(day=day)}"

    def _what(self, row: Row, receipt: Receipt) -> str:
        said = self._words[receipt.status]
        if row.repeated:
            said += f" ({self._words['repeated']})"
        if receipt.reason is not None:
            said += f". {self._why(receipt, receipt.reason)}"
        return said

    def _why(self, receipt: Receipt, reason: Reason) -> str:
        return reasons.text(reason, self._locale, receipt.note)

    def _points(self, amount: int, *, signed: bool) -> str:
        called = self._programme.points_name.get(self._locale)
        return i18n.points(amount, called, self._locale, signed=signed)

    def _object(self, row: Row) -> dict[str, object]:
        receipt = row.receipt
        if receipt is None:
            return {"file": row.source, "error": row.error}
        pending, active, active_at = receipt.points(row.now)
        reason = receipt.reason
        return {
            "file": row.source,
            "id": names.receipt(receipt.member_id, receipt.receipt_id),
            "status": receipt.status,
            "reason": reason and {"code": reason, "text": self._why(receipt, reason)},
            "seller": receipt.seller_name,
            "wall_time": receipt.wall_time and receipt.wall_time.isoformat(),
            "total_kopecks": receipt.total_kopecks,
            "items": [
                {
                    "line": one.line,
                    "product_sku": one.sku,
                    "product": row.products.get(one.sku or ""),
                    "points": one.points,
                }
                for one in receipt.matched
            ],
            "points": {
                "pending": pending,
                "active": active,
                "active_at": active_at and active_at.isoformat(),
            },
            "repeated": row.repeated,
        }


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _items(row: Row, receipt: Receipt) -> list[str]:
    """Our products on it, a line each; with a question mark those that somebody has to confirm."""
    printed = (
        {one.line: one.name or "" for one in receipt.document.lines} if receipt.document else {}
    )
    return [
        _short(row.products[one.sku])
        if one.sku
        else f"{_short(printed.get(one.line, ''))}{'' if one.points else ' ?'}"
        for one in receipt.matched
    ]


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH - 1].rstrip()}…"
