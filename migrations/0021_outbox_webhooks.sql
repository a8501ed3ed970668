-- Addresses of others that are told of facts. Times here are the wall's.
CREATE TABLE outbox.webhook (
    webhook_id uuid PRIMARY KEY,
    url text NOT NULL,
    description text,
    -- sealed; the former one signs too until `former_until`
    secret bytea NOT NULL,
    former_secret bytea,
    former_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    -- all three or none: paused by whom, when and why
    paused_at timestamptz,
    paused_by text,
    paused_because text CHECK (paused_because IN ('by_hand', 'failing', 'gone')),
    -- attempts that failed since the last that did not; nothing is sent before `held_until`
    failures integer NOT NULL CHECK (failures >= 0),
    failing_since timestamptz,
    held_until timestamptz,
    last_failure text,
    CHECK ((paused_at IS NULL) = (paused_because IS NULL)),
    CHECK ((paused_at IS NULL) = (paused_by IS NULL)),
    CHECK ((failures = 0) = (failing_since IS NULL))
);

-- Which kinds each wants; `*` is all. Apart, because every recorded fact looks here.
CREATE TABLE outbox.webhook_kind (
    kind text NOT NULL CHECK (kind = '*' OR kind ~ '^[a-z].*/[0-9]+$'),
    webhook_id uuid NOT NULL REFERENCES outbox.webhook ON DELETE CASCADE,
    PRIMARY KEY (kind, webhook_id)
);
-- outbox.webhooks.operations.change
CREATE INDEX webhook_kind_webhook ON outbox.webhook_kind (webhook_id);

-- One fact for one webhook; what is sent is rendered from the fact, never kept here.
CREATE TABLE outbox.delivery (
    webhook_id uuid NOT NULL REFERENCES outbox.webhook ON DELETE CASCADE,
    fact_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    kind text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed')),
    queued_at timestamptz NOT NULL,
    attempts smallint NOT NULL CHECK (attempts >= 0),
    next_try timestamptz,
    lease_token uuid,
    leased_until timestamptz,
    last_at timestamptz,
    last_status smallint,
    last_reason text,
    PRIMARY KEY (webhook_id, fact_id),
    CHECK ((state = 'waiting') = (next_try IS NOT NULL))
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
-- outbox.webhooks.operations.claim, outbox.webhooks.queries.backlog
CREATE INDEX delivery_waiting ON outbox.delivery (webhook_id, next_try) WHERE state = 'waiting';
-- outbox.webhooks.operations.sweep
CREATE INDEX delivery_queued ON outbox.delivery (queued_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox.webhook TO vezde_app;
GRANT SELECT, INSERT, DELETE ON outbox.webhook_kind TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox.delivery TO vezde_app;
