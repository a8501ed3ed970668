"""What operators of fiscal data call the same fields: one receipt in their words, put into ours.

1-OFD (`commodity`, `transactionDate`), OFD.ru (`Document.Items`, `Amount_Total`), Kontur
(`requisites`, `products`), and payloads whose signs are spelled out (`calculationTypeSign`).
"""

from collections.abc import Mapping
from typing import Any, Final

from vezde.receipts.model import QrFields
from vezde.receipts.qr import grammar

# Names without case and underscores; the first that has a value counts.
HEADER: Final = {
    "totalSum": ("totalsum", "amounttotal", "total", "totalamount"),
    "cashTotalSum": ("cashtotalsum", "amountcash"),
    "ecashTotalSum": ("ecashtotalsum", "amountecash"),
    "prepaidSum": ("prepaidsum", "prepaymentsum", "amountadvance"),
    "creditSum": ("creditsum", "postpaymentsum", "amountloan", "amountcredit"),
    "provisionSum": ("provisionsum", "countersubmissionsum", "amountgranting"),
    "fiscalDriveNumber": (
        "fiscaldrivenumber", "fnfactorynumber", "fnserialnumber", "fiscaldriveid", "fn",
    ),
    "fiscalDocumentNumber": ("fiscaldocumentnumber", "documentnumber", "fd"),
    "fiscalSign": (
        "fiscalsign", "decimalfiscalsign", "fiscalsignature", "fiscalid", "fp", "fpd",
    ),
    "dateTime": ("datetime", "transactiondate", "docdatetime", "date"),
    "operationType": ("operationtype", "calculationtype"),
    "user": ("user", "organizationname", "username"),
    "userInn": ("userinn", "inn", "organizationinn"),
    "retailPlace": ("retailplace", "calculationplace"),
    "retailPlaceAddress": ("retailplaceaddress", "retailaddress", "calculationaddress", "address"),
    "sellerAddress": ("selleraddress", "senderaddress"),
    "kktRegId": ("kktregid", "kktregnumber", "kktregistrationnumber"),
    "code": ("receiptcode", "code"),
    "correctionType": ("correctiontype",),
    "correctionDocumentNumber": ("correctiondocumentnumber",),
    "internetSign": ("internetsign",),
    "region": ("region",),
    "fiscalDocumentFormatVer": ("fiscaldocumentformatver", "formatversion"),
    "properties": ("properties", "userproperty", "userproperties", "propertiesuser"),
    "propertiesData": ("propertiesdata",),
}  # fmt: skip
ITEM: Final = {
    "name": ("name", "productname"),
    "quantity": ("quantity", "count"),
    "price": ("price",),
    "sum": ("sum", "total", "amount", "cost"),
    "paymentType": ("paymenttype", "calculationtypesign", "calculationmethod", "paymentmethod"),
    "productType": ("producttype", "calculationsubjectsign", "subjecttype"),
    "providerInn": ("providerinn", "supplierinn"),
    "propertiesItem": ("propertiesitem",),
}
ITEMS: Final = ("items", "products", "positions")
# As they stand; `nomenclatureCode` is the bytes of tag 1162 by their older name.
CODES: Final = {
    "productCodeNew": ("productcodenew",),
    "productCodeData": ("productcodedata",),
    "productCode": ("productcode", "nomenclaturecode"),
}
QR: Final = ("qrcode", "qr")
OPERATIONS: Final = {
    "income": 1, "incomereturn": 2, "returnincome": 2, "expense": 3, "outcome": 3,
    "expensereturn": 4, "returnexpense": 4, "outcomereturn": 4, "sell": 1, "sellrefund": 2,
}  # fmt: skip
SUMS_IN_RUBLES: Final = "commodity"  # what wraps a line of 1-OFD's, which counts in rubles


def foreign(fields: Mapping[str, Any]) -> bool:
    """Whether a receipt that has our names for the list and the total has others for the rest."""
    items = fields.get("items")
    if not isinstance(items, list) or not items or not isinstance(items[0], Mapping):
        return False
    first = items[0]
    return "commodity" in first or "calculationTypeSign" in first or "ndsRate" in first


def ours(fields: Mapping[str, Any]) -> dict[str, Any] | None:
    """The receipt under our names; None when it has no list of lines and no total."""
    told = _folded(fields)
    if isinstance(told.get("requisites"), Mapping):
        told = _folded(told["requisites"]) | told
    if isinstance(told.get("total"), Mapping):  # a table of totals, the amount among them
        told = {**told, "total": _first(_folded(told["total"]), HEADER["totalSum"])}
    items = next((told[name] for name in ITEMS if isinstance(told.get(name), list)), None)
    if items is None or _first(told, HEADER["totalSum"]) is None:
        return None
    made = {name: value for name in HEADER if (value := _first(told, HEADER[name])) is not None}
    made["items"] = [_item(one) for one in items]
    operation = made.get("operationType")
    if isinstance(operation, str):
        made["operationType"] = OPERATIONS.get(operation.replace("_", "").lower(), operation)
    return made


def qr(fields: Mapping[str, Any]) -> QrFields | None:
    """What the source itself says the paper's QR is, for what it leaves out; None without one."""
    text = _first(_folded(fields), QR)
    try:
        return grammar.parse(text) if isinstance(text, str) else None
    except (grammar.BadQr, grammar.NotFiscalQr):
        return None


def in_rubles(fields: Mapping[str, Any]) -> bool:
    """Whether the source is one that always counts in rubles."""
    items = fields.get("items")
    lines = items if isinstance(items, list) else []
    return any(isinstance(one, Mapping) and SUMS_IN_RUBLES in one for one in lines)


def _item(one: Any) -> Any:
    if not isinstance(one, Mapping):
        return one
    inner = one.get("commodity")
    told = _folded(inner if isinstance(inner, Mapping) else one)
    names = ITEM | CODES
    return {name: value for name in names if (value := _first(told, names[name])) is not None}


def _folded(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name).replace("_", "").lower(): value for name, value in fields.items()}


def _first(told: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """A value of theirs; `paymentType` of an item may be an object or list, which is not ours."""
    return next((told[name] for name in names if told.get(name) is not None), None)
