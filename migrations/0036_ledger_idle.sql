-- Inactivity that finds nothing to end is over all the same: points that come later are not idle.

-- Write what time has done to a locked account by p_at, in the order of its instants: pending lots
-- become active, holds end, lots expire, inactivity ends points; what comes back is owed first.
-- Whoever comes first writes the same entries but for recorded_at. p_from: nothing happens before
-- it (points that came back after their date go when they came back). Saves and answers the account.
CREATE OR REPLACE FUNCTION ledger.advance(
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
            SELECT p_account.inactive_at, 4, 0 WHERE p_account.held = 0
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
                v_ends_at := NULL;
                IF EXISTS (
                    SELECT FROM ledger.lot l
                    WHERE l.member_id = p_account.member_id AND l.open AND l.expires_at IS NULL
                        AND l.activated_seq IS NOT NULL)
                THEN
                    p_account := ledger.expire(p_account, true, v_moment, p_at);
                END IF;
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
