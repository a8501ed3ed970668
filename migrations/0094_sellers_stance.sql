-- What operators think of a seller; its history stands in the facts `seller.judged/1`.
ALTER TABLE sellers.seller
    ADD COLUMN stance text CHECK (stance IN ('trusted', 'watched', 'blocked')),
    ADD COLUMN stance_note text,
    ADD COLUMN stance_at timestamptz,
    ADD COLUMN stance_by text,
    ADD CHECK (stance IS NULL OR num_nulls(stance_at, stance_by) = 0);
-- queries.with_stance
CREATE INDEX seller_with_stance ON sellers.seller (stance, inn) WHERE stance IS NOT NULL;
