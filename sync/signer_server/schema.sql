-- State of the reference server. Times are RFC 3339 texts or seconds since 1970, hashes lower-case hex SHA-256.
CREATE TABLE IF NOT EXISTS fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS organisation (
    code TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    parent TEXT,
    active INTEGER NOT NULL,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS device (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL REFERENCES organisation (code),
    key TEXT NOT NULL,
    certificate BLOB NOT NULL,
    enrolment TEXT NOT NULL,
    enrolled_at TEXT NOT NULL,
    revoked_at TEXT
) STRICT;

CREATE TABLE IF NOT EXISTS used_once (
    value TEXT PRIMARY KEY,
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS bearer (
    hash TEXT PRIMARY KEY,
    device TEXT NOT NULL REFERENCES device (id),
    expires INTEGER NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS packet (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL REFERENCES organisation (code),
    device TEXT NOT NULL REFERENCES device (id),
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    kind TEXT NOT NULL,
    document_id TEXT NOT NULL,
    subject TEXT NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    since TEXT NOT NULL,
    seq INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    receipt_hash TEXT NOT NULL,
    UNIQUE (device, seq)
) STRICT;

CREATE TABLE IF NOT EXISTS recipient (
    packet TEXT NOT NULL REFERENCES packet (id),
    org TEXT NOT NULL REFERENCES organisation (code),
    transport TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (packet, org)
) STRICT;

CREATE TABLE IF NOT EXISTS feed (
    org TEXT NOT NULL REFERENCES organisation (code),
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    packet TEXT NOT NULL REFERENCES packet (id),
    PRIMARY KEY (org, seq)
) STRICT;

CREATE TABLE IF NOT EXISTS feed_ack (
    org TEXT PRIMARY KEY REFERENCES organisation (code),
    seq INTEGER NOT NULL
) STRICT;
