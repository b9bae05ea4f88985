-- Evidence is kept of signatures that were checked too (TT 15/2025/TT-BKHCN, article 6.2), found by the document's hash.
-- `file_id` is NULL there: nothing of the document itself is kept. CRLs and OCSP answers are blobs that many records
-- share; a piece names one that a record rests on.

ALTER TABLE evidence RENAME TO evidence_before;

CREATE TABLE evidence (
    signature_id TEXT PRIMARY KEY,
    file_id TEXT REFERENCES file (id),
    document_sha256 TEXT NOT NULL,
    field TEXT NOT NULL,
    at TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;

INSERT INTO evidence (signature_id, file_id, document_sha256, field, at, record)
SELECT evidence_before.signature_id, evidence_before.file_id,
       json_extract(evidence_before.record, '$.document_sha256_after'), '',
       ifnull(file.signed_at, json_extract(evidence_before.record, '$.signing_time')), evidence_before.record
FROM evidence_before JOIN file ON file.id = evidence_before.file_id
ORDER BY evidence_before.rowid;

CREATE TABLE evidence_piece (
    signature_id TEXT NOT NULL REFERENCES evidence (signature_id) ON DELETE CASCADE,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (signature_id, sha256)
) STRICT, WITHOUT ROWID;

INSERT INTO evidence_piece (signature_id, sha256)
SELECT signature_id, crl_blob FROM evidence_before WHERE crl_blob IS NOT NULL;

DROP TABLE evidence_before;

CREATE INDEX evidence_by_file ON evidence (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX evidence_by_age ON evidence (at);
CREATE INDEX evidence_by_document ON evidence (document_sha256);
-- Of a document that is checked again, the newest finding stays.
CREATE UNIQUE INDEX evidence_of_check ON evidence (document_sha256, field) WHERE file_id IS NULL;
