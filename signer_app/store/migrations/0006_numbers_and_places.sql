-- A number belongs to its document from the moment a signing with it begins: a signing that fails keeps it, and only the
-- clerk gives it up, with a reason. `owner` is the SHA-256 of the document's main file as it was opened, `name` what that
-- file is called; both are NULL for a number that was given up, which stays in the book and is never used again (Decree
-- 30/2020, article 15). `notation_group` and `number` are in the form by which they are found, `shown` and `notation` as
-- they are printed.

CREATE TABLE reserved_number (
    body_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    notation_group TEXT NOT NULL,
    number TEXT NOT NULL,
    shown TEXT NOT NULL,
    notation TEXT NOT NULL,
    doc_date TEXT NOT NULL,
    owner TEXT,
    name TEXT,
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    reason TEXT,
    PRIMARY KEY (body_code, year, notation_group, number),
    CHECK ((owner IS NULL) = (reason IS NOT NULL)),
    CHECK ((owner IS NULL) = (name IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX reserved_by_owner ON reserved_number (owner) WHERE owner IS NOT NULL;
CREATE INDEX reserved_by_number ON reserved_number (body_code, year, number);

-- A register (sổ) may come to hold several notations, or none: a number is looked for beside its own sequence too.
CREATE INDEX issued_by_number ON issued_number (body_code, year, number);

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
