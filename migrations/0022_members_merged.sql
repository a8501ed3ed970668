ALTER TABLE members.member DROP CONSTRAINT member_status_check;
ALTER TABLE members.member ADD CONSTRAINT member_status_check
    CHECK (status IN ('active', 'closed', 'forgotten'));

-- Who became part of another member: member_id is gone, into_id who they are now, however many
-- merges later. What was written under the old id and never changes (entries, decisions, facts,
-- ids that programs have kept) is found through it.
CREATE TABLE members.merged (
    member_id uuid PRIMARY KEY REFERENCES members.member,
    into_id uuid NOT NULL REFERENCES members.member,
    merged_at timestamptz NOT NULL,
    merged_by text NOT NULL,
    CHECK (into_id <> member_id)
);
CREATE INDEX merged_by_into ON members.merged (into_id);  -- members.queries.former

GRANT SELECT, INSERT, UPDATE (into_id) ON members.merged TO vezde_app;
GRANT UPDATE (member_id) ON members.claim TO vezde_app;
-- Evidence stays evidence: it gets another owner, or loses words that might name one.
GRANT UPDATE (member_id, how) ON members.consent TO vezde_app;
