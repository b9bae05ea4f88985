-- What was appended to a signed document later (timestamps, validation data): each is a blob of its own that begins with
-- the bytes of the one before it. What was sent is never sent again, and the file of the signing stays as it is.

CREATE TABLE file_version (
    file_id TEXT NOT NULL REFERENCES file (id),
    position INTEGER NOT NULL CHECK (position >= 1),
    blob TEXT NOT NULL UNIQUE,
    level TEXT NOT NULL,
    made_at TEXT NOT NULL,
    tsa TEXT,
    output_path TEXT,
    exported_at TEXT,
    PRIMARY KEY (file_id, position)
) STRICT, WITHOUT ROWID;

-- Files that wait for a higher level, and when they may be tried again.

CREATE TABLE awaited_level (
    file_id TEXT PRIMARY KEY REFERENCES file (id),
    level TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before TEXT NOT NULL,
    error_code TEXT
) STRICT;
