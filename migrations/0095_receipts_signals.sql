-- The programme's section `signals`, as every version had it.
CREATE TABLE receipts.signals_section (
    version integer PRIMARY KEY,
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL
);

-- What signals compare a receipt with. `score` is there where signals looked at it: a sale of the
-- brand's goods. `shop` stands for a seller and its address, `subject` is the tax service's code.
ALTER TABLE receipts.receipt
    ADD COLUMN score integer CHECK (score >= 0),
    ADD COLUMN shop bigint,
    ADD COLUMN subject text;

-- Receipts that wait for a person because of their signals, or did: `outcome` says how it ended.
-- `reasons` is a list of [signal, score, facts]: numbers, instants, codes of places, nobody's names.
CREATE TABLE receipts.quarantine (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    score integer NOT NULL CHECK (score > 0),
    reasons jsonb NOT NULL,
    held_at timestamptz NOT NULL,
    promised_at timestamptz NOT NULL,
    outcome text CHECK (outcome IN ('released', 'declined')),
    ended_at timestamptz,
    ended_by text,
    note text,
    PRIMARY KEY (member_id, receipt_id),
    CHECK (num_nulls(outcome, ended_at, ended_by) IN (0, 3))
) WITH (fillfactor = 80);
-- quarantine.page, quarantine.waiting
CREATE INDEX quarantine_waiting ON receipts.quarantine (held_at, receipt_id)
    WHERE outcome IS NULL;

-- Devices that members' receipts came from: a keyed hash of the mark that a caller gives.
CREATE TABLE receipts.device (
    member_id uuid NOT NULL,
    device bytea NOT NULL CHECK (octet_length(device) = 16),
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, device)
) WITH (fillfactor = 80);
-- signals.reading: who else has this device
CREATE INDEX device_of_members ON receipts.device (device, last_seen_at);

GRANT SELECT, INSERT ON receipts.signals_section TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON receipts.quarantine, receipts.device TO vezde_app;
