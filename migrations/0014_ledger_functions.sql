-- What must be atomic under the lock of one member's account. Instants and integers come from
-- Python; a refusal is an outcome, never an error; nothing here asks a clock.

-- Make the member's due pending lots active, soonest first; answers how many.
-- The entries are the same whoever comes first, the sweep or a touch, but for recorded_at.
CREATE FUNCTION ledger.activate(p_member_id uuid, p_now timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_lot record;
    v_at timestamptz;
    v_lots integer := 0;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    v_at := greatest(p_now, v_account.updated_at);
    IF NOT FOUND OR v_account.closed_at IS NOT NULL
        OR v_account.next_due_at IS NULL OR v_account.next_due_at > v_at
    THEN
        RETURN 0;
    END IF;
    FOR v_lot IN
        SELECT l.seq, l.remaining, l.active_at, e.title
        FROM ledger.lot l
        JOIN ledger.entry e ON e.member_id = l.member_id AND e.seq = l.seq
        WHERE l.member_id = p_member_id AND l.open AND l.activated_seq IS NULL AND l.active_at <= v_at
        ORDER BY l.active_at, l.seq
    LOOP
        v_lots := v_lots + 1;
        v_account.seq := v_account.seq + 1;
        v_account.active := v_account.active + v_lot.remaining;
        v_account.pending := v_account.pending - v_lot.remaining;
        INSERT INTO ledger.entry (
            member_id, seq, points, active_after, pending_after, held_after, debt_after,
            occurred_at, recorded_at, lot_seq, kind, actor, title)
        VALUES (
            p_member_id, v_account.seq, v_lot.remaining, v_account.active, v_account.pending,
            v_account.held, v_account.debt,
            v_lot.active_at, v_at, v_lot.seq, 'activate', 'system', v_lot.title);
        UPDATE ledger.lot l SET activated_seq = v_account.seq
        WHERE l.member_id = p_member_id AND l.seq = v_lot.seq;
    END LOOP;
    UPDATE ledger.account a
    SET active = v_account.active, pending = v_account.pending, seq = v_account.seq,
        updated_at = CASE WHEN v_lots > 0 THEN v_at ELSE a.updated_at END,
        next_due_at = (
            SELECT min(l.active_at) FROM ledger.lot l
            WHERE l.member_id = p_member_id AND l.open AND l.activated_seq IS NULL)
    WHERE a.member_id = p_member_id;
    RETURN v_lots;
END $$;

-- One accrual: one op, one entry, one lot. Outcomes: done, repeated (seq of the first time);
-- missing, closed, conflict, not_positive, parts_differ, overflow (nothing was written).
CREATE FUNCTION ledger.accrue(
    p_member_id uuid, p_op_key text, p_fingerprint bytea, p_points bigint,
    p_active_at timestamptz, p_expires_at timestamptz, p_use_order timestamptz,
    p_occurred_at timestamptz, p_now timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT outcome text, OUT seq bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_op ledger.op;
    v_parts jsonb := p_proof -> 'parts';
    v_parts_points bigint := 0;
    v_at timestamptz;
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
        IF v_op.fingerprint = p_fingerprint THEN
            outcome := 'repeated';
            seq := v_op.first_seq;
        ELSE
            outcome := 'conflict';
        END IF;
        RETURN;
    END IF;

    FOR i IN 0 .. coalesce(jsonb_array_length(v_parts), 0) - 1 LOOP
        v_parts_points := v_parts_points + (v_parts -> i ->> 3)::bigint;
    END LOOP;
    outcome := CASE
        WHEN v_account.closed_at IS NOT NULL THEN 'closed'
        WHEN p_points <= 0 THEN 'not_positive'
        WHEN v_parts_points IS DISTINCT FROM p_points THEN 'parts_differ'
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
        PERFORM ledger.activate(p_member_id, v_at);
        SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id;
    END IF;

    v_pending := p_active_at > v_at;
    seq := v_account.seq + 1;
    outcome := 'done';
    IF v_pending THEN
        v_account.pending := v_account.pending + p_points;
        v_account.next_due_at := least(v_account.next_due_at, p_active_at);
        INSERT INTO ledger.due (due_at, member_id) VALUES (p_active_at, p_member_id)
        ON CONFLICT DO NOTHING;
    ELSE
        v_account.active := v_account.active + p_points;
    END IF;
    INSERT INTO ledger.op (member_id, op_key, fingerprint, first_seq, n_entries)
    VALUES (p_member_id, p_op_key, p_fingerprint, seq, 1);
    INSERT INTO ledger.entry (
        member_id, seq, points, active_after, pending_after, held_after, debt_after,
        occurred_at, recorded_at, kind, op_key, actor, title, proof)
    VALUES (
        p_member_id, seq, p_points, v_account.active, v_account.pending, v_account.held,
        v_account.debt, p_occurred_at, v_at, 'accrue', p_op_key, p_actor, p_title, p_proof);
    INSERT INTO ledger.lot (
        member_id, seq, points, remaining, active_at, expires_at, use_order,
        activated_seq, open)
    VALUES (
        p_member_id, seq, p_points, p_points, p_active_at, p_expires_at, p_use_order,
        CASE WHEN NOT v_pending THEN seq END, true);
    UPDATE ledger.account a
    SET active = v_account.active, pending = v_account.pending, seq = accrue.seq,
        updated_at = v_at, last_activity_at = greatest(a.last_activity_at, p_occurred_at),
        next_due_at = v_account.next_due_at
    WHERE a.member_id = p_member_id;
END $$;

REVOKE ALL ON FUNCTION ledger.activate, ledger.accrue FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.activate, ledger.accrue TO vezde_app;
