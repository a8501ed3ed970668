-- How a receipt was shown: of two who claim one document, somebody held the paper.
ALTER TABLE receipts.receipt ADD COLUMN came_as text
    CHECK (came_as IN ('text', 'file', 'slip', 'letter', 'document'));

-- A person decides whose a document is. One a member and document, ever: who was told "no" is not
-- heard again of the same. `receipt_id` is the claimant's own refused receipt; who holds the
-- document is not written here but read from its claim, which may go on to another meanwhile.
-- Queued when there is a proof: until then the claimant is to give one.
CREATE TABLE receipts.dispute (
    dispute_id uuid PRIMARY KEY,
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    fn bigint NOT NULL,
    fd bigint NOT NULL,
    opened_at timestamptz NOT NULL,
    queued_at timestamptz,
    outcome text CHECK (outcome IN ('kept', 'moved', 'dropped')),
    decided_at timestamptz,
    decided_by text,
    -- Who had it before it moved, and as which receipt.
    from_member uuid,
    from_receipt uuid,
    UNIQUE (fn, fd, member_id),
    CHECK (num_nulls(outcome, decided_at, decided_by) IN (0, 3)),
    CHECK ((outcome = 'moved') = (from_member IS NOT NULL AND from_receipt IS NOT NULL)
        OR outcome IS NULL)
);
-- disputes.page
CREATE INDEX dispute_waiting ON receipts.dispute (queued_at, dispute_id)
    WHERE decided_at IS NULL AND queued_at IS NOT NULL;
-- disputing.claim: how many a member opened lately; merging and forgetting
CREATE INDEX dispute_of_member ON receipts.dispute (member_id, opened_at);
-- The history of a receipt that moved away
CREATE INDEX dispute_from ON receipts.dispute (from_receipt) WHERE from_receipt IS NOT NULL;

-- What the claimant or the holder showed for it. A file is kept sealed, by the name in `file`.
CREATE TABLE receipts.proof (
    dispute_id uuid NOT NULL REFERENCES receipts.dispute,
    proof_id uuid NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('pack', 'picture', 'slip', 'letter')),
    -- The showing that it came with; null: it was given for the dispute alone.
    receipt_id uuid,
    gtin text,
    sernum text,
    file text,
    given_at timestamptz NOT NULL,
    PRIMARY KEY (dispute_id, proof_id),
    CHECK ((kind = 'pack') = (gtin IS NOT NULL AND sernum IS NOT NULL))
);
CREATE UNIQUE INDEX proof_pack ON receipts.proof (dispute_id, member_id, gtin, sernum)
    WHERE kind = 'pack';
CREATE UNIQUE INDEX proof_shown ON receipts.proof (dispute_id, receipt_id)
    WHERE receipt_id IS NOT NULL;
CREATE INDEX proof_of_member ON receipts.proof (member_id);

GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.dispute, receipts.proof TO vezde_app;
GRANT DELETE ON receipts.document TO vezde_app;
