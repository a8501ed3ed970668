"""What was found in something sent: receipts, links to follow, or why there are none."""

import base64
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from vezde.kit.errors import DomainError
from vezde.receipts.model import FiscalDocument, Note, QrFields, Reason
from vezde.receipts.qr import grammar
from vezde.receipts.reading.slips import Slip

T = TypeVar("T")
Key = tuple[int, int]  # fn and fd of a receipt

MOST_BYTES: Final = 20 * 1024 * 1024  # of one thing sent
MOST_RECEIPTS: Final = 1_000
MOST_LINKS: Final = 5

CPU_SECONDS: Final = 4.0  # after that no further page, part or picture of one thing is read

# Which of several failures is told: what says most about what was sent, first.
TELLING: Final = (
    Note.SBP,
    Note.EGAIS,
    Note.KAZAKHSTAN,
    Note.BELARUS,
    Note.ABROAD,
    Note.LOCKED,
    Note.BLURRED,
    Note.TOO_LARGE,
    Note.LOGIN,
    Note.LINK_FAILED,
    Note.NO_CODE,
    Note.OTHER_FILE,
)
UNREADABLE: Final = frozenset({Reason.NOT_FISCAL_QR, Reason.BAD_QR, Reason.UNREADABLE_IMAGE})


@dataclass(frozen=True, slots=True)
class Found:
    """A receipt: its code's fields; the `document` of an export, the `slip` of an e-receipt.

    `photo` is what a person sees of it, a small JPEG.
    """

    qr: QrFields
    document: FiscalDocument | None = None
    slip: Slip | None = None
    photo: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """What a letter asks its reader to do: a code or a link that confirms an address, or a link to
    a receipt that only they can open (`receipt`).

    `sender` is the domain that the letter says it comes from.
    """

    sender: str
    subject: str
    code: str | None = None
    link: str | None = None
    receipt: bool = False

    def to_json(self) -> list[str | bool | None]:
        return [self.sender, self.subject, self.code, self.link, self.receipt]

    @classmethod
    def from_json(cls, given: list[Any]) -> "Excerpt":
        """What `to_json` made."""
        return cls(*given)


@dataclass(frozen=True, slots=True)
class Findings:
    """Receipts in their order; without any `reason` says why, `note` and `missing` what to do.

    `unread` counts receipts of a list that could not be read. `links` lead to pages of receipts.
    `excerpt` is of a letter. `packs` are marking codes of jars, in a picture without a receipt.
    """

    receipts: tuple[Found, ...] = ()
    unread: int = 0
    links: tuple[str, ...] = ()
    reason: Reason | None = None
    note: Note | None = None
    missing: tuple[str, ...] = ()
    excerpt: Excerpt | None = None
    packs: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "receipts": [_found_json(one) for one in self.receipts],
            "unread": self.unread,
            "links": list(self.links),
            "reason": self.reason,
            "note": self.note,
            "missing": list(self.missing),
            "excerpt": self.excerpt.to_json() if self.excerpt else None,
            "packs": list(self.packs),
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> "Findings":
        """What `to_json` made; raises what a broken answer deserves."""
        return cls(
            receipts=tuple(_found(one) for one in given["receipts"]),
            unread=given["unread"],
            links=tuple(given["links"]),
            reason=Reason(given["reason"]) if given["reason"] else None,
            note=Note(given["note"]) if given["note"] else None,
            missing=tuple(given["missing"]),
            excerpt=Excerpt.from_json(given["excerpt"]) if given.get("excerpt") else None,
            packs=tuple(given.get("packs", ())),
        )


NOTHING: Final = Findings(reason=Reason.UNREADABLE_IMAGE, note=Note.OTHER_FILE)
TOO_LARGE: Final = Findings(reason=Reason.UNREADABLE_IMAGE, note=Note.TOO_LARGE)


def failed(error: DomainError) -> Findings:
    """Findings of what could not be read."""
    code = error.code if error.code in UNREADABLE else Reason.UNREADABLE_IMAGE
    note = getattr(error, "note", None)
    return Findings(reason=Reason(code), note=note if isinstance(note, Note) else None)


def in_time(parts: Iterable[T]) -> Iterator[T]:
    """The parts of one thing, until reading them has taken `CPU_SECONDS`; the first in any case."""
    started = time.thread_time()
    for part in parts:
        yield part
        if time.thread_time() - started > CPU_SECONDS:
            return


def together(parts: Iterable[Findings]) -> Findings:
    """What was found in the parts of one thing; a receipt that is in two of them is one."""
    receipts: dict[object, Found] = {}
    links: list[str] = []
    unread = 0
    failures: list[Findings] = []
    for part in parts:
        for one in part.receipts:
            known = receipts.setdefault(one.qr.key, one)
            if known.slip is None and one.slip is not None:
                receipts[one.qr.key] = replace(known, slip=one.slip)
        links += part.links
        unread += part.unread
        if not part.receipts and part.reason is not None:
            failures.append(part)
    worst = min(failures, key=_rank, default=NOTHING)
    kept = tuple(receipts.values())
    return Findings(
        receipts=kept[:MOST_RECEIPTS],
        unread=unread + len(kept[MOST_RECEIPTS:]),
        links=tuple(dict.fromkeys(links))[:MOST_LINKS],
        reason=None if kept else worst.reason,
        note=None if kept else worst.note,
        missing=() if kept else worst.missing,
    )


def _rank(one: Findings) -> tuple[bool, bool, int]:
    broken = one.reason is Reason.BAD_QR
    return not one.missing, not broken, TELLING.index(one.note) if one.note else len(TELLING)


def _found_json(one: Found) -> dict[str, Any]:
    return {
        "qr": one.qr.text(),
        "assumed": one.qr.operation_assumed,
        "document": one.document.to_json() if one.document else None,
        "slip": one.slip.to_json() if one.slip else None,
        "photo": base64.b64encode(one.photo).decode() if one.photo else None,
    }


def _found(given: dict[str, Any]) -> Found:
    document, slip = given["document"], given["slip"]
    return Found(
        qr=replace(grammar.parse(given["qr"]), operation_assumed=given["assumed"]),
        document=FiscalDocument.from_json(document) if document else None,
        slip=Slip.from_json(slip) if slip else None,
        photo=base64.b64decode(given["photo"]) if given["photo"] else None,
    )
