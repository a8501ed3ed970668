-- Who cannot be written to over a messenger: they blocked the bot, closed their account, never
-- began. The row goes when they write again. No foreign key: forgetting drops it when it likes.
CREATE TABLE members.unreachable (
    member_id uuid NOT NULL,
    kind text NOT NULL,
    reason text NOT NULL CHECK (length(reason) BETWEEN 1 AND 100),
    since timestamptz NOT NULL,
    PRIMARY KEY (member_id, kind)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON members.unreachable TO vezde_app;
