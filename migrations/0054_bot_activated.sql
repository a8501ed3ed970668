-- Points that became active and their member was not told of yet, and when they last were told.
CREATE TABLE bot.activated (
    member_id uuid PRIMARY KEY,
    points bigint NOT NULL CHECK (points >= 0),
    told_at timestamptz
) WITH (fillfactor = 80);

GRANT SELECT, INSERT, UPDATE, DELETE ON bot.activated TO vezde_app;
