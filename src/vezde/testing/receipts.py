"""Synthetic receipts, in every shape that sources give them, as QR text and as a picture.

    paper = receipt(7, lines=[line("Крем LUNARIA 50 мл", 83_000)], seller=WILDBERRIES)
    render(paper, Shape.PROVERKACHEKA)   # what the provider answers
    paper.qr.text(), picture(paper)      # what the member shows

The number makes the fiscal key, so the same number is the same paper. What is rendered in any
shape reads back as the document it was made of.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from vezde.kit import money
from vezde.receipts.model import FiscalDocument, FiscalKey, FiscalLine, QrFields
from vezde.testing import dialects

NOON = datetime(2026, 11, 17, 12, 30)


@dataclass(frozen=True)
class Shop:
    """A till's owner as receipts print it."""

    inn: str
    name: str
    place: str
    address: str
    internet: bool = False
    sender: str | None = None


WILDBERRIES = Shop(
    "9714053621", 'ООО "РВБ"', "https://www.wildberries.ru", "142181, Подольск", True
)
OZON = Shop(
    "7704217370", 'ООО "ИНТЕРНЕТ РЕШЕНИЯ"', "ozon.ru", "123112, Москва", True, "seller@ozon.example"
)
PYATEROCHKA = Shop("7825706086", 'ООО "АГРОТОРГ"', "26151-Пятерочка", "191025, Санкт-Петербург")
CORNER_SHOP = Shop("7801234564", 'ООО "УГОЛОК"', "Магазин у дома", "190000, Санкт-Петербург")


def line(
    name: str | None,
    sum_kopecks: int,
    *,
    quantity: int = 1,
    payment_type: int | None = 4,
    product_type: int | None = 1,
    provider_inn: str | None = None,
    gtin: str | None = None,
    serial: str | None = None,
    order_number: str | None = None,
) -> FiscalLine:
    """A line; its number is given by the receipt it is put on."""
    return FiscalLine(
        line=0,
        name=name,
        quantity_micro=quantity * money.MILLION,
        price_kopecks=sum_kopecks // quantity,
        sum_kopecks=sum_kopecks,
        payment_type=payment_type,
        product_type=product_type,
        provider_inn=provider_inn,
        gtin=gtin,
        serial=serial,
        order_number=order_number,
    )


def receipt(
    number: int,
    *,
    lines: Sequence[FiscalLine],
    seller: Shop = PYATEROCHKA,
    at: datetime = NOON,
    operation: int = 1,
    code: int = 3,
    prepaid_kopecks: int = 0,
) -> FiscalDocument:
    """The number-th receipt: its own fiscal key, `at` in the till's local time."""
    total = sum(one.sum_kopecks for one in lines)
    return FiscalDocument(
        key=FiscalKey(
            fn=7_380_440_800_000_000 + number // 100_000,
            fd=number % 100_000 + 1,
            fp=(number * 2_654_435_761) % 2**32,
        ),
        wall_time=at,
        operation=operation,
        code=code,
        total_kopecks=total,
        lines=tuple(replace(one, line=place) for place, one in enumerate(lines, start=1)),
        seller_inn=seller.inn,
        seller_name=seller.name,
        retail_place=seller.place,
        address=seller.address,
        sender=seller.sender,
        kkt_reg_id=f"{4_877_418_000_000 + number:016d}",
        internet=seller.internet,
        ecash_kopecks=total - prepaid_kopecks,
        prepaid_kopecks=prepaid_kopecks,
    )


def advance_and_settlement(
    number: int,
    *,
    lines: Sequence[FiscalLine],
    seller: Shop = OZON,
    paid_at: datetime = NOON,
    handed_over_at: datetime,
) -> tuple[FiscalDocument, FiscalDocument]:
    """The two receipts of a marketplace order: paid ahead, then handed over."""
    ahead = [replace(one, payment_type=1, product_type=10) for one in lines]
    advance = receipt(number, lines=ahead, seller=seller, at=paid_at)
    settlement = receipt(
        number + 1,
        lines=[replace(one, payment_type=4, product_type=1) for one in lines],
        seller=seller,
        at=handed_over_at,
        prepaid_kopecks=advance.total_kopecks,
    )
    return advance, settlement


