-- Everything that moves points after they were given: tables first, then time's own doing.

-- Points earned go first against what is owed; an entry of its own says so.
ALTER TYPE ledger.entry_kind ADD VALUE 'repay' AFTER 'reverse';

-- What an entry is about: the accrual reversed, the debit restored, the hold committed or released.
ALTER TABLE ledger.entry RENAME COLUMN reverses_seq TO about_seq;
-- ledger.operations.returning: what was taken back or restored of an entry before.
CREATE INDEX entry_taken_back ON ledger.entry (member_id, about_seq)
    WHERE kind IN ('reverse', 'restore');

-- Null: the lot waits for an event, not for an instant.
ALTER TABLE ledger.lot ALTER COLUMN active_at DROP NOT NULL;

-- What a hold reserves is what its entry took from lots, so alloc has it already.
DROP TABLE ledger.hold_lot;

ALTER TABLE ledger.account
    -- When points without a date of their own go, unless the member does something before.
    -- Null: inactivity ends nothing.
    ADD COLUMN inactive_at timestamptz,
    -- Up to which seq entries that time made by itself were told to the domains above.
    ADD COLUMN told_seq bigint NOT NULL DEFAULT 0;

-- Since when which rule of inactivity is in force; rule null: none. inactive_at is the end of a full
-- period from then, so that nobody's points go earlier. walked_*: how far accounts were told.
CREATE TABLE ledger.inactivity (
    from_at timestamptz PRIMARY KEY,
    rule text CHECK (length(rule) BETWEEN 1 AND 200),
    inactive_at timestamptz,
    walked_to uuid,
    walked_at timestamptz,
    CHECK ((rule IS NULL) = (inactive_at IS NULL) AND inactive_at > from_at)
);

-- What an operator asked for, and who agreed; the words of the reason are here and nowhere else.
CREATE TABLE ledger.adjustment (
    member_id uuid NOT NULL,
    adjustment_id uuid NOT NULL,
    points bigint NOT NULL CHECK (points <> 0),
    expires_at timestamptz,
    reason text,  -- null once the member is forgotten
    title text NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'done', 'refused')),
    asked_at timestamptz NOT NULL,
    asked_by text NOT NULL,
    decided_at timestamptz,
    decided_by text,
    seq ledger.seq,  -- of its entry
    PRIMARY KEY (member_id, adjustment_id),
    CHECK ((state = 'pending') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)
        AND (state = 'done') = (seq IS NOT NULL))
);
-- ledger.queries.adjustments: what waits for a second operator.
CREATE INDEX adjustment_pending ON ledger.adjustment (asked_at, adjustment_id)
    WHERE state = 'pending';

GRANT SELECT, INSERT, UPDATE, DELETE ON ledger.inactivity TO vezde_app;
GRANT SELECT, INSERT, UPDATE ON ledger.adjustment TO vezde_app;

-- next_due_at counts every change by itself now, expiry too; of each account one due row is enough,
-- at that instant or before: whoever works it leaves the next one.
UPDATE ledger.account a
SET told_seq = a.seq, next_due_at = CASE WHEN a.closed_at IS NULL THEN (
    SELECT min(least(CASE WHEN l.activated_seq IS NULL THEN l.active_at END, l.expires_at))
    FROM ledger.lot l WHERE l.member_id = a.member_id AND l.open) END;
INSERT INTO ledger.due (due_at, member_id)
SELECT a.next_due_at, a.member_id FROM ledger.account a WHERE a.next_due_at IS NOT NULL
ON CONFLICT DO NOTHING;

DROP FUNCTION ledger.activate, ledger.accrue, ledger.close, ledger.open_lot;

-- Functions below this line that take a ledger.account work on the row its caller has locked, and
-- answer it as it is then; only ledger.advance and those with outcomes save it.

