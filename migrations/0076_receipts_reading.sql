-- What was sent instead of a receipt, so that its sender is told kindly what to do.
ALTER TABLE receipts.receipt ADD COLUMN note text;

-- What an e-receipt's text layer said beside its code: lines and order marks. Proves nothing.
CREATE TABLE receipts.slip (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    slip jsonb NOT NULL,
    PRIMARY KEY (member_id, receipt_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.slip TO vezde_app;