class Shape(StrEnum):
    """How sources wrap a receipt."""

    BARE = "bare"
    DOCUMENT = "document"
    TICKET = "ticket"
    EXPORT = "export"
    PROVERKACHEKA = "proverkacheka"
    CONTENT = "content"
    RUBLES = "rubles"
    ONE_OFD = "one_ofd"
    OFD_RU = "ofd_ru"
    OFD_YA = "ofd_ya"
    KONTUR = "kontur"


DIALECTS = {
    Shape.ONE_OFD: dialects.one_ofd,
    Shape.OFD_RU: dialects.ofd_ru,
    Shape.OFD_YA: dialects.ofd_ya,
    Shape.KONTUR: dialects.kontur,
}


def render(paper: FiscalDocument, shape: Shape = Shape.BARE) -> Any:
    """The receipt as JSON values of that shape."""
    fields = _fields(paper)
    match shape:
        case Shape.BARE:
            return fields
        case Shape.DOCUMENT:
            return _document(paper, fields)
        case Shape.TICKET:
            return _ticket(paper, fields)
        case Shape.EXPORT:
            return [_ticket(paper, fields)]
        case Shape.PROVERKACHEKA:
            return _proverkacheka(paper, fields)
        case Shape.CONTENT:
            return _content(paper, fields)
        case Shape.RUBLES:
            return _rubles(paper, fields)
        case _:
            return DIALECTS[shape](paper, fields)


def _fields(paper: FiscalDocument) -> dict[str, Any]:
    return {
        "code": paper.code,
        "dateTime": paper.wall_time.isoformat(),
        "operationType": paper.operation,
        "user": paper.seller_name,
        "userInn": (paper.seller_inn or "").ljust(12),
        "retailPlace": paper.retail_place,
        "retailPlaceAddress": paper.address,
        **({"sellerAddress": paper.sender} if paper.sender else {}),
        **({"internetSign": 1} if paper.internet else {}),
        **({"region": paper.region} if paper.region else {}),
        "kktRegId": (paper.kkt_reg_id or "").ljust(20),
        "fiscalDriveNumber": f"{paper.key.fn:016d}",
        "fiscalDocumentNumber": paper.key.fd,
        "fiscalSign": paper.key.fp,
        "fiscalDocumentFormatVer": 4,
        "totalSum": paper.total_kopecks,
        "cashTotalSum": paper.cash_kopecks,
        "ecashTotalSum": paper.ecash_kopecks,
        "prepaidSum": paper.prepaid_kopecks,
        "creditSum": paper.credit_kopecks,
        "provisionSum": paper.provision_kopecks,
        **_order(paper),
        "items": [_item(one, apart=one.order_number != order_of(paper)) for one in paper.lines],
    }


def order_of(paper: FiscalDocument) -> str | None:
    """The order that all lines of a receipt are of; None when they are of several, or of none."""
    numbers = {one.order_number for one in paper.lines}
    return numbers.pop() if len(numbers) == 1 else None


def _order(paper: FiscalDocument) -> dict[str, Any]:
    number = order_of(paper)
    told = {"propertyName": "Номер заказа", "propertyValue": number}
    return {"properties": told} if number else {}


def _item(one: FiscalLine, *, apart: bool) -> dict[str, Any]:
    item: dict[str, Any] = {
        "name": one.name,
        "quantity": money.quantity_number(one.quantity_micro),
        "price": one.price_kopecks,
        "sum": one.sum_kopecks,
        "nds": 1,
        "paymentType": one.payment_type,
        "productType": one.product_type,
    }
    if one.provider_inn:
        item["providerInn"] = one.provider_inn.ljust(12)
    if apart and one.order_number:
        item["propertiesItem"] = f"Заказ {one.order_number}"
    if one.gtin:
        item["productCodeNew"] = _product_code(one.gtin, one.serial)
    return {name: value for name, value in item.items() if value is not None or name == "name"}


