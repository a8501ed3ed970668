-- The points ledger. Every key starts with the member, so the tables can be sharded by it.
-- No foreign keys: all rows of a member are written under the lock of his account by the
-- functions of this schema, which have just read what a key would check again.
CREATE SCHEMA ledger;

-- What one value must be is a type: a table's CHECK is parsed anew by every statement, and some
-- twenty of them doubled the time of an accrual. Those that compare columns stay.
CREATE TYPE ledger.entry_kind AS ENUM (
    'accrue', 'activate', 'hold', 'commit', 'release', 'redeem', 'reverse', 'restore', 'expire',
    'adjust', 'import', 'close', 'open');
CREATE TYPE ledger.hold_state AS ENUM ('open', 'committed', 'released', 'expired');
CREATE DOMAIN ledger.balance AS bigint CHECK (VALUE >= 0);
CREATE DOMAIN ledger.amount AS bigint CHECK (VALUE > 0);
CREATE DOMAIN ledger.seq AS bigint CHECK (VALUE > 0);
CREATE DOMAIN ledger.op_key AS text CHECK (length(VALUE) BETWEEN 1 AND 200);
CREATE DOMAIN ledger.fingerprint AS bytea CHECK (octet_length(VALUE) = 32);

-- A cache of the last entry, and the lock of everything the member owns here.
-- No index on what changes and free room on each page: updates stay HOT.
CREATE TABLE ledger.account (
    member_id uuid PRIMARY KEY,
    active ledger.balance NOT NULL,
    pending ledger.balance NOT NULL,
    held ledger.balance NOT NULL,
    debt ledger.balance NOT NULL,
    seq bigint NOT NULL,  -- of the last entry, 0 before the first
    opened_at timestamptz NOT NULL,
    -- recorded_at of the last entry (else opened_at); the next entry is never recorded earlier.
    updated_at timestamptz NOT NULL,
    -- The latest occurred_at of what the member did; expiry by inactivity counts from it.
    last_activity_at timestamptz NOT NULL,
    -- The earliest instant at which a lot changes by itself: whoever touches the account at or
    -- after it first writes those entries. Null: nothing is waiting.
    next_due_at timestamptz,
    closed_at timestamptz
) WITH (fillfactor = 60);

-- Append-only. The effect on each balance is its difference from the entry before.
CREATE TABLE ledger.entry (
    member_id uuid NOT NULL,
    seq ledger.seq NOT NULL,
    points bigint NOT NULL,
    active_after ledger.balance NOT NULL,
    pending_after ledger.balance NOT NULL,
    held_after ledger.balance NOT NULL,
    debt_after ledger.balance NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    -- The lot a whole-lot entry is about (activate); what a debit takes from lots is in alloc.
    lot_seq ledger.seq,
    reverses_seq ledger.seq,
    kind ledger.entry_kind NOT NULL,
    -- Null for what time does by itself (activate, expire).
    op_key ledger.op_key,
    actor text NOT NULL,
    title text NOT NULL,
    -- Ids and numbers only; `parts` is [[line, rule, rate_bp, points], …], adding up to points.
    proof jsonb,
    PRIMARY KEY (member_id, seq)
);

-- Append-only. One row a command: the same key again is the same command or a conflict.
CREATE TABLE ledger.op (
    member_id uuid NOT NULL,
    op_key ledger.op_key NOT NULL,
    fingerprint ledger.fingerprint NOT NULL,
    first_seq ledger.seq NOT NULL,
    n_entries integer NOT NULL,
    PRIMARY KEY (member_id, op_key)
);

-- remaining and activated_seq are caches: of points - sum(alloc), and of the activate entries.
CREATE TABLE ledger.lot (
    member_id uuid NOT NULL,
    seq ledger.seq NOT NULL,  -- of the entry that made it
    points ledger.amount NOT NULL,
    remaining ledger.balance NOT NULL,
    active_at timestamptz NOT NULL,
    expires_at timestamptz,
    -- Lots are used by (use_order, seq). Fixed when the lot is made, else replays would differ.
    use_order timestamptz NOT NULL,
    -- The state: null while pending, then the entry that made it active (seq itself when it never
    -- was pending).
    activated_seq ledger.seq,
    open boolean NOT NULL,
    PRIMARY KEY (member_id, seq),
    CHECK (remaining <= points AND open = (remaining > 0) AND expires_at > active_at)
) WITH (fillfactor = 85);

-- Serves activation, spending and the next expiry. The predicate is the boolean, not remaining:
-- a column of a predicate counts as indexed, and partial use of a lot would no longer be HOT.
CREATE INDEX lot_in_use_order ON ledger.lot (member_id, use_order, seq) WHERE open;

-- Append-only. What an entry took from a lot; negative: gave back to it.
CREATE TABLE ledger.alloc (
    member_id uuid NOT NULL,
    debit_seq ledger.seq NOT NULL,
    lot_seq ledger.seq NOT NULL,
    points bigint NOT NULL CHECK (points <> 0),
    PRIMARY KEY (member_id, debit_seq, lot_seq)
);

CREATE TABLE ledger.hold (
    member_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    seq ledger.seq NOT NULL,  -- of its hold entry
    closed_seq ledger.seq,  -- of its commit or release entry
    points ledger.amount NOT NULL,
    expires_at timestamptz NOT NULL,
    state ledger.hold_state NOT NULL,
    PRIMARY KEY (member_id, hold_id),
    CHECK ((state = 'open') = (closed_seq IS NULL) AND closed_seq > seq)
) WITH (fillfactor = 85);

CREATE TABLE ledger.hold_lot (
    member_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    lot_seq ledger.seq NOT NULL,
    points ledger.amount NOT NULL,
    PRIMARY KEY (member_id, hold_id, lot_seq)
);

-- Work, apart from the hot account row: whose lots change by themselves at which instant.
-- Written with the lot, deleted by the sweep alone (a lazy activation leaves its row to it).
CREATE TABLE ledger.due (
    due_at timestamptz NOT NULL,
    member_id uuid NOT NULL,
    PRIMARY KEY (due_at, member_id)
);

GRANT USAGE ON SCHEMA ledger TO vezde_app;
GRANT SELECT, INSERT ON ledger.entry, ledger.op, ledger.alloc TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON ledger.account, ledger.lot, ledger.hold, ledger.hold_lot
    TO vezde_app;
-- UPDATE only because SELECT … FOR UPDATE SKIP LOCKED asks for it.
GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.due TO vezde_app;
