-- Publishable keys: they stand in pages, so they are good for named origins and the widget alone.
ALTER TABLE access.key
    ADD COLUMN origins text[],
    ADD COLUMN sales_channel text,
    ADD COLUMN enrols boolean,
    ADD CHECK (num_nulls(origins, sales_channel, enrols) IN (0, 3)),
    ADD CHECK (cardinality(origins) > 0);
CREATE INDEX key_of_origin ON access.key USING gin (origins);  -- queries.origin_is_known

-- How often something was tried lately: leaky buckets; what is counted by is blind.
CREATE TABLE access.pace (
    bucket bytea PRIMARY KEY CHECK (length(bucket) = 32),
    empty_wall timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX pace_empty ON access.pace (empty_wall);  -- sweep_doors

-- A sign-in under way, by a code sent to a phone or by a link into a messenger. Nobody's yet, so it
-- is found by itself; `member_id` is who has the phone, or who confirmed the link.
CREATE TABLE access.sign_in (
    sign_in_id uuid PRIMARY KEY,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    key_id uuid NOT NULL,
    origin text NOT NULL,
    how text NOT NULL CHECK (how IN ('code', 'link')),
    state text NOT NULL CHECK (state IN ('waiting', 'proved', 'declined', 'used')),
    phone bytea,                      -- sealed
    code_hmac bytea,                  -- null: nobody was sent one
    link_sha256 bytea,
    number smallint,
    member_id uuid,
    attempts smallint NOT NULL,
    created_wall timestamptz NOT NULL,
    expires_wall timestamptz NOT NULL,
    CHECK ((how = 'code') = (phone IS NOT NULL)),
    CHECK ((how = 'link') = (link_sha256 IS NOT NULL))
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX sign_in_by_link ON access.sign_in (link_sha256);
CREATE INDEX sign_in_of_member ON access.sign_in (member_id) WHERE member_id IS NOT NULL;
CREATE INDEX sign_in_over ON access.sign_in (expires_wall);  -- sweep_doors

-- A member signed in on a page; the token is known by its hash.
CREATE TABLE access.session (
    member_id uuid NOT NULL,
    session_id uuid NOT NULL,
    token_sha256 bytea NOT NULL CHECK (length(token_sha256) = 32),
    key_id uuid NOT NULL,
    origin text NOT NULL,
    how text NOT NULL,
    created_wall timestamptz NOT NULL,
    expires_wall timestamptz NOT NULL,
    last_used_wall timestamptz NOT NULL,
    PRIMARY KEY (member_id, session_id)
) WITH (fillfactor = 70);
CREATE INDEX session_over ON access.session (expires_wall);  -- sweep_doors

-- The code of a member's card, shown at a till: short, so it lives minutes and is good once.
CREATE TABLE access.card (
    code_hmac bytea PRIMARY KEY CHECK (length(code_hmac) = 32),
    member_id uuid NOT NULL,
    made_wall timestamptz NOT NULL,
    expires_wall timestamptz NOT NULL
);
CREATE UNIQUE INDEX card_of_member ON access.card (member_id);
CREATE INDEX card_over ON access.card (expires_wall);  -- sweep_doors

-- People of the brand. How they are reached is sealed; the phone is found by its blind index.
CREATE TABLE access.operator (
    operator_id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    role text NOT NULL CHECK (role IN ('cashier', 'operator')),
    sales_channel text NOT NULL,
    contact bytea,                    -- sealed: phone, telegram
    phone_blind bytea,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    left_at timestamptz,
    left_by text,
    CHECK (num_nulls(left_at, left_by) IN (0, 2))
);
CREATE UNIQUE INDEX operator_name ON access.operator (name) WHERE left_at IS NULL;
CREATE UNIQUE INDEX operator_phone ON access.operator (phone_blind)
    WHERE left_at IS NULL AND phone_blind IS NOT NULL;

-- An operator's one-time code; a new one takes the place of the one before.
CREATE TABLE access.operator_code (
    operator_id uuid PRIMARY KEY REFERENCES access.operator,
    code_hmac bytea NOT NULL CHECK (length(code_hmac) = 32),
    expires_wall timestamptz NOT NULL
);
CREATE UNIQUE INDEX operator_by_code ON access.operator_code (code_hmac);

CREATE TABLE access.operator_session (
    session_id uuid PRIMARY KEY,
    operator_id uuid NOT NULL REFERENCES access.operator,
    token_sha256 bytea NOT NULL CHECK (length(token_sha256) = 32),
    created_wall timestamptz NOT NULL,
    expires_wall timestamptz NOT NULL
);
CREATE INDEX operator_session_of ON access.operator_session (operator_id);
CREATE INDEX operator_session_over ON access.operator_session (expires_wall);  -- sweep_doors

-- Who of the brand's people did what, about whom: ids and numbers only, never changed.
CREATE TABLE access.journal (
    entry_id uuid PRIMARY KEY,
    operator_id uuid NOT NULL,
    what text NOT NULL,
    member_id uuid,
    details jsonb NOT NULL,
    at timestamptz NOT NULL
);
CREATE INDEX journal_of_operator ON access.journal (operator_id, entry_id);
CREATE INDEX journal_of_member ON access.journal (member_id, entry_id)
    WHERE member_id IS NOT NULL;

-- What a member is asked to agree to: a payment with points, by a button or a code read out.
CREATE TABLE access.approval (
    member_id uuid NOT NULL,
    approval_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('payment')),
    state text NOT NULL CHECK (state IN ('asked', 'given', 'declined', 'withdrawn')),
    code_hmac bytea NOT NULL CHECK (length(code_hmac) = 32),
    attempts smallint NOT NULL,
    details jsonb NOT NULL,           -- ids and numbers of what is agreed to
    asked_by text NOT NULL,
    asked_wall timestamptz NOT NULL,
    expires_wall timestamptz NOT NULL,
    decided_wall timestamptz,
    decided_how text,
    PRIMARY KEY (member_id, approval_id),
    CHECK ((state = 'asked') = (decided_wall IS NULL)),
    CHECK (num_nulls(decided_wall, decided_how) IN (0, 2))
) WITH (fillfactor = 70);

GRANT SELECT, INSERT, UPDATE, DELETE
    ON access.pace, access.sign_in, access.session, access.card, access.operator_code,
       access.operator_session, access.approval TO vezde_app;
GRANT SELECT, INSERT ON access.operator, access.journal TO vezde_app;
GRANT UPDATE (contact, phone_blind, left_at, left_by) ON access.operator TO vezde_app;
