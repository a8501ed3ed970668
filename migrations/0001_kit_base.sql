-- The programme's clock: wall time plus an offset that only a sandbox moves.
CREATE TABLE kit.clock (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    offset_seconds bigint NOT NULL CHECK (offset_seconds >= 0)
);
INSERT INTO kit.clock (offset_seconds) VALUES (0);

GRANT USAGE ON SCHEMA kit TO vezde_app;
GRANT SELECT ON kit.migration TO vezde_app;
GRANT SELECT, UPDATE ON kit.clock TO vezde_app;