def _product_code(gtin: str, serial: str | None) -> dict[str, Any]:
    if serial is None:
        return {"itf14": {"gtin": gtin, "sernum": "", "productIdType": 5, "rawProductCode": gtin}}
    raw = f"01{gtin}21{serial}"
    return {"gs1m": {"gtin": gtin, "sernum": serial, "productIdType": 6, "rawProductCode": raw}}


def _ticket(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "_id": f"{paper.key.fd:024x}",
        "createdAt": paper.wall_time.isoformat() + "+00:00",
        "ticket": _document(paper, {**fields, "items": [_flat(one) for one in fields["items"]]}),
    }


def _flat(item: dict[str, Any]) -> dict[str, Any]:
    """The app keeps one product code, with a GTIN that has lost its zeros."""
    flat = dict(item)
    for code in flat.pop("productCodeNew", {}).values():
        flat["productCodeData"] = {**code, "gtin": int(code["gtin"])}
    return flat


def _document(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    return {"document": {_form(paper): fields}}


def _form(paper: FiscalDocument) -> str:
    return {4: "bso", 31: "receiptCorrection", 41: "bsoCorrection"}.get(paper.code or 3, "receipt")


def _proverkacheka(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    manual = {
        "fn": f"{paper.key.fn:016d}",
        "fd": str(paper.key.fd),
        "fp": str(paper.key.fp),
        "check_time": f"{paper.wall_time:%Y%m%dT%H%M}",
        "type": str(paper.operation),
        "sum": f"{paper.total_kopecks // 100}.{paper.total_kopecks % 100:02d}",
    }
    return {
        "code": 1,
        "first": 0,
        "data": {"json": fields, "html": "<table></table>"},
        "request": {"qrurl": "", "qrfile": "", "qrraw": paper.qr.text(), "manual": manual},
    }


def _content(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    # The till's local time, stored as if it were UTC.
    content = {**fields, "dateTime": int(paper.wall_time.replace(tzinfo=UTC).timestamp())}
    del content["retailPlaceAddress"]
    around = {"id": paper.key.fd, "ofdId": "ofd1", "subtype": _form(paper)}
    return {**around, "address": paper.address, "content": content}


def _rubles(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        **fields,
        **{name: fields[name] / 100 for name in fields if name.endswith("Sum")},
        "items": [
            {**item, "price": item["price"] / 100, "sum": item["sum"] / 100, "productCode": None}
            for item in fields["items"]
        ],
        "fiscalSign": str(paper.key.fp),
        "fiscalDocumentFormatVer": "4",
        "machineNumber": None,
    }


def picture(paper: FiscalDocument | QrFields | str, *, blurred: bool = False) -> bytes:
    """A PNG of a receipt with its QR, or with a QR of any text; `blurred` is beyond reading."""
    import zxingcpp
    from PIL import Image, ImageDraw, ImageFilter

    code = zxingcpp.create_barcode(_text(paper), zxingcpp.BarcodeFormat.QRCode)
    modules = Image.fromarray(zxingcpp.write_barcode_to_image(code, scale=6))
    sheet = Image.new("L", (480, 640), 250)
    draw = ImageDraw.Draw(sheet)
    for row in range(40, 260, 22):  # what is printed above it
        draw.line((40, row, 220 + row % 180, row), fill=90, width=3)
    sheet.paste(modules.resize((360, 360)), (60, 265))
    if blurred:
        sheet = sheet.filter(ImageFilter.GaussianBlur(14))
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


def _text(paper: FiscalDocument | QrFields | str) -> str:
    if isinstance(paper, str):
        return paper
    return (paper.qr if isinstance(paper, FiscalDocument) else paper).text()
