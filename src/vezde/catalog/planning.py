"""What an import would do, decided in memory: nothing is read or written here."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from vezde.catalog import rows
from vezde.catalog.model import Change, Mode, Outcome, Product
from vezde.catalog.rows import Parsed


@dataclass(frozen=True)
class Stored:
    product: Product
    archived: bool


@dataclass(frozen=True)
class Plan:
    """`outcomes` in the rows' order; `write` are the products to create or change.

    `free` are those of them whose GTIN changes: they must lose it before another can take it.
    """

    outcomes: list[Outcome]
    write: list[Product]
    archive: list[str]
    free: list[str]

    @property
    def changes(self) -> bool:
        return bool(self.write or self.archive)

    def count(self, change: Change) -> int:
        return sum(outcome.outcome is change for outcome in self.outcomes)


def plan(
    parsed: Sequence[Parsed],
    *,
    stored: Mapping[str, Stored],
    owners: Mapping[str, str],
    live: Collection[str],
    mode: Mode,
) -> Plan:
    """Decide every row.

    `stored` are the products the rows name, archived ones too; `owners` is GTIN -> SKU of live
    products for the GTINs in question; `live` are the SKUs not archived, needed to replace.
    A row that is wrong changes nothing, and its product is not archived either.
    """
    wrong: dict[int, str] = {}
    wanted = _wanted(parsed, stored, mode, wrong)
    named = {one.sku for one in parsed if one.sku is not None}
    # Nothing readable in the whole import says nothing about what the brand no longer sells.
    leaving = set(live) - named if mode is Mode.REPLACE and wanted else set()
    _drop_shared_gtins(wanted, owners, leaving, wrong)
    outcomes, write = [], []
    for place, one in enumerate(parsed):
        if place in wrong:
            outcomes.append(Outcome(one.number, one.sku, Change.INVALID, wrong[place]))
            continue
        change = _change(wanted[place], stored.get(wanted[place].sku))
        if change is not Change.UNCHANGED:
            write.append(wanted[place])
        outcomes.append(Outcome(one.number, one.sku, change))
    free = [
        one.sku for one in write if one.sku in stored and stored[one.sku].product.gtin != one.gtin
    ]
    return Plan(outcomes, write, sorted(leaving), free)


def _wanted(
    parsed: Sequence[Parsed], stored: Mapping[str, Stored], mode: Mode, wrong: dict[int, str]
) -> dict[int, Product]:
    """What each good row makes of its product, by the row's place; the others go to `wrong`."""
    wanted: dict[int, Product] = {}
    first: dict[str, int] = {}
    for place, one in enumerate(parsed):
        if one.errors:
            wrong[place] = "; ".join(one.errors)
        if one.sku is None:
            continue
        if one.sku in first:
            wrong.setdefault(
                place,
                f"row {one.number}: the article «{one.sku}» stands in row {first[one.sku]} "
                "already; keep one of them",
            )
            continue
        first[one.sku] = one.number
        if place in wrong:
            continue
        before = stored.get(one.sku)
        kept = before.product if before and mode is Mode.MERGE else None
        try:
            wanted[place] = rows.apply(one, kept)
        except ValueError as error:
            wrong[place] = str(error)
    return wanted


def _drop_shared_gtins(
    wanted: dict[int, Product],
    owners: Mapping[str, str],
    leaving: Collection[str],
    wrong: dict[int, str],
) -> None:
    """Take out rows whose GTIN another product has after the import; the earlier row keeps it.

    A row taken out leaves its product with the GTIN it had, which may clash with the next: so
    until nothing is taken out any more.
    """
    place_of = {product.sku: place for place, product in wanted.items()}
    while True:
        # What stays as it is in the database: live, not leaving, not rewritten by a good row.
        taken = {
            gtin: sku
            for gtin, sku in owners.items()
            if sku not in leaving and place_of.get(sku) not in wanted
        }
        clashes = []
        for place in sorted(wanted):
            product = wanted[place]
            if product.gtin is None:
                continue
            holder = taken.setdefault(product.gtin, product.sku)
            if holder != product.sku:
                clashes.append(place)
                wrong[place] = (
                    f"the barcode {product.gtin} of «{product.sku}» belongs to «{holder}»; "
                    "a barcode is one product's"
                )
        if not clashes:
            return
        for place in clashes:
            del wanted[place]


def _change(product: Product, before: Stored | None) -> Change:
    if before is None:
        return Change.CREATED
    if before.archived or before.product != product:
        return Change.UPDATED
    return Change.UNCHANGED