-- An entry with the account's balances and seq as given.
CREATE FUNCTION ledger.enter(
    p_account ledger.account, p_kind ledger.entry_kind, p_points bigint, p_lot_seq bigint,
    p_about_seq bigint, p_occurred_at timestamptz, p_at timestamptz, p_title text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger.entry (
        member_id, seq, points, active_after, pending_after, held_after, debt_after,
        occurred_at, recorded_at, lot_seq, about_seq, kind, actor, title)
    VALUES (
        p_account.member_id, p_account.seq, p_points, p_account.active, p_account.pending,
        p_account.held, p_account.debt,
        p_occurred_at, p_at, p_lot_seq, p_about_seq, p_kind, 'system', p_title);
END $$;

-- Take points from the active lots in use order; the caller knows that there are enough.
CREATE FUNCTION ledger.take(
    p_member_id uuid, p_seq bigint, p_points bigint, OUT lots bigint[], OUT points bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    v_lot record;
    v_left bigint := p_points;
    v_taken bigint;
BEGIN
    FOR v_lot IN
        SELECT l.seq, l.remaining FROM ledger.lot l
        WHERE l.member_id = p_member_id AND l.open AND l.activated_seq IS NOT NULL
        ORDER BY l.use_order, l.seq
    LOOP
        v_taken := least(v_left, v_lot.remaining);
        INSERT INTO ledger.alloc (member_id, debit_seq, lot_seq, points)
        VALUES (p_member_id, p_seq, v_lot.seq, v_taken);
        UPDATE ledger.lot l
        SET remaining = v_lot.remaining - v_taken, open = v_lot.remaining > v_taken
        WHERE l.member_id = p_member_id AND l.seq = v_lot.seq;
        lots := lots || v_lot.seq;
        points := points || v_taken;
        v_left := v_left - v_taken;
        EXIT WHEN v_left = 0;
    END LOOP;
    ASSERT v_left = 0, 'the lots hold less than the account says';
END $$;

-- Give points of an entry back to the lots it took them from, the last taken first; answers the
-- earliest end of those lots.
CREATE FUNCTION ledger.give_back(
    p_member_id uuid, p_taken_seq bigint, p_seq bigint, p_points bigint)
RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_lot record;
    v_left bigint := p_points;
    v_given bigint;
    v_soonest timestamptz;
BEGIN
    FOR v_lot IN
        SELECT l.seq, l.expires_at, a.points
        FROM ledger.alloc a JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
        WHERE a.member_id = p_member_id AND a.debit_seq = p_taken_seq
        ORDER BY l.use_order DESC, l.seq DESC
    LOOP
        v_given := least(v_left, v_lot.points);
        INSERT INTO ledger.alloc (member_id, debit_seq, lot_seq, points)
        VALUES (p_member_id, p_seq, v_lot.seq, -v_given);
        UPDATE ledger.lot l SET remaining = l.remaining + v_given, open = true
        WHERE l.member_id = p_member_id AND l.seq = v_lot.seq;
        v_soonest := least(v_soonest, v_lot.expires_at);
        v_left := v_left - v_given;
        EXIT WHEN v_left = 0;
    END LOOP;
    ASSERT v_left = 0, 'an entry gave back more than it had taken';
    RETURN v_soonest;
END $$;

-- Active points go against what is owed.
CREATE FUNCTION ledger.repay(
    p_account ledger.account, p_occurred_at timestamptz, p_at timestamptz)
RETURNS ledger.account LANGUAGE plpgsql AS $$
DECLARE
    v_points bigint := least(p_account.debt, p_account.active);
BEGIN
    p_account.seq := p_account.seq + 1;
    p_account.active := p_account.active - v_points;
    p_account.debt := p_account.debt - v_points;
    PERFORM ledger.enter(
        p_account, 'repay', -v_points, NULL, NULL, p_occurred_at, p_at, 'Погашение долга');
    PERFORM ledger.take(p_account.member_id, p_account.seq, v_points);
    RETURN p_account;
END $$;

-- A pending lot whose instant has come.
CREATE FUNCTION ledger.ripen(p_account ledger.account, p_lot_seq bigint, p_at timestamptz)
RETURNS ledger.account LANGUAGE plpgsql AS $$
DECLARE
    v_lot record;
BEGIN
    SELECT l.remaining, l.active_at, e.title INTO STRICT v_lot
    FROM ledger.lot l JOIN ledger.entry e ON e.member_id = l.member_id AND e.seq = l.seq
    WHERE l.member_id = p_account.member_id AND l.seq = p_lot_seq;
    p_account.seq := p_account.seq + 1;
    p_account.active := p_account.active + v_lot.remaining;
    p_account.pending := p_account.pending - v_lot.remaining;
    PERFORM ledger.enter(
        p_account, 'activate', v_lot.remaining, p_lot_seq, NULL, v_lot.active_at, p_at, v_lot.title);
    UPDATE ledger.lot l SET activated_seq = p_account.seq
    WHERE l.member_id = p_account.member_id AND l.seq = p_lot_seq;
    RETURN p_account;
END $$;

-- A hold whose time is over: its points go back where they came from.
CREATE FUNCTION ledger.time_out(p_account ledger.account, p_hold_seq bigint, p_at timestamptz)
RETURNS ledger.account LANGUAGE plpgsql AS $$
DECLARE
    v_hold record;
BEGIN
    SELECT h.hold_id, h.points, h.expires_at, e.title INTO STRICT v_hold
    FROM ledger.hold h JOIN ledger.entry e ON e.member_id = h.member_id AND e.seq = h.seq
    WHERE h.member_id = p_account.member_id AND h.seq = p_hold_seq;
    p_account.seq := p_account.seq + 1;
    p_account.active := p_account.active + v_hold.points;
    p_account.held := p_account.held - v_hold.points;
    PERFORM ledger.enter(
        p_account, 'release', v_hold.points, NULL, p_hold_seq, v_hold.expires_at, p_at, v_hold.title);
    PERFORM ledger.give_back(p_account.member_id, p_hold_seq, p_account.seq, v_hold.points);
    UPDATE ledger.hold h SET state = 'expired', closed_seq = p_account.seq
    WHERE h.member_id = p_account.member_id AND h.hold_id = v_hold.hold_id;
    RETURN p_account;
END $$;

-- All lots whose date has come by p_moment (p_idle: all active ones that have none) go at once.
CREATE FUNCTION ledger.expire(
    p_account ledger.account, p_idle boolean, p_moment timestamptz, p_at timestamptz)
RETURNS ledger.account LANGUAGE plpgsql AS $$
DECLARE
    v_active bigint;
    v_pending bigint;
BEGIN
    p_account.seq := p_account.seq + 1;
    WITH gone AS (
        INSERT INTO ledger.alloc (member_id, debit_seq, lot_seq, points)
        SELECT l.member_id, p_account.seq, l.seq, l.remaining FROM ledger.lot l
        WHERE l.member_id = p_account.member_id AND l.open
            AND CASE WHEN p_idle THEN l.expires_at IS NULL AND l.activated_seq IS NOT NULL
                ELSE l.expires_at <= p_moment END
        RETURNING lot_seq, points
    ), closed AS (
        UPDATE ledger.lot l SET remaining = 0, open = false
        FROM gone WHERE l.member_id = p_account.member_id AND l.seq = gone.lot_seq
        RETURNING gone.points, l.activated_seq
    )
    SELECT coalesce(sum(c.points) FILTER (WHERE c.activated_seq IS NOT NULL), 0),
        coalesce(sum(c.points) FILTER (WHERE c.activated_seq IS NULL), 0)
    INTO v_active, v_pending FROM closed c;
    p_account.active := p_account.active - v_active;
    p_account.pending := p_account.pending - v_pending;
    PERFORM ledger.enter(
        p_account, 'expire', -v_active - v_pending, NULL, NULL, p_moment, p_at, 'Срок баллов истёк');
    RETURN p_account;
END $$;

-- When inactivity really ends points that were to end then: a rule that began meanwhile grants a
-- full period from its beginning, or has ended the matter (null).
CREATE FUNCTION ledger.ends_at(p_inactive_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_rule record;
BEGIN
    SELECT i.rule, i.inactive_at INTO v_rule FROM ledger.inactivity i
    WHERE i.from_at <= p_inactive_at ORDER BY i.from_at DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN p_inactive_at;
    END IF;
    RETURN CASE WHEN v_rule.rule IS NOT NULL THEN greatest(p_inactive_at, v_rule.inactive_at) END;
END $$;

-- Write what time has done to a locked account by p_at, in the order of its instants: pending lots
-- become active, holds end, lots expire, inactivity ends points; what comes back is owed first.
-- Whoever comes first writes the same entries but for recorded_at. p_from: nothing happens before
-- it (points that came back after their date go when they came back). Saves and answers the account.
CREATE FUNCTION ledger.advance(
    p_account ledger.account, p_at timestamptz, p_from timestamptz)
RETURNS ledger.account LANGUAGE plpgsql AS $$
DECLARE
    v_seq bigint := p_account.seq;
    v_moment timestamptz := p_from;
    v_next record;
    v_ends_at timestamptz;
BEGIN
    LOOP
        SELECT due.at, due.turn, due.seq INTO v_next
        FROM (
            SELECT l.active_at AS at, 1 AS turn, l.seq::bigint AS seq FROM ledger.lot l
            WHERE l.member_id = p_account.member_id AND l.open AND l.activated_seq IS NULL
            UNION ALL
            SELECT h.expires_at, 2, h.seq FROM ledger.hold h
            WHERE p_account.held > 0 AND h.member_id = p_account.member_id AND h.state = 'open'
            UNION ALL
            SELECT l.expires_at, 3, 0 FROM ledger.lot l
            WHERE l.member_id = p_account.member_id AND l.open
            UNION ALL
            -- An order under way is no inactivity.
            SELECT p_account.inactive_at, 4, 0
            WHERE p_account.held = 0 AND p_account.inactive_at IS NOT NULL AND EXISTS (
                SELECT FROM ledger.lot l
                WHERE l.member_id = p_account.member_id AND l.open AND l.expires_at IS NULL
                    AND l.activated_seq IS NOT NULL)
        ) AS due
        WHERE due.at IS NOT NULL
        ORDER BY due.at, due.turn, due.seq
        LIMIT 1;
        IF p_account.debt > 0 AND p_account.active > 0
            AND (v_next.at IS NULL OR v_next.at > v_moment)
        THEN
            p_account := ledger.repay(p_account, v_moment, p_at);
            CONTINUE;
        END IF;
        EXIT WHEN v_next.at IS NULL OR v_next.at > p_at;

        v_moment := greatest(v_moment, v_next.at);
        IF v_next.turn = 1 THEN
            p_account := ledger.ripen(p_account, v_next.seq, p_at);
        ELSIF v_next.turn = 2 THEN
            p_account := ledger.time_out(p_account, v_next.seq, p_at);
        ELSIF v_next.turn = 3 THEN
            p_account := ledger.expire(p_account, false, v_moment, p_at);
        ELSE
            v_ends_at := ledger.ends_at(p_account.inactive_at);
            IF v_ends_at = p_account.inactive_at THEN
                p_account := ledger.expire(p_account, true, v_moment, p_at);
                v_ends_at := NULL;
            END IF;
            p_account.inactive_at := v_ends_at;
        END IF;
    END LOOP;
    IF p_account.seq > v_seq THEN
        p_account.updated_at := p_at;
    END IF;
    p_account.next_due_at := v_next.at;
    UPDATE ledger.account a
    SET active = p_account.active, pending = p_account.pending, held = p_account.held,
        debt = p_account.debt, seq = p_account.seq, updated_at = p_account.updated_at,
        inactive_at = p_account.inactive_at, next_due_at = p_account.next_due_at
    WHERE a.member_id = p_account.member_id;
    IF v_next.at IS NOT NULL THEN
        INSERT INTO ledger.due (due_at, member_id) VALUES (v_next.at, p_account.member_id)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN p_account;
END $$;

-- Lock the account and write what is due by then. Outcomes: done; missing, closed (nothing was
-- written). recorded_at: when entries of this transaction are recorded, never before the last one.
CREATE FUNCTION ledger.settle(
    p_member_id uuid, p_now timestamptz, p_from timestamptz,
    OUT outcome text, OUT recorded_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'missing';
        RETURN;
    END IF;
    recorded_at := greatest(p_now, v_account.updated_at);
    IF v_account.closed_at IS NOT NULL THEN
        outcome := 'closed';
        RETURN;
    END IF;
    outcome := 'done';
    IF v_account.next_due_at <= recorded_at
        OR (v_account.debt > 0 AND v_account.active > 0)
    THEN
        PERFORM ledger.advance(v_account, recorded_at, p_from);
    END IF;
END $$;

REVOKE ALL ON FUNCTION ledger.enter, ledger.take, ledger.give_back, ledger.repay, ledger.ripen,
    ledger.time_out, ledger.expire, ledger.ends_at, ledger.advance, ledger.settle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.enter, ledger.take, ledger.give_back, ledger.repay, ledger.ripen,
    ledger.time_out, ledger.expire, ledger.ends_at, ledger.advance, ledger.settle TO vezde_app;
