"""What every provider is asked and answers, and whether a document is the one in the QR."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from vezde.receipts.model import FiscalDocument, QrFields


class Verdict(StrEnum):
    """What an answer means for the receipt."""

    FOUND = "found"
    NOT_YET = "not_yet"  # the tax service may still get it: tills send for up to 30 days
    NOT_FOUND = "not_found"
    FORGED = "forged"  # the document exists and its sum, date or sign is another, or its sign fails
    QUOTA = "quota"  # asked too often; says nothing of the receipt
    WAIT = "wait"  # this receipt was asked for too soon; others may be
    UNAVAILABLE = "unavailable"
    WRONG = "wrong"  # the document of another receipt: not to be trusted until somebody looked
    REFUSED = "refused"  # our token or tariff is wrong: an operator must act


@dataclass(frozen=True)
class Query:
    """The fields of a QR; `attempt` is how often before they were not there yet, from 0.

    `person` stands for the member where a vendor wants to know one from another: a pseudonym.
    """

    qr: QrFields
    attempt: int = 0
    person: str = ""


@dataclass(frozen=True)
class Answer:
    """A verdict; `document` comes with FOUND alone, `note` is for operators, without persons."""

    verdict: Verdict
    document: FiscalDocument | None = None
    retry_after_seconds: int | None = None
    note: str = ""


# Documents that the brand's own operator of fiscal data pushes.
PUSHED = "ofd"


class Source(StrEnum):
    """Where a provider's documents are from: what one of a source has not, the others have not."""

    TAX_SERVICE = "tax_service"
    OPERATOR_PAGES = "operator_pages"
    OWN = "own"


class Provider(Protocol):
    """`fetch` never raises for what the vendor does; `name` is stored with what it confirmed."""

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> Source: ...

    async def fetch(self, query: Query) -> Answer: ...

    async def close(self) -> None: ...


def compare(document: FiscalDocument, qr: QrFields, *, name: str) -> Answer:
    """FOUND when sum, minute and sign agree, else FORGED; the same fiscal drive and number given.

    Minutes, because the tax service keeps no seconds. The operation is left to the document: a QR
    without `n` only assumes one. The note never says which field is wrong to a member, only here.
    """
    differing = [
        field
        for field, ours, theirs in (
            ("sign", qr.fp, document.key.fp),
            ("sum", qr.total_kopecks, document.total_kopecks),
            ("minute", _minute(qr), _minute(document)),
        )
        if ours != theirs
    ]
    if differing:
        return Answer(Verdict.FORGED, note=f"{name}: another {', '.join(differing)}")
    return Answer(Verdict.FOUND, document)


def _minute(of: FiscalDocument | QrFields) -> str:
    return of.wall_time.strftime("%Y%m%d%H%M")
