-- Points promised for receipts that are still being checked: pending in the ledger until then.
CREATE TABLE receipts.promise (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    -- The accrual that promised them, in the account it was written in.
    accrual_member uuid NOT NULL,
    accrual_seq bigint NOT NULL,
    promised_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (member_id, receipt_id)
);

GRANT SELECT, INSERT, UPDATE ON receipts.promise TO vezde_app;
