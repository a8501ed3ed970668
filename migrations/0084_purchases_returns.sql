-- Documents of returns, storno and corrections are lines of purchases, too: they take from the lines
-- of the same goods what these had brought.
ALTER TABLE purchases.line DROP CONSTRAINT line_paid_check, DROP CONSTRAINT line_state_check;
ALTER TABLE purchases.line
    ADD CONSTRAINT line_paid_check CHECK (paid IN ('ahead', 'settled', 'on_credit',
        'credit_payment', 'returned', 'storned', 'corrected', 'refunded')),
    ADD CONSTRAINT line_state_check CHECK (state IN
        ('waiting', 'lapsed', 'closed', 'earning', 'covered', 'returning')),
    -- What a marketplace prints to name one unit of an order, as its seller reports do.
    ADD COLUMN mark text,
    -- What came back of it as far as seller reports tell, and why.
    ADD COLUMN reported_micro bigint NOT NULL DEFAULT 0 CHECK (reported_micro >= 0);
-- Whether lines of these goods may have others that change what they bring.
CREATE INDEX line_entangled ON purchases.line (member_id, goods)
    WHERE paid IN ('on_credit', 'credit_payment', 'returned', 'storned', 'corrected');
-- Rows of seller reports look for their lines.
CREATE INDEX line_by_mark ON purchases.line (mark) WHERE mark IS NOT NULL;
-- Advances whose settlement has not come in time.
CREATE INDEX line_waiting ON purchases.line (occurred_at) WHERE state = 'waiting';

ALTER TABLE purchases.document ADD COLUMN fn bigint, ADD COLUMN fd bigint;
CREATE INDEX document_by_fiscal_key ON purchases.document (fn, fd) WHERE fn IS NOT NULL;

-- Points of a line that were taken back (above zero), or given again when what is known of its
-- returns had changed (below). `source`: the op of the ledger that had given them, or now does.
CREATE TABLE purchases.taking (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    number integer NOT NULL CHECK (number > 0),
    points bigint NOT NULL CHECK (points <> 0),
    account_id uuid NOT NULL,
    source text NOT NULL,
    because text NOT NULL,
    taken_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, receipt_id, line, number)
);

-- The programme's section `returns`, as every version had it.
CREATE TABLE purchases.section (
    version integer PRIMARY KEY,
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL
);

GRANT SELECT, INSERT, UPDATE ON purchases.taking TO vezde_app;
GRANT SELECT, INSERT ON purchases.section TO vezde_app;
