-- What replacements name, so that a document which comes after its replacement is known as replaced.

CREATE TABLE incoming_replaced (
    org TEXT NOT NULL,
    -- As `incoming.id_key` of the document that is replaced.
    id_key TEXT NOT NULL,
    incoming_id TEXT NOT NULL REFERENCES incoming (id),
    PRIMARY KEY (org, id_key, incoming_id)
) STRICT, WITHOUT ROWID;
