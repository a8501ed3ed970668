-- What a bot uploaded: the messenger's id of a picture, good for that account alone.
CREATE TABLE messaging.picture (
    account text NOT NULL,            -- telegram:7000000001
    sha256 bytea NOT NULL,            -- of the picture's bytes
    file_id text NOT NULL,
    uploaded_wall timestamptz NOT NULL,
    PRIMARY KEY (account, sha256)
);

GRANT SELECT, INSERT, UPDATE ON messaging.picture TO vezde_app;
