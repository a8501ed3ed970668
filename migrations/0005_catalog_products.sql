CREATE SCHEMA catalog;

-- One row, written by the first import. The stamps change with whatever changes the matcher's
-- answers; being random they also tell one database from another, and a rolled back change from
-- a committed one. `number` is for people. Its lock makes imports wait for each other.
CREATE TABLE catalog.revision (
    only_row boolean PRIMARY KEY CHECK (only_row),
    number bigint NOT NULL CHECK (number >= 0),
    products_stamp uuid NOT NULL,
    aliases_stamp uuid NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL
);

CREATE TABLE catalog.product (
    sku text COLLATE "C" PRIMARY KEY CHECK (sku <> ''),
    gtin text CHECK (gtin ~ '^[0-9]{14}$'),
    name text NOT NULL CHECK (name <> ''),
    brand text NOT NULL CHECK (brand <> ''),
    line text,
    category text,
    tags text[] NOT NULL,
    size text,
    shade text,
    set_units integer CHECK (set_units > 0),
    price_kopecks bigint CHECK (price_kopecks >= 0),
    cost_kopecks bigint CHECK (cost_kopecks >= 0),
    replenish_days integer CHECK (replenish_days > 0),
    photo_url text,
    aliases text[] NOT NULL,
    nm_id bigint,
    ozon_sku bigint,
    market_sku bigint,
    offers jsonb NOT NULL,
    only_on text,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    archived_at timestamptz
);
-- An archived product keeps its code; another may have taken it since.
CREATE UNIQUE INDEX product_gtin ON catalog.product (gtin) WHERE archived_at IS NULL;

-- What one seller prints for a product, as a person decided; without a sku: surely not ours.
-- `name` is the canonical form lines are looked up by, `printed` what it can be made of again.
CREATE TABLE catalog.alias (
    seller_inn text NOT NULL,
    name text COLLATE "C" NOT NULL CHECK (name <> ''),
    printed text NOT NULL,
    sku text COLLATE "C" REFERENCES catalog.product (sku),
    learned_at timestamptz NOT NULL,
    learned_by text NOT NULL,
    PRIMARY KEY (seller_inn, name)
);

GRANT USAGE ON SCHEMA catalog TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON catalog.revision TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON catalog.product TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON catalog.alias TO vezde_app;
