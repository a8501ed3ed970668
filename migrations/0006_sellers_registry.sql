CREATE SCHEMA sellers;

-- INNs that receipts showed and the shipped registry does not know, and what operators called them.
-- A row without a name of its own waits to be named.
CREATE TABLE sellers.seller (
    inn text PRIMARY KEY CHECK (inn ~ '^([0-9]{10}|[0-9]{12})$'),
    seen_name text,
    seen_place text,
    seen_address text,
    first_seen_at timestamptz,
    name text,
    kind text,
    sales_channel text CHECK (sales_channel ~ '^[a-z][a-z0-9_]{1,31}$'),
    labelled_at timestamptz,
    labelled_by text,
    CHECK (num_nulls(name, kind, sales_channel, labelled_at, labelled_by) IN (0, 5))
);
-- sellers.queries.sellers(unknown=True)
CREATE INDEX seller_unnamed ON sellers.seller (inn) WHERE name IS NULL;

-- The programme's section `sellers`, as every version had it.
CREATE TABLE sellers.section (
    version integer PRIMARY KEY,
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL
);

GRANT USAGE ON SCHEMA sellers TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON sellers.seller TO vezde_app;
GRANT SELECT, INSERT ON sellers.section TO vezde_app;
