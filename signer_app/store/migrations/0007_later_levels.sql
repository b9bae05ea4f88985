-- What was appended to a signed document later (timestamps, validation data): each is a blob of its own that begins with
-- the bytes of the one before it. What was sent is never sent again, and the file of the signing stays as it is.
-- `ends_at`: when the first certificate runs out on which the proofs of this version rest.

CREATE TABLE file_version (
    file_id TEXT NOT NULL REFERENCES file (id),
    position INTEGER NOT NULL CHECK (position >= 1),
    blob TEXT NOT NULL,
    level TEXT NOT NULL,
    made_at TEXT NOT NULL,
    tsa TEXT,
    ends_at TEXT,
    PRIMARY KEY (file_id, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX file_version_by_blob ON file_version (blob);
CREATE INDEX file_by_blob_out ON file (blob_out) WHERE blob_out IS NOT NULL;

-- Files that wait for a higher level, why, and when they may be tried again; one that can't be raised is given up.

CREATE TABLE awaited_level (
    file_id TEXT PRIMARY KEY REFERENCES file (id),
    level TEXT NOT NULL,
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before TEXT NOT NULL,
    error_code TEXT,
    error_params TEXT,
    given_up INTEGER NOT NULL DEFAULT 0 CHECK (given_up IN (0, 1))
) STRICT;

CREATE INDEX awaited_level_by_time ON awaited_level (not_before) WHERE given_up = 0;

-- Each request to a timestamp server that grants only so many; a few days' worth.

CREATE TABLE timestamp_use (
    tsa TEXT NOT NULL,
    at TEXT NOT NULL
) STRICT;

CREATE INDEX timestamp_use_by_time ON timestamp_use (tsa, at);
