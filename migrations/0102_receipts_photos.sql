-- The messenger's name of the picture that a receipt came by, sealed; it goes with the work row.
ALTER TABLE receipts.verification ADD COLUMN picture bytea;

-- Pictures of receipts that a person has to look at, sealed. `source`: to be fetched from the
-- messenger still. `awaited`: a person is to look; until then its receipt is not settled, and a
-- picture that no messenger keeps waits here for that.
CREATE TABLE receipts.photo (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    shown_at timestamptz NOT NULL,
    awaited boolean NOT NULL,
    source bytea,
    picture bytea,
    try_wall timestamptz,
    attempts integer NOT NULL DEFAULT 0,
    lease uuid,
    PRIMARY KEY (member_id, receipt_id),
    CHECK (num_nonnulls(source, picture) = 1)
);
-- Sealed bytes do not compress.
ALTER TABLE receipts.photo ALTER COLUMN picture SET STORAGE EXTERNAL;
-- photos.operations.claim
CREATE INDEX photo_to_fetch ON receipts.photo (try_wall NULLS FIRST) WHERE source IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.photo TO vezde_app;
