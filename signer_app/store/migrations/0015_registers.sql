-- The registers (Decree 30/2020, articles 15, 16, 22; annex IV): what a clerk writes into the lines of the outgoing one,
-- the numbers of what came, and the numbers of a register that a server keeps.

-- Each writing into a cell is a row of its own: the newest counts, and what stood there before can be shown. `line` is the
-- document's id, or the number's where it has no document; of the incoming register the arrival's.
CREATE TABLE register_cell (
    book TEXT NOT NULL CHECK (book IN ('out', 'in')),
    line TEXT NOT NULL,
    field TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    value TEXT NOT NULL,
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    PRIMARY KEY (book, line, field, revision)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER register_cell_keeps_rows BEFORE UPDATE ON register_cell
BEGIN
    SELECT RAISE(ABORT, 'a register is only added to');
END;

CREATE TRIGGER register_cell_loses_nothing BEFORE DELETE ON register_cell
BEGIN
    SELECT RAISE(ABORT, 'a register is only added to');
END;

-- What came and was entered (số đến): one sequence for paper and electronic, through the year. `incoming` is the incoming
-- document, NULL where it came on paper. A number that was given up stays with its reason.
CREATE TABLE arrival (
    id TEXT PRIMARY KEY,
    body_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 1),
    arrived_on TEXT NOT NULL,
    incoming TEXT,
    author TEXT NOT NULL,
    label TEXT NOT NULL,
    doc_date TEXT,
    doc_date_text TEXT NOT NULL,
    type TEXT NOT NULL,
    subject TEXT NOT NULL,
    received_at TEXT,
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    voided_at TEXT,
    void_reason TEXT,
    void_operator TEXT,
    UNIQUE (body_code, year, number),
    CHECK (substr(arrived_on, 1, 4) = printf('%04d', year)),
    CHECK ((voided_at IS NULL) = (void_reason IS NULL)),
    CHECK ((voided_at IS NULL) = (void_operator IS NULL)),
    CHECK (void_reason IS NULL OR length(trim(void_reason)) > 0)
) STRICT;
CREATE UNIQUE INDEX arrival_once ON arrival (body_code, incoming) WHERE incoming IS NOT NULL AND voided_at IS NULL;
CREATE INDEX arrival_by_day ON arrival (body_code, arrived_on);

CREATE TRIGGER arrival_keeps_number BEFORE UPDATE OF id, body_code, year, number, arrived_on, incoming ON arrival
BEGIN
    SELECT RAISE(ABORT, 'a number of what came is never changed');
END;

CREATE TRIGGER arrival_loses_nothing BEFORE DELETE ON arrival
BEGIN
    SELECT RAISE(ABORT, 'a register is only added to');
END;

-- The last number of the book on paper that was kept before: here numbers go on behind it.
CREATE TABLE arrival_start (
    body_code TEXT NOT NULL,
    year INTEGER NOT NULL,
    last INTEGER NOT NULL CHECK (last >= 1),
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    PRIMARY KEY (body_code, year)
) STRICT, WITHOUT ROWID;

-- The right to be the only writer of a register that a server keeps. `lease_id` is made here, before it is asked for.
CREATE TABLE register_lease (
    register_id TEXT PRIMARY KEY,
    body_code TEXT NOT NULL,
    name TEXT NOT NULL,
    -- As the server forms it; "{type}" stands for the kind of document.
    notation TEXT NOT NULL,
    lease_id TEXT NOT NULL UNIQUE,
    fence INTEGER,
    valid_until TEXT,
    lost_at TEXT,
    CHECK ((fence IS NULL) = (valid_until IS NULL))
) STRICT, WITHOUT ROWID;

-- Numbers of such a register, by the id under which each is asked for, which is kept first. `position` is the order in which
-- they are asked for. `held`: given by the lease while the server can't be asked; `differs`: the server gave another one.
CREATE TABLE register_number (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    register_id TEXT NOT NULL REFERENCES register_lease (register_id),
    owner TEXT NOT NULL,
    doc_type TEXT NOT NULL,
    issued_date TEXT NOT NULL,
    fence INTEGER,
    last_known INTEGER,
    state TEXT NOT NULL CHECK (state IN ('asked', 'held', 'taken', 'differs', 'voided')),
    number TEXT,
    notation TEXT,
    server_number TEXT,
    at TEXT NOT NULL,
    operator TEXT NOT NULL,
    void_reason TEXT,
    -- Whether the server knows that it was given up.
    void_told INTEGER NOT NULL DEFAULT 0 CHECK (void_told IN (0, 1)),
    CHECK ((state = 'asked') = (number IS NULL) OR state = 'voided'),
    CHECK ((state = 'voided') = (void_reason IS NOT NULL)),
    CHECK (void_told = 0 OR state = 'voided')
) STRICT;
CREATE UNIQUE INDEX register_number_of_owner ON register_number (register_id, owner) WHERE state <> 'voided';
CREATE INDEX register_number_open ON register_number (register_id, position) WHERE state IN ('asked', 'held');
