-- When backups were made or failed; what a restored database must ask before anything leaves; what retention let go.

CREATE TABLE backup_run (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    target TEXT NOT NULL,
    error_code TEXT,
    error_params TEXT,
    -- Of one that succeeded: files of rows that could not go along, for they are missing or damaged here.
    missing INTEGER NOT NULL DEFAULT 0 CHECK (missing >= 0),
    CHECK (error_code IS NOT NULL OR error_params IS NULL)
) STRICT;

-- Each time that this database came out of a backup; the journal goes on behind `journal_count` entries.
CREATE TABLE restored (
    epoch INTEGER PRIMARY KEY CHECK (epoch >= 1),
    at TEXT NOT NULL,
    backup_at TEXT NOT NULL,
    journal_count INTEGER NOT NULL CHECK (journal_count >= 0),
    journal_hash TEXT NOT NULL,
    -- A person has said, by the books on paper, which numbers were given since the backup; NULL: none is given before.
    numbers_at TEXT,
    numbers_by TEXT,
    CHECK ((numbers_at IS NULL) = (numbers_by IS NULL))
) STRICT;

-- Packets that were not proven to be sent when the backup was made. open: the other side is to be asked; absent: it
-- doesn't have it, and a person says that it leaves; there: it has it, and its receipt tells of the journal that is lost.
CREATE TABLE unsettled (
    packet_id TEXT PRIMARY KEY REFERENCES outbox (packet_id),
    org TEXT NOT NULL,
    answer TEXT NOT NULL CHECK (answer IN ('open', 'absent', 'there'))
) STRICT, WITHOUT ROWID;
CREATE INDEX unsettled_by_org ON unsettled (org, answer);

-- Files that are no longer kept, after the time that the body has set; rows go on naming them.
CREATE TABLE released_blob (
    sha256 TEXT PRIMARY KEY,
    size INTEGER NOT NULL CHECK (size >= 0),
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
