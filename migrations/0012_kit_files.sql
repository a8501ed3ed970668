-- Files by name: the bytes here, or (content null, kept elsewhere) in a directory.
CREATE TABLE kit.file (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 300),
    media_type text NOT NULL,
    size integer NOT NULL CHECK (size BETWEEN 0 AND 26214400),
    expires_at timestamptz,
    content bytea
);
-- photos and PDFs are compressed already
ALTER TABLE kit.file ALTER COLUMN content SET STORAGE EXTERNAL;
-- kit.files.sweep
CREATE INDEX file_expiry ON kit.file (expires_at) WHERE expires_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON kit.file TO vezde_app;
