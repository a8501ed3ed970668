-- What was learned can be taken back; the row stays and says who did.
ALTER TABLE catalog.alias
    ADD COLUMN withdrawn_at timestamptz,
    ADD COLUMN withdrawn_by text,
    ADD CHECK (num_nulls(withdrawn_at, withdrawn_by) IN (0, 2));
-- queries.aliases: newest first; by how a name begins; of a product.
CREATE INDEX alias_newest ON catalog.alias (learned_at, seller_inn, name)
    WHERE withdrawn_at IS NULL;
CREATE INDEX alias_by_name ON catalog.alias (name);
CREATE INDEX alias_of_product ON catalog.alias (sku) WHERE sku IS NOT NULL;
