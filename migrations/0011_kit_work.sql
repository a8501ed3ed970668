-- One-off work for a later programme time; a row is gone when its work is done.
CREATE TABLE kit.job (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    key text UNIQUE,
    attempts smallint NOT NULL CHECK (attempts >= 0),
    next_try timestamptz,
    parked_at timestamptz,
    error text
);
-- kit.work.jobs.work_jobs, .due
CREATE INDEX job_due ON kit.job (due_at, id) WHERE parked_at IS NULL;

-- Work that comes round: one row a name, `next_at` in programme time.
CREATE TABLE kit.timetable (
    name text PRIMARY KEY,
    period_seconds integer NOT NULL CHECK (period_seconds > 0),
    offset_seconds integer NOT NULL CHECK (offset_seconds >= 0 AND offset_seconds < period_seconds),
    calendar boolean NOT NULL,
    next_at timestamptz NOT NULL,
    attempts smallint NOT NULL CHECK (attempts >= 0),
    next_try timestamptz,
    error text
);

-- Questions a face puts to a worker process and waits for. Nothing here outlives a minute, so it
-- is not worth the log: after a crash of the server the callers are told to try again.
CREATE UNLOGGED TABLE kit.call (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    payload bytea NOT NULL,
    created_at timestamptz NOT NULL,
    give_up_at timestamptz NOT NULL,
    attempts smallint NOT NULL,
    lease_token uuid,
    leased_until timestamptz,
    done_at timestamptz,
    answer bytea,
    error jsonb
);
-- pictures and PDFs are compressed already
ALTER TABLE kit.call ALTER COLUMN payload SET STORAGE EXTERNAL;
ALTER TABLE kit.call ALTER COLUMN answer SET STORAGE EXTERNAL;
-- kit.work.calls.work_calls
CREATE INDEX call_waiting ON kit.call (created_at) WHERE done_at IS NULL;

-- Worker processes and when they were last seen (wall time).
CREATE UNLOGGED TABLE kit.worker (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    stages text[] NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON kit.job, kit.timetable, kit.call, kit.worker TO vezde_app;
