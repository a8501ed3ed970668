-- A request is claimed by a lock, no longer by a row that waits for its answer.
DELETE FROM access.answer WHERE status IS NULL OR media_type IS NULL OR sealed IS NULL;
ALTER TABLE access.answer
    ALTER COLUMN status SET NOT NULL,
    ALTER COLUMN media_type SET NOT NULL,
    ALTER COLUMN sealed SET NOT NULL;
