-- Which of a body's machines answers of itself: `silent` is one that only reads along, `catching_up` one that answers from
-- now on and has not looked yet what another machine has answered before.

CREATE TABLE exchange_voice (
    org TEXT PRIMARY KEY,
    voice TEXT NOT NULL CHECK (voice IN ('silent', 'catching_up', 'ours'))
) STRICT, WITHOUT ROWID;

-- A hỏa tốc that a receiver leaves without an answer is looked for all the time; few are.

CREATE INDEX outbox_flash ON outbox (accepted_at) WHERE urgency >= 3 AND accepted_at IS NOT NULL;
