-- Documents that the brand's own operator of fiscal data pushed, kept for receipts shown later.
CREATE TABLE receipts.pushed (
    fn bigint NOT NULL,
    fd bigint NOT NULL,
    document jsonb NOT NULL,
    pushed_by text NOT NULL,
    pushed_at timestamptz NOT NULL,
    PRIMARY KEY (fn, fd)
);
-- receipts.operations.pushing.sweep
CREATE INDEX pushed_by_age ON receipts.pushed (pushed_at);

GRANT SELECT, INSERT, DELETE ON receipts.pushed TO vezde_app;
