-- Documents and their signed files, batches, evidence, outbox, inbox, journal.
-- Times are RFC 3339 texts in +07:00 of one width; hashes are SHA-256 in lower-case hex; JSON is UTF-8 text.
-- No row ever names a secret document.

CREATE TABLE document (
    id TEXT PRIMARY KEY,
    body_code TEXT NOT NULL,
    number TEXT,
    notation TEXT,
    notation_group TEXT,
    doc_date TEXT,
    type TEXT,
    subject TEXT,
    signer_name TEXT,
    urgency INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 4),
    state TEXT NOT NULL CHECK (state IN ('signed', 'released')),
    created_at TEXT NOT NULL
) STRICT;
CREATE INDEX document_by_age ON document (created_at);

-- A number is used once in a body, year and sequence, and never again (Decree 30/2020, article 15).
CREATE TABLE issued_number (
    body_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    notation_group TEXT NOT NULL,
    number TEXT NOT NULL,
    document_id TEXT NOT NULL UNIQUE REFERENCES document (id),
    PRIMARY KEY (body_code, year, notation_group, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE file (
    id TEXT PRIMARY KEY,
    document_id TEXT NOT NULL REFERENCES document (id),
    position INTEGER NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('main', 'appendix', 'attachment')),
    name TEXT NOT NULL,
    profile TEXT,
    plan_sha256 TEXT,
    certificate_sha256 TEXT,
    blob_in TEXT NOT NULL,
    blob_out TEXT,
    level TEXT,
    signed_at TEXT,
    output_path TEXT,
    exported_at TEXT,
    UNIQUE (document_id, position),
    CHECK ((blob_out IS NULL) = (signed_at IS NULL)),
    CHECK ((blob_out IS NULL) = (level IS NULL)),
    CHECK (exported_at IS NULL OR output_path IS NOT NULL)
) STRICT;
CREATE INDEX file_by_plan ON file (blob_in, profile, plan_sha256);
CREATE INDEX file_to_export ON file (id) WHERE output_path IS NOT NULL AND exported_at IS NULL;

-- What TT 15/2025/TT-BKHCN, article 5.4, asks to keep with a signature, and to be able to destroy.
CREATE TABLE evidence (
    signature_id TEXT PRIMARY KEY,
    file_id TEXT NOT NULL REFERENCES file (id),
    crl_blob TEXT,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX evidence_by_file ON evidence (file_id);

CREATE TABLE batch (
    id TEXT PRIMARY KEY,
    created_at TEXT NOT NULL,
    command TEXT NOT NULL,
    finished_at TEXT,
    reported_at TEXT,
    stopped_code TEXT,
    stopped_params TEXT
) STRICT;
CREATE INDEX batch_to_report ON batch (created_at) WHERE reported_at IS NULL;

CREATE TABLE batch_file (
    batch_id TEXT NOT NULL REFERENCES batch (id),
    position INTEGER NOT NULL,
    file_id TEXT REFERENCES file (id),
    input_path TEXT NOT NULL,
    input_sha256 TEXT,
    profile TEXT,
    plan_sha256 TEXT,
    output_path TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'signed', 'refused', 'failed', 'skipped')),
    code TEXT,
    params TEXT,
    level TEXT,
    output_sha256 TEXT,
    seconds REAL,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    packet_id TEXT PRIMARY KEY,
    document_id TEXT REFERENCES document (id),
    org TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('new', 'revoke', 'update', 'replace', 'status')),
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    urgency INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 4),
    created_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'retrying', 'accepted', 'forwarded', 'partially',
                                         'delivered', 'failed', 'needs_person')),
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before TEXT,
    error_code TEXT,
    error_params TEXT,
    receipt TEXT,
    accepted_at TEXT,
    -- One sending of a kind per document: a second one is refused, whatever made it.
    UNIQUE (document_id, kind),
    CHECK ((receipt IS NULL) = (accepted_at IS NULL)),
    CHECK (state NOT IN ('accepted', 'forwarded', 'partially', 'delivered') OR receipt IS NOT NULL),
    CHECK (kind <> 'new' OR document_id IS NOT NULL)
) STRICT;
CREATE INDEX outbox_waiting ON outbox (urgency DESC, created_at) WHERE receipt IS NULL;

CREATE TABLE outbox_receiver (
    packet_id TEXT NOT NULL REFERENCES outbox (packet_id) DEFERRABLE INITIALLY DEFERRED,
    position INTEGER NOT NULL,
    org TEXT NOT NULL,
    PRIMARY KEY (packet_id, position),
    UNIQUE (packet_id, org)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER outbox_needs_receivers BEFORE INSERT ON outbox
WHEN NEW.kind = 'new' AND NOT EXISTS (SELECT 1 FROM outbox_receiver WHERE packet_id = NEW.packet_id)
BEGIN
    SELECT RAISE(ABORT, 'a document without receivers is not queued');
END;

CREATE TRIGGER outbox_needs_number BEFORE INSERT ON outbox
WHEN NEW.kind = 'new' AND NOT EXISTS (
    SELECT 1 FROM document
    WHERE id = NEW.document_id AND number IS NOT NULL AND notation IS NOT NULL AND doc_date IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'a document without number and date is not queued');
END;

CREATE TABLE inbox (
    org TEXT NOT NULL,
    packet_id TEXT NOT NULL,
    sha256 TEXT,
    size INTEGER,
    kind TEXT,
    from_org TEXT,
    subject TEXT,
    priority INTEGER,
    received_at TEXT NOT NULL,
    secret INTEGER NOT NULL CHECK (secret IN (0, 1)),
    -- Of a secret one nothing is kept but that it came (Law on Protection of State Secrets).
    CHECK ((secret = 1) = (sha256 IS NULL)),
    CHECK (secret = 0 OR (size IS NULL AND kind IS NULL AND from_org IS NULL AND subject IS NULL
                          AND priority IS NULL))
) STRICT;
CREATE UNIQUE INDEX inbox_once ON inbox (org, packet_id, ifnull(sha256, ''));

CREATE TABLE feed_cursor (
    org TEXT PRIMARY KEY,
    epoch TEXT NOT NULL,
    cursor TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    entry TEXT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER journal_keeps_entries BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is only appended to');
END;

CREATE TRIGGER journal_loses_nothing BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is only appended to');
END;

CREATE TABLE journal_anchor (
    count INTEGER NOT NULL,
    hash TEXT NOT NULL,
    packet_id TEXT NOT NULL REFERENCES outbox (packet_id),
    at TEXT NOT NULL,
    PRIMARY KEY (count, packet_id)
) STRICT, WITHOUT ROWID;
