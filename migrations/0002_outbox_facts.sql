CREATE SCHEMA outbox;

-- What happened, append-only; a partition a month of programme time.
CREATE TABLE outbox.fact (
    id uuid NOT NULL,
    member_id uuid,
    subject text,
    kind text NOT NULL CHECK (kind ~ '^[a-z].*/[0-9]+$'),
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (recorded_at, id)
) PARTITION BY RANGE (recorded_at);

-- Takes what no month's partition takes; rows in it are counted and shown.
CREATE TABLE outbox.fact_rest PARTITION OF outbox.fact DEFAULT;

-- Kinds that some reaction wants; other facts get no todo row.
CREATE TABLE outbox.subscription (
    kind text PRIMARY KEY
);

-- One row a lane, locked by whoever hands its facts over.
CREATE TABLE outbox.lane (
    lane smallint PRIMARY KEY CHECK (lane BETWEEN 0 AND 63)
);
INSERT INTO outbox.lane (lane) SELECT generate_series(0, 63);

-- Facts not yet handed over; its key is the order within a lane.
CREATE TABLE outbox.todo (
    lane smallint NOT NULL,
    recorded_at timestamptz NOT NULL,
    fact_id uuid NOT NULL,
    PRIMARY KEY (lane, recorded_at, fact_id)
) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

-- A reaction that failed on a fact: tried again by the wall, then parked until somebody looks.
CREATE TABLE outbox.retry (
    fact_id uuid NOT NULL,
    reaction text NOT NULL,
    recorded_at timestamptz NOT NULL,
    attempts smallint NOT NULL CHECK (attempts >= 0),
    next_try timestamptz NOT NULL,
    parked_at timestamptz,
    error text NOT NULL,
    PRIMARY KEY (fact_id, reaction)
);
-- outbox.operations.retry_due
CREATE INDEX retry_next ON outbox.retry (next_try) WHERE parked_at IS NULL;
-- outbox.queries.parked
CREATE INDEX retry_parked ON outbox.retry (parked_at) WHERE parked_at IS NOT NULL;

-- Makes the partitions of `months` months from the one `first` lies in (UTC); returns how many
-- were new. The application may not create tables, so this runs as its owner. ATTACH rather than
-- PARTITION OF: the latter would stop every insert while it waits. Rows that the default
-- partition took in the meantime move to their month.
CREATE FUNCTION outbox.open_months(first timestamptz, months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
    SET timezone = 'UTC'
AS $$
DECLARE
    month timestamptz := date_trunc('month', first);
    part text;
    made integer := 0;
BEGIN
    IF months NOT BETWEEN 1 AND 1200 THEN
        RAISE EXCEPTION 'open_months takes 1 to 1200 months, not %', months;
    END IF;
    PERFORM pg_advisory_xact_lock(7386002);
    FOR i IN 1 .. months LOOP
        part := 'fact_' || to_char(month, 'YYYY_MM');
        IF to_regclass(format('outbox.%I', part)) IS NULL THEN
            EXECUTE format('CREATE TABLE outbox.%I (LIKE outbox.fact INCLUDING ALL)', part);
            EXECUTE format(
                'WITH moved AS (DELETE FROM outbox.fact_rest WHERE recorded_at >= %L'
                ' AND recorded_at < %L RETURNING *) INSERT INTO outbox.%I SELECT * FROM moved',
                month, month + interval '1 month', part);
            EXECUTE format(
                'ALTER TABLE outbox.fact ATTACH PARTITION outbox.%I FOR VALUES FROM (%L) TO (%L)',
                part, month, month + interval '1 month');
            made := made + 1;
        END IF;
        month := month + interval '1 month';
    END LOOP;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION outbox.open_months(timestamptz, integer) FROM PUBLIC;

GRANT USAGE ON SCHEMA outbox TO vezde_app;
GRANT EXECUTE ON FUNCTION outbox.open_months(timestamptz, integer) TO vezde_app;
GRANT SELECT, INSERT ON outbox.fact TO vezde_app;
GRANT SELECT ON outbox.fact_rest TO vezde_app;
GRANT SELECT, INSERT, DELETE ON outbox.subscription TO vezde_app;
GRANT SELECT, UPDATE ON outbox.lane TO vezde_app;
GRANT SELECT, INSERT, DELETE ON outbox.todo TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox.retry TO vezde_app;
