-- The programme's section `moderation`, as every version had it.
CREATE TABLE receipts.section (
    version integer PRIMARY KEY,
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL
);

-- Lines a person looks at: in doubt; accepted and drawn to be checked (`audit`); among the first
-- names of a new catalogue (`first`). `printed` stands here because equal ones are decided at once.
-- `turn` counts decisions and undoings: whoever decides says which one they saw.
-- `was` is what stood there before: the match, the receipt's status and reason, the alias.
CREATE TABLE receipts.look (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    kind text NOT NULL CHECK (kind IN ('doubt', 'audit', 'first')),
    seller_inn text,
    printed text NOT NULL,
    sum_kopecks bigint NOT NULL,
    since timestamptz NOT NULL,
    turn integer NOT NULL DEFAULT 0,
    sku text,
    decision_id uuid,
    decided_at timestamptz,
    decided_by text,
    was jsonb,
    PRIMARY KEY (member_id, receipt_id, line),
    CHECK (num_nulls(decision_id, decided_at, decided_by, was) IN (0, 4)),
    CHECK (sku IS NULL OR decided_at IS NOT NULL)
) WITH (fillfactor = 80);
-- looks.page, the two orders; looks.counted.
CREATE INDEX look_oldest ON receipts.look (since, receipt_id, line) WHERE decided_at IS NULL;
CREATE INDEX look_dearest ON receipts.look (sum_kopecks, receipt_id, line)
    WHERE decided_at IS NULL;
-- looks.alike, looks.taught
CREATE INDEX look_alike ON receipts.look (md5(printed), seller_inn);
-- moderating.undo
CREATE INDEX look_of_decision ON receipts.look (decision_id) WHERE decision_id IS NOT NULL;
-- looking.enter: how many first names there were
CREATE UNIQUE INDEX look_first ON receipts.look (md5(printed)) WHERE kind = 'first';

-- What is in doubt already: matches are [line, sku, candidate, …].
INSERT INTO receipts.look
    (member_id, receipt_id, line, kind, seller_inn, printed, sum_kopecks, since)
SELECT member_id, receipt_id, (match ->> 0)::integer, 'doubt', r.seller_inn,
    coalesce(said ->> 'n', ''), (said ->> 's')::bigint, coalesce(r.decided_at, r.registered_at)
FROM receipts.receipt r
JOIN receipts.document d USING (member_id, receipt_id)
CROSS JOIN LATERAL jsonb_array_elements(d.matches) AS match
CROSS JOIN LATERAL jsonb_array_elements(d.document -> 'lines') AS said
WHERE r.status IN ('in_review', 'accepted', 'awaiting_settlement')
  AND match ->> 2 IS NOT NULL AND said ->> 'l' = match ->> 0;

GRANT SELECT, INSERT ON receipts.section TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.look TO vezde_app;
