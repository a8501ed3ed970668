-- Seller reports that were uploaded, and what their rows say of goods: ids and numbers only.
CREATE TABLE purchases.report (
    report_id uuid PRIMARY KEY,
    marketplace text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    sold integer NOT NULL DEFAULT 0,
    returned integer NOT NULL DEFAULT 0,
    repeated integer NOT NULL DEFAULT 0,
    broken integer NOT NULL DEFAULT 0,
    lines integer NOT NULL DEFAULT 0,    -- of members' purchases that its rows were about
    points bigint NOT NULL DEFAULT 0,    -- taken back because of it
    uploaded_at timestamptz NOT NULL,
    uploaded_by text NOT NULL,
    finished_at timestamptz
);

-- One row of goods; `key` is the same for the same row in whatever report it comes again.
CREATE TABLE purchases.movement (
    marketplace text NOT NULL,
    key bytea NOT NULL,
    effect text NOT NULL CHECK (effect IN ('sold', 'returned', 'kept')),
    mark text,
    quantity_micro bigint NOT NULL CHECK (quantity_micro >= 0),
    happened_on date,
    sku text,
    gtin text,
    sernum text,
    fn bigint,
    fd bigint,
    report_id uuid NOT NULL,
    PRIMARY KEY (marketplace, key)
);
-- purchases.operations.reporting: what is known of an order, a receipt, a pack
CREATE INDEX movement_by_mark ON purchases.movement (mark) WHERE mark IS NOT NULL;
CREATE INDEX movement_by_fiscal_key ON purchases.movement (fn, fd) WHERE fn IS NOT NULL;
CREATE INDEX movement_by_pack ON purchases.movement (gtin, sernum) WHERE sernum IS NOT NULL;

GRANT SELECT, INSERT, UPDATE ON purchases.report TO vezde_app;
GRANT SELECT, INSERT ON purchases.movement TO vezde_app;
