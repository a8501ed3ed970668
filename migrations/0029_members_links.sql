-- A link that people come by: what a blogger posts, what is printed on a box. Of the programme, so
-- no member leads its key.
CREATE TABLE members.link (
    code text PRIMARY KEY CHECK (code ~ '^[2-9a-hjkmnp-z]{4,16}$'),
    source text NOT NULL CHECK (length(source) BETWEEN 1 AND 100),
    campaign text CHECK (length(campaign) BETWEEN 1 AND 100),
    medium text CHECK (length(medium) BETWEEN 1 AND 100),
    door text NOT NULL CHECK (door IN ('telegram', 'max', 'vk', 'web')),
    note text CHECK (length(note) BETWEEN 1 AND 500),
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    archived_at timestamptz,          -- out of the list; what was printed still leads somewhere
    archived_by text,
    CHECK (num_nulls(archived_at, archived_by) IN (0, 2))
);
CREATE INDEX link_by_time ON members.link (created_at, code);

-- How often a link was opened on a day of the programme, and nothing of who opened it. Several
-- slots a day, so that a crowd in front of one poster does not queue for one row.
CREATE TABLE members.scan (
    code text NOT NULL REFERENCES members.link,
    day date NOT NULL,
    slot smallint NOT NULL,
    people bigint NOT NULL,
    previews bigint NOT NULL,         -- crawlers and messengers that look before anybody taps
    PRIMARY KEY (code, day, slot)
) WITH (fillfactor = 70);

-- Every link a member came by, however often. No foreign key to the link: members may be sharded,
-- links stay in one place.
CREATE TABLE members.touch (
    member_id uuid NOT NULL REFERENCES members.member,
    code text NOT NULL,
    at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    times integer NOT NULL,
    PRIMARY KEY (member_id, code)
);

-- Where a member came from, once and for all, and how far they went: a narrow row a member, so that
-- the funnel of a million members reads one table. It holds nothing of the person and outlives
-- their row (no foreign key): who left still came.
CREATE TABLE members.arrival (
    member_id uuid PRIMARY KEY,
    source text,                      -- null: nobody knows
    campaign text,
    code text,                        -- null: the source was named by another program
    came_at timestamptz,              -- the first touch; known with the source
    enrolled_at timestamptz NOT NULL,
    consented_at timestamptz,
    receipt_at timestamptz,           -- the first receipt shown, when it was shown
    accepted_at timestamptz,          -- the first one accepted
    points bigint NOT NULL,           -- accrued since they came, in all
    CHECK (num_nulls(source, came_at) IN (0, 2))
) WITH (fillfactor = 80);
-- The funnel of a period.
CREATE INDEX arrival_by_time ON members.arrival (came_at) WHERE source IS NOT NULL;

INSERT INTO members.arrival (member_id, source, came_at, enrolled_at, consented_at, points)
SELECT member.member_id, member.source, CASE WHEN member.source IS NOT NULL THEN member.created_at END,
       member.created_at, min(consent.recorded_at), 0
FROM members.member LEFT JOIN members.consent USING (member_id)
GROUP BY member.member_id;

GRANT SELECT, INSERT, UPDATE (archived_at, archived_by) ON members.link TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON members.scan TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON members.touch, members.arrival TO vezde_app;
