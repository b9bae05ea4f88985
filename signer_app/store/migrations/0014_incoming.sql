-- What came: each packet of each channel with what became of it, and one row for each document, whatever brought it.
-- Of a packet with a secrecy mark, and of one that could never be had, nothing is kept but its id and that it came.

CREATE TABLE inbox_of_channels (
    org TEXT NOT NULL,
    channel TEXT NOT NULL,
    packet_id TEXT NOT NULL,
    sha256 TEXT,
    size INTEGER,
    kind TEXT,
    from_org TEXT,
    subject TEXT,
    priority INTEGER,
    received_at TEXT NOT NULL,
    secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
    given_up INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1)),
    -- Some of its files could not be looked into for marks before it was kept.
    unscreened INTEGER NOT NULL DEFAULT 0 CHECK (unscreened IN (0, 1)),
    error_code TEXT,
    error_params TEXT,
    -- When its document was filed, or what it says was written down; NULL: still to be done.
    filed_at TEXT,
    incoming_id TEXT REFERENCES incoming (id) DEFERRABLE INITIALLY DEFERRED,
    -- Who was told that a secret one came (Báo người phụ trách).
    told_at TEXT,
    told_by TEXT,
    CHECK ((secret = 1 OR given_up = 1) = (sha256 IS NULL)),
    CHECK (secret = 0 OR given_up = 0),
    CHECK (sha256 IS NOT NULL OR (size IS NULL AND kind IS NULL AND from_org IS NULL AND subject IS NULL
                                  AND priority IS NULL AND filed_at IS NULL)),
    CHECK (given_up = 0 OR error_code IS NOT NULL),
    CHECK (secret = 0 OR (error_code IS NULL AND error_params IS NULL)),
    CHECK (incoming_id IS NULL OR filed_at IS NOT NULL),
    CHECK ((told_at IS NULL) = (told_by IS NULL)),
    CHECK (told_at IS NULL OR secret = 1)
) STRICT;
INSERT INTO inbox_of_channels (org, channel, packet_id, sha256, size, kind, from_org, subject, priority, received_at, secret)
    SELECT org, 'sync', packet_id, sha256, size, kind, from_org, subject, priority, received_at, secret FROM inbox;
DROP TABLE inbox;
ALTER TABLE inbox_of_channels RENAME TO inbox;
CREATE UNIQUE INDEX inbox_once ON inbox (org, channel, packet_id, ifnull(sha256, ''));
CREATE INDEX inbox_by_arrival ON inbox (received_at, packet_id);
CREATE INDEX inbox_by_content ON inbox (sha256);
CREATE INDEX inbox_to_file ON inbox (priority DESC, received_at) WHERE sha256 IS NOT NULL AND filed_at IS NULL;
CREATE INDEX inbox_without_document ON inbox (received_at) WHERE incoming_id IS NULL AND filed_at IS NULL;
CREATE INDEX inbox_of_incoming ON inbox (incoming_id) WHERE incoming_id IS NOT NULL;

CREATE TABLE feed_of_channel (
    org TEXT NOT NULL,
    channel TEXT NOT NULL,
    epoch TEXT NOT NULL,
    cursor TEXT NOT NULL,
    PRIMARY KEY (org, channel)
) STRICT, WITHOUT ROWID;
INSERT INTO feed_of_channel SELECT org, 'sync', epoch, cursor FROM feed_cursor;
DROP TABLE feed_cursor;
ALTER TABLE feed_of_channel RENAME TO feed_cursor;

-- In how many passes a packet was there and could not be had.
CREATE TABLE inbox_missed (
    org TEXT NOT NULL,
    channel TEXT NOT NULL,
    packet_id TEXT NOT NULL,
    passes INTEGER NOT NULL CHECK (passes >= 1),
    PRIMARY KEY (org, channel, packet_id)
) STRICT, WITHOUT ROWID;

