-- A batch remembers what it is to do document by document, and what the preflight made of each, so that nobody has to keep
-- it in memory and a batch that was cut is gone on with where it stopped.

ALTER TABLE batch ADD COLUMN begun_at TEXT;
-- The batch whose rest this one takes over.
ALTER TABLE batch ADD COLUMN continues TEXT;
-- What the preflight's answers depend on besides the file and the wish, as a hash.
ALTER TABLE batch ADD COLUMN context TEXT;
UPDATE batch SET begun_at = created_at;

CREATE TABLE batch_document (
    batch_id TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    -- That of its first file.
    position INTEGER NOT NULL,
    job TEXT NOT NULL,
    urgent INTEGER NOT NULL DEFAULT 0 CHECK (urgent IN (0, 1)),
    -- The number that it issues, one text for one number.
    number_key TEXT,
    -- What the preflight made of it, until it is done with.
    seen BLOB,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX batch_document_number ON batch_document (batch_id, number_key) WHERE number_key IS NOT NULL;
CREATE INDEX batch_document_urgent ON batch_document (batch_id, position) WHERE urgent = 1;

INSERT OR IGNORE INTO batch_document (batch_id, position, job, urgent)
    SELECT batch.id, batch_file.position, wish.value, ifnull(json_extract(wish.value, '$.urgency'), 0) >= 3
    FROM batch, json_each(batch.command, '$.documents') AS wish
    JOIN batch_file ON batch_file.batch_id = batch.id
    AND batch_file.input_path = json_extract(wish.value, '$.files[0].path')
    AND batch_file.profile IS json_extract(wish.value, '$.files[0].profile')
    AND batch_file.output_path IS json_extract(wish.value, '$.files[0].output');

CREATE TABLE batch_file_new (
    batch_id TEXT NOT NULL REFERENCES batch (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    document INTEGER,
    file_id TEXT REFERENCES file (id),
    input_path TEXT NOT NULL,
    input_sha256 TEXT,
    repaired_sha256 TEXT,
    profile TEXT,
    plan_sha256 TEXT,
    output_path TEXT,
    state TEXT NOT NULL CHECK (
        state IN ('pending', 'prepared', 'signing', 'signed', 'refused', 'failed', 'skipped')
    ),
    code TEXT,
    params TEXT,
    warnings TEXT,
    level TEXT,
    output_sha256 TEXT,
    seconds REAL,
    PRIMARY KEY (batch_id, position)
) STRICT, WITHOUT ROWID;

INSERT INTO batch_file_new (
    batch_id, position, document, file_id, input_path, input_sha256, profile, plan_sha256, output_path, state, code, params,
    level, output_sha256, seconds
)
    SELECT
        batch_id, position,
        (
            SELECT wish.position FROM batch_document AS wish, json_each(wish.job, '$.files') AS part
            WHERE wish.batch_id = batch_file.batch_id
            AND json_extract(part.value, '$.path') = batch_file.input_path
            AND json_extract(part.value, '$.profile') IS batch_file.profile
            AND json_extract(part.value, '$.output') IS batch_file.output_path
            LIMIT 1
        ),
        file_id, input_path, input_sha256, profile, plan_sha256, output_path, state, code, params, level, output_sha256,
        seconds
    FROM batch_file;
DROP TABLE batch_file;
ALTER TABLE batch_file_new RENAME TO batch_file;
CREATE INDEX batch_file_waiting ON batch_file (batch_id, position) WHERE state IN ('pending', 'prepared', 'signing');
CREATE INDEX batch_file_prepared ON batch_file (batch_id, position) WHERE state = 'prepared';
CREATE INDEX batch_file_stored ON batch_file (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX batch_file_input ON batch_file (input_sha256) WHERE input_sha256 IS NOT NULL;
CREATE INDEX batch_file_place ON batch_file (input_path);

UPDATE batch SET command = json_remove(command, '$.documents') WHERE json_valid(command);
