CREATE SCHEMA members;

-- A person. What names them is sealed; what the programme computes with is not.
CREATE TABLE members.member (
    member_id uuid PRIMARY KEY,
    status text NOT NULL CHECK (status IN ('active', 'closed')),
    locale text,
    timezone text,
    source text CHECK (length(source) <= 200),
    sealed bytea,                     -- name and birthday; null when neither is known
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);

-- Whose a phone, an e-mail or a messenger account is: unique in the whole programme, so a table
-- of its own that stays in one place when members are sharded (hence no foreign key either).
-- Only active members have claims.
CREATE TABLE members.claim (
    kind text NOT NULL,
    blind bytea NOT NULL CHECK (length(blind) = 32),
    member_id uuid NOT NULL,
    PRIMARY KEY (kind, blind)
);

-- The same identities as their member sees them.
CREATE TABLE members.identity (
    member_id uuid NOT NULL REFERENCES members.member,
    kind text NOT NULL,
    blind bytea NOT NULL,
    main boolean NOT NULL,            -- the one of its kind that is shown as the member's phone
    sealed bytea NOT NULL,
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    PRIMARY KEY (member_id, kind, blind)
);
CREATE UNIQUE INDEX identity_main ON members.identity (member_id, kind) WHERE main;

-- Consents given and withdrawn: evidence, so what was given is never changed.
CREATE TABLE members.consent (
    member_id uuid NOT NULL REFERENCES members.member,
    consent_id uuid NOT NULL,
    purpose text NOT NULL,
    channel text,                     -- null: of no one channel (processing, the programme's terms)
    document_version text NOT NULL,
    text_sha256 text CHECK (text_sha256 ~ '^[0-9a-f]{64}$'),
    given_at timestamptz NOT NULL,
    how text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_how text,
    withdrawn_by text,
    PRIMARY KEY (member_id, consent_id),
    CHECK (num_nulls(withdrawn_at, withdrawn_how, withdrawn_by) IN (0, 3))
);

-- Which vault key the blind index was made with: another one would find nobody and enrol twice.
CREATE TABLE members.index_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key_id bytea NOT NULL,
    pinned_at timestamptz NOT NULL,
    pinned_by text NOT NULL
);

GRANT USAGE ON SCHEMA members TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON members.member TO vezde_app;
GRANT SELECT, INSERT, DELETE ON members.claim TO vezde_app;
GRANT SELECT, INSERT, DELETE, UPDATE (main) ON members.identity TO vezde_app;
GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_how, withdrawn_by)
    ON members.consent TO vezde_app;
GRANT SELECT, INSERT ON members.index_key TO vezde_app;
