-- The directory of bodies as the servers tell it, in place of the file cache/organisations.json. A code that a server
-- tells no more stays, for history, and counts as no longer receiving. `name_key` is the name in the one form by which it
-- is found (short forms written out, no diacritics), `words` what is searched: name and code. `told_in` counts the fills
-- of its source from the start: a row with an older one was not told again.

CREATE TABLE directory_body (
    id INTEGER PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    words TEXT NOT NULL,
    parent TEXT,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    valid_from TEXT,
    replaced_by TEXT CHECK (replaced_by <> code),
    channels TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(channels)),
    source TEXT NOT NULL,
    told_in INTEGER NOT NULL,
    told INTEGER NOT NULL DEFAULT 1 CHECK (told IN (0, 1)),
    CHECK (told = 1 OR active = 0)
) STRICT;
CREATE INDEX directory_body_by_name ON directory_body (name_key);
CREATE INDEX directory_body_by_parent ON directory_body (parent) WHERE parent IS NOT NULL;
CREATE INDEX directory_body_by_source ON directory_body (source, told_in);

CREATE VIRTUAL TABLE directory_word USING fts5 (words, content = 'directory_body', content_rowid = 'id', prefix = '1 2 3');

CREATE TRIGGER directory_body_added AFTER INSERT ON directory_body
BEGIN
    INSERT INTO directory_word (rowid, words) VALUES (NEW.id, NEW.words);
END;

CREATE TRIGGER directory_body_renamed AFTER UPDATE OF words ON directory_body WHEN OLD.words <> NEW.words
BEGIN
    INSERT INTO directory_word (directory_word, rowid, words) VALUES ('delete', OLD.id, OLD.words);
    INSERT INTO directory_word (rowid, words) VALUES (NEW.id, NEW.words);
END;

CREATE TRIGGER directory_body_gone AFTER DELETE ON directory_body
BEGIN
    INSERT INTO directory_word (directory_word, rowid, words) VALUES ('delete', OLD.id, OLD.words);
END;

-- How far each source was read: `cursor` behind its last page, NULL while a fill from the start is under way.
CREATE TABLE directory_source (
    source TEXT PRIMARY KEY,
    cursor TEXT,
    fetched_at TEXT,
    fills INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Counts the changes, so that who keeps a copy in memory knows when it is old.
CREATE TABLE directory_version (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL
) STRICT;
INSERT INTO directory_version (id, version) VALUES (1, 0);

-- What the clerk of a body has said of a line of Nơi nhận: the bodies it means. An empty list: nobody to send to ("Lưu:
-- VT"), or `paper`: somebody who gets it on paper.
CREATE TABLE known_line (
    body_code TEXT NOT NULL,
    line_key TEXT NOT NULL,
    line TEXT NOT NULL,
    codes TEXT NOT NULL CHECK (json_valid(codes)),
    paper INTEGER NOT NULL CHECK (paper IN (0, 1)),
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    PRIMARY KEY (body_code, line_key)
) STRICT, WITHOUT ROWID;

-- Receivers that the clerk chooses together under a name.
CREATE TABLE receiver_group (
    body_code TEXT NOT NULL,
    name_key TEXT NOT NULL,
    name TEXT NOT NULL,
    codes TEXT NOT NULL CHECK (json_valid(codes) AND json_array_length(codes) > 0),
    at TEXT NOT NULL,
    PRIMARY KEY (body_code, name_key)
) STRICT, WITHOUT ROWID;

-- Who gets a document on paper, and why; `done_at` once somebody has said that it was sent so. `subject` is the id of a
-- draft, and of the document from the signing on.
CREATE TABLE paper_receiver (
    subject TEXT NOT NULL,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    code TEXT,
    reason TEXT NOT NULL CHECK (reason IN ('unknown', 'inactive', 'locked', 'no_channel', 'law', 'chosen')),
    at TEXT NOT NULL,
    done_at TEXT,
    done_by TEXT,
    PRIMARY KEY (subject, position),
    CHECK ((done_at IS NULL) = (done_by IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX paper_receiver_open ON paper_receiver (at) WHERE done_at IS NULL;