-- A document (or a recall of one that isn't here). Texts are the sender's, as they were written.
CREATE TABLE incoming (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL,
    document_key TEXT NOT NULL,
    -- The same document once more, with other files or after it was returned, is another round.
    round INTEGER NOT NULL CHECK (round >= 1),
    -- SHA-256 over the hashes of its files.
    content TEXT NOT NULL,
    packet_sha256 TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('new', 'revoke', 'update', 'replace')),
    arrived_at TEXT NOT NULL,
    urgency INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 4),
    readable INTEGER NOT NULL CHECK (readable IN (0, 1)),
    sender TEXT NOT NULL,
    sender_name TEXT NOT NULL,
    document_id TEXT NOT NULL,
    -- By which its sender's recalls and updates find it.
    id_key TEXT NOT NULL,
    label TEXT NOT NULL,
    issued TEXT NOT NULL,
    issued_on TEXT,
    type_name TEXT NOT NULL,
    subject TEXT NOT NULL,
    signer TEXT NOT NULL,
    due TEXT NOT NULL,
    -- Codes of what is odd about it, as JSON.
    doubts TEXT NOT NULL CHECK (json_valid(doubts)),
    search TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('valid', 'changed', 'indeterminate', 'invalid', 'unsigned', 'no_pdf',
                                             'unreadable')),
    verdict_code TEXT,
    verified_at TEXT NOT NULL,
    recheck_at TEXT,
    rechecks INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('arrived', 'accepted', 'returned', 'reported', 'cancelled', 'superseded')),
    decided_at TEXT,
    decided_by TEXT,
    reason TEXT,
    note TEXT NOT NULL DEFAULT '',
    number INTEGER CHECK (number >= 1),
    number_year INTEGER,
    -- Its sender asks for it back, or to have it altered; NULL: nothing waits for an answer.
    asked TEXT CHECK (asked IN ('recall', 'update')),
    asked_at TEXT,
    asked_reason TEXT NOT NULL DEFAULT '',
    asked_packet TEXT,
    superseded_by TEXT REFERENCES incoming (id),
    updated_at TEXT,
    came_again INTEGER NOT NULL DEFAULT 0,
    -- Grows with each change of any row, so that a list reads only what is new.
    touched INTEGER NOT NULL,
    UNIQUE (org, document_key, round),
    CHECK ((state = 'arrived') = (decided_at IS NULL)),
    CHECK ((decided_at IS NULL) = (decided_by IS NULL)),
    CHECK ((number IS NULL) = (number_year IS NULL)),
    CHECK (state <> 'accepted' OR number IS NOT NULL),
    CHECK (state <> 'returned' OR reason IS NOT NULL),
    CHECK (state <> 'superseded' OR superseded_by IS NOT NULL),
    CHECK ((asked IS NULL) = (asked_at IS NULL)),
    CHECK ((asked IS NULL) = (asked_packet IS NULL)),
    CHECK (recheck_at IS NULL OR verdict = 'indeterminate')
) STRICT;
CREATE UNIQUE INDEX incoming_by_touch ON incoming (touched);
CREATE INDEX incoming_by_id ON incoming (org, id_key);
CREATE INDEX incoming_to_check_again ON incoming (recheck_at) WHERE recheck_at IS NOT NULL;

CREATE TABLE incoming_file (
    incoming_id TEXT NOT NULL REFERENCES incoming (id),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    is_pdf INTEGER NOT NULL CHECK (is_pdf IN (0, 1)),
    verdict TEXT CHECK (verdict IN ('valid', 'changed', 'indeterminate', 'invalid', 'unsigned')),
    integrity TEXT CHECK (integrity IN ('intact', 'changed', 'broken', 'unreadable', 'unsigned')),
    message_code TEXT,
    message_params TEXT,
    PRIMARY KEY (incoming_id, position),
    CHECK ((is_pdf = 1) = (verdict IS NOT NULL)),
    CHECK ((verdict IS NULL) = (integrity IS NULL))
) STRICT, WITHOUT ROWID;

-- All that happened to a document, never altered: the log that a recall leaves behind too.
CREATE TABLE incoming_event (
    id INTEGER PRIMARY KEY,
    incoming_id TEXT NOT NULL REFERENCES incoming (id),
    at TEXT NOT NULL,
    what TEXT NOT NULL CHECK (what IN ('arrived', 'came_again', 'verified', 'accepted', 'returned', 'reported',
                                       'recall_asked', 'update_asked', 'agreed', 'declined', 'transferred',
                                       'superseded', 'updated', 'cancelled')),
    by TEXT NOT NULL,
    words TEXT NOT NULL,
    packet_sha256 TEXT,
    -- The status message that left for it.
    answer TEXT
) STRICT;
CREATE INDEX incoming_event_of ON incoming_event (incoming_id, id);

CREATE TRIGGER incoming_event_stays BEFORE UPDATE ON incoming_event
BEGIN
    SELECT RAISE(ABORT, 'what happened is only added to');
END;

CREATE TRIGGER incoming_event_is_kept BEFORE DELETE ON incoming_event
BEGIN
    SELECT RAISE(ABORT, 'what happened is only added to');
END;

-- A document that came is never deleted by anybody's word, least of all by the server's.
CREATE TRIGGER incoming_is_kept BEFORE DELETE ON incoming
BEGIN
    SELECT RAISE(ABORT, 'a document that came is kept');
END;
