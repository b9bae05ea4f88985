"""The book of outgoing numbers: which were issued, which are kept for documents, which were given up; as lists read it.

Reads on any connection, never writes. A number that nobody has taken has no line: what lies between two lines is for
those who show the book to say.
"""

import sqlite3
from datetime import date, datetime
from enum import StrEnum

import msgspec

from signer_app.store.documents import canonical_number
from signer_app.store.reservations import ReservationReader
from signer_app.store.rows import to_value


class NumberState(StrEnum):
    """How a number stands."""

    ISSUED = "issued"
    RESERVED = "reserved"
    """Kept for a document of which a signing began."""
    VOIDED = "voided"
    """Given up, never to be used again."""


class NumberEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the book. `subject` is the document's, or the name of its main file while it isn't signed."""

    body_code: str
    year: int
    sequence: str
    """The key of its sequence."""
    number: str
    """As it is printed."""
    notation: str
    doc_date: date
    state: NumberState
    at: datetime
    """Since when it stands so."""
    document_id: str | None = None
    subject: str | None = None
    reason: str | None = None
    operator: str | None = None

    @property
    def label(self) -> str:
        """Số, ký hiệu as on the page."""
        return f"{self.number}/{self.notation}"


class NumberBook:
    """The book as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def entries(self, year: int | None = None, body_code: str | None = None) -> tuple[NumberEntry, ...]:
        """All lines (of one year, of one body), by body, sequence and number; the newest year first."""
        return tuple(sorted((*self._issued(year, body_code), *self.kept(year, body_code)), key=_order))

    def kept(self, year: int | None = None, body_code: str | None = None) -> tuple[NumberEntry, ...]:
        """The lines of numbers that are kept or given up."""
        return tuple(
            NumberEntry(
                body_code=one.body_code,
                year=one.year,
                sequence=one.notation_group,
                number=one.shown,
                notation=one.notation,
                doc_date=one.doc_date,
                state=NumberState.VOIDED if one.given_up else NumberState.RESERVED,
                at=one.at,
                subject=one.name,
                reason=one.reason,
                operator=one.operator,
            )
            for one in ReservationReader(self._connection).list(year, body_code)
        )

    def _issued(self, year: int | None, body_code: str | None) -> tuple[NumberEntry, ...]:
        rows = self._connection.execute(
            "SELECT issued_number.body_code, issued_number.year, issued_number.notation_group AS sequence,"
            " document.number, document.notation, document.doc_date, 'issued' AS state, document.created_at AS at,"
            " document.id AS document_id, document.subject"
            " FROM issued_number JOIN document ON document.id = issued_number.document_id"
            " WHERE (?1 IS NULL OR issued_number.year = ?1) AND (?2 IS NULL OR issued_number.body_code = ?2)",
            (year, body_code),
        )
        return tuple(to_value(row, NumberEntry) for row in rows)


def _order(entry: NumberEntry) -> tuple[int, str, str, int, str]:
    number = canonical_number(entry.number)
    digits = number[: len(number) - len(number.lstrip("0123456789"))]
    return -entry.year, entry.body_code, entry.sequence, int(digits or 0), number
