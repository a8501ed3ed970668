"""Synthetic seller reports, as marketplaces make them: many columns, of which few matter."""

import io

SRID = "eA9.00112233445566778899aabbccddeeff.0.0"
POSTING = "55887469-0288-1"
WILDBERRIES_TITLES = (
    "№",
    "Код номенклатуры",
    "Артикул поставщика",
    "Название",
    "Тип документа",
    "Обоснование для оплаты",
    "Дата продажи",
    "Кол-во",
    "Партнер",
    "Код маркировки",
    "Srid",
)
OZON_RETURNS = (
    "Схема;Наименование товара;Номер отправления;Артикул товара;OZON SKU ID;Дата возврата;"
    "Статус возврата;Комментарий покупателя;Количество возвращаемых товаров;Штрихкод возврата\n"
)
OZON_POSTINGS = (
    "Номер заказа;Номер отправления;Принят в обработку;Статус;Дата доставки;Название товара;SKU;"
    "Артикул;Количество;Адрес покупателя\n"
)
MARKET_ORDERS = (
    "ORDER_ID,CREATION_DATE,SHOP_SKU,OFFER_NAME,OFFER_STATUS,STATUS_CHANGED,DELIVERY_DATE,"
    "DELIVERED_OR_RETURNED\n"
)


def weekly(*rows: dict[str, object]) -> bytes:
    """A workbook of Wildberries; cells by title, those not given are empty."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None, "a new workbook has a sheet"
    sheet.append(WILDBERRIES_TITLES)
    for row in rows:
        sheet.append([row.get(title) for title in WILDBERRIES_TITLES])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def sold(**changes: object) -> dict[str, object]:
    """A row of a unit sold on 5 November 2026, with changes by title."""
    return {
        "№": 1,
        "Код номенклатуры": 169085355,
        "Артикул поставщика": "CREAM-50",
        "Название": "Крем для лица LUNARIA, 50 мл",
        "Тип документа": "Продажа",
        "Обоснование для оплаты": "Продажа",
        "Дата продажи": "2026-11-05",
        "Кол-во": 1,
        "Партнер": "ИП Иванов Иван",
        "Srid": SRID,
        **changes,
    }
