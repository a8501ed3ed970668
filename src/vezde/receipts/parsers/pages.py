"""Receipts on the public pages of operators of fiscal data: Platforma, Taxcom and their like.

A page is rows of a label and a value, a line of its own for each name; whatever the layout, the
same words stand in them. Best effort: pages change without notice, and say less than documents.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from lxml import etree, html

from vezde.purchases import marks
from vezde.receipts.model import FiscalDocument, QrFields
from vezde.receipts.parsers import normal, values
from vezde.receipts.parsers.errors import UnreadableDocument
from vezde.receipts.parsers.wrappers import Found

PAGE_BYTES = 2 * 1024 * 1024
MOST_ROWS = 20_000
# Rows of a receipt, the cells in them, and which of those are a line's name.
ROWS: Final = (
    "//*[contains(concat(' ', @class, ' '), ' check-row ')"
    " or contains(concat(' ', @class, ' '), ' check-product-name ')"
    " or contains(concat(' ', @class, ' '), ' check-headline ')]"
    " | //*[contains(concat(' ', @class, ' '), ' check-top ')]/*"
    " | //*[contains(concat(' ', @class, ' '), ' receipt_report ')]//tr[not(.//tr)]"
)
NAMES: Final = frozenset({"check-product-name", "position"})
UNSEEN: Final = "unseen"
HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
DATE: Final = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})\s+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)")
INN: Final = re.compile(r"инн\s*([0-9]{10}(?:[0-9]{2})?)\b", re.IGNORECASE)
NUMBER: Final = r"([0-9]{1,9}(?:[.,][0-9]{1,6})?)"
TIMES: Final = re.compile(rf"{NUMBER}\s*[xх×*]\s*{NUMBER}", re.IGNORECASE)
AMOUNT: Final = re.compile(r"=?\s*([0-9][0-9 ]{0,14}(?:[.,][0-9]{1,2})?)")
MISSING: Final = re.compile(r"чек\s+не\s+найден|не\s+поступил[ао]\s+к\s+оператору", re.IGNORECASE)
OPERATIONS: Final = {"приход": 1, "возврат прихода": 2, "расход": 3, "возврат расхода": 4}
HEADER: Final = {
    "fiscalDriveNumber": ("n фн", "№ фн", "зав.№ фн", "зав. № фн", "фн", "фн №"),
    "fiscalDocumentNumber": ("n фд", "№ фд", "фд", "фд №"),
    "fiscalSign": ("фп", "фпд"),
    "kktRegId": ("регистрационный номер ккт", "рег.№ ккт", "рег. № ккт", "рн ккт"),
    "totalSum": ("итог", "итого"),
    "cashTotalSum": ("наличными",),
    "ecashTotalSum": ("безналичными", "электронными"),
    "prepaidSum": ("аванс", "зачет аванса", "предварительная оплата (аванс)"),
    "creditSum": ("в кредит", "сумма по чеку (бсо) в кредит"),
    "provisionSum": ("обмен", "сумма по чеку (бсо) встречным представлением"),
    "sellerAddress": ("адрес отправителя",),
    "retailPlace": ("место расчетов", "место расчётов"),
    "propertiesData": ("дополнительный реквизит чека", "дополнительный реквизит чека (бсо)"),
}
LINE: Final = {
    "sum": ("сумма", "общая стоимость позиции с учетом скидок и наценок"),
    "paymentType": ("способ расчета", "признак способа расчета"),
    "productType": ("предмет расчета", "признак предмета расчета"),
    "providerInn": ("инн поставщика",),
}
PAYMENT: Final = {
    "предоплата 100%": 1, "предоплата": 2, "частичная предоплата": 2, "аванс": 3,
    "полный расчет": 4, "частичный расчет и кредит": 5, "передача в кредит": 6,
    "оплата кредита": 7,
}  # fmt: skip
PRODUCT: Final = {
    "товар": 1, "подакцизный товар": 2, "работа": 3, "услуга": 4, "платеж": 10,
    "агентское вознаграждение": 11, "иной предмет расчета": 13,
}  # fmt: skip
BY_LABEL: Final = {label: name for name, labels in HEADER.items() for label in labels}
LINE_BY_LABEL: Final = {label: name for name, labels in LINE.items() for label in labels}
KOPECK: Final = Decimal("0.01")


@dataclass(frozen=True)
class Row:
    """A row's cells in order; `name`: it is the name of a line."""

    cells: tuple[str, ...]
    name: bool = False


@dataclass
class Page:
    """What was read so far."""

    fields: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    head: list[str] = field(default_factory=list)


def read(page: bytes, *, expected: QrFields | None = None) -> FiscalDocument | None:
    """The receipt on a page; None when the page says that there is none.

    Money on pages is in rubles. Raises `UnreadableDocument` when it is no page of a receipt that
    we know: another layout, a captcha, or too large.
    """
    if len(page) > PAGE_BYTES:
        raise UnreadableDocument(f"The page is over {PAGE_BYTES // 1024} KB.")
    root = _parsed(page)
    rows = list(_rows(root))
    made = Page()
    for row in rows:
        _take(made, row)
    if "totalSum" not in made.fields:
        if MISSING.search(root.text_content()):
            return None
        raise UnreadableDocument("There is no receipt on this page that we can read.")
    return normal.document(Found({**_head(made), "items": made.items}), expected=expected)


