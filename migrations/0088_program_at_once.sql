-- Of points that wait, how many are active at once; a lot of their own.
ALTER TABLE program.decision
    ADD COLUMN at_once bigint NOT NULL DEFAULT 0 CHECK (at_once >= 0 AND at_once <= points);
