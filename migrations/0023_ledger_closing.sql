-- An account closed, and what was left in it opened in another one: two functions, each of one
-- member, so that no statement needs both. As in 0014: outcomes, instants from Python, no clock.

-- Close the account: what is due is made active, then all that is left leaves its lots by one entry.
-- Outcomes: done, repeated (seq of the first time); missing, closed, conflict, held, owed (unless
-- forgiven): nothing was written. Its due rows are left to the sweep, which finds it closed.
CREATE FUNCTION ledger.close(
    p_member_id uuid, p_op_key text, p_fingerprint bytea, p_forgive boolean,
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
        IF v_op.fingerprint = p_fingerprint THEN
            outcome := 'repeated';
            seq := v_op.first_seq;
        ELSE
            outcome := 'conflict';
        END IF;
        RETURN;
    END IF;
    outcome := CASE
        WHEN v_account.closed_at IS NOT NULL THEN 'closed'
        WHEN v_account.held > 0 THEN 'held'
        WHEN v_account.debt > 0 AND NOT p_forgive THEN 'owed'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

    v_at := greatest(p_now, v_account.updated_at);
    IF v_account.next_due_at <= v_at THEN
        PERFORM ledger.activate(p_member_id, v_at);
        SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id;
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
    SET active = 0, pending = 0, debt = 0, seq = close.seq, updated_at = v_at, next_due_at = NULL,
        closed_at = v_at
    WHERE a.member_id = p_member_id;
END $$;

-- One lot of a closed account comes: one op, one entry, one lot with the instants it had.
-- Outcomes: done, repeated (seq of the first time); missing, closed, conflict, not_positive,
-- overflow: nothing was written.
CREATE FUNCTION ledger.open_lot(
    p_member_id uuid, p_op_key text, p_fingerprint bytea, p_points bigint,
    p_active_at timestamptz, p_expires_at timestamptz, p_use_order timestamptz,
    p_now timestamptz, p_actor text, p_title text, p_proof jsonb,
    OUT outcome text, OUT seq bigint)
LANGUAGE plpgsql AS $$
DECLARE
    v_account ledger.account;
    v_op ledger.op;
    v_at timestamptz;
    v_pending boolean;
BEGIN
    SELECT a.* INTO v_account FROM ledger.account a WHERE a.member_id = p_member_id FOR UPDATE;
    IF NOT FOUND THEN
        outcome := 'missing';
        RETURN;
    END IF;
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
    outcome := CASE
        WHEN v_account.closed_at IS NOT NULL THEN 'closed'
        WHEN p_points <= 0 THEN 'not_positive'
        WHEN p_points > 9223372036854775807
            - v_account.active - v_account.pending - v_account.held THEN 'overflow'
    END;
    IF outcome IS NOT NULL THEN
        RETURN;
    END IF;

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
        v_account.debt, v_at, v_at, 'open', p_op_key, p_actor, p_title, p_proof);
    INSERT INTO ledger.lot (
        member_id, seq, points, remaining, active_at, expires_at, use_order,
        activated_seq, open)
    VALUES (
        p_member_id, seq, p_points, p_points, p_active_at, p_expires_at, p_use_order,
        CASE WHEN NOT v_pending THEN seq END, true);
    UPDATE ledger.account a
    SET active = v_account.active, pending = v_account.pending, seq = open_lot.seq,
        updated_at = v_at, next_due_at = v_account.next_due_at
    WHERE a.member_id = p_member_id;
END $$;

REVOKE ALL ON FUNCTION ledger.close, ledger.open_lot FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.close, ledger.open_lot TO vezde_app;
