-- Drafts: documents that were opened to be signed and are not signed yet. They outlive a closed window and a power cut.
-- A row is made only after its file was found free of a secrecy mark and its copy is a blob.

CREATE TABLE draft (
    id TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    number TEXT NOT NULL,
    notation TEXT NOT NULL,
    doc_date TEXT,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    signer TEXT NOT NULL,
    receivers TEXT NOT NULL,
    urgency INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 4),
    ticked INTEGER NOT NULL CHECK (ticked IN (0, 1)),
    ticked_by_hand INTEGER NOT NULL CHECK (ticked_by_hand IN (0, 1)),
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX draft_by_position ON draft (position);

CREATE TABLE draft_file (
    id TEXT PRIMARY KEY,
    draft_id TEXT NOT NULL REFERENCES draft (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    output TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('main', 'appendix')),
    profile TEXT NOT NULL,
    -- The same file is opened once, whatever its name.
    blob TEXT NOT NULL UNIQUE,
    place TEXT,
    facts TEXT NOT NULL,
    UNIQUE (draft_id, position)
) STRICT;
CREATE UNIQUE INDEX draft_has_one_main ON draft_file (draft_id) WHERE role = 'main';
