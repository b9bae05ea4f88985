-- The outbox holds every event that has to be told to others: a document, its recall, a change of its receivers, a document
-- in another's place, and the status messages that answer what came. A document may have several packets, of which one at
-- most carries it at a time: what failed or was taken out of the queue may be followed by another that supersedes it.

CREATE TABLE outbox_reshaped (
    packet_id TEXT PRIMARY KEY,
    document_id TEXT REFERENCES document (id),
    org TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('new', 'revoke', 'update', 'replace', 'status')),
    -- The edXML DocumentId by which others speak of the document: ours, or of a status message the one it answers.
    edxml_id TEXT NOT NULL DEFAULT '',
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL CHECK (size >= 0),
    urgency INTEGER NOT NULL CHECK (urgency BETWEEN 0 AND 4),
    created_at TEXT NOT NULL,
    -- Who made the event.
    operator TEXT NOT NULL DEFAULT '',
    state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'retrying', 'accepted', 'forwarded', 'partially',
                                         'delivered', 'failed', 'needs_person', 'withdrawn')),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- Nothing leaves before this moment; `postponed`: a person said so, and only a person takes it back.
    hold_until TEXT,
    postponed INTEGER NOT NULL DEFAULT 0 CHECK (postponed IN (0, 1)),
    -- The delay after a failure.
    not_before TEXT,
    -- An attempt got no answer: the other side may have it.
    uncertain INTEGER NOT NULL DEFAULT 0 CHECK (uncertain IN (0, 1)),
    error_code TEXT,
    error_params TEXT,
    -- The incoming document that a status message answers, and what it says of it.
    incoming TEXT,
    -- How that document is called on the screen; empty where it is one of ours.
    about TEXT NOT NULL DEFAULT '',
    status_code TEXT CHECK (status_code IN ('01', '02', '03', '04', '05', '06', '13', '15', '16')),
    reason TEXT,
    -- The document of ours that was sent before and in whose place this one comes.
    replaces TEXT REFERENCES document (id),
    supersedes TEXT REFERENCES outbox (packet_id),
    superseded_by TEXT REFERENCES outbox (packet_id) DEFERRABLE INITIALLY DEFERRED,
    -- That the other side has it: by its signed receipt, by what a channel without receipts answered, or because a person
    -- has made sure.
    proof_by TEXT CHECK (proof_by IN ('receipt', 'channel', 'person')),
    receipt TEXT,
    proof TEXT,
    doc_id TEXT,
    accepted_at TEXT,
    -- The person's word: taken out of the queue, sent again, arrived.
    decided_by TEXT,
    decided_at TEXT,
    -- After the server began anew: it is still to be asked whether it has this packet, or it no longer has it.
    to_ask INTEGER NOT NULL DEFAULT 0 CHECK (to_ask IN (0, 1)),
    missing_since TEXT,
    CHECK ((proof_by IS NULL) = (accepted_at IS NULL)),
    CHECK ((ifnull(proof_by, '') = 'receipt') = (receipt IS NOT NULL)),
    CHECK ((ifnull(proof_by, '') IN ('channel', 'person')) = (proof IS NOT NULL)),
    CHECK (doc_id IS NULL OR ifnull(proof_by, '') = 'channel'),
    CHECK (state NOT IN ('accepted', 'forwarded', 'partially', 'delivered') OR accepted_at IS NOT NULL),
    CHECK (state NOT IN ('queued', 'sending', 'retrying', 'needs_person', 'withdrawn') OR accepted_at IS NULL),
    -- Once the first byte may have left, only a recall takes a packet back.
    CHECK (state <> 'withdrawn' OR (attempts = 0 AND decided_by IS NOT NULL)),
    CHECK (postponed = 0 OR hold_until IS NOT NULL),
    CHECK (uncertain = 0 OR attempts > 0),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
    CHECK ((kind = 'replace') = (replaces IS NOT NULL)),
    CHECK (replaces IS NULL OR replaces <> document_id),
    CHECK ((kind = 'status') = (status_code IS NOT NULL)),
    -- 13 asks a document of ours back; all others answer what came.
    CHECK ((kind = 'status' AND status_code <> '13') = (incoming IS NOT NULL)),
    CHECK ((kind = 'status' AND status_code <> '13') = (document_id IS NULL)),
    -- Who sends back, recalls or asks back says why.
    CHECK (NOT (kind = 'revoke' OR ifnull(status_code, '') IN ('02', '13')) OR length(trim(ifnull(reason, ''))) > 0),
    CHECK (supersedes IS NULL OR supersedes <> packet_id),
    CHECK (superseded_by IS NULL OR superseded_by <> packet_id),
    -- What waits or was taken can't be followed by another in its place, save where the server lost it.
    CHECK (superseded_by IS NULL OR state IN ('failed', 'needs_person', 'withdrawn') OR missing_since IS NOT NULL),
    CHECK (missing_since IS NULL OR accepted_at IS NOT NULL),
    CHECK (to_ask = 0 OR accepted_at IS NOT NULL)
) STRICT;

INSERT INTO outbox_reshaped (packet_id, document_id, org, kind, edxml_id, sha256, size, urgency, created_at, state, attempts,
                             not_before, uncertain, error_code, error_params, receipt, accepted_at, proof_by)
