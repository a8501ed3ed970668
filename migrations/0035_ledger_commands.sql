-- The commands. Each locks its member's account first, answers a repeat of its key without doing
-- anything, then writes what had fallen due, then decides: a refusal is an outcome, never an error.
-- Instants and integers come from Python; nothing here asks a clock or computes a date.

-- Give points: one op, one entry, one lot; kind is accrue (its parts add up to it), import, adjust.
-- p_active_at null: the lot waits for an event. p_activity: the member did this, which puts off the
-- end by inactivity to p_inactive_at; else that only counts where no end lies ahead.
-- Outcomes: done, repeated (seq of the first time); missing, closed, conflict, not_positive,
-- parts_differ, overflow (nothing was written).
CREATE FUNCTION ledger.accrue(
    p_member_id uuid, p_kind ledger.entry_kind, p_op_key text, p_fingerprint bytea, p_points bigint,
    p_active_at timestamptz, p_expires_at timestamptz, p_use_order timestamptz,
    p_occurred_at timestamptz, p_activity boolean, p_inactive_at timestamptz,
    p_now timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT outcome text, OUT seq bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_op ledger.op;
    v_parts jsonb := p_proof -> 'parts';
    v_parts_points bigint := 0;
    v_at timestamptz;
    v_due_at timestamptz;
    v_pending boolean;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'missing';
        RETURN;
    END IF;
    -- After the lock, so that two of the same key can never meet at the unique index.
    SELECT o.* INTO v_op FROM ledger.op o
    WHERE o.member_id = p_member_id AND o.op_key = p_op_key;
    IF FOUND THEN
        outcome := CASE WHEN v_op.fingerprint = p_fingerprint THEN 'repeated' ELSE 'conflict' END;
        seq := CASE WHEN v_op.fingerprint = p_fingerprint THEN v_op.first_seq END;
        RETURN;
    END IF;
    FOR i IN 0 .. coalesce(jsonb_array_length(v_parts), 0) - 1 LOOP
        v_parts_points := v_parts_points + (v_parts -> i ->> 3)::bigint;
    END LOOP;
    outcome := CASE
        WHEN v_account.closed_at IS NOT NULL THEN 'closed'
        WHEN p_points <= 0 THEN 'not_positive'
        WHEN p_kind = 'accrue' AND v_parts_points IS DISTINCT FROM p_points THEN 'parts_differ'
        -- The three together always fit, so that no sum of them ever overflows.
        WHEN p_points > 9223372036854775807
            - v_account.active - v_account.pending - v_account.held THEN 'overflow'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    -- Another process's clock may be ahead: what is recorded never goes back within a member.
    v_at := greatest(p_now, v_account.updated_at);
    IF v_account.next_due_at <= v_at THEN
        v_account := ledger.advance(v_account, v_at, NULL);
    END IF;

    outcome := 'done';
    v_pending := p_active_at IS NULL OR p_active_at > v_at;
    seq := v_account.seq + 1;
    v_account.seq := seq;
    IF v_pending THEN
        v_account.pending := v_account.pending + p_points;
    ELSE
        v_account.active := v_account.active + p_points;
    END IF;
    v_account.inactive_at := CASE
        WHEN p_activity THEN greatest(v_account.inactive_at, p_inactive_at)
        WHEN v_account.inactive_at > v_at THEN v_account.inactive_at
        ELSE p_inactive_at
    END;
    v_due_at := least(
        CASE WHEN v_pending THEN p_active_at END, p_expires_at, v_account.inactive_at);
    IF v_due_at < v_account.next_due_at OR v_account.next_due_at IS NULL AND v_due_at IS NOT NULL THEN
        v_account.next_due_at := v_due_at;
        INSERT INTO ledger.due (due_at, member_id) VALUES (v_due_at, p_member_id)
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
    VALUES (p_member_id, p_op_key, p_fingerprint, seq, 1);
    INSERT INTO ledger.entry (
        member_id, seq, points, active_after, pending_after, held_after, debt_after,
        occurred_at, recorded_at, kind, op_key, actor, title, proof)
    VALUES (
        p_member_id, seq, p_points, v_account.active, v_account.pending, v_account.held,
        v_account.debt, p_occurred_at, v_at, p_kind, p_op_key, p_actor, p_title, p_proof);
    INSERT INTO ledger.lot (
        member_id, seq, points, remaining, active_at, expires_at, use_order,
        activated_seq, open)
    VALUES (
        p_member_id, seq, p_points, p_points, p_active_at, p_expires_at, p_use_order,
        CASE WHEN NOT v_pending THEN seq END, true);
    UPDATE ledger.account a
    SET active = v_account.active, pending = v_account.pending, seq = accrue.seq, updated_at = v_at,
        last_activity_at = CASE WHEN p_activity
            THEN greatest(a.last_activity_at, p_occurred_at) ELSE a.last_activity_at END,
        inactive_at = v_account.inactive_at, next_due_at = v_account.next_due_at
    WHERE a.member_id = p_member_id;
    IF v_account.next_due_at <= v_at OR (v_account.debt > 0 AND v_account.active > 0) THEN
        v_account.updated_at := v_at;
        PERFORM ledger.advance(v_account, v_at, v_at);
    END IF;
END $$;

-- Take active points in use order: for good (redeem, adjust) or for an order under way (hold, until
-- p_expires_at; p_outlives: also past the end of the lots it reserves, else not longer than those).
-- Outcomes: done, repeated; missing, closed, conflict, not_positive, insufficient (active tells how
-- many there are), hold_taken (its id is another hold's).
CREATE FUNCTION ledger.spend(
    p_member_id uuid, p_kind ledger.entry_kind, p_op_key text, p_fingerprint bytea, p_points bigint,
    p_hold_id uuid, p_expires_at timestamptz, p_outlives boolean,
    p_occurred_at timestamptz, p_activity boolean, p_inactive_at timestamptz,
    p_now timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT outcome text, OUT seq bigint, OUT active bigint, OUT lots bigint[], OUT taken bigint[],
    OUT expires_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_op ledger.op;
    v_at timestamptz;
    v_due_at timestamptz;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'missing';
        RETURN;
    END IF;
    SELECT o.* INTO v_op FROM ledger.op o
    WHERE o.member_id = p_member_id AND o.op_key = p_op_key;
    IF FOUND THEN
        IF v_op.fingerprint <> p_fingerprint THEN
            outcome := 'conflict';
            RETURN;
        END IF;
        outcome := 'repeated';
        seq := v_op.first_seq;
        SELECT array_agg(a.lot_seq::bigint ORDER BY l.use_order, l.seq),
            array_agg(a.points ORDER BY l.use_order, l.seq)
        INTO lots, taken
        FROM ledger.alloc a JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
        WHERE a.member_id = p_member_id AND a.debit_seq = v_op.first_seq;
        IF p_kind = 'hold' THEN
            SELECT h.expires_at INTO spend.expires_at FROM ledger.hold h
            WHERE h.member_id = p_member_id AND h.hold_id = p_hold_id;
        END IF;
        RETURN;
    END IF;
    outcome := CASE
        WHEN v_account.closed_at IS NOT NULL THEN 'closed'
        WHEN p_points <= 0 THEN 'not_positive'
        WHEN p_kind = 'hold' AND EXISTS (
            SELECT FROM ledger.hold h
            WHERE h.member_id = p_member_id AND h.hold_id = p_hold_id) THEN 'hold_taken'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    v_at := greatest(p_now, v_account.updated_at);
    IF v_account.next_due_at <= v_at THEN
        v_account := ledger.advance(v_account, v_at, NULL);
    END IF;
    active := v_account.active;
    IF active < p_points THEN
        outcome := 'insufficient';
        RETURN;
    END IF;

    outcome := 'done';
    seq := v_account.seq + 1;
    active := active - p_points;
    SELECT t.lots, t.points INTO spend.lots, spend.taken
    FROM ledger.take(p_member_id, seq, p_points) t;
    IF p_kind = 'hold' THEN
        v_account.held := v_account.held + p_points;
        expires_at := p_expires_at;
        IF NOT p_outlives THEN
            SELECT least(p_expires_at, min(l.expires_at)) INTO spend.expires_at FROM ledger.lot l
            WHERE l.member_id = p_member_id AND l.seq = ANY (lots);
        END IF;
        INSERT INTO ledger.hold (member_id, hold_id, seq, points, expires_at, state)
        VALUES (p_member_id, p_hold_id, seq, p_points, expires_at, 'open');
    END IF;
    IF p_activity THEN
        v_account.last_activity_at := greatest(v_account.last_activity_at, p_occurred_at);
        v_account.inactive_at := greatest(v_account.inactive_at, p_inactive_at);
    END IF;
    v_due_at := least(expires_at, v_account.inactive_at);
    IF v_due_at < v_account.next_due_at OR v_account.next_due_at IS NULL AND v_due_at IS NOT NULL THEN
        v_account.next_due_at := v_due_at;
        INSERT INTO ledger.due (due_at, member_id) VALUES (v_due_at, p_member_id)
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
    VALUES (p_member_id, p_op_key, p_fingerprint, seq, 1);
    INSERT INTO ledger.entry (
        member_id, seq, points, active_after, pending_after, held_after, debt_after,
        occurred_at, recorded_at, kind, op_key, actor, title, proof)
    VALUES (
        p_member_id, seq, -p_points, active, v_account.pending, v_account.held,
        v_account.debt, p_occurred_at, v_at, p_kind, p_op_key, p_actor, p_title, p_proof);
    UPDATE ledger.account a
    SET active = spend.active, held = v_account.held, seq = spend.seq, updated_at = v_at,
        last_activity_at = v_account.last_activity_at, inactive_at = v_account.inactive_at,
        next_due_at = v_account.next_due_at
    WHERE a.member_id = p_member_id;
    IF v_account.next_due_at <= v_at THEN
        v_account.active := active;
        v_account.seq := seq;
        v_account.updated_at := v_at;
        PERFORM ledger.advance(v_account, v_at, v_at);
    END IF;
END $$;

-- End a hold: commit p_points of it for good and release the rest, or release it all. A commit and
-- its rest are one op of two entries. What comes back after its lot's date goes at once.
-- Outcomes: done, repeated; missing, closed, conflict, hold_missing, hold_committed, hold_released,
-- hold_expired, over_held. lots and taken: what was committed, of which lots.
CREATE FUNCTION ledger.finish(
    p_member_id uuid, p_kind ledger.entry_kind, p_op_key text, p_fingerprint bytea, p_hold_id uuid,
    p_points bigint, p_occurred_at timestamptz, p_activity boolean, p_inactive_at timestamptz,
    p_now timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT outcome text, OUT seq bigint, OUT lots bigint[], OUT taken bigint[])
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_op ledger.op;
    v_hold ledger.hold;
    v_at timestamptz;
    v_back bigint;
    v_back_seq bigint;
    v_soonest timestamptz;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'missing';
        RETURN;
    END IF;
    SELECT o.* INTO v_op FROM ledger.op o
    WHERE o.member_id = p_member_id AND o.op_key = p_op_key;
    IF FOUND THEN
        outcome := CASE WHEN v_op.fingerprint = p_fingerprint THEN 'repeated' ELSE 'conflict' END;
        IF outcome = 'repeated' THEN
            seq := v_op.first_seq;
            SELECT t.lots, t.taken INTO finish.lots, finish.taken
            FROM ledger.spent(p_member_id, seq) t;
        END IF;
        RETURN;
    END IF;
    IF v_account.closed_at IS NOT NULL THEN
        outcome := 'closed';
        RETURN;
    END IF;
    v_at := greatest(p_now, v_account.updated_at);
    IF v_account.next_due_at <= v_at THEN
        v_account := ledger.advance(v_account, v_at, NULL);
    END IF;
    SELECT h.* INTO v_hold FROM ledger.hold h
    WHERE h.member_id = p_member_id AND h.hold_id = p_hold_id;
    outcome := CASE
        WHEN NOT FOUND THEN 'hold_missing'
        WHEN v_hold.state <> 'open' THEN 'hold_' || v_hold.state
        WHEN p_kind = 'commit' AND p_points > v_hold.points THEN 'over_held'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    outcome := 'done';
    seq := v_account.seq + 1;
    v_back := v_hold.points - CASE WHEN p_kind = 'commit' THEN p_points ELSE 0 END;
    v_back_seq := seq;
    INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
    VALUES (p_member_id, p_op_key, p_fingerprint, seq,
        CASE WHEN p_kind = 'commit' AND v_back > 0 THEN 2 ELSE 1 END);
    IF p_kind = 'commit' THEN
        v_account.held := v_account.held - p_points;
        INSERT INTO ledger.entry (
            member_id, seq, points, active_after, pending_after, held_after, debt_after,
            occurred_at, recorded_at, about_seq, kind, op_key, actor, title, proof)
        VALUES (
            p_member_id, seq, -p_points, v_account.active, v_account.pending, v_account.held,
            v_account.debt, p_occurred_at, v_at, v_hold.seq, 'commit', p_op_key, p_actor, p_title,
            p_proof);
        v_back_seq := seq + 1;
        IF p_activity THEN
            v_account.last_activity_at := greatest(v_account.last_activity_at, p_occurred_at);
            v_account.inactive_at := greatest(v_account.inactive_at, p_inactive_at);
        END IF;
    END IF;
    v_account.seq := seq;
    IF v_back > 0 THEN
        v_account.seq := v_back_seq;
        v_account.held := v_account.held - v_back;
        v_account.active := v_account.active + v_back;
        INSERT INTO ledger.entry (
            member_id, seq, points, active_after, pending_after, held_after, debt_after,
            occurred_at, recorded_at, about_seq, kind, op_key, actor, title, proof)
        VALUES (
            p_member_id, v_back_seq, v_back, v_account.active, v_account.pending, v_account.held,
            v_account.debt, p_occurred_at, v_at, v_hold.seq, 'release', p_op_key, p_actor, p_title,
            p_proof);
        v_soonest := ledger.give_back(p_member_id, v_hold.seq, v_back_seq, v_back);
    END IF;
    UPDATE ledger.hold h
    SET state = CASE WHEN p_kind = 'commit' THEN 'committed' ELSE 'released' END::ledger.hold_state,
        closed_seq = finish.seq
    WHERE h.member_id = p_member_id AND h.hold_id = p_hold_id;
    v_account.updated_at := v_at;
    v_soonest := least(v_soonest, v_account.inactive_at);
    IF v_soonest < v_account.next_due_at OR v_account.next_due_at IS NULL AND v_soonest IS NOT NULL
    THEN
        v_account.next_due_at := v_soonest;
        INSERT INTO ledger.due (due_at, member_id) VALUES (v_soonest, p_member_id)
        ON CONFLICT DO NOTHING;
    END IF;
    UPDATE ledger.account a
    SET active = v_account.active, held = v_account.held, seq = v_account.seq, updated_at = v_at,
        last_activity_at = v_account.last_activity_at, inactive_at = v_account.inactive_at,
        next_due_at = v_account.next_due_at
    WHERE a.member_id = p_member_id;
    IF v_account.next_due_at <= v_at OR (v_account.debt > 0 AND v_account.active > 0) THEN
        PERFORM ledger.advance(v_account, v_at, v_at);
    END IF;
    IF p_kind = 'commit' THEN
        SELECT t.lots, t.taken INTO finish.lots, finish.taken
        FROM ledger.spent(p_member_id, seq) t;
    END IF;
END $$;

-- From which lots a debit took its points, in use order. A commit's are its hold's, less what came
-- back in the same op.
CREATE FUNCTION ledger.spent(
    p_member_id uuid, p_seq bigint, OUT lots bigint[], OUT taken bigint[])
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_entry record;
BEGIN
    SELECT e.kind, e.about_seq INTO v_entry FROM ledger.entry e
    WHERE e.member_id = p_member_id AND e.seq = p_seq;
    SELECT array_agg(a.lot_seq ORDER BY l.use_order, l.seq),
        array_agg(a.points ORDER BY l.use_order, l.seq)
    INTO lots, taken
    FROM (
        SELECT d.lot_seq::bigint AS lot_seq, sum(d.points)::bigint AS points FROM ledger.alloc d
        WHERE d.member_id = p_member_id AND (
            d.debit_seq = CASE WHEN v_entry.kind = 'commit' THEN v_entry.about_seq ELSE p_seq END
            OR (v_entry.kind = 'commit' AND d.debit_seq = p_seq + 1 AND EXISTS (
                SELECT FROM ledger.entry r
                WHERE r.member_id = p_member_id AND r.seq = p_seq + 1 AND r.kind = 'release'
                    AND r.about_seq = v_entry.about_seq)))
        GROUP BY d.lot_seq HAVING sum(d.points) > 0
    ) a
    JOIN ledger.lot l ON l.member_id = p_member_id AND l.seq = a.lot_seq;
END $$;

-- Give a hold more time; one that is to last longer already stays as it is. No entry: no points move.
-- Outcomes: done; missing, closed, hold_missing, hold_committed, hold_released, hold_expired.
CREATE FUNCTION ledger.extend(
    p_member_id uuid, p_hold_id uuid, p_expires_at timestamptz, p_outlives boolean,
    p_now timestamptz, OUT outcome text)
LANGUAGE plpgsql AS $$
DECLARE
    v_hold ledger.hold;
    v_until timestamptz := p_expires_at;
BEGIN
    SELECT s.outcome INTO extend.outcome FROM ledger.settle(p_member_id, p_now, NULL) s;
    IF outcome <> 'done' THEN
        RETURN;
    END IF;
    SELECT h.* INTO v_hold FROM ledger.hold h
    WHERE h.member_id = p_member_id AND h.hold_id = p_hold_id;
    IF NOT FOUND THEN
        outcome := 'hold_missing';
    ELSIF v_hold.state <> 'open' THEN
        outcome := 'hold_' || v_hold.state;
    ELSE
        IF NOT p_outlives THEN
            SELECT least(p_expires_at, min(l.expires_at)) INTO v_until
            FROM ledger.alloc a JOIN ledger.lot l ON l.member_id = a.member_id AND l.seq = a.lot_seq
            WHERE a.member_id = p_member_id AND a.debit_seq = v_hold.seq;
        END IF;
        UPDATE ledger.hold h SET expires_at = greatest(h.expires_at, v_until)
        WHERE h.member_id = p_member_id AND h.hold_id = p_hold_id;
    END IF;
END $$;

-- One entry that Python has decided on an account which this transaction has settled: the balances
-- change by p_active, p_pending, p_held, p_debt; p_lots give p_taken points each (negative: get
-- back). p_lot_points: the entry makes a lot. p_lot_seq: it makes this lot active, with the instants
-- given. p_fingerprint: it is the first of its op, of p_entries.
CREATE FUNCTION ledger.write(
    p_member_id uuid, p_kind ledger.entry_kind, p_points bigint,
    p_active bigint, p_pending bigint, p_held bigint, p_debt bigint,
    p_lots bigint[], p_taken bigint[], p_lot_points bigint, p_lot_seq bigint,
    p_active_at timestamptz, p_expires_at timestamptz, p_use_order timestamptz,
    p_about_seq bigint, p_op_key text, p_fingerprint bytea, p_entries integer,
    p_occurred_at timestamptz, p_at timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT seq bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_due_at timestamptz;
    v_pending boolean := p_active_at IS NULL OR p_active_at > p_at;
BEGIN
    SELECT a.* INTO STRICT v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    seq := v_account.seq + 1;
    IF p_fingerprint IS NOT NULL THEN
        INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
        VALUES (p_member_id, p_op_key, p_fingerprint, seq, p_entries);
    END IF;
    INSERT INTO ledger.entry (
        member_id, seq, points, active_after, pending_after, held_after, debt_after,
        occurred_at, recorded_at, lot_seq, about_seq, kind, op_key, actor, title, proof)
    VALUES (
        p_member_id, seq, p_points, v_account.active + p_active, v_account.pending + p_pending,
        v_account.held + p_held, v_account.debt + p_debt,
        p_occurred_at, p_at, p_lot_seq, p_about_seq, p_kind, p_op_key, p_actor, p_title, p_proof);
    IF cardinality(p_lots) > 0 THEN
        INSERT INTO ledger.alloc (member_id, debit_seq, lot_seq, points)
        SELECT p_member_id, write.seq, one.lot_seq, one.points
        FROM unnest(p_lots, p_taken) AS one (lot_seq, points);
        WITH changed AS (
            UPDATE ledger.lot l
            SET remaining = l.remaining - one.points, open = l.remaining > one.points
            FROM unnest(p_lots, p_taken) AS one (lot_seq, points)
            WHERE l.member_id = p_member_id AND l.seq = one.lot_seq
            RETURNING l.expires_at
        )
        SELECT min(c.expires_at) INTO v_due_at FROM changed c;
    END IF;
    IF p_lot_points IS NOT NULL THEN
        INSERT INTO ledger.lot (
            member_id, seq, points, remaining, active_at, expires_at, use_order, activated_seq, open)
        VALUES (
            p_member_id, seq, p_lot_points, p_lot_points, p_active_at, p_expires_at, p_use_order,
            CASE WHEN NOT v_pending THEN seq END, true);
        v_due_at := least(v_due_at, p_expires_at, CASE WHEN v_pending THEN p_active_at END);
    ELSIF p_lot_seq IS NOT NULL THEN
        UPDATE ledger.lot l
        SET activated_seq = write.seq, active_at = p_active_at, expires_at = p_expires_at,
            use_order = p_use_order
        WHERE l.member_id = p_member_id AND l.seq = p_lot_seq;
        v_due_at := p_expires_at;
    END IF;
    v_due_at := least(v_due_at, v_account.inactive_at);
    IF v_due_at < v_account.next_due_at OR v_account.next_due_at IS NULL AND v_due_at IS NOT NULL THEN
        v_account.next_due_at := v_due_at;
        INSERT INTO ledger.due (due_at, member_id) VALUES (v_due_at, p_member_id)
        ON CONFLICT DO NOTHING;
    END IF;
    UPDATE ledger.account a
    SET active = a.active + p_active, pending = a.pending + p_pending, held = a.held + p_held,
        debt = a.debt + p_debt, seq = write.seq, updated_at = p_at,
        next_due_at = v_account.next_due_at
    WHERE a.member_id = p_member_id;
END $$;

-- Close an account that this transaction has settled: all that is left leaves its lots by one entry.
-- Its due rows are left to the sweep, which finds it closed.
-- Outcomes: done, repeated (seq of the first time); missing, closed, conflict, held.
CREATE FUNCTION ledger.close(
    p_member_id uuid, p_op_key text, p_fingerprint bytea,
    p_now timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT outcome text, OUT seq bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_op ledger.op;
    v_at timestamptz;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'missing';
        RETURN;
    END IF;
    SELECT o.* INTO v_op FROM ledger.op o
    WHERE o.member_id = p_member_id AND o.op_key = p_op_key;
    IF FOUND THEN
        outcome := CASE WHEN v_op.fingerprint = p_fingerprint THEN 'repeated' ELSE 'conflict' END;
        seq := CASE WHEN v_op.fingerprint = p_fingerprint THEN v_op.first_seq END;
        RETURN;
    END IF;
    IF v_account.closed_at IS NOT NULL THEN
        outcome := 'closed';
        RETURN;
    END IF;
    v_at := greatest(p_now, v_account.updated_at);
    IF v_account.next_due_at <= v_at THEN
        v_account := ledger.advance(v_account, v_at, NULL);
    END IF;
    IF v_account.held > 0 THEN
        outcome := 'held';
        RETURN;
    END IF;

    seq := v_account.seq + 1;
    outcome := 'done';
    INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
    VALUES (p_member_id, p_op_key, p_fingerprint, seq, 1);
    INSERT INTO ledger.entry (
        member_id, seq, points, active_after, pending_after, held_after, debt_after,
        occurred_at, recorded_at, kind, op_key, actor, title, proof)
    VALUES (
        p_member_id, seq, v_account.debt - v_account.active - v_account.pending, 0, 0, 0, 0,
        v_at, v_at, 'close', p_op_key, p_actor, p_title, p_proof);
    INSERT INTO ledger.alloc (member_id, debit_seq, lot_seq, points)
    SELECT l.member_id, close.seq, l.seq, l.remaining FROM ledger.lot l
    WHERE l.member_id = p_member_id AND l.open;
    UPDATE ledger.lot l SET remaining = 0, open = false
    WHERE l.member_id = p_member_id AND l.open;
    UPDATE ledger.account a
    SET active = 0, pending = 0, debt = 0, seq = close.seq, updated_at = v_at, inactive_at = NULL,
        next_due_at = NULL, closed_at = v_at
    WHERE a.member_id = p_member_id;
END $$;

REVOKE ALL ON FUNCTION ledger.accrue, ledger.spend, ledger.finish, ledger.spent, ledger.extend,
    ledger.write, ledger.close FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.accrue, ledger.spend, ledger.finish, ledger.spent, ledger.extend,
    ledger.write, ledger.close TO vezde_app;
