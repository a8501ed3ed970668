-- Marking codes: the physical pack of a receipt's line.
ALTER TABLE purchases.line ADD COLUMN gtin text, ADD COLUMN sernum text;
CREATE INDEX line_by_pack ON purchases.line (gtin, sernum) WHERE sernum IS NOT NULL;

-- One owner of a pack: by a verified receipt, or by a scan alone of a code that is the brand's own.
-- Released when the code came back into circulation: another may buy that pack.
CREATE TABLE purchases.pack (
    gtin text NOT NULL CHECK (gtin ~ '^[0-9]{14}$'),
    sernum text COLLATE "C" NOT NULL CHECK (sernum <> ''),
    member_id uuid NOT NULL,
    how text NOT NULL CHECK (how IN ('receipt', 'scan')),
    receipt_id uuid,
    line integer,
    claimed_at timestamptz NOT NULL,
    scanned_at timestamptz,
    bonus_fact uuid,
    released_at timestamptz,
    PRIMARY KEY (gtin, sernum)
);
-- Scans with a bonus of a member's day
CREATE INDEX pack_of_member ON purchases.pack (member_id, scanned_at) WHERE scanned_at IS NOT NULL;

-- Who else claimed a pack: for people to look at, nothing is taken by itself.
CREATE TABLE purchases.pack_dispute (
    gtin text NOT NULL,
    sernum text COLLATE "C" NOT NULL,
    member_id uuid NOT NULL,
    receipt_id uuid,
    disputed_at timestamptz NOT NULL,
    PRIMARY KEY (gtin, sernum, member_id)
);

-- Codes the brand ordered itself: a made-up sernum is none of them.
CREATE TABLE purchases.own_code (
    gtin text NOT NULL CHECK (gtin ~ '^[0-9]{14}$'),
    sernum text COLLATE "C" NOT NULL CHECK (sernum <> ''),
    added_at timestamptz NOT NULL,
    added_by text NOT NULL,
    PRIMARY KEY (gtin, sernum)
);

GRANT SELECT, INSERT, UPDATE ON purchases.pack TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON purchases.pack_dispute TO vezde_app;
GRANT SELECT, INSERT ON purchases.own_code TO vezde_app;
