-- Orders that the brand's own shops report are documents of purchases too; `receipt_id` is then
-- the order's own id.
ALTER TABLE purchases.document ADD COLUMN order_id text CHECK (length(order_id) BETWEEN 1 AND 100);
CREATE INDEX document_of_orders ON purchases.document (member_id) WHERE order_id IS NOT NULL;

-- What an order (for a receipt's line) or a receipt (for an order's line) accounts for.
ALTER TABLE purchases.line ADD COLUMN met_kopecks bigint NOT NULL DEFAULT 0
    CHECK (met_kopecks BETWEEN 0 AND sum_kopecks);

-- Which goods of an order and of a receipt are the same. The first of both was priced: `points` of
-- the decision on `fact_id` are what the receipt had brought for this money before the order came.
CREATE TABLE purchases.meeting (
    member_id uuid NOT NULL,
    order_ref uuid NOT NULL,
    order_line integer NOT NULL CHECK (order_line > 0),
    receipt_id uuid NOT NULL,
    receipt_line integer NOT NULL CHECK (receipt_line > 0),
    kopecks bigint NOT NULL CHECK (kopecks > 0),
    fact_id uuid,
    points bigint NOT NULL CHECK (points >= 0),
    met_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, order_ref, order_line, receipt_id, receipt_line),
    CHECK (fact_id IS NOT NULL OR points = 0)
);

GRANT SELECT, INSERT, UPDATE ON purchases.meeting TO vezde_app;
