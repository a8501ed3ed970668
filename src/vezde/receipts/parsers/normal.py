"""One receipt's fields, of whatever source, to a `FiscalDocument`. Numbers in brackets are tags."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from vezde.purchases import marks
from vezde.receipts.model import (
    CORRECTIONS,
    MOST_FN,
    MOST_UINT32,
    FiscalDocument,
    FiscalKey,
    FiscalLine,
    QrFields,
)
from vezde.receipts.parsers import marking, orders, values
from vezde.receipts.parsers.errors import UnreadableDocument
from vezde.receipts.parsers.wrappers import FORMS, Found

MOST_LINES = 2_000
# Total (1020), then what it was paid with: cash (1031), card (1081), advance (1215), credit (1216),
# barter (1217).
SUMS = ("totalSum", "cashTotalSum", "ecashTotalSum", "prepaidSum", "creditSum", "provisionSum")
KEY = ("fiscalDriveNumber", "fiscalDocumentNumber", "fiscalSign")


def document(found: Found, *, expected: QrFields | None) -> FiscalDocument:
    """The receipt in normal form; raises `UnreadableDocument` naming what is missing or wrong."""
    fields = found.fields
    expected = expected or found.qr
    items = _items(fields)
    in_rubles = _in_rubles(found, items, expected)
    order = orders.of_receipt(fields)
    total, cash, ecash, prepaid, credit, provision = (
        values.kopecks(fields.get(name), name, in_rubles=in_rubles) for name in SUMS
    )
    return FiscalDocument(
        key=_key(fields, expected),
        wall_time=values.wall_time(fields.get("dateTime"), expected),
        operation=_operation(fields.get("operationType"), expected),
        code=_code(found),
        seller_inn=values.inn(fields.get("userInn")),
        seller_name=values.text(fields.get("user")),
        retail_place=values.text(fields.get("retailPlace")),
        address=_address(found),
        sender=values.text(fields.get("sellerAddress")),
        kkt_reg_id=values.text(fields.get("kktRegId")),
        internet=fields.get("internetSign") in (1, "1"),
        region=values.text(fields.get("region")),
        total_kopecks=total,
        cash_kopecks=cash,
        ecash_kopecks=ecash,
        prepaid_kopecks=prepaid,
        credit_kopecks=credit,
        provision_kopecks=provision,
        lines=tuple(
            _line(number, item, in_rubles=in_rubles, order=order)
            for number, item in enumerate(items, start=1)
        ),
    )


def _items(fields: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    items = fields.get("items")
    if items is None:  # the till of a correction need not list them
        return []
    if not isinstance(items, list) or len(items) > MOST_LINES:
        raise UnreadableDocument(f"The receipt's items are not a list of up to {MOST_LINES}.")
    for number, item in enumerate(items, start=1):
        if not isinstance(item, Mapping):
            raise UnreadableDocument(f"Item {number} of the receipt is not an object.")
    return items


def _in_rubles(found: Found, items: list[Mapping[str, Any]], expected: QrFields | None) -> bool:
    """Rubles or kopecks, decided once for a receipt; in doubt kopecks, which give fewer points.

    The QR's sum decides; else a fraction does, which kopecks have not; else the source's habits,
    among them those of «Мои чеки онлайн»: numbers of two fields as text, nulls for what is absent.
    """
    fields = found.fields
    if fields.get("totalSum") is None:
        raise UnreadableDocument("The receipt has no totalSum.")
    if expected is not None:
        total = values.number(fields["totalSum"], "totalSum")
        if total in {expected.total_kopecks, expected.total_kopecks / Decimal(100)}:
            return total != expected.total_kopecks
    if any(_has_fraction(fields.get(name)) for name in SUMS):
        return True
    if any(_has_fraction(item.get("sum")) or _has_fraction(item.get("price")) for item in items):
        return True
    if found.in_rubles:
        return True
    as_text = (fields.get("fiscalSign"), fields.get("fiscalDocumentFormatVer"))
    return all(isinstance(one, str) for one in as_text) and None in fields.values()


def _has_fraction(value: Any) -> bool:
    """Whether it counts parts of its unit; text shows that by a point, even before zeros."""
    if isinstance(value, float):
        return not value.is_integer()
    if isinstance(value, Decimal):
        return value != value.to_integral_value()
    return isinstance(value, str) and ("." in value or "," in value)


def _key(fields: Mapping[str, Any], expected: QrFields | None) -> FiscalKey:
    fn, fd, fp = (values.whole(fields.get(name), name) for name in KEY)
    if expected is not None:
        fn = expected.fn if fn is None else fn
        fd = expected.fd if fd is None else fd
        fp = expected.fp if fp is None else fp
    if fn is None or fd is None or fp is None:
        raise UnreadableDocument(
            f"The receipt has no fiscal key ({', '.join(KEY)}); send one that has it."
        )
    if not (0 < fn <= MOST_FN and 0 < fd <= MOST_UINT32 and 0 <= fp <= MOST_UINT32):
        raise UnreadableDocument("The receipt's fiscal key is not one that a till can print.")
    return FiscalKey(fn, fd, fp)


def _operation(value: Any, expected: QrFields | None) -> int:
    """Tag 1054; a source that leaves it out means what the QR says, else a sale."""
    if value is None:
        return expected.operation if expected else 1
    operation = values.small(value)
    if operation not in {1, 2, 3, 4}:
        raise UnreadableDocument("The receipt's operationType is not 1 to 4.")
    return operation


def _code(found: Found) -> int | None:
    """The code of form, told by the receipt or its wrapper; any sign of a correction wins.

    A correction repeats a sale that may have been shown already, so it must not pass for one.
    """
    fields, metadata = found.fields, found.fields.get("metadata")
    subtype = metadata.get("subtype") if isinstance(metadata, Mapping) else None
    names = (found.name, found.around.get("subtype"), subtype)
    told = [values.small(fields.get("code")), values.small(fields.get("receiptCode"))]
    told += [FORMS[name] for name in names if isinstance(name, str) and name in FORMS]
    codes = [code for code in told if code in FORMS.values()]
    if correction := next((code for code in codes if code in CORRECTIONS), None):
        return correction
    code = codes[0] if codes else None
    if any(fields.get(name) is not None for name in ("correctionType", "correctionDocumentNumber")):
        return 41 if code == FORMS["bso"] else 31
    return code


def _address(found: Found) -> str | None:
    """Where the till stands (1009), else where the tax service has it registered."""
    metadata = found.fields.get("metadata")
    return (
        values.text(found.fields.get("retailPlaceAddress"))
        or values.text(found.fields.get("retailAddress"))
        or values.text(found.around.get("address"))
        or (values.text(metadata.get("address")) if isinstance(metadata, Mapping) else None)
    )


def _line(
    number: int, item: Mapping[str, Any], *, in_rubles: bool, order: str | None
) -> FiscalLine:
    gtin, serial = marking.code(item)
    mark, own_order = orders.of_item(item)
    printed = values.text(item.get("name"))
    return FiscalLine(
        line=number,
        name=marks.without(printed),
        quantity_micro=values.quantity_micro(item.get("quantity"), "quantity"),
        price_kopecks=values.kopecks(item.get("price"), "price", in_rubles=in_rubles),
        sum_kopecks=values.kopecks(item.get("sum"), "sum", in_rubles=in_rubles),
        payment_type=values.small(item.get("paymentType")),
        product_type=values.small(item.get("productType")),
        provider_inn=values.inn(item.get("providerInn")),
        gtin=gtin,
        serial=serial,
        mark=marks.find(printed) or mark,
        order_number=own_order or order,
    )
