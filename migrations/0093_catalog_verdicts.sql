-- What people found the matcher's answers to be, a row a line they looked at: the scores, whether
-- it had been accepted by itself, whether the first guess was the product and its product line.
CREATE TABLE catalog.verdict (
    verdict_id uuid PRIMARY KEY,
    brand text NOT NULL,
    method text NOT NULL,
    accepted boolean NOT NULL,
    line_score real NOT NULL,
    sku_score real NOT NULL,
    right_line boolean NOT NULL,
    right_sku boolean NOT NULL,
    decided_at timestamptz NOT NULL
);
-- measuring: the newest of a brand
CREATE INDEX verdict_of_brand ON catalog.verdict (brand, decided_at, verdict_id);

-- From which scores on a line and a SKU are certain, where a brand has its own; the newest counts,
-- one without scores takes them back.
CREATE TABLE catalog.threshold (
    threshold_id uuid PRIMARY KEY,
    brand text NOT NULL,
    line real,
    sku real,
    set_at timestamptz NOT NULL,
    set_by text NOT NULL,
    CHECK (num_nulls(line, sku) IN (0, 2)),
    CHECK (line BETWEEN 0.5 AND 1 AND sku BETWEEN 0.5 AND 1)
);
CREATE INDEX threshold_of_brand ON catalog.threshold (brand, threshold_id);

GRANT SELECT, INSERT, DELETE ON catalog.verdict TO vezde_app;
GRANT SELECT, INSERT ON catalog.threshold TO vezde_app;
