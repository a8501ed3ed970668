-- Who is asked for documents: what an ask costs, how far it may go in a day, whether it may be
-- asked now. `*_wall` is wall time: vendors know no other. Rows come when a provider is first asked.
CREATE TABLE receipts.provider (
    name text PRIMARY KEY,
    provider_id uuid NOT NULL UNIQUE,
    place integer CHECK (place > 0),
    price_kopecks integer NOT NULL DEFAULT 0 CHECK (price_kopecks >= 0),
    asks_per_day integer CHECK (asks_per_day >= 0),
    budget_kopecks_per_day bigint CHECK (budget_kopecks_per_day >= 0),
    -- Failures in a row; from some of them on it is paused, then one ask probes it.
    failures integer NOT NULL DEFAULT 0,
    paused_because text
        CHECK (paused_because IN ('outage', 'quota', 'refused', 'distrusted', 'operator')),
    paused_note text,
    paused_by text,
    paused_wall timestamptz,
    -- Without an end a pause lasts until an operator ends it.
    until_wall timestamptz,
    probed_until_wall timestamptz,
    -- What is running out (asks, budget) until somebody heeds it, and when that was last told.
    warned_of text CHECK (warned_of IN ('asks', 'budget')),
    warned_wall timestamptz,
    CHECK ((paused_because IS NULL) = (paused_wall IS NULL)),
    CHECK (warned_of IS NULL OR warned_wall IS NOT NULL)
) WITH (fillfactor = 50);

-- What was asked and spent on a day of the vendors (Moscow's); an ask is counted before it is made.
CREATE TABLE receipts.provider_day (
    name text NOT NULL,
    day date NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    found integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    spent_kopecks bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (name, day)
) WITH (fillfactor = 50);

GRANT SELECT, INSERT, UPDATE ON receipts.provider, receipts.provider_day TO vezde_app;
