-- When a guest was told that the term ends; nobody is forgotten before.
ALTER TABLE bot.chat ADD COLUMN guest_warned_at timestamptz;

-- bot.troubles
CREATE INDEX event_parked ON bot.event (due_wall, event_id) WHERE state = 'parked';
