"""Which report a file is, and what a row of each says. Facts about columns and signs: vendors'
pages and public parsers; titles have changed before, so every known one is listed.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from vezde.kit import money
from vezde.purchases import marking, marks
from vezde.purchases.reports import cells as read
from vezde.purchases.reports.cells import BadCell, Cells
from vezde.purchases.reports.model import Effect, Kind, Movement

# Field -> titles, normalised: small letters, е for ё, single spaces.
Titles = Mapping[str, tuple[str, ...]]

WILDBERRIES_WEEKLY: Final[Titles] = {
    "mark": ("srid",),
    "reason": ("обоснование для оплаты",),
    "quantity": ("кол-во", "количество"),
    "sold_on": ("дата продажи",),
    "article": ("артикул поставщика",),
    "number": ("код номенклатуры",),
    "title": ("название",),
    "marking": ("код маркировки",),
}
WILDBERRIES_MARKED: Final[Titles] = {
    "mark": ("srid",),
    "operation": ("operation_type_id", "тип операции"),
    "marking": ("excise_short", "киз", "код маркировки", "код маркировки (киз)"),
    "sold_on": ("fiscal_dt", "дата фискализации", "дата чека"),
    "number": ("nm_id", "артикул wb", "код номенклатуры"),
    "fn": ("fiscal_drive_number", "номер фискального накопителя", "номер фн"),
    "fd": ("fiscal_doc_number", "номер фискального документа", "номер фд"),
}
OZON_POSTINGS: Final[Titles] = {
    "mark": ("номер отправления",),
    "status": ("статус",),
    "accepted_on": ("принят в обработку",),
    "delivered_on": ("дата доставки",),
    "quantity": ("количество",),
    "article": ("артикул",),
    "number": ("sku", "ozon id", "ozon sku id"),
    "title": ("название товара", "наименование товара"),
}
OZON_RETURNS: Final[Titles] = {
    "mark": ("номер отправления",),
    "returned_on": ("дата возврата",),
    "status": ("статус возврата",),
    "code": ("штрихкод возврата",),
    "quantity": ("количество возвращаемых товаров", "количество"),
    "article": ("артикул товара", "артикул"),
    "number": ("ozon sku id", "sku", "ozon id"),
    "title": ("наименование товара", "название товара"),
}
MARKET_ORDERS: Final[Titles] = {
    "mark": ("order_id", "orderid", "номер заказа"),
    "status": ("offer_status", "offerstatus", "статус товара"),
    "changed_on": ("status_changed", "statuschanged", "дата изменения статуса"),
    "delivered_on": ("delivery_date", "deliverydate", "дата доставки"),
    "article": ("shop_sku", "shopsku", "your_sku", "yoursku", "ваш sku"),
    "title": ("offer_name", "offername", "название товара"),
    "quantity": ("delivered_or_returned", "deliveredorreturned", "доставлено или возвращено, шт."),
}
# What tells a kind from the others: all these fields must be there. In the order of looking.
TELLING: Final[dict[Kind, tuple[Titles, tuple[str, ...]]]] = {
    Kind.WILDBERRIES_WEEKLY: (WILDBERRIES_WEEKLY, ("mark", "reason")),
    Kind.WILDBERRIES_MARKED: (WILDBERRIES_MARKED, ("operation", "marking")),
    Kind.OZON_RETURNS: (OZON_RETURNS, ("mark", "returned_on", "status")),
    Kind.OZON_POSTINGS: (OZON_POSTINGS, ("mark", "status", "accepted_on")),
    Kind.MARKET_ORDERS: (MARKET_ORDERS, ("mark", "status", "article")),
}

# Rows of other reasons are money between the seller and the marketplace, no buyer's goods.
REASONS: Final = {
    "продажа": Effect.SOLD,
    "корректная продажа": Effect.SOLD,
    "возврат": Effect.RETURNED,
    "корректный возврат": Effect.RETURNED,
    "сторно продаж": Effect.RETURNED,
    "сторно возвратов": Effect.KEPT,
}
# The API's numbers, and the words that its page explains them by.
OPERATIONS: Final = {
    "1": Effect.SOLD,
    "вывод из оборота": Effect.SOLD,
    "2": Effect.RETURNED,
    "возврат в оборот": Effect.RETURNED,
}
DELIVERED: Final = frozenset({"доставлен", "доставлено", "delivered"})
MARKET_STATUSES: Final = {
    **dict.fromkeys(("доставлен", "доставлено", "доставлен покупателю", "delivered"), Effect.SOLD),
    **dict.fromkeys(("возвращен", "возврат", "возвращен покупателем", "returned"), Effect.RETURNED),
}


def normalise(title: object) -> str:
    return " ".join(str(title or "").replace("\u00a0", " ").lower().replace("ё", "е").split())


def wildberries_weekly(row: int, cells: Cells) -> Movement | None:
    """A unit sold or returned; the reason decides, no sign and no type of document does."""
    reason = normalise(read.text(cells, "reason"))
    effect = REASONS.get(reason)
    if effect is None:
        return None
    mark = marks.read(read.text(cells, "mark"))
    if mark is None:
        raise BadCell("Srid is empty: nothing else names the order")
    pack = marking.read(read.text(cells, "marking"))
    happened_on = read.day(cells, "sold_on")
    return Movement(
        row=row,
        effect=effect,
        key=f"{mark}|{reason}|{happened_on}|{pack.serial if pack else ''}",
        mark=mark,
        quantity_micro=read.quantity(cells, "quantity") or money.MILLION,
        happened_on=happened_on,
        article=read.text(cells, "article"),
        number=read.whole(cells, "number"),
        title=read.text(cells, "title"),
        gtin=pack.gtin if pack else None,
        serial=pack.serial if pack else None,
    )


def wildberries_marked(row: int, cells: Cells) -> Movement | None:
    """A pack withdrawn from circulation (1) or put back (2), with the fiscal key where there is."""
    effect = OPERATIONS.get(normalise(read.text(cells, "operation")))
    if effect is None:
        return None
    pack = marking.read(read.text(cells, "marking"))
    if pack is None:
        raise BadCell("The code of the pack is no marking code: 01, 14 digits, 21, serial")
    mark = marks.read(read.text(cells, "mark"))
    fn, fd = read.whole(cells, "fn"), read.whole(cells, "fd")
    return Movement(
        row=row,
        effect=effect,
        key=f"{effect}|{pack.gtin}|{pack.serial}|{mark}|{read.day(cells, 'sold_on')}",
        mark=mark,
        quantity_micro=money.MILLION,
        happened_on=read.day(cells, "sold_on"),
        number=read.whole(cells, "number"),
        gtin=pack.gtin,
        serial=pack.serial,
        fn=fn if fn and fd else None,
        fd=fd if fn and fd else None,
    )


def ozon_postings(row: int, cells: Cells) -> Movement | None:
    """Goods of a posting that was delivered; any other status may still change."""
    if normalise(read.text(cells, "status")) not in DELIVERED:
        return None
    happened_on = read.day(cells, "delivered_on") or read.day(cells, "accepted_on")
    return _of_posting(row, cells, Effect.SOLD, happened_on, "")


def ozon_returns(row: int, cells: Cells) -> Movement | None:
    """Goods a buyer gave back; what was never handed over has no day of it."""
    happened_on = read.day(cells, "returned_on")
    if happened_on is None:
        return None
    code = read.text(cells, "code") or happened_on.isoformat()
    return _of_posting(row, cells, Effect.RETURNED, happened_on, code)


def _of_posting(
    row: int, cells: Cells, effect: Effect, happened_on: date | None, code: str
) -> Movement:
    mark = marks.read(read.text(cells, "mark"))
    if mark is None:
        raise BadCell("The posting's number is empty: nothing else names the order")
    article, number = read.text(cells, "article"), read.whole(cells, "number")
    return Movement(
        row=row,
        effect=effect,
        key=f"{effect}|{mark}|{article}|{number}|{code}",
        mark=mark,
        quantity_micro=read.quantity(cells, "quantity"),
        happened_on=happened_on,
        article=article,
        number=number,
        title=read.text(cells, "title"),
    )


def market_orders(row: int, cells: Cells) -> Movement | None:
    """Goods of an order by the status of the offer; other statuses may still change."""
    effect = MARKET_STATUSES.get(normalise(read.text(cells, "status")))
    if effect is None:
        return None
    mark = marks.read(read.text(cells, "mark"))
    if mark is None:
        raise BadCell("ORDER_ID is empty: nothing else names the order")
    article = read.text(cells, "article")
    changed_on = read.day(cells, "changed_on")
    delivered_on = read.day(cells, "delivered_on")
    returned = effect is Effect.RETURNED
    return Movement(
        row=row,
        effect=effect,
        key=f"{effect}|{mark}|{article}",
        mark=mark,
        quantity_micro=read.quantity(cells, "quantity") or money.MILLION,
        happened_on=(changed_on or delivered_on) if returned else (delivered_on or changed_on),
        article=article,
        title=read.text(cells, "title"),
    )


ROWS: Final[dict[Kind, Callable[[int, Cells], Movement | None]]] = {
    Kind.WILDBERRIES_WEEKLY: wildberries_weekly,
    Kind.WILDBERRIES_MARKED: wildberries_marked,
    Kind.OZON_POSTINGS: ozon_postings,
    Kind.OZON_RETURNS: ozon_returns,
    Kind.MARKET_ORDERS: market_orders,
}
