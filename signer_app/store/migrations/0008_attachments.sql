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
    UNIQUE (draft_id, position),
    UNIQUE (draft_id, blob)
) STRICT;

ALTER TABLE draft ADD COLUMN copy TEXT;
ALTER TABLE draft ADD COLUMN replaces TEXT;
-- The file that was turned into the PDF which is signed, where there was one.
ALTER TABLE draft_file ADD COLUMN made_from TEXT;

CREATE TABLE replaced_document (
    document_id TEXT PRIMARY KEY REFERENCES document (id),
    replaced_by TEXT NOT NULL REFERENCES document (id),
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
