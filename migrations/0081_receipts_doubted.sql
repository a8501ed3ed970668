-- receipts.operations.pacing: what a member showed lately that proved to be no receipt.
CREATE INDEX receipt_doubted ON receipts.receipt (member_id, registered_at)
    WHERE reason IN ('not_found', 'forged');
