-- Past lines to be matched again: of all receipts ('') or of one shop (its INN), and how far that is.
-- `again`: requested once more meanwhile, so another round follows this one.
CREATE TABLE receipts.rematch (
    scope text PRIMARY KEY,
    after_id uuid,
    again boolean NOT NULL DEFAULT false,
    requested_at timestamptz NOT NULL
);

GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.rematch TO vezde_app;
