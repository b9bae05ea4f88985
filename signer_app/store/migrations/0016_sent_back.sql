-- What a receiver sends back (02), a recall that it declines (16) and what could not be brought to it wait for a person, who
-- settles them: by a packet about the same document, or by a word. Taken out of the queue, that packet settles nothing.

ALTER TABLE outbox_receiver ADD COLUMN settled_at TEXT;
ALTER TABLE outbox_receiver ADD COLUMN settled_by TEXT CHECK ((settled_by IS NULL) = (settled_at IS NULL));
ALTER TABLE outbox_receiver ADD COLUMN settled_packet TEXT CHECK (settled_packet IS NULL OR settled_at IS NOT NULL);

DROP INDEX outbox_receiver_told;
CREATE INDEX outbox_receiver_open ON outbox_receiver (packet_id)
    WHERE settled_at IS NULL AND (code IN ('02', '16') OR (code IS NULL AND transport = 'fail'));

-- A draft that, once it is signed, goes out in place of a document that was sent, and why (the receivers read it).

ALTER TABLE draft ADD COLUMN instead_of TEXT;
ALTER TABLE draft ADD COLUMN instead_why TEXT CHECK ((instead_why IS NULL) = (instead_of IS NULL));
CREATE UNIQUE INDEX draft_instead_of ON draft (instead_of) WHERE instead_of IS NOT NULL;
