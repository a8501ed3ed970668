CREATE SCHEMA program;

-- Append-only; numbers count from 1 without gaps, valid_from never goes back.
CREATE TABLE program.version (
    version integer PRIMARY KEY CHECK (version > 0),
    valid_from timestamptz NOT NULL,
    document jsonb NOT NULL,  -- as it was given
    document_sha256 bytea NOT NULL CHECK (octet_length(document_sha256) = 32),
    -- Of the version before and this one: the last row's names the whole list, so that a process
    -- knows by one narrow read whether what it has parsed is all there is.
    chain_sha256 bytea NOT NULL CHECK (octet_length(chain_sha256) = 32),
    published_at timestamptz NOT NULL,
    published_by text NOT NULL
);

-- Append-only. What each fact of a member was worth, with all it was decided on.
-- No foreign key to version: the lock it takes would make one row hot for every purchase.
CREATE TABLE program.decision (
    member_id uuid NOT NULL,
    fact_id uuid NOT NULL,
    purchase_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    registered_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    wanted bigint NOT NULL CHECK (wanted >= 0),
    points bigint NOT NULL CHECK (points BETWEEN 0 AND wanted),
    active_at timestamptz CHECK ((active_at IS NULL) = (points = 0)),
    expires_at timestamptz CHECK (expires_at > active_at),
    -- The standing it saw.
    earned_that_day bigint NOT NULL,
    shown_that_day integer NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    refusal text CHECK (refusal IS NULL OR wanted = 0),
    actor text NOT NULL,
    fact jsonb NOT NULL,     -- what has no column: program.operations.applying
    effects jsonb NOT NULL,  -- [[line, rule, rate_bp, points], …], adding up to points
    PRIMARY KEY (member_id, fact_id)
);
-- Points earned on a day: the cap of program.operations.apply.
CREATE INDEX decision_by_occurred_at ON program.decision (member_id, occurred_at);
-- Purchases shown on a day: the other cap.
CREATE INDEX decision_shown ON program.decision (member_id, registered_at)
    WHERE kind = 'purchase.recorded/1' AND refusal IS NULL;

GRANT USAGE ON SCHEMA program TO vezde_app;
GRANT SELECT, INSERT ON program.version, program.decision TO vezde_app;
