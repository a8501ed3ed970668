"""Column titles, Russian and English, as catalogues and price lists have them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vezde.catalog import channels, rows

# The earlier title wins when a table has two for one field; the other column is ignored, and said.
TITLES: dict[str, tuple[str, ...]] = {
    "sku": (
        "sku", "артикул", "артикул продавца", "артикул поставщика", "артикул товара",
        "vendor code", "article", "арт", "код товара", "код",
    ),
    "gtin": (
        "gtin", "ean", "ean13", "ean 13", "barcode", "штрихкод", "штрих код", "штрихкод товара",
        "баркод", "шк",
    ),
    "name": (
        "name", "название", "наименование", "название товара", "наименование товара", "title",
        "номенклатура", "товар", "product",
    ),
    "brand": ("brand", "бренд", "торговая марка", "марка", "тм"),
    "line": ("line", "линейка", "линия", "серия", "коллекция"),
    "category": ("category", "категория", "раздел", "группа", "группа товаров", "тип товара"),
    "tags": ("tags", "теги", "тэги", "метки"),
    "size": ("size", "объем", "фасовка", "размер", "вес", "объем вес", "объем мл"),
    "shade": ("shade", "оттенок", "тон", "цвет", "color"),
    "set_units": (
        "set units", "единиц в наборе", "штук в наборе", "количество в наборе", "кол во в наборе",
        "в наборе",
    ),
    "price_kopecks": ("price kopecks", "цена в копейках", "цена коп"),
    "price": (
        "price", "цена", "розничная цена", "цена розничная", "ррц", "рекомендованная цена",
        "recommended price",
    ),
    "cost_kopecks": ("cost kopecks", "себестоимость в копейках", "себестоимость коп"),
    "cost": ("cost", "себестоимость", "закупочная цена", "цена закупки", "закупка"),
    "replenish_days": (
        "replenish days", "хватает на дней", "хватает на", "дней на упаковку", "расход дней",
    ),
    "photo_url": (
        "photo url", "photo", "фото", "ссылка на фото", "фотография", "изображение", "картинка",
        "image",
    ),
    "aliases": (
        "aliases", "псевдонимы", "названия в чеках", "название в чеке", "другие названия",
        "варианты названия", "синонимы",
    ),
    "nm_id": (
        "nm id", "nmid", "артикул wb", "артикул wildberries", "код wb", "номенклатура wb",
    ),
    "ozon_sku": ("ozon sku", "sku ozon", "артикул ozon", "ozon id", "код ozon"),
    "market_sku": (
        "market sku", "sku яндекс маркета", "артикул яндекс маркета", "артикул яндекс маркет",
        "sku на яндексе",
    ),
    "offers": ("offers", "ссылки", "ссылки на товар", "где купить"),
    "only_on": ("only on", "только на", "только в", "эксклюзив", "эксклюзивно на"),
}  # fmt: skip
BY_TITLE = {
    title: (field, rank) for field, titles in TITLES.items() for rank, title in enumerate(titles)
}
UNITS = re.compile(r" (?:руб|рублей|р|rub|₽|шт|дн|дней)$")
NOT_WORDS = re.compile(r"[\W_]+")
LINK = re.compile(r"(?:offers?|url|ссылка(?: на)?)[ .:_-]+(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    """`by_place` is cell place -> column; `titles` column -> its title in the file."""

    by_place: dict[int, str]
    titles: dict[str, str]
    ignored: tuple[str, ...]
    width: int

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(self.titles)

    @property
    def understood(self) -> dict[str, str]:
        return {title: column for column, title in self.titles.items()}


def read(cells: Sequence[Any]) -> Header:
    """What each cell of a header row means; a row that is no header gives few or no columns."""
    shown = [" ".join(str(cell).split()) if cell is not None else "" for cell in cells]
    best: dict[str, tuple[int, int]] = {}
    for place, title in enumerate(shown):
        known = _column(title)
        if known and (known[0] not in best or known[1] < best[known[0]][0]):
            best[known[0]] = (known[1], place)
    by_place = {place: column for column, (_, place) in best.items()}
    return Header(
        by_place=by_place,
        titles={column: shown[place] for place, column in by_place.items()},
        ignored=tuple(t for place, t in enumerate(shown) if t and place not in by_place),
        width=max((place for place, title in enumerate(shown) if title), default=-1) + 1,
    )


def _column(title: str) -> tuple[str, int] | None:
    plain = unicodedata.normalize("NFKC", title).casefold().replace("ё", "е")
    words = NOT_WORDS.sub(" ", plain).strip()
    known = BY_TITLE.get(words) or BY_TITLE.get(UNITS.sub("", words))
    if known or not (found := LINK.fullmatch(plain.strip())):
        return known
    try:
        return rows.OFFERS_OF + channels.read(found[1]), 0
    except ValueError:
        return None
