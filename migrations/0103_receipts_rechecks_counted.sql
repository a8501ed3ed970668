-- rechecking.counted: those of the last weeks, however many there ever were.
CREATE INDEX recheck_ended ON receipts.recheck (until_at, state);
