"""The hand-over book as rows: minutes of who gave which certificate to whom, and that the PIN was changed after it.

Reads on any connection, adds only inside a transaction of the main process; nothing is ever changed or deleted. What a
minute must say, and whether its signature is good, is decided elsewhere.
"""

import datetime as dt
import hashlib
import sqlite3
from enum import StrEnum
from typing import Literal

import msgspec

from signer_app.store.model import EvidenceRecord
from signer_app.store.rows import insert
from signer_app.store.times import stamp
from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead
from signer_token.model import PinState


class PinProof(StrEnum):
    """How it is known that the PIN was changed: by this program, or the holder says so."""

    HERE = "here"
    TOLD = "told"


class Permission(msgspec.Struct, frozen=True, kw_only=True):
    """The written permission (Decree 30/2020, article 32.2b): its number, its day, and who gave it."""

    number: str
    date: dt.date
    by: str


class CertificateFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate as minutes and forms name it."""

    sha256: str
    serial: str
    name: str
    organization: str
    issuer: str
    not_before: dt.datetime
    not_after: dt.datetime


class DeviceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The device as it names itself; `label` may be empty."""

    serial: str
    label: str


class Waiting(msgspec.Struct, frozen=True):
    """How many documents wait, and what the first of them are called."""

    count: int
    names: tuple[str, ...]


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """One hand-over, as its minute (biên bản bàn giao) says it. Texts that were not given are empty."""

    kind: Literal["signer-hand-over-1"] = "signer-hand-over-1"
    id: str
    number: int
    """Running number in the book, from 1."""
    at: dt.datetime
    place: str
    body: str
    giver: str
    receiver: str
    """Empty: the device went back to the body, and nobody holds it."""
    held_by: str
    """Who held it by the book until then; empty where the book did not know."""
    witness: str
    permission: Permission
    purpose: str
    until: dt.date | None
    certificate: CertificateFacts
    device: DeviceFacts
    pin_state: PinState
    pin_change_due: bool
    """Whether the receiver must change the PIN before anything is signed."""
    unsigned: Waiting
    unsent: Waiting
    journal: JournalHead
    """The journal's head at that moment, which a signature of this minute therefore vouches for."""


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the book. `text` is the minute byte for byte as it was signed."""

    minute: Minute
    text: str
    signed: str | None
    """A flattened JSON JWS; None where the minute was not signed by the token."""
    pin_changed_at: dt.datetime | None = None
    pin_proof: PinProof | None = None

    @property
    def sha256(self) -> str:
        """Of the minute's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def journal_sha256(self) -> str:
        """What the journal keeps of the entry: of the text with its signature, so that none is taken off unseen."""
        return hashlib.sha256(f"{self.text}\n{self.signed or ''}".encode()).hexdigest()

    @property
    def pin_change_open(self) -> bool:
        """Whether the PIN has still to be changed."""
        return self.minute.pin_change_due and self.pin_changed_at is None


_SELECT = (
    "SELECT hand_over.number, hand_over.id, hand_over.certificate_sha256, hand_over.receiver, hand_over.device_serial,"
    " hand_over.pin_change_due, CAST(hand_over.minute AS BLOB) AS minute, CAST(hand_over.signed AS BLOB) AS signed,"
    " hand_over_pin.at AS pin_at, hand_over_pin.how,"
    " hand_over_pin.at IS NULL OR EXISTS (SELECT 1 FROM journal WHERE journal.at = hand_over_pin.at"
    "  AND CASE WHEN json_valid(journal.entry) AND json_valid(hand_over.minute)"
    "  THEN json_extract(journal.entry, '$.action') = 'change_pin'"
    "  AND json_extract(journal.entry, '$.token_serial') = hand_over.device_serial"
    "  AND json_extract(journal.entry, '$.result') = iif(hand_over_pin.how = 'told', 'told', 'ok')"
    "  AND journal.seq > json_extract(hand_over.minute, '$.journal.count') END) AS pin_told"
    " FROM hand_over LEFT JOIN hand_over_pin ON hand_over_pin.hand_over_id = hand_over.id "
)


