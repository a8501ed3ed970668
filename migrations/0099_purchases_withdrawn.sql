-- A document that brings nothing any more, and why: it is another member's (`moved`), or is held
-- back until a person has looked (`recheck`).
ALTER TABLE purchases.document ADD COLUMN withdrawn text CHECK (withdrawn IN ('moved', 'recheck'));

-- People decide of disputes about packs, too.
ALTER TABLE purchases.pack_dispute
    ADD COLUMN dispute_id uuid,
    ADD COLUMN outcome text CHECK (outcome IN ('kept', 'moved')),
    ADD COLUMN decided_at timestamptz,
    ADD COLUMN decided_by text;
UPDATE purchases.pack_dispute SET dispute_id = gen_random_uuid();
ALTER TABLE purchases.pack_dispute
    ALTER COLUMN dispute_id SET NOT NULL,
    ADD UNIQUE (dispute_id),
    ADD CHECK (num_nulls(outcome, decided_at, decided_by) IN (0, 3));
CREATE INDEX pack_dispute_waiting ON purchases.pack_dispute (disputed_at, dispute_id)
    WHERE decided_at IS NULL;
