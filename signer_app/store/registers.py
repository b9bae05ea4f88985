"""The outgoing register's documents, and what clerks write into the cells of both registers, as rows.

Reads on any connection, writes only inside a transaction of the main process. A cell keeps every writing; two writers
of one line don't disturb each other unless they write into the same cell, and then the second one is told.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec

from signer_app.store.model import Urgency
from signer_app.store.rows import insert, to_value
from signer_app.store.times import stamp


class Book(StrEnum):
    """Which register."""

    OUTGOING = "out"
    INCOMING = "in"


class CellValue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What stands in a cell, since when and by whom; `revision` counts the writings from 1."""

    line: str
    field: str
    revision: int
    value: str
    at: dt.datetime
    operator: str


class IssuedDocument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A document that has a number of ours. `sent_at`: when the other side had it; `queued`: whether it was given to be
    sent at all; `returned`: receivers that sent it back with their reasons; `recalled_at`: when its recall had left.
    """

    id: str
    body_code: str
    number: str
    notation: str
    doc_date: dt.date
    created_at: dt.datetime
    urgency: Urgency
    type: str | None = None
    subject: str | None = None
    signer_name: str | None = None
    queued: bool = False
    sent_at: dt.datetime | None = None
    receivers: tuple[str, ...] = ()
    """Organisation codes."""
    on_paper: tuple[str, ...] = ()
    """Names of those who get it on paper."""
    returned: tuple[tuple[str, str], ...] = ()
    recalled_at: dt.datetime | None = None

    @property
    def label(self) -> str:
        """Số, ký hiệu."""
        return f"{self.number}/{self.notation}"


class CameDocument(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A document that came electronically. `entered_at`: when it got its số đến; `returned`, `waits`: how it stands;
    `decided_at`: since when.
    """

    arrived_at: dt.datetime
    urgency: Urgency
    returned: bool
    waits: bool
    decided_at: dt.datetime | None = None
    entered_at: dt.datetime | None = None


_ABOVE_ALL = "\U0010ffff"
"""Behind every id of a line."""
_ISSUED = (
    "SELECT document.id, document.body_code, document.number, document.notation, document.doc_date,"
    " document.created_at, document.urgency, document.type, document.subject, document.signer_name,"
    " carrier.packet_id IS NOT NULL, carrier.accepted_at,"
    " (SELECT group_concat(org, char(31)) FROM (SELECT org FROM outbox_receiver"
    "  WHERE outbox_receiver.packet_id = carrier.packet_id ORDER BY position)),"
    " (SELECT group_concat(org || char(30) || ifnull(code_reason, ''), char(31)) FROM outbox_receiver"
    "  WHERE outbox_receiver.packet_id = carrier.packet_id AND code = '02'),"
    " (SELECT min(accepted_at) FROM outbox WHERE outbox.document_id = document.id AND kind = 'revoke'),"
    " (SELECT group_concat(name, char(31)) FROM (SELECT name FROM paper_receiver"
    "  WHERE paper_receiver.subject = document.id ORDER BY position))"
    " FROM issued_number JOIN document ON document.id = issued_number.document_id"
    # The one packet at a time that carries it.
    " LEFT JOIN outbox AS carrier ON carrier.document_id = document.id AND carrier.kind IN ('new', 'replace')"
    " AND carrier.state <> 'withdrawn' AND carrier.superseded_by IS NULL"
)


