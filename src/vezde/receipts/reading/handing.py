"""From what was found to what is registered: the same for every door."""

from collections.abc import Sequence
from uuid import UUID

from vezde.receipts.model import Reason
from vezde.receipts.operations.registering import Submission
from vezde.receipts.reading.model import Findings, Found


def submissions(
    member_id: UUID, found: Findings, *, evidence: str | None = None, batch_ref: UUID | None = None
) -> Sequence[Submission]:
    """A submission a receipt; of what held none a single one, which says why.

    `evidence` vouches for the documents of an export; without it they give their keys alone.
    """
    if not found.receipts:
        reason = found.reason or Reason.UNREADABLE_IMAGE
        return [Submission(member_id, unreadable=reason, note=found.note, batch_ref=batch_ref)]
    return [_submission(member_id, one, evidence, batch_ref) for one in found.receipts]


def _submission(
    member_id: UUID, one: Found, evidence: str | None, batch_ref: UUID | None
) -> Submission:
    if evidence is not None and one.document is not None:
        return Submission(member_id, document=one.document, evidence=evidence, batch_ref=batch_ref)
    return Submission(member_id, qr=one.qr, slip=one.slip, batch_ref=batch_ref)
