-- The bot: what messengers handed over, and where each conversation is.
CREATE SCHEMA bot;

-- Everything a messenger handed over, by its own name for it: it may hand it over again.
CREATE TABLE bot.inbox (
    bot text NOT NULL,                -- telegram:7000000001
    event_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('taken', 'ignored', 'malformed', 'flooded')),
    received_wall timestamptz NOT NULL,
    PRIMARY KEY (bot, event_key)
);
CREATE INDEX inbox_by_time ON bot.inbox (received_wall);

-- A chat's lock: whoever holds it works the chat's next event. Chats by their blind index.
CREATE TABLE bot.turn (
    bot text NOT NULL,
    chat bytea NOT NULL,
    PRIMARY KEY (bot, chat)
);

-- Events to be worked, in order in each chat; the payload is sealed, it names a person. Held ones
-- wait for a consent, parked ones for somebody to look.
CREATE TABLE bot.event (
    bot text NOT NULL,
    chat bytea NOT NULL,
    event_id uuid NOT NULL,
    event_key text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'held', 'parked')),
    sealed bytea NOT NULL,
    received_wall timestamptz NOT NULL,
    due_wall timestamptz NOT NULL,
    attempts integer NOT NULL,
    lease uuid,
    error text,                       -- kind and place, no values
    PRIMARY KEY (bot, chat, event_id)
) WITH (fillfactor = 70);
CREATE INDEX event_by_due ON bot.event (due_wall, event_id) WHERE state = 'waiting';
CREATE INDEX event_by_time ON bot.event (received_wall) WHERE state <> 'waiting';

-- A member's chat and where its conversation is.
CREATE TABLE bot.chat (
    member_id uuid NOT NULL,
    channel text NOT NULL,
    chat bytea NOT NULL,
    address bytea NOT NULL,           -- sealed
    state text NOT NULL,
    data jsonb NOT NULL,
    guest_since timestamptz,          -- null: they gave their phone
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, channel, chat)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX chat_by_chat ON bot.chat (channel, chat);
CREATE INDEX chat_of_guests ON bot.chat (guest_since) WHERE guest_since IS NOT NULL;

-- Receipts shown in a chat and the one message that tells of them; an album has one for all.
CREATE TABLE bot.shown (
    member_id uuid NOT NULL,
    receipt_id uuid NOT NULL,
    channel text NOT NULL,
    chat bytea NOT NULL,
    slot text NOT NULL,
    quiet_since timestamptz,          -- when they asked not to be reminded
    PRIMARY KEY (member_id, receipt_id)
);
CREATE INDEX shown_by_slot ON bot.shown (member_id, slot);

-- The programme's section `bot` by version.
CREATE TABLE bot.section (
    version integer PRIMARY KEY,
    valid_from timestamptz NOT NULL,
    section jsonb NOT NULL
);

GRANT USAGE ON SCHEMA bot TO vezde_app;
GRANT SELECT, INSERT, DELETE ON bot.inbox TO vezde_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON bot.turn, bot.event, bot.chat, bot.shown TO vezde_app;
GRANT SELECT, INSERT ON bot.section TO vezde_app;
