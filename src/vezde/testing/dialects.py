"""A receipt in the words of operators of fiscal data, made of one in the tax service's words."""

from datetime import UTC, datetime
from typing import Any

from vezde.receipts.model import FiscalDocument

OFD_RU = {
    "totalSum": "Amount_Total",
    "cashTotalSum": "Amount_Cash",
    "ecashTotalSum": "Amount_ECash",
    "prepaidSum": "Amount_Advance",
    "creditSum": "Amount_Loan",
    "provisionSum": "Amount_Granting",
    "fiscalDriveNumber": "FN_FactoryNumber",
    "fiscalDocumentNumber": "Document_Number",
    "fiscalSign": "DecimalFiscalSign",
    "dateTime": "DateTime",
    "operationType": "OperationType",
    "user": "User",
    "userInn": "UserInn",
    "retailPlace": "Calculation_Place",
    "retailPlaceAddress": "RetailPlaceAddress",
    "sellerAddress": "SenderAddress",
    "kktRegId": "KKT_RegNumber",
    "internetSign": "InternetSign",
    "region": "Region",
    "code": "ReceiptCode",
    "properties": "Properties",
}
OFD_RU_ITEM = {
    "name": "Name",
    "price": "Price",
    "quantity": "Quantity",
    "sum": "Total",
    "paymentType": "CalculationMethod",
    "productType": "SubjectType",
    "providerInn": "ProviderInn",
    "productCodeNew": "ProductCodeNew",
    "propertiesItem": "PropertiesItem",
}
KONTUR = {
    "fiscalDriveNumber": "fnSerialNumber",
    "fiscalDocumentNumber": "fiscalDocumentNumber",
    "fiscalSign": "fiscalSignature",
    "user": "organizationName",
    "userInn": "inn",
    "kktRegId": "kktRegistrationNumber",
}
OPERATIONS = {1: "Income", 2: "IncomeReturn", 3: "Expense", 4: "ExpenseReturn"}


def one_ofd(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    """First OFD's public API: lines wrapped in `commodity`, rubles, the QR beside."""
    told = {name: value for name, value in fields.items() if name not in {"dateTime", "fiscalSign"}}
    told |= {name: fields[name] / 100 for name in fields if name.endswith("Sum")}
    told["transactionDate"] = f"{fields['dateTime']}.000"
    told["fiscalId"] = str(paper.key.fp)
    told["qrCode"] = paper.qr.text()
    told["items"] = [
        {"commodity": {**one, "price": one["price"] / 100, "sum": one["sum"] / 100}}
        for one in fields["items"]
    ]
    return {"ticket": told, "status": "ok"}


def ofd_ru(_paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    """OFD.ru: every name its own, kopecks."""
    told = {OFD_RU[name]: value for name, value in fields.items() if name in OFD_RU}
    told["OperationType"] = OPERATIONS[fields["operationType"]]
    told["Items"] = [
        {OFD_RU_ITEM[name]: value for name, value in one.items() if name in OFD_RU_ITEM}
        for one in fields["items"]
    ]
    return {"Version": 1, "Document": told}


def ofd_ya(paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    """OFD-Ya: the tax service's names, epoch time."""
    at = int(paper.wall_time.replace(tzinfo=UTC).timestamp())
    return {"requestmessage": {**fields, "dateTime": at}}


def kontur(_paper: FiscalDocument, fields: dict[str, Any]) -> dict[str, Any]:
    """Kontur: requisites apart from products, time with a Z that means nothing."""
    rest = {name: value for name, value in fields.items() if name not in {*KONTUR, "items"}}
    at = datetime.fromisoformat(fields["dateTime"])
    del rest["totalSum"], rest["dateTime"]
    return {
        **rest,
        "requisites": {
            **{KONTUR[name]: fields[name] for name in KONTUR if name in fields},
            "dateTime": f"{at.isoformat()}Z",
        },
        "products": fields["items"],
        "number": 7,
        "total": {"totalAmount": fields["totalSum"]},
    }
