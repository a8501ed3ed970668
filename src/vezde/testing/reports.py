"""Synthetic seller reports, as marketplaces make them: many columns, of which few matter."""

import io
from collections.abc import Sequence

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
MARKED_TITLES = (
    "Страна",
    "Цена товара с НДС",
    "Валюта",
    "КИЗ",
    "Баркод",
    "Артикул WB",
    "Тип операции",
    "Номер фискального документа",
    "Дата фискализации",
    "Номер фискального накопителя",
    "Rid",
    "Srid",
    "Покупатель",
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
    return workbook(WILDBERRIES_TITLES, rows)


def workbook(titles: Sequence[str], rows: Sequence[dict[str, object]]) -> bytes:
    """A workbook of one sheet with a header."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None, "a new workbook has a sheet"
    sheet.append(list(titles))
    for row in rows:
        sheet.append([row.get(title) for title in titles])
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


def withdrawn(**changes: object) -> dict[str, object]:
    """A row of a marked pack that left circulation on 5 November 2026, with changes by title."""
    return {
        "Страна": "Россия",
        "Цена товара с НДС": 830.5,
        "Валюта": "руб",
        "КИЗ": "0104605035006964215AbCdE",
        "Баркод": "2038893425820",
        "Артикул WB": 169085355,
        "Тип операции": "Вывод из оборота",
        "Номер фискального документа": 123,
        "Дата фискализации": "2026-11-05",
        "Номер фискального накопителя": "7380440800000001",
        "Rid": 606217433440,
        "Srid": SRID,
        "Покупатель": "Иванов Иван",
        **changes,
    }
