-- rechecking.open_ones: the few that wait for a person, however many were decided.
CREATE INDEX recheck_open ON receipts.recheck (held_at)
    WHERE held_at IS NOT NULL AND decided_at IS NULL;
