CREATE SCHEMA access;

-- API keys; the secret is shown once and kept as its SHA-256.
CREATE TABLE access.key (
    key_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    revoked_at timestamptz,
    revoked_by text,
    last_used_wall timestamptz,
    CHECK (num_nulls(revoked_at, revoked_by) IN (0, 2))
);
CREATE UNIQUE INDEX key_live_name ON access.key (name) WHERE revoked_at IS NULL;

-- Answers already given to requests with an Idempotency-Key. The key itself and the request's
-- fingerprint are HMACs (people put phone numbers into both), the answer is sealed.
-- status, media_type and sealed are null only inside the transaction that does the work.
CREATE TABLE access.answer (
    key_id uuid NOT NULL,
    route text NOT NULL,
    idempotency_hmac bytea NOT NULL CHECK (length(idempotency_hmac) = 32),
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    status smallint,
    media_type text,
    sealed bytea,
    member_id uuid,
    created_wall timestamptz NOT NULL,
    expires_wall timestamptz NOT NULL,
    PRIMARY KEY (key_id, route, idempotency_hmac)
);
CREATE INDEX answer_expires ON access.answer (expires_wall);  -- sweep_answers

GRANT USAGE ON SCHEMA access TO vezde_app;
GRANT SELECT, INSERT ON access.key TO vezde_app;
GRANT UPDATE (revoked_at, revoked_by, last_used_wall) ON access.key TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON access.answer TO vezde_app;
