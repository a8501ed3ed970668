CREATE SCHEMA checkout;

-- The sections `burning` and `returns` of each version of the programme, as they were published.
CREATE TABLE checkout.section (
    version integer NOT NULL CHECK (version > 0),
    name text NOT NULL CHECK (name IN ('burning', 'returns')),
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL,
    PRIMARY KEY (version, name)
);

-- Points held for an order: what the shop was told they pay. The points themselves are the
-- ledger's; that a hold ran out is seen by `expires_at`.
CREATE TABLE checkout.hold (
    member_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    sales_channel text NOT NULL,
    points bigint NOT NULL CHECK (points > 0),
    point_value_kopecks bigint NOT NULL CHECK (point_value_kopecks > 0),
    pay_kopecks bigint NOT NULL CHECK (pay_kopecks >= 0),
    -- [line, sku, quantity_micro, price, min_price, earnable, burnable, points, discount, pay]; the
    -- delivery is line 0.
    lines jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'committed', 'cancelled')),
    held_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    held_by text NOT NULL,
    ended_at timestamptz,
    ended_by text,
    order_ref uuid,
    PRIMARY KEY (member_id, hold_id),
    CHECK ((state = 'open') = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((state = 'committed') = (order_ref IS NOT NULL))
) WITH (fillfactor = 85);

CREATE INDEX hold_open ON checkout.hold (expires_at) WHERE state = 'open';  -- queries.open_holds

-- The shop's number of an order, unique in its sales channel for the whole programme.
CREATE TABLE checkout.order_claim (
    sales_channel text NOT NULL,
    order_id text NOT NULL CHECK (length(order_id) BETWEEN 1 AND 100),
    member_id uuid NOT NULL,
    order_ref uuid NOT NULL,
    PRIMARY KEY (sales_channel, order_id)
);
CREATE INDEX order_claim_of_member ON checkout.order_claim (member_id);  -- operations.merging

-- An order as it was recorded. `account_id`: in whose ledger account points were spent and earned,
-- which stays when the member is merged. `returned` is a cache of the returns: micro by line.
CREATE TABLE checkout.purchase_order (
    member_id uuid NOT NULL,
    order_ref uuid NOT NULL,
    sales_channel text NOT NULL,
    order_id text NOT NULL,
    purchase_id uuid NOT NULL,
    hold_id uuid,
    account_id uuid NOT NULL,
    spent_seq bigint CHECK (spent_seq > 0),
    spent_points bigint NOT NULL CHECK (spent_points >= 0),
    earned_points bigint NOT NULL CHECK (earned_points >= 0),
    active_at timestamptz,
    paid_kopecks bigint NOT NULL CHECK (paid_kopecks >= 0),
    version integer NOT NULL CHECK (version > 0),
    ordered_at timestamptz NOT NULL,
    paid_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- [line, sku, quantity_micro, price, sum, points, discount, pay, earned]; the delivery is line 0.
    lines jsonb NOT NULL,
    returned jsonb NOT NULL,
    PRIMARY KEY (member_id, order_ref),
    CHECK ((spent_seq IS NULL) = (spent_points = 0) AND (hold_id IS NULL) = (spent_seq IS NULL))
) WITH (fillfactor = 85);

-- Append-only but for a merge. `return_id` is the shop's; of a cancelled order it is 'cancel'.
CREATE TABLE checkout.order_return (
    member_id uuid NOT NULL,
    order_ref uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('return', 'cancel')),
    return_id text NOT NULL CHECK (length(return_id) BETWEEN 1 AND 100),
    returned_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    restored_points bigint NOT NULL CHECK (restored_points >= 0),
    expired_points bigint NOT NULL CHECK (expired_points BETWEEN 0 AND restored_points),
    reversed_points bigint NOT NULL CHECK (reversed_points >= 0),
    forgiven_points bigint NOT NULL CHECK (forgiven_points BETWEEN 0 AND reversed_points),
    debt_points bigint NOT NULL CHECK (debt_points BETWEEN 0 AND reversed_points),
    refund_kopecks bigint NOT NULL CHECK (refund_kopecks >= 0),
    -- [line, quantity_micro, restored, reversed, refund]; the delivery is line 0.
    lines jsonb NOT NULL,
    PRIMARY KEY (member_id, order_ref, kind, return_id)
);

GRANT USAGE ON SCHEMA checkout TO vezde_app;
GRANT SELECT, INSERT ON checkout.section TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON checkout.hold, checkout.order_claim, checkout.purchase_order,
    checkout.order_return TO vezde_app;
