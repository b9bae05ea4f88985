-- Exchange in full: uploads, registers, several machines of one organisation, states by receiver.
-- Foreign keys are off while this runs, for tables are made anew under their old names.

ALTER TABLE organisation ADD COLUMN valid_from TEXT;
ALTER TABLE organisation ADD COLUMN replaced_by TEXT;
ALTER TABLE organisation ADD COLUMN channels TEXT NOT NULL DEFAULT '[]';
-- one number per change, so that a page of changes can end anywhere
UPDATE organisation SET revision = rowid;
CREATE UNIQUE INDEX organisation_revision ON organisation (revision);

ALTER TABLE device ADD COLUMN chosen INTEGER NOT NULL DEFAULT 0;
UPDATE device SET chosen = 1 WHERE rowid IN
    (SELECT min(rowid) FROM device WHERE revoked_at IS NULL GROUP BY org);
CREATE UNIQUE INDEX device_chosen ON device (org) WHERE chosen = 1;
CREATE INDEX device_org ON device (org);

CREATE TABLE packet_2 (
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
    axis_doc_id TEXT,
    error TEXT,
    register_no TEXT,
    supersedes TEXT REFERENCES packet (id),
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    receipt TEXT NOT NULL,
    receipt_hash TEXT NOT NULL,
    UNIQUE (device, epoch, seq)
) STRICT;
INSERT INTO packet_2 (id, org, device, sha256, size, kind, document_id, subject, priority, state, since, epoch, seq,
                      receipt, receipt_hash)
    SELECT id, org, device, sha256, size, kind, document_id, subject, priority, state, since,
           (SELECT value FROM fact WHERE name = 'epoch'), seq, receipt, receipt_hash FROM packet ORDER BY rowid;
DROP TABLE packet;
ALTER TABLE packet_2 RENAME TO packet;
CREATE INDEX packet_size ON packet (org, size);
CREATE INDEX packet_document ON packet (org, document_id);

ALTER TABLE recipient ADD COLUMN business_code TEXT;
ALTER TABLE recipient ADD COLUMN by_whom TEXT;
ALTER TABLE recipient ADD COLUMN evidence TEXT REFERENCES packet (id);
CREATE INDEX recipient_open ON recipient (org) WHERE transport IN ('queued', 'sent');

-- `id` is the packet's, or for a notice or a change of the directory the entry's own
CREATE TABLE feed_2 (
    org TEXT NOT NULL REFERENCES organisation (code),
    seq INTEGER NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    packet TEXT REFERENCES packet (id),
    subject TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (org, seq)
) STRICT;
INSERT INTO feed_2 (org, seq, type, id, packet) SELECT org, seq, type, packet, packet FROM feed;
DROP TABLE feed;
ALTER TABLE feed_2 RENAME TO feed;
CREATE INDEX feed_packet ON feed (org, packet, type);

CREATE TABLE device_ack (
    device TEXT PRIMARY KEY REFERENCES device (id),
    seq INTEGER NOT NULL
) STRICT;
INSERT INTO device_ack (device, seq)
    SELECT device.id, feed_ack.seq FROM feed_ack JOIN device ON device.org = feed_ack.org AND device.chosen = 1;

CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL REFERENCES organisation (code),
    packet TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    received INTEGER NOT NULL DEFAULT 0,
    expires INTEGER NOT NULL,
    committed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (org, packet, sha256)
) STRICT;
CREATE INDEX upload_expires ON upload (expires);

CREATE TABLE register (
    id TEXT PRIMARY KEY,
    org TEXT NOT NULL REFERENCES organisation (code),
    name TEXT NOT NULL,
    notation TEXT NOT NULL,
    fence INTEGER NOT NULL DEFAULT 0,
    epoch TEXT NOT NULL
) STRICT;

CREATE TABLE lease (
    id TEXT PRIMARY KEY,
    register TEXT NOT NULL REFERENCES register (id),
    device TEXT NOT NULL REFERENCES device (id),
    fence INTEGER NOT NULL,
    valid_until INTEGER NOT NULL,
    UNIQUE (register, fence)
) STRICT;

CREATE TABLE number (
    id TEXT PRIMARY KEY,
    register TEXT NOT NULL REFERENCES register (id),
    year INTEGER NOT NULL,
    number INTEGER NOT NULL,
    doc_type TEXT NOT NULL,
    notation TEXT NOT NULL,
    issued_date TEXT NOT NULL,
    state TEXT NOT NULL,
    epoch TEXT NOT NULL,
    reason TEXT,
    packet TEXT REFERENCES packet (id),
    taken_at TEXT NOT NULL,
    UNIQUE (register, year, number)
) STRICT;
