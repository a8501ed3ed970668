-- receipts.troubles
CREATE INDEX verification_parked ON receipts.verification (try_at, member_id, receipt_id)
    WHERE step = 'settle' AND parked_because IS NOT NULL;
