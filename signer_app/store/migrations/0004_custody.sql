-- The hand-over book: who holds which certificate, as minutes that are only added. A minute is canonical JSON; the
-- columns repeat what it says, `receiver` empty where the device went back to the body and nobody holds it. `signed` is a flattened JSON JWS
-- whose payload is the minute, by the certificate it speaks of.

CREATE TABLE hand_over (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    certificate_sha256 TEXT NOT NULL,
    at TEXT NOT NULL,
    receiver TEXT NOT NULL,
    device_serial TEXT NOT NULL,
    pin_change_due INTEGER NOT NULL CHECK (pin_change_due IN (0, 1)),
    minute TEXT NOT NULL,
    signed TEXT
) STRICT;
CREATE INDEX hand_over_of_certificate ON hand_over (certificate_sha256, number);

-- That the receiver has changed the PIN, where the minute asks for it.
CREATE TABLE hand_over_pin (
    hand_over_id TEXT PRIMARY KEY REFERENCES hand_over (id),
    at TEXT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('here', 'told'))
) STRICT, WITHOUT ROWID;

CREATE TRIGGER hand_over_keeps_entries BEFORE UPDATE ON hand_over
BEGIN
    SELECT RAISE(ABORT, 'the hand-over book is only added to');
END;

CREATE TRIGGER hand_over_loses_nothing BEFORE DELETE ON hand_over
BEGIN
    SELECT RAISE(ABORT, 'the hand-over book is only added to');
END;

CREATE TRIGGER hand_over_pin_keeps_entries BEFORE UPDATE ON hand_over_pin
BEGIN
    SELECT RAISE(ABORT, 'the hand-over book is only added to');
END;

CREATE TRIGGER hand_over_pin_loses_nothing BEFORE DELETE ON hand_over_pin
BEGIN
    SELECT RAISE(ABORT, 'the hand-over book is only added to');
END;
