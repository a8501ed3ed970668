CREATE SCHEMA receipts;

CREATE TABLE receipts.receipt (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    status text NOT NULL
        CHECK (status IN ('checking', 'awaiting_settlement', 'accepted', 'in_review', 'rejected')),
    reason text,
    fn bigint,
    fd bigint,
    fp bigint,
    wall_time timestamp,
    occurred_at timestamptz,
    total_kopecks bigint CHECK (total_kopecks >= 0),
    seller_inn text,
    seller_name text,
    seller_kind text,
    sales_channel text,
    purchase_id uuid,
    first_receipt_id uuid,
    batch_ref uuid,
    registered_at timestamptz NOT NULL,
    registered_by text NOT NULL,
    decided_at timestamptz,
    PRIMARY KEY (member_id, receipt_id)
) WITH (fillfactor = 90);
-- Lists over all members, newest first (support, the API).
CREATE INDEX receipt_by_id ON receipts.receipt (receipt_id);
-- Work left to people and providers; most receipts are decided at once and never enter it.
CREATE INDEX receipt_undecided ON receipts.receipt (status, receipt_id)
    WHERE status IN ('checking', 'awaiting_settlement', 'in_review');
-- Naming a shop relabels its receipts.
CREATE INDEX receipt_by_seller ON receipts.receipt (seller_inn, receipt_id);

-- What the document says, in normal form, and what was recognised in it.
CREATE TABLE receipts.document (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    evidence text NOT NULL,
    document jsonb NOT NULL,
    matches jsonb NOT NULL,
    PRIMARY KEY (member_id, receipt_id)
);

-- One owner of a fiscal document, whatever the number of members who show it.
CREATE TABLE receipts.claim (
    fn bigint NOT NULL,
    fd bigint NOT NULL,
    fp bigint NOT NULL,
    content text NOT NULL,
    state text NOT NULL CHECK (state IN ('provisional', 'confirmed', 'released')),
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    claimed_at timestamptz NOT NULL,
    PRIMARY KEY (fn, fd)
) WITH (fillfactor = 90);

-- Receipts that differ from the provisional claim on their key and wait for its outcome.
CREATE TABLE receipts.turn (
    fn bigint NOT NULL,
    fd bigint NOT NULL,
    receipt_id uuid NOT NULL,
    member_id uuid NOT NULL,
    fp bigint NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (fn, fd, receipt_id)
);

-- Work: `ask` a provider (leased), then `settle` in the database. `due_at` is programme time (a
-- document that is not there yet), `try_at` wall time (errors and quotas).
CREATE TABLE receipts.verification (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    step text NOT NULL CHECK (step IN ('ask', 'settle')),
    qr text,
    due_at timestamptz NOT NULL,
    try_at timestamptz NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    faults integer NOT NULL DEFAULT 0,
    lease uuid,
    leased_until timestamptz,
    parked_because text,
    PRIMARY KEY (member_id, receipt_id)
) WITH (fillfactor = 80);
CREATE INDEX verification_due ON receipts.verification (step, due_at)
    WHERE parked_because IS NULL;

GRANT USAGE ON SCHEMA receipts TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON receipts.receipt, receipts.document, receipts.claim TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.turn, receipts.verification TO vezde_app;
