-- A receipt whose document is asked for again before the hold of its points ends, and what came of
-- it. `due_at` programme time, `until_at` the end of the hold: later nobody asks any more. `try_at`
-- wall time, after a vendor's fault. `misses`: answers in a row that differ; two hold it back.
CREATE TABLE receipts.recheck (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    recheck_id uuid NOT NULL UNIQUE,
    state text NOT NULL DEFAULT 'waiting'
        CHECK (state IN ('waiting', 'same', 'unasked', 'held', 'released', 'declined')),
    due_at timestamptz NOT NULL,
    until_at timestamptz NOT NULL,
    try_at timestamptz NOT NULL,
    misses integer NOT NULL DEFAULT 0,
    faults integer NOT NULL DEFAULT 0,
    lease uuid,
    leased_until timestamptz,
    because text CHECK (because IN ('gone', 'changed')),
    note text,
    held_at timestamptz,
    decided_at timestamptz,
    decided_by text,
    PRIMARY KEY (member_id, receipt_id),
    CHECK ((state IN ('held', 'released', 'declined')) = (held_at IS NOT NULL)),
    CHECK ((state IN ('released', 'declined')) = (decided_at IS NOT NULL AND decided_by IS NOT NULL))
) WITH (fillfactor = 80);
-- rechecking.lease, rechecking.lapse
CREATE INDEX recheck_due ON receipts.recheck (due_at) WHERE state = 'waiting';
CREATE INDEX recheck_until ON receipts.recheck (until_at) WHERE state = 'waiting';
-- rechecking.page
CREATE INDEX recheck_held ON receipts.recheck (held_at, recheck_id) WHERE held_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.recheck TO vezde_app;
