-- Each merge, and for as long as it may be undone what each domain moved by it: sealed, for it says
-- what the two people were before. members.merged is who a gone id is now.
CREATE TABLE members.merge (
    member_id uuid NOT NULL REFERENCES members.member,   -- who went
    merge_id uuid NOT NULL,
    into_id uuid NOT NULL REFERENCES members.member,
    sealed bytea,                     -- null: undone, out of its term, or one of the two forgotten
    merged_at timestamptz NOT NULL,
    merged_by text NOT NULL,
    undone_at timestamptz,
    undone_by text,
    PRIMARY KEY (member_id, merge_id),
    CHECK (num_nulls(undone_at, undone_by) IN (0, 2)),
    CHECK (undone_at IS NULL OR sealed IS NULL)
);
CREATE INDEX merge_by_into ON members.merge (into_id);  -- journal.erase, queries.parted
CREATE INDEX merge_kept ON members.merge (merged_at) WHERE sealed IS NOT NULL;  -- journal.sweep

GRANT SELECT, INSERT, UPDATE (sealed, undone_at, undone_by) ON members.merge TO vezde_app;
GRANT DELETE ON members.merged TO vezde_app;
