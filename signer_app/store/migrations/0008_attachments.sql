-- Files that go along with a document unsigned (spreadsheets, say), by their hash; the order to make a copy; a document
-- that is signed again in place of one that was not sent.

CREATE TABLE draft_attachment (
    id TEXT PRIMARY KEY,
    draft_id TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    output TEXT NOT NULL,
    blob TEXT NOT NULL,
    size INTEGER NOT NULL,
    -- Whether its words could be searched for a mark of secrecy; else only its name was.
    words INTEGER NOT NULL CHECK (words IN (0, 1)),
    UNIQUE (draft_id, position),
    UNIQUE (draft_id, blob)
) STRICT;

ALTER TABLE draft ADD COLUMN copy TEXT;
ALTER TABLE draft ADD COLUMN replaces TEXT;
CREATE UNIQUE INDEX draft_replaces ON draft (replaces) WHERE replaces IS NOT NULL;
-- SHA-256 of the file that was turned into the PDF which is signed, where there was one; and of the PDF as it came, where
-- it was repaired, which stays as a blob beside its repaired copy.
ALTER TABLE draft_file ADD COLUMN made_from TEXT;
ALTER TABLE draft_file ADD COLUMN original TEXT;
ALTER TABLE file ADD COLUMN original TEXT;

CREATE TABLE replaced_document (
    document_id TEXT PRIMARY KEY REFERENCES document (id),
    replaced_by TEXT NOT NULL REFERENCES document (id),
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX replaced_by_document ON replaced_document (replaced_by);
