-- The audit of the ledger: where its walk through the accounts is, what it found, and the seals.

-- Append-only: a chain a member, each a keyed hash of the one before and of the entries since.
CREATE TABLE ledger.seal (
    member_id uuid NOT NULL,
    through_seq ledger.seq NOT NULL,
    hash ledger.fingerprint NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, through_seq)
);

-- One row: the round that goes on, and the last one that was finished.
CREATE TABLE ledger.audit (
    one boolean PRIMARY KEY CHECK (one),
    next_wall timestamptz NOT NULL,
    walked_to uuid,
    began_wall timestamptz,
    accounts bigint NOT NULL,
    violations bigint NOT NULL,
    finished_wall timestamptz,
    finished_accounts bigint NOT NULL,
    finished_violations bigint NOT NULL
) WITH (fillfactor = 50);

-- What does not hold, as it was last found; a row goes when its account is found sound again.
CREATE TABLE ledger.violation (
    member_id uuid NOT NULL,
    place integer NOT NULL,
    rule text NOT NULL,
    seq bigint,
    detail text NOT NULL,
    found_wall timestamptz NOT NULL,
    PRIMARY KEY (member_id, place)
);

GRANT SELECT, INSERT ON ledger.seal TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON ledger.audit TO vezde_app;
GRANT SELECT, INSERT, DELETE ON ledger.violation TO vezde_app;
