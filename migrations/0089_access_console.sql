-- What each role may do: access.staff.RIGHTS.
ALTER TABLE access.operator
    DROP CONSTRAINT operator_role_check,
    ADD CONSTRAINT operator_role_check
        CHECK (role IN ('cashier', 'operator', 'marketer', 'analyst', 'admin'));

-- A till's session opens no console, and the other way round.
ALTER TABLE access.operator_session
    ADD COLUMN door text NOT NULL DEFAULT 'till' CHECK (door IN ('till', 'console'));

-- A link that signs an operator in once; a new one takes the place of the one before.
CREATE TABLE access.operator_invitation (
    operator_id uuid PRIMARY KEY REFERENCES access.operator,
    secret_sha256 bytea NOT NULL CHECK (length(secret_sha256) = 32),
    expires_wall timestamptz NOT NULL
);
CREATE UNIQUE INDEX operator_by_invitation ON access.operator_invitation (secret_sha256);

GRANT SELECT, INSERT, UPDATE, DELETE ON access.operator_invitation TO vezde_app;
GRANT UPDATE (role) ON access.operator TO vezde_app;
