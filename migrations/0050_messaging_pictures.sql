-- What a bot uploaded: the messenger's id of a picture, good for that account alone.
CREATE TABLE messaging.picture (
    account text NOT NULL,            -- telegram:7000000001
    sha256 bytea NOT NULL,            -- of the picture's bytes
    file_id text NOT NULL,
    uploaded_wall timestamptz NOT NULL,
    PRIMARY KEY (account, sha256)
);

GRANT SELECT, INSERT, UPDATE ON messaging.picture TO vezde_app;

-- When somebody saw that a message may not have arrived.
ALTER TABLE messaging.send ADD COLUMN seen_wall timestamptz;
-- messaging.troubles
CREATE INDEX send_troubled ON messaging.send (finished_wall, member_id, send_id)
    WHERE state IN ('unknown', 'refused') AND seen_wall IS NULL
      AND (reason IS NULL OR reason NOT IN ('blocked', 'deactivated', 'chat_missing', 'no_member',
           'no_address', 'no_consent'));
