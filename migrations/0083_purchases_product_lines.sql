-- A till that prints no size says which product line a line is and not which product: `may_be` are
-- the SKUs it may be. `by_line`: it was priced so, and its product, once known, earns no more.
ALTER TABLE purchases.line
    ADD COLUMN may_be text[] NOT NULL DEFAULT '{}',
    ADD COLUMN by_line boolean NOT NULL DEFAULT false;
