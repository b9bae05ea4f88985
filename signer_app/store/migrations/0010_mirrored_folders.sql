-- A file that came with a folder knows which: its copy lies as deep below the folder of the copies as it does below that.

ALTER TABLE draft_file ADD COLUMN root TEXT;
ALTER TABLE draft_attachment ADD COLUMN root TEXT;

-- Each file that is brought in is looked for among those that were repaired, too.
CREATE INDEX draft_file_by_original ON draft_file (original) WHERE original IS NOT NULL;
CREATE INDEX file_by_original ON file (original) WHERE original IS NOT NULL;
