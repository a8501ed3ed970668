"""Numbers of orders that are none: what a till prints on everything, whoever buys.

An order has one buyer. A number that another member has from the same shop links nothing: it is a
setting of the till that nobody filled in. Nor does it where two of a family show the papers of one
order, who then are served by the goods and the money, as those without numbers are. The numbers are
kept as they were printed, so that it shows whose else they are.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import LiteralString
from uuid import UUID

from vezde.kit.db import Db
from vezde.purchases.model import Book, Document

Numbered = tuple[UUID, str | None, str | None]  # member, shop's INN, number

SHARED: LiteralString = """
SELECT given.member_id, given.seller_inn, given.order_number
FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS given (member_id, seller_inn, order_number)
WHERE EXISTS (
    SELECT FROM purchases.line l
    WHERE l.order_number = given.order_number AND l.seller_inn = given.seller_inn
      AND l.member_id <> given.member_id
)
"""


async def useless(db: Db, given: Iterable[Numbered]) -> frozenset[Numbered]:
    """Those of `given` that say nothing: others have them as well, among these or before.

    A number without its shop says nothing either. Nothing is asked where nothing is numbered.
    """
    named = {one for one in given if one[2] is not None}
    found = {one for one in named if one[1] is None}
    asked = sorted(named - found)
    if not asked:
        return frozenset(found)
    columns = [list(column) for column in zip(*asked, strict=True)]
    rows = await (await db.execute(SHARED, columns)).fetchall()
    buyers: dict[tuple[str | None, str | None], set[UUID]] = {}
    for member_id, seller_inn, number in asked:
        buyers.setdefault((seller_inn, number), set()).add(member_id)
    together = {one for one in asked if len(buyers[one[1:]]) > 1}
    return frozenset({*found, *together, *((row[0], row[1], row[2]) for row in rows)})


def of_documents(documents: Sequence[Document]) -> set[Numbered]:
    """The numbers on documents that are about to be linked."""
    return {
        (document.member_id, document.seller_inn, line.order_number)
        for document in documents
        for line in document.lines
        if line.order_number is not None
    }


def of_book(book: Book) -> set[Numbered]:
    """The numbers on lines that were linked before."""
    return {
        (line.member_id, line.seller_inn, line.order_number)
        for line in book.values()
        if line.order_number is not None
    }


def without(document: Document, useless: frozenset[Numbered]) -> Document:
    """The document as it is linked: without the numbers that say nothing."""
    if not useless or not of_documents([document]) & useless:
        return document
    lines = tuple(
        replace(line, order_number=None)
        if (document.member_id, document.seller_inn, line.order_number) in useless
        else line
        for line in document.lines
    )
    return replace(document, lines=lines)


def forget(book: Book, useless: frozenset[Numbered]) -> None:
    """The same for lines that were linked before."""
    for key, line in book.items() if useless else ():
        if (line.member_id, line.seller_inn, line.order_number) in useless:
            book[key] = replace(line, order_number=None)
