CREATE SCHEMA messaging;

-- The ledger of sends: a row a message, for good, without its text.
CREATE TABLE messaging.send (
    member_id uuid NOT NULL,
    send_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    channel text NOT NULL,
    purpose text NOT NULL CHECK (purpose IN ('reply', 'service', 'marketing')),
    slot text,
    state text NOT NULL CHECK
        (state IN ('reserved', 'sent', 'unknown', 'refused', 'superseded')),
    reason text,
    message_id text,
    reserved_at timestamptz NOT NULL,
    reserved_by text NOT NULL,
    finished_wall timestamptz,
    PRIMARY KEY (member_id, send_id),
    UNIQUE (member_id, key),
    CHECK ((state = 'reserved') = (finished_wall IS NULL))
) WITH (fillfactor = 85);
CREATE INDEX send_unknown ON messaging.send (channel) WHERE state = 'unknown';  -- queries.backlog

-- What is to be sent, with the sealed text, which goes when it is sent. Whoever reserves only adds
-- rows: no row here is shared, so nobody waits for anybody. A leased row is in somebody's hands
-- until `due_wall`; one whose lease ran out may have been sent.
CREATE TABLE messaging.queue (
    member_id uuid NOT NULL,
    channel text NOT NULL,
    rank smallint NOT NULL,           -- -1: the answer to a tap, which is in no ledger
    send_id uuid NOT NULL,
    slot text,
    sealed bytea NOT NULL,
    queued_wall timestamptz NOT NULL,
    due_wall timestamptz NOT NULL,
    attempts smallint NOT NULL,
    lease uuid,
    PRIMARY KEY (member_id, channel, rank, send_id)  -- a chat's sends in order
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);
CREATE INDEX queue_next ON messaging.queue (channel, rank, due_wall, send_id);  -- claiming.HEADS

-- The one message that a slot names, in the chat it is in, and whose text it shows.
CREATE TABLE messaging.slot (
    member_id uuid NOT NULL,
    channel text NOT NULL,
    slot text NOT NULL,
    address bytea NOT NULL,           -- blind: the chat, to compare with
    message_id text NOT NULL,
    send_id uuid NOT NULL,
    named_wall timestamptz NOT NULL,
    PRIMARY KEY (member_id, channel, slot)
) WITH (fillfactor = 85);
CREATE INDEX slot_named ON messaging.slot (named_wall);  -- keeping.sweep

-- How fast a chat was written to: a message moves `paced_until` on by a second.
CREATE TABLE messaging.chat (
    member_id uuid NOT NULL,
    channel text NOT NULL,
    paced_until timestamptz NOT NULL,
    paused_until timestamptz,         -- as the messenger asked
    PRIMARY KEY (member_id, channel)
) WITH (fillfactor = 70);

-- What a channel may still send at this moment, shared by all workers; `failures` in a row of
-- reaching it at all.
CREATE TABLE messaging.allowance (
    channel text PRIMARY KEY,
    tokens double precision NOT NULL,
    counted_wall timestamptz NOT NULL,
    closed_until timestamptz,
    failures integer NOT NULL
) WITH (fillfactor = 50);

-- The programme's own texts by version.
CREATE TABLE messaging.texts (
    version integer PRIMARY KEY,
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL,
    sha256 bytea NOT NULL             -- of the section; processes keep what they have read by it
);

GRANT USAGE ON SCHEMA messaging TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON messaging.send, messaging.queue, messaging.slot, messaging.chat TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON messaging.allowance TO vezde_app;
GRANT SELECT, INSERT ON messaging.texts TO vezde_app;