class CustodyReader:
    """The book as one connection sees it.

    Raises KnownError "custody_book_altered" for a minute that can't be read or says something else than its row, and
    for a changed PIN that the journal doesn't tell.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def list(self) -> tuple[HandOver, ...]:
        """All hand-overs, the newest first."""
        return self._some("ORDER BY hand_over.number DESC")

    def get(self, number: int) -> HandOver | None:
        """The hand-over with this number."""
        return next((entry for entry in self.list() if entry.minute.number == number), None)

    def last(self, certificate_sha256: str, device_serial: str) -> HandOver | None:
        """The last hand-over of a certificate, or of its device where the certificate is newer than the book; None
        while nobody has begun one.

        All minutes are read, and what they say decides: a column changed by hand would only hide an entry.
        """
        entries = self.list()
        ours = [entry for entry in entries if entry.minute.certificate.sha256 == certificate_sha256]
        there = [entry for entry in entries if device_serial and entry.minute.device.serial == device_serial]
        return next(iter(ours or there), None)

    def latest(self) -> tuple[HandOver, ...]:
        """The last hand-over of each certificate, the newest first."""
        return self._some(
            "WHERE hand_over.number IN (SELECT max(number) FROM hand_over GROUP BY certificate_sha256)"
            " ORDER BY hand_over.number DESC"
        )

    def holder(self, certificate_sha256: str, device_serial: str) -> str | None:
        """Who holds the certificate, by the same rule, as the columns have it; empty: nobody; None: no book."""
        row = self._connection.execute(
            "SELECT receiver FROM hand_over WHERE certificate_sha256 = ?1 OR (?2 <> '' AND device_serial = ?2)"
            " ORDER BY certificate_sha256 = ?1 DESC, number DESC LIMIT 1",
            (certificate_sha256, device_serial),
        ).fetchone()
        return row["receiver"] if row else None

    def next_number(self) -> int:
        """The number behind the last."""
        return int(self._connection.execute("SELECT ifnull(max(number), 0) + 1 FROM hand_over").fetchone()[0])

    def signed_with(self) -> tuple[EvidenceRecord, ...]:
        """The newest evidence of a signature for each certificate that has signed here."""
        rows = self._connection.execute(
            "SELECT evidence.record FROM evidence WHERE evidence.rowid IN (SELECT max(evidence.rowid) FROM evidence"
            " JOIN file ON file.id = evidence.file_id GROUP BY file.certificate_sha256)"
        )
        return tuple(msgspec.json.decode(row["record"], type=EvidenceRecord) for row in rows)

    def _some(self, clause: str) -> tuple[HandOver, ...]:
        return tuple(_hand_over(row) for row in self._connection.execute(f"{_SELECT} {clause}"))


class Custody(CustodyReader):
    """The book inside a transaction, where it can be added to."""

    def add(self, entry: HandOver) -> None:
        """Adds a hand-over; ValueError if its number is not the next."""
        minute = entry.minute
        if minute.number != self.next_number():
            raise ValueError("another hand-over was recorded meanwhile")
        columns = {
            "number": minute.number,
            "id": minute.id,
            "certificate_sha256": minute.certificate.sha256,
            "at": stamp(minute.at),
            "receiver": minute.receiver,
            "device_serial": minute.device.serial,
            "pin_change_due": minute.pin_change_due,
            "minute": entry.text,
            "signed": entry.signed,
        }
        insert(self._connection, "hand_over", columns)

    def pin_changed(self, device_serial: str, at: dt.datetime, proof: PinProof) -> None:
        """The PIN of a device was changed; every certificate on it stops waiting for that, if it did."""
        self._connection.execute(
            "INSERT INTO hand_over_pin (hand_over_id, at, how) SELECT id, ?, ? FROM hand_over"
            " WHERE number IN (SELECT max(number) FROM hand_over GROUP BY certificate_sha256)"
            " AND device_serial = ? AND pin_change_due = 1 AND id NOT IN (SELECT hand_over_id FROM hand_over_pin)",
            (stamp(at), proof.value, device_serial),
        )


def _hand_over(row: sqlite3.Row) -> HandOver:
    try:
        text = bytes(row["minute"]).decode()
        signed = bytes(row["signed"]).decode() if row["signed"] is not None else None
        minute = msgspec.json.decode(text, type=Minute)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KnownError("custody_book_altered", number=row["number"]) from error
    told = (minute.number, minute.id, minute.certificate.sha256, minute.receiver, minute.device.serial)
    columns = tuple(row[name] for name in ("number", "id", "certificate_sha256", "receiver", "device_serial"))
    if told != columns or minute.pin_change_due != bool(row["pin_change_due"]):
        # Columns are for searching; what was written down and hashed is the minute.
        raise KnownError("custody_book_altered", number=row["number"])
    if not row["pin_told"]:
        # A row alone would lift a forced change of the PIN; the entry that was written with it is in the chain.
        raise KnownError("custody_book_altered", number=row["number"])
    try:
        changed_at = dt.datetime.fromisoformat(row["pin_at"]) if row["pin_at"] else None
    except ValueError as error:
        raise KnownError("custody_book_altered", number=row["number"]) from error
    return HandOver(
        minute=minute,
        text=text,
        signed=signed,
        pin_changed_at=changed_at,
        pin_proof=PinProof(row["how"]) if row["how"] else None,
    )
