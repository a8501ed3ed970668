CREATE SCHEMA insights;

-- Figures of a finished day of the programme, counted once: pages and letters read these instead of
-- what they were counted from. `what` is a kind of fact with its points in `amount`, or receipts
-- by status, channel or shop with their kopecks; `of` says which.
CREATE TABLE insights.tally (
    day date NOT NULL,
    what text NOT NULL,
    of text NOT NULL,
    number bigint NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (day, what, of)
);

GRANT USAGE ON SCHEMA insights TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON insights.tally TO vezde_app;
