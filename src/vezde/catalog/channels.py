"""Sales channels as people write them in a table."""

import re

CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
WRITTEN = {
    "wb": "wildberries",
    "вб": "wildberries",
    "вайлдберриз": "wildberries",
    "озон": "ozon",
    "яндекс маркет": "yandex_market",
    "яндекс": "yandex_market",
    "маркет": "yandex_market",
    "мегамаркет": "megamarket",
    "ламода": "lamoda",
    "золотое яблоко": "goldapple",
    "летуаль": "letu",
    "лэтуаль": "letu",
    "рив гош": "rivegauche",
    "подружка": "podrygka",
    "магнит косметик": "magnit_cosmetic",
    "сайт": "own_site",
    "наш сайт": "own_site",
    "свой сайт": "own_site",
    "магазин": "own_shop",
}


def read(written: str) -> str:
    """The channel's code: `Ozon`, «Золотое Яблоко», `yandex market` -> ozon, goldapple, ….

    Raises ValueError with a sentence for what cannot be a code.
    """
    words = " ".join(written.casefold().replace("ё", "е").replace("_", " ").split())
    code = WRITTEN.get(words, words.replace(" ", "_").replace("-", "_"))
    if not CODE.fullmatch(code):
        raise ValueError(
            f"«{written[:40]}» is not a sales channel; write its code, like ozon or own_site"
        )
    return code
