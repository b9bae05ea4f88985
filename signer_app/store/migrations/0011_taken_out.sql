-- A batch tells how a document is called also where it was refused or has failed: as said, else as its page says.

ALTER TABLE batch_document ADD COLUMN label TEXT;
ALTER TABLE batch_document ADD COLUMN doc_date TEXT;

-- What a person took out of the list again though it still lies in the inbox folder, by content, and by the times of the
-- file: one that is written to or dropped anew comes again. No name: it may turn out later that nobody may know it.
CREATE TABLE taken_out (
    sha256 TEXT NOT NULL,
    times TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (sha256, times)
) STRICT, WITHOUT ROWID;
CREATE INDEX taken_out_by_age ON taken_out (at);
