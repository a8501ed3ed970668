"""From what was found to what is registered: the same for every door."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from vezde.kit.vault import Vault
from vezde.receipts.model import Reason, Way
from vezde.receipts.operations.registering import Submission
from vezde.receipts.photos import operations as photos
from vezde.receipts.photos.operations import Photo
from vezde.receipts.reading.model import Findings, Found

# A receipt's picture, as the door that it came by seals it.
Pictured = Callable[[Found], Photo | None]


def submissions(
    member_id: UUID,
    found: Findings,
    *,
    way: Way,
    evidence: str | None = None,
    batch_ref: UUID | None = None,
    pictured: Pictured = lambda _found: None,
) -> Sequence[Submission]:
    """A submission a receipt; of what held none a single one, which says why.

    `evidence` vouches for the documents of an export; without it they give their keys alone.
    """
    if not found.receipts:
        reason = found.reason or Reason.UNREADABLE_IMAGE
        return [
            Submission(member_id, unreadable=reason, note=found.note, batch_ref=batch_ref, way=way)
        ]
    return [
        replace(_submission(member_id, one, way, evidence, batch_ref), photo=pictured(one))
        for one in found.receipts
    ]


def small(vault: Vault) -> Pictured:
    """Pictures that were made small where the receipts were read."""

    def pictured(one: Found) -> Photo | None:
        if one.photo is None:
            return None
        return photos.of_bytes(vault, (one.qr.fn, one.qr.fd), one.photo)

    return pictured


def _submission(
    member_id: UUID, one: Found, way: Way, evidence: str | None, batch_ref: UUID | None
) -> Submission:
    if evidence is not None and one.document is not None:
        return Submission(
            member_id,
            document=one.document,
            evidence=evidence,
            batch_ref=batch_ref,
            way=Way.DOCUMENT,
        )
    if one.document is not None:
        way = Way.DOCUMENT
    elif one.slip is not None and way is Way.FILE:
        way = Way.SLIP
    return Submission(member_id, qr=one.qr, slip=one.slip, batch_ref=batch_ref, way=way)