def _parsed(page: bytes) -> html.HtmlElement:
    try:
        text = page.decode("utf-8")
    except UnicodeDecodeError:
        text = page.decode("cp1251", errors="replace")
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = html.document_fromstring(text.replace("\0", ""), parser=parser)
    except (etree.ParserError, ValueError) as error:  # empty, or with an encoding inside
        raise UnreadableDocument("This is no page.") from error
    for one in _all(root, "//*[@style]"):
        if HIDDEN.search(one.get("style") or ""):
            one.tag = UNSEEN
    # Not by `drop_tree`, which puts the text behind an element elsewhere and refuses signs in it
    # that the parser let in.
    etree.strip_elements(root, "script", "style", UNSEEN, with_tail=False)
    return root


def _rows(root: html.HtmlElement) -> Iterator[Row]:
    found = _all(root, ROWS)
    if len(found) > MOST_ROWS:
        raise UnreadableDocument("There are more rows on this page than a receipt has.")
    for one in found:
        inner = [each for each in one if isinstance(each.tag, str)]
        columns = [
            each for each in inner if each.tag in {"td", "th"} or "check-col" in _class(each)
        ]
        cells = tuple(text for each in columns or [one] if (text := _text(each)))
        name = any(NAMES & set(_class(each).split()) for each in [one, *columns])
        if cells:
            yield Row(cells, name)


def _all(root: html.HtmlElement, path: str) -> list[html.HtmlElement]:
    """The elements of a path, in the order of the page."""
    found: Any = root.xpath(path)
    return [one for one in found if isinstance(one, html.HtmlElement)]


def _class(one: html.HtmlElement) -> str:
    return one.get("class") or ""


def _text(one: html.HtmlElement) -> str:
    return " ".join(one.text_content().split())


def _take(page: Page, row: Row) -> None:
    """A row is a name, a value with its label, a quantity, or a line of the head."""
    if row.name and "totalSum" not in page.fields:
        page.items.append({"name": row.cells[0]})
        return
    label = row.cells[0].casefold().rstrip(": ")
    value = row.cells[-1].lstrip("= ").strip()
    if len(row.cells) == 1 and not page.items and label not in OPERATIONS:
        page.head.append(row.cells[0])
    if (operation := OPERATIONS.get(label)) is not None:
        page.fields["operationType"] = operation
    if not page.items and (date := DATE.search(" ".join(row.cells))):
        day, month, year, at = date.groups()
        page.fields.setdefault("dateTime", f"{year}-{month}-{day}T{at}")
    if name := BY_LABEL.get(label):
        if len(row.cells) > 1:
            page.fields.setdefault(name, _header_value(name, value))
    elif len(row.cells) > 1 and marks.is_label(label):
        page.fields.setdefault("properties", {"propertyName": label, "propertyValue": value})
    elif page.items and "totalSum" not in page.fields:
        _take_of_line(page.items[-1], label, value, row)


def _header_value(name: str, value: str) -> str:
    if not name.endswith("Sum"):
        return value
    amount = AMOUNT.fullmatch(value)
    return amount[1].replace(" ", "").replace(",", ".") if amount else value


def _take_of_line(item: dict[str, Any], label: str, value: str, row: Row) -> None:
    times = TIMES.fullmatch(row.cells[0])
    if times is not None and "price" not in item:
        item["quantity"], item["price"] = (part.replace(",", ".") for part in times.groups())
        exact = Decimal(item["quantity"]) * Decimal(item["price"])
        item.setdefault("sum", str(exact.quantize(KOPECK, ROUND_HALF_UP)))
        return
    name = LINE_BY_LABEL.get(label)
    if name == "sum" and len(row.cells) > 1:
        item["sum"] = _header_value("Sum", value)
    elif name == "paymentType":
        item[name] = PAYMENT.get(value.casefold())
    elif name == "productType":
        item[name] = PRODUCT.get(value.casefold())
    elif name is not None:
        item[name] = value


def _head(page: Page) -> dict[str, Any]:
    """The seller stands above all, the INN and the place below it; a correction says what it is."""
    made = dict(page.fields)
    lines = [one for one in page.head if not INN.search(one)]
    inn = next((found[1] for one in page.head if (found := INN.search(one))), None)
    if lines:
        made["user"] = lines[0]
    if inn is not None and values.inn(inn):
        made["userInn"] = inn
    made["retailPlaceAddress"] = next((one for one in lines[1:] if "," in one), None)
    if any("коррекции" in one.casefold() for one in page.head):
        made["code"] = 31
    made.setdefault("operationType", 1)
    # Texts with a point: rubles, whatever the sums are.
    made["totalSum"] = f"{values.number(made['totalSum'], 'totalSum'):.2f}"
    return made
