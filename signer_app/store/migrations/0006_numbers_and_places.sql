-- A number belongs to its document from the moment a signing with it begins: a signing that fails keeps it, and only the
-- clerk gives it up, with a reason. `owner` is the SHA-256 of the document's main file as it was opened; it is NULL for a
-- number that was given up, which stays in the book and is never used again (Decree 30/2020, article 15).

CREATE TABLE reserved_number (
    body_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    notation_group TEXT NOT NULL,
    number TEXT NOT NULL,
    shown TEXT NOT NULL,
    doc_date TEXT NOT NULL,
    owner TEXT,
    name TEXT,
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (body_code, year, notation_group, number),
    CHECK ((owner IS NULL) = (reason IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX reserved_by_owner ON reserved_number (owner) WHERE owner IS NOT NULL;

-- Where the clerk put a mark by hand, by body, profile and type of document: proposed for the next one. `page` counts from
-- 1, -1 is the last; mm from the top left of the displayed page.

CREATE TABLE remembered_place (
    body_code TEXT NOT NULL,
    profile TEXT NOT NULL,
    type TEXT NOT NULL,
    page INTEGER NOT NULL,
    x REAL NOT NULL,
    y REAL NOT NULL,
    w REAL,
    h REAL,
    at TEXT NOT NULL,
    PRIMARY KEY (body_code, profile, type)
) STRICT, WITHOUT ROWID;