SELECT outbox.packet_id, outbox.document_id, outbox.org, outbox.kind,
       ifnull(outbox.org || ',' || replace(document.doc_date, '-', '/') || ',' || document.number || '/'
              || document.notation, ''),
       outbox.sha256, outbox.size, outbox.urgency, outbox.created_at, outbox.state, outbox.attempts, outbox.not_before,
       -- What was tried and not answered for may have arrived.
       outbox.receipt IS NULL AND outbox.attempts > 0 AND outbox.state IN ('sending', 'retrying'),
       outbox.error_code, outbox.error_params, outbox.receipt, outbox.accepted_at,
       CASE WHEN outbox.receipt IS NULL THEN NULL ELSE 'receipt' END
FROM outbox LEFT JOIN document ON document.id = outbox.document_id;

DROP TABLE outbox;
ALTER TABLE outbox_reshaped RENAME TO outbox;

-- One packet at a time carries a document, whatever made it.
CREATE UNIQUE INDEX outbox_carries_once ON outbox (document_id)
    WHERE kind IN ('new', 'replace') AND state <> 'withdrawn' AND superseded_by IS NULL;
-- One word of arrival, of acceptance and of return for what came.
CREATE UNIQUE INDEX outbox_answers_once ON outbox (incoming, status_code)
    WHERE incoming IS NOT NULL AND status_code IN ('01', '02', '03') AND superseded_by IS NULL;
-- These three are whole, not partial: each new packet is looked for in them, as the parent of rows that may wait for it.
CREATE UNIQUE INDEX outbox_supersedes_once ON outbox (supersedes);
CREATE INDEX outbox_by_successor ON outbox (superseded_by);
CREATE INDEX journal_anchor_by_packet ON journal_anchor (packet_id);
CREATE INDEX outbox_by_document ON outbox (document_id) WHERE document_id IS NOT NULL;
CREATE INDEX outbox_by_edxml_id ON outbox (edxml_id) WHERE edxml_id <> '';
CREATE INDEX outbox_by_replaced ON outbox (replaces) WHERE replaces IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (org, urgency DESC, created_at) WHERE accepted_at IS NULL;
CREATE INDEX outbox_by_acceptance ON outbox (accepted_at) WHERE accepted_at IS NOT NULL;
CREATE INDEX outbox_refused ON outbox (created_at) WHERE state IN ('needs_person', 'failed');
CREATE INDEX outbox_to_ask ON outbox (org, created_at) WHERE to_ask = 1;
CREATE INDEX outbox_missing ON outbox (org) WHERE missing_since IS NOT NULL;

-- How far a packet is with each of its receivers: on its way (Sync API), and by the status messages (QCVN 102) of each.

CREATE TABLE outbox_receiver_reshaped (
    packet_id TEXT NOT NULL REFERENCES outbox (packet_id) DEFERRABLE INITIALLY DEFERRED,
    position INTEGER NOT NULL,
    org TEXT NOT NULL,
    -- Of a change of receivers: 0 taken away, 1 added.
    change INTEGER CHECK (change IN (0, 1)),
    transport TEXT CHECK (transport IN ('queued', 'sent', 'done', 'fail')),
    code TEXT CHECK (code IN ('01', '02', '03', '04', '05', '06', '13', '15', '16')),
    code_at TEXT,
    code_by TEXT,
    code_reason TEXT,
    evidence TEXT,
    PRIMARY KEY (packet_id, position),
    UNIQUE (packet_id, org),
    CHECK ((code IS NULL) = (code_at IS NULL)),
    CHECK (code IS NOT NULL OR (code_by IS NULL AND code_reason IS NULL AND evidence IS NULL))
) STRICT, WITHOUT ROWID;

INSERT INTO outbox_receiver_reshaped (packet_id, position, org) SELECT packet_id, position, org FROM outbox_receiver;
DROP TABLE outbox_receiver;
ALTER TABLE outbox_receiver_reshaped RENAME TO outbox_receiver;
CREATE INDEX outbox_receiver_told ON outbox_receiver (code) WHERE code IN ('02', '16');

CREATE TRIGGER outbox_needs_receivers BEFORE INSERT ON outbox
WHEN NOT EXISTS (SELECT 1 FROM outbox_receiver WHERE packet_id = NEW.packet_id)
BEGIN
    SELECT RAISE(ABORT, 'a packet without receivers is not queued');
END;

CREATE TRIGGER outbox_needs_number BEFORE INSERT ON outbox
WHEN NEW.kind IN ('new', 'replace') AND NOT EXISTS (
    SELECT 1 FROM document
    WHERE id = NEW.document_id AND number IS NOT NULL AND notation IS NOT NULL AND doc_date IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'a document without number and date is not queued');
END;

-- The other side as it was when it was last met: when its list begins anew, it is asked for what it had taken.

CREATE TABLE exchange_side (
    org TEXT PRIMARY KEY,
    epoch TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What the exchange has to say to a person, until the person has seen it. `params` are those of the message `code`.

CREATE TABLE exchange_notice (
    id INTEGER PRIMARY KEY,
    org TEXT NOT NULL,
    code TEXT NOT NULL,
    params TEXT,
    at TEXT NOT NULL,
    seen_at TEXT
) STRICT;
CREATE INDEX exchange_notice_unseen ON exchange_notice (org, code) WHERE seen_at IS NULL;

-- Logins that a province's LGSP has refused: a few more with the same password, and the account is locked. `revision` is
-- no secret, only a word that is another one whenever the account is typed anew.

CREATE TABLE refused_login (
    revision TEXT PRIMARY KEY,
    at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
