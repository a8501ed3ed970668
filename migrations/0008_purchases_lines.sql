CREATE SCHEMA purchases;

CREATE TABLE purchases.purchase (
    member_id uuid NOT NULL,
    purchase_id uuid NOT NULL,
    seller_inn text,
    sales_channel text NOT NULL,
    opened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, purchase_id)
);

-- The documents of a purchase; `receipt_id` names the receipt that is the document.
CREATE TABLE purchases.document (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    purchase_id uuid NOT NULL,
    sales_channel text NOT NULL,
    occurred_at timestamptz NOT NULL,
    wall_time timestamp NOT NULL,
    registered_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    total_kopecks bigint NOT NULL CHECK (total_kopecks >= 0),
    proof jsonb NOT NULL,
    PRIMARY KEY (member_id, receipt_id)
);

-- Lines that matter to the brand. `open_kopecks`: what no counterpart (the settlement of an advance,
-- the payment of a credit) accounts for yet; only such lines can still be linked.
CREATE TABLE purchases.line (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    purchase_id uuid NOT NULL,
    seller_inn text,
    provider_inn text,
    goods text NOT NULL,
    occurred_at timestamptz NOT NULL,
    paid text NOT NULL CHECK (paid IN ('ahead', 'settled', 'on_credit', 'credit_payment')),
    state text NOT NULL CHECK (state IN ('waiting', 'closed', 'earning', 'covered')),
    sku text,
    quantity_micro bigint NOT NULL CHECK (quantity_micro >= 0),
    sum_kopecks bigint NOT NULL CHECK (sum_kopecks >= 0),
    open_kopecks bigint NOT NULL CHECK (open_kopecks BETWEEN 0 AND sum_kopecks),
    PRIMARY KEY (member_id, receipt_id, line)
) WITH (fillfactor = 90);

GRANT USAGE ON SCHEMA purchases TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON purchases.purchase, purchases.document, purchases.line TO vezde_app;
