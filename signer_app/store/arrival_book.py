"""The numbers of what came (số đến): one sequence for each body and year, for paper and electronic alike, as rows.

Reads on any connection, writes only inside a transaction of the main process. A number is given once, consecutively,
and stays in the book when it is given up (Decree 30/2020, article 22.2). Knows nothing of packets: an incoming
document is a text by which it is found.
"""

import datetime as dt
import sqlite3

import msgspec

from signer_app.store.restored import RestoredReader
from signer_app.store.rows import insert, require_one, to_value
from signer_app.store.times import VIETNAM, stamp, stamp_or_none, vietnamese_date
from signer_resources.errors import KnownError
from signer_sync.ids import uuid7


class ArrivalEntry(msgspec.Struct, frozen=True, kw_only=True):
    """What is entered. `incoming` is the incoming document (None: it is on paper), `received_at` when its packet came.

    `doc_date_text` is what stands there where that is no date. `at` and `operator`: when and by whom it was entered.
    """

    author: str
    at: dt.datetime
    operator: str
    label: str = ""
    """Số, ký hiệu."""
    doc_date: dt.date | None = None
    doc_date_text: str = ""
    type: str = ""
    subject: str = ""
    incoming: str | None = None
    received_at: dt.datetime | None = None


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A line of the book; `voided_at` where its number was given up."""

    id: str
    body_code: str
    year: int
    number: int
    arrived_on: dt.date
    author: str
    label: str
    doc_date_text: str
    type: str
    subject: str
    at: dt.datetime
    operator: str
    doc_date: dt.date | None = None
    incoming: str | None = None
    received_at: dt.datetime | None = None
    voided_at: dt.datetime | None = None
    void_reason: str | None = None
    void_operator: str | None = None

    @property
    def on_paper(self) -> bool:
        """Whether it came on paper."""
        return self.incoming is None

    @property
    def voided(self) -> bool:
        """Whether its number was given up."""
        return self.voided_at is not None


class ArrivalReader:
    """The book as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, arrival_id: str) -> Arrival | None:
        """The line with this id."""
        return next(iter(self._some("WHERE id = ?", arrival_id)), None)

    def of_incoming(self, body_code: str, incoming: str) -> Arrival | None:
        """The line of an incoming document, unless its number was given up."""
        return next(
            iter(self._some("WHERE body_code = ? AND incoming = ? AND voided_at IS NULL", body_code, incoming)), None
        )

    def list(self, year: int | None = None, body_code: str | None = None) -> tuple[Arrival, ...]:
        """All lines (of one year, of one body) by body and number, the newest year first."""
        return self._some(
            "WHERE (?1 IS NULL OR year = ?1) AND (?2 IS NULL OR body_code = ?2) ORDER BY year DESC, body_code, number",
            year,
            body_code,
        )

    def between(self, first: dt.date, last: dt.date, body_code: str | None = None) -> tuple[Arrival, ...]:
        """The lines of what came from `first` to `last`."""
        return self._some(
            "WHERE arrived_on BETWEEN ?1 AND ?2 AND (?3 IS NULL OR body_code = ?3) ORDER BY body_code, year, number",
            first.isoformat(),
            last.isoformat(),
            body_code,
        )

    def last_number(self, body_code: str, year: int) -> int:
        """The highest number of the year: here, or in the book on paper that was kept before; 0 for none."""
        row = self._connection.execute(
            "SELECT max(ifnull((SELECT max(number) FROM arrival WHERE body_code = ?1 AND year = ?2), 0),"
            " ifnull((SELECT last FROM arrival_start WHERE body_code = ?1 AND year = ?2), 0))",
            (body_code, year),
        ).fetchone()
        return int(row[0])

    def start(self, body_code: str, year: int) -> int:
        """The last number of the book on paper that was kept before; 0 where there is none."""
        row = self._connection.execute(
            "SELECT last FROM arrival_start WHERE body_code = ? AND year = ?", (body_code, year)
        ).fetchone()
        return int(row[0]) if row else 0

    def years(self) -> tuple[int, ...]:
        """The years that have lines, the newest first."""
        return tuple(row[0] for row in self._connection.execute("SELECT DISTINCT year FROM arrival ORDER BY year DESC"))

    def bodies(self) -> tuple[str, ...]:
        """Codes of the bodies that have lines."""
        rows = self._connection.execute("SELECT DISTINCT body_code FROM arrival ORDER BY body_code")
        return tuple(row[0] for row in rows)

    def _some(self, clause: str, *values: object) -> tuple[Arrival, ...]:
        rows = self._connection.execute(
            f"SELECT * FROM arrival {clause}",  # noqa: S608 - clauses of this class; values are bound
            values,
        )
        return tuple(to_value(row, Arrival) for row in rows)


class Arrivals(ArrivalReader):
    """The book inside a transaction, where it can be written."""

    def enter(self, body_code: str, day: dt.date, entry: ArrivalEntry) -> int:
        """Enters what came on `day` and gives it the next number of the year; an incoming document that has a number
        keeps that one, and nothing is written.

        KnownError "arrival_day_later" for a day that has not come yet, "restore_numbers_open".
        """
        if day > entry.at.astimezone(VIETNAM).date():
            raise KnownError("arrival_day_later", date=vietnamese_date(day))
        if entry.incoming is not None:
            known = self.of_incoming(body_code, entry.incoming)
            if known is not None:
                return known.number
        RestoredReader(self._connection).require_numbers()
        number = self.last_number(body_code, day.year) + 1
        insert(
            self._connection,
            "arrival",
            {
                "id": uuid7(),
                "body_code": body_code,
                "year": day.year,
                "number": number,
                "arrived_on": day.isoformat(),
                "incoming": entry.incoming,
                "author": entry.author,
                "label": entry.label,
                "doc_date": entry.doc_date.isoformat() if entry.doc_date else None,
                "doc_date_text": entry.doc_date_text,
                "type": entry.type,
                "subject": entry.subject,
                "received_at": stamp_or_none(entry.received_at),
                "at": stamp(entry.at),
                "operator": entry.operator,
            },
        )
        return number

    def void(self, arrival_id: str, reason: str, at: dt.datetime, operator: str) -> None:
        """Gives a number up for good; it stays in the book with the reason, and what came may be entered anew.

        KnownError "arrival_void_reason" without a reason; ValueError for a line that isn't there or was given up.
        """
        if not reason.strip():
            raise KnownError("arrival_void_reason")
        done = self._connection.execute(
            "UPDATE arrival SET voided_at = ?, void_reason = ?, void_operator = ? WHERE id = ? AND voided_at IS NULL",
            (stamp(at), reason.strip(), operator, arrival_id),
        )
        require_one(done, "no such number that is in use")

    def begin_after(self, body_code: str, year: int, last: int, at: dt.datetime, operator: str) -> None:
        """Numbers of the year go on behind `last`, the last one of the book on paper.

        KnownError "arrival_start_late" once the year has a number here: those stand.
        """
        if last < 1:
            raise ValueError("a book on paper without a number needs no beginning")
        row = self._connection.execute(
            "SELECT min(number) FROM arrival WHERE body_code = ? AND year = ?", (body_code, year)
        ).fetchone()
        if row[0] is not None:
            raise KnownError("arrival_start_late", number=row[0], year=year)
        self._connection.execute(
            "INSERT INTO arrival_start (body_code, year, last, at, operator) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (body_code, year) DO UPDATE SET last = excluded.last, at = excluded.at,"
            " operator = excluded.operator",
            (body_code, year, last, stamp(at), operator),
        )