class RegisterReader:
    """Documents and cells of the registers as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def years(self) -> tuple[int, ...]:
        """The years that have numbers of outgoing documents, the newest first."""
        rows = self._connection.execute(
            "SELECT year FROM issued_number UNION SELECT year FROM reserved_number ORDER BY year DESC"
        )
        return tuple(row[0] for row in rows)

    def bodies(self) -> tuple[str, ...]:
        """Codes of the bodies that have numbers of outgoing documents."""
        rows = self._connection.execute(
            "SELECT body_code FROM issued_number UNION SELECT body_code FROM reserved_number ORDER BY body_code"
        )
        return tuple(row[0] for row in rows)

    def issued(self, year: int | None = None, body_code: str | None = None) -> Iterator[IssuedDocument]:
        """Documents with a number (of one year, of one body), one by one, in no order."""
        return self._issued(
            "WHERE (?1 IS NULL OR issued_number.year = ?1) AND (?2 IS NULL OR issued_number.body_code = ?2)",
            year,
            body_code,
        )

    def issued_one(self, document_id: str) -> IssuedDocument | None:
        """The document, if it has a number."""
        return next(self._issued("WHERE document.id = ?", document_id), None)

    def issued_between(self, first: dt.date, last: dt.date, body_code: str | None = None) -> Iterator[IssuedDocument]:
        """Documents with a number whose day of issue lies from `first` to `last`, one by one, oldest first."""
        return self._issued(
            "WHERE document.doc_date BETWEEN ?1 AND ?2 AND (?3 IS NULL OR issued_number.body_code = ?3)"
            " ORDER BY document.doc_date, document.created_at",
            first.isoformat(),
            last.isoformat(),
            body_code,
        )

    def unsent(self, body_code: str | None = None) -> Iterator[IssuedDocument]:
        """Documents that were given to be sent and that the other side has not, one by one, oldest first."""
        return self._issued(
            "WHERE carrier.packet_id IS NOT NULL AND carrier.accepted_at IS NULL"
            " AND (?1 IS NULL OR issued_number.body_code = ?1) ORDER BY document.doc_date, document.created_at",
            body_code,
        )

    def came_between(self, first: dt.date, last: dt.date, body_code: str | None = None) -> tuple[CameDocument, ...]:
        """Documents that came electronically from `first` to `last` (days in Vietnam), recalls left out."""
        rows = self._connection.execute(
            "SELECT incoming.arrived_at, incoming.urgency, incoming.state = 'returned' AS returned,"
            " incoming.state = 'arrived' AS waits, incoming.decided_at,"
            " (SELECT min(at) FROM arrival WHERE arrival.body_code = incoming.org AND arrival.incoming = incoming.id"
            "  AND voided_at IS NULL) AS entered_at"
            " FROM incoming WHERE kind <> 'revoke' AND substr(arrived_at, 1, 10) BETWEEN ?1 AND ?2"
            " AND (?3 IS NULL OR org = ?3)",
            (first.isoformat(), last.isoformat(), body_code),
        )
        return tuple(to_value(row, CameDocument) for row in rows)

    def transfers(self, incoming: str | None = None) -> dict[str, tuple[str, dt.date]]:
        """Incoming document → to whom it was passed on last, and on which day in Vietnam; of one, if it is named."""
        rows = self._connection.execute(
            "SELECT incoming_id, words, substr(at, 1, 10) AS day, max(id) FROM incoming_event"
            " WHERE what = 'transferred' AND (?1 IS NULL OR incoming_id = ?1) GROUP BY incoming_id",
            (incoming,),
        )
        return {row["incoming_id"]: (row["words"], dt.date.fromisoformat(row["day"])) for row in rows}

    def cells(self, book: Book, line: str | None = None) -> dict[str, dict[str, CellValue]]:
        """Line → field → what stands there; `line`: only of this one."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        rows = cursor.execute(
            "SELECT line, field, max(revision), value, at, operator FROM register_cell WHERE book = ?"
            # Between two bounds, so that the primary key is used either way.
            " AND line >= ? AND line <= ? GROUP BY line, field",
            (book.value, line or "", line if line is not None else _ABOVE_ALL),
        )
        found: dict[str, dict[str, CellValue]] = {}
        for of, field, revision, value, at, operator in rows:
            found.setdefault(of, {})[field] = CellValue(
                line=of,
                field=field,
                revision=revision,
                value=value,
                at=dt.datetime.fromisoformat(at),
                operator=operator,
            )
        return found

    def history(self, book: Book, line: str, field: str) -> tuple[CellValue, ...]:
        """All that was ever written into a cell, the oldest first."""
        rows = self._connection.execute(
            "SELECT line, field, revision, value, at, operator FROM register_cell"
            " WHERE book = ? AND line = ? AND field = ? ORDER BY revision",
            (book.value, line, field),
        )
        return tuple(to_value(row, CellValue) for row in rows)

    def cell(self, book: Book, line: str, field: str) -> CellValue | None:
        """What stands in a cell."""
        return next(reversed(self.history(book, line, field)), None)

    def _issued(self, clause: str, *values: object) -> Iterator[IssuedDocument]:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return (_document(row) for row in cursor.execute(f"{_ISSUED} {clause}", values))


class Registers(RegisterReader):
    """Cells inside a transaction, where they can be written."""

    def write(self, book: Book, line: str, field: str, value: str, at: dt.datetime, operator: str) -> bool:
        """Writes into a cell; False where it says so already."""
        known = self.cell(book, line, field)
        if value == (known.value if known is not None else ""):
            return False
        insert(
            self._connection,
            "register_cell",
            {
                "book": book.value,
                "line": line,
                "field": field,
                "revision": known.revision + 1 if known is not None else 1,
                "value": value,
                "at": stamp(at),
                "operator": operator,
            },
        )
        return True


def _document(row: tuple[Any, ...]) -> IssuedDocument:
    # By hand, not by `rows.to_value`: a register has a hundred thousand of them.
    return IssuedDocument(
        id=row[0],
        body_code=row[1],
        number=row[2],
        notation=row[3],
        doc_date=dt.date.fromisoformat(row[4]),
        created_at=dt.datetime.fromisoformat(row[5]),
        urgency=Urgency(row[6]),
        type=row[7],
        subject=row[8],
        signer_name=row[9],
        queued=bool(row[10]),
        sent_at=dt.datetime.fromisoformat(row[11]) if row[11] else None,
        receivers=tuple(row[12].split("\x1f")) if row[12] else (),
        returned=tuple(_pair(one) for one in row[13].split("\x1f")) if row[13] else (),
        recalled_at=dt.datetime.fromisoformat(row[14]) if row[14] else None,
        on_paper=tuple(row[15].split("\x1f")) if row[15] else (),
    )


def _pair(text: str) -> tuple[str, str]:
    org, _, reason = text.partition("\x1e")
    return org, reason
