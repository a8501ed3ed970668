-- A member's own addresses: the part before the @, by which letters find them.
CREATE TABLE receipts.mailbox (
    name text PRIMARY KEY,
    member_id uuid NOT NULL,
    made_at timestamptz NOT NULL
);
CREATE INDEX mailbox_of_member ON receipts.mailbox (member_id);

-- Letters from the moment they are taken until they are worked; then only that they were there, so
-- that one sent again is known. `letter_key` is a blind index of its Message-ID.
CREATE TABLE receipts.letter (
    member_id uuid NOT NULL,
    letter_id uuid NOT NULL,
    letter_key bytea NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'done', 'parked')),
    sealed bytea,
    excerpt bytea,
    received_wall timestamptz NOT NULL,
    due_wall timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    lease uuid,
    error text,
    PRIMARY KEY (member_id, letter_id),
    UNIQUE (member_id, letter_key)
);
-- mailing.operations.claim
CREATE INDEX letter_waiting ON receipts.letter (due_wall) WHERE state = 'waiting';
-- mailing.operations.sweep
CREATE INDEX letter_by_age ON receipts.letter (received_wall);

GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.mailbox, receipts.letter TO vezde_app;
