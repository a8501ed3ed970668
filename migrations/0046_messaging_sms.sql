-- The ledger of SMS: a row a message. Some go to people who are no members (yet), so a row is
-- found by itself. Phone and text are sealed; they go when nothing is to be asked about it any more.
-- `due_wall`: when it is to be sent, or its fate asked for; null when it is over. A lease that ran
-- out in `reserved` means that it may have been sent.
CREATE TABLE messaging.sms (
    sms_id uuid PRIMARY KEY,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    member_id uuid,
    state text NOT NULL CHECK (state IN ('reserved', 'unknown', 'sent', 'failed')),
    reason text,
    delivery text CHECK (delivery IN ('delivered', 'undelivered')),
    sealed bytea,
    segments smallint NOT NULL CHECK (segments > 0),
    cost_kopecks bigint,
    attempts smallint NOT NULL,
    asked smallint NOT NULL,
    lease uuid,
    due_wall timestamptz,
    useless_wall timestamptz NOT NULL,
    reserved_wall timestamptz NOT NULL,
    reserved_at timestamptz NOT NULL,
    reserved_by text NOT NULL,
    finished_wall timestamptz
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX sms_key ON messaging.sms (key);
CREATE INDEX sms_due ON messaging.sms (due_wall) WHERE due_wall IS NOT NULL;
CREATE INDEX sms_reserved ON messaging.sms (reserved_wall);  -- the day's cap
CREATE INDEX sms_of_member ON messaging.sms (member_id) WHERE member_id IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON messaging.sms TO vezde_app;
