"""What lists and the home screen show, read straight from the tables: many rows, few columns, no values that grow.

Reads on any connection, never writes. Long lists come row by row, so that who reads can stop; what a row means is
decided by those who show it.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from signer_app.store.model import DocumentState, OutboxState, Urgency
from signer_app.store.outbox_reader import ANSWERED, OPEN, UNSENT
from signer_app.store.rows import to_value
from signer_app.store.times import stamp
from signer_sync.contract import PacketKind


class WaitingDrafts(msgspec.Struct, frozen=True):
    """How many drafts of one day of issue (None: not given yet) are alike."""

    day: date | None
    flash: bool
    """Hỏa tốc."""
    needs_number: bool
    count: int


class UnsentDay(msgspec.Struct, frozen=True):
    """How many packets wait whose documents bear this day of issue."""

    day: date
    flash: bool
    count: int


class SendingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A packet of the outbox as a line of a list."""

    packet_id: str
    urgency: Urgency
    created_at: datetime
    state: OutboxState
    kind: PacketKind = PacketKind.NEW
    status_code: str | None = None
    document: str | None = None
    """Số, ký hiệu; of a status message those of what it answers."""
    subject: str | None = None
    accepted_at: datetime | None = None
    error_code: str | None = None
    error_params: Mapping[str, object] = {}


class StoppedBatch(msgspec.Struct, frozen=True):
    """A batch that ended before its end: files signed, and files in all that were to be signed."""

    id: str
    signed: int
    total: int


# A hundred thousand of them that the garbage collector walks through would stop the window; they hold no cycles.


class RegisterEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A document that was signed here; `sending` is None where it was kept and not given to the outbox."""

    id: str
    body_code: str
    state: DocumentState
    created_at: datetime
    urgency: Urgency
    number: str | None = None
    notation: str | None = None
    doc_date: date | None = None
    type: str | None = None
    subject: str | None = None
    signer_name: str | None = None
    sending: OutboxState | None = None
    accepted_at: datetime | None = None
    receivers: tuple[str, ...] = ()
    """Organisation codes."""
    again: bool = False
    """Whether it was signed in place of another (đã ký lại), which is shown no more."""
    answer: str | None = None
    """What a person must still act on: "" a receiver was not reached, "02" sent it back, "16" doesn't give it back."""

    @property
    def label(self) -> str:
        """Số, ký hiệu; empty while there is no number."""
        return f"{self.number}/{self.notation}" if self.number and self.notation else ""

    @property
    def year(self) -> int:
        """The year in whose register it stands."""
        return (self.doc_date or self.created_at).year


class InboxEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A packet that came; of a secret one only that it came."""

    org: str
    packet_id: str
    received_at: datetime
    secret: bool
    sha256: str | None = None
    kind: PacketKind | None = None
    from_org: str | None = None
    subject: str | None = None
    priority: int | None = None

    @property
    def id(self) -> str:
        """What tells it from all others: the same packet may come once more with other bytes."""
        return f"{self.org} {self.packet_id} {self.sha256 or ''}"


_SENDING = (
    "SELECT outbox.packet_id, outbox.urgency, outbox.created_at, outbox.state, outbox.accepted_at, outbox.error_code,"
    " outbox.error_params, outbox.kind, outbox.status_code, document.subject,"
    " CASE WHEN outbox.about <> '' THEN outbox.about WHEN document.number IS NULL THEN NULL"
    " ELSE document.number || '/' || document.notation END AS document"
    " FROM outbox LEFT JOIN document ON document.id = outbox.document_id "
)
_INBOX = "org, packet_id, received_at, secret, sha256, kind, from_org, subject, priority"
_REGISTER = (
    "SELECT document.id, body_code, document.state, document.created_at, document.urgency, number,"  # noqa: S608 - ours
    " notation, doc_date,"
    " type, subject, signer_name, outbox.state, outbox.accepted_at,"
    " (SELECT group_concat(org, char(31)) FROM (SELECT org FROM outbox_receiver"
    "  WHERE outbox_receiver.packet_id = outbox.packet_id ORDER BY position)),"
    " EXISTS (SELECT 1 FROM replaced_document WHERE replaced_by = document.id),"
    f" CASE WHEN document.id IN (SELECT document_id FROM outbox WHERE {ANSWERED}) THEN"
    " (SELECT min(ifnull(code, '')) FROM outbox JOIN outbox_receiver ON outbox_receiver.packet_id = outbox.packet_id"
    f"  WHERE outbox.document_id = document.id AND {ANSWERED} AND {OPEN}) END"
    " FROM document LEFT JOIN outbox ON outbox.document_id = document.id AND outbox.kind IN ('new', 'replace')"
    " AND outbox.state <> 'withdrawn' AND outbox.superseded_by IS NULL"
    " WHERE NOT EXISTS (SELECT 1 FROM replaced_document WHERE replaced_document.document_id = document.id)"
)
_YEAR = "substr(ifnull(doc_date, document.created_at), 1, 4)"
_FLASH = int(Urgency.HOA_TOC)


class Listings:
    """The lists as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    # ---- the home screen -------------------------------------------------------------------------------------------

    def waiting_drafts(self) -> tuple[WaitingDrafts, ...]:
        """Drafts counted by day of issue, by urgency, and by whether they lack the number that the seal needs."""
        rows = self._connection.execute(
            "SELECT draft.doc_date AS day, draft.urgency >= ? AS flash,"
            " draft.number = '' AND main.profile = 'agency' AS needs_number, count(*) AS count"
            " FROM draft JOIN draft_file AS main ON main.draft_id = draft.id AND main.role = 'main'"
            " GROUP BY 1, 2, 3",
            (_FLASH,),
        )
        return tuple(
            WaitingDrafts(_day(row["day"]), bool(row["flash"]), bool(row["needs_number"]), row["count"]) for row in rows
        )

    def signed_since(self, moment: datetime) -> int:
        """How many documents were signed from `moment` on."""
        row = self._connection.execute("SELECT count(*) FROM document WHERE created_at >= ?", (stamp(moment),))
        return int(row.fetchone()[0])

    def unsent_days(self) -> tuple[UnsentDay, ...]:
        """Documents that are not sent and not given up, counted by their day of issue and urgency."""
        rows = self._connection.execute(
            "SELECT ifnull(document.doc_date, substr(outbox.created_at, 1, 10)) AS day,"  # noqa: S608 - ours
            " outbox.urgency >= ? AS flash,"
            " count(*) AS count FROM outbox LEFT JOIN document ON document.id = outbox.document_id"
            f" WHERE {UNSENT} AND outbox.kind IN ('new', 'replace') GROUP BY 1, 2",
            (_FLASH,),
        )
        return tuple(UnsentDay(date.fromisoformat(row["day"]), bool(row["flash"]), row["count"]) for row in rows)

    def unsent(self, limit: int) -> tuple[SendingRow, ...]:
        """What waits to be sent: urgent first, then by age."""
        return self._sending(
            f"WHERE {UNSENT} ORDER BY outbox.urgency DESC, outbox.created_at, outbox.packet_id LIMIT ?",
            limit,
        )

    def sent_since(self, moment: datetime, limit: int) -> tuple[SendingRow, ...]:
        """What the server has taken from `moment` on, without answers to senders and what was sent back; newest
        first.
        """
        return self._sending(
            f"WHERE outbox.accepted_at >= ? AND outbox.kind <> 'status' AND NOT ({ANSWERED})"
            " ORDER BY outbox.accepted_at DESC, outbox.packet_id LIMIT ?",
            stamp(moment),
            limit,
        )

    def sent_count_since(self, moment: datetime) -> int:
        """How many documents the server has taken from `moment` on; answers to senders are none."""
        row = self._connection.execute(
            "SELECT count(*) FROM outbox WHERE accepted_at >= ? AND kind <> 'status'", (stamp(moment),)
        )
        return int(row.fetchone()[0])

    def answers_waiting(self) -> int:
        """How many answers to senders wait to be sent."""
        row = self._connection.execute(f"SELECT count(*) FROM outbox WHERE {UNSENT} AND kind = 'status'")  # noqa: S608
        return int(row.fetchone()[0])

    def refused_since(self, moment: datetime, limit: int) -> tuple[SendingRow, ...]:
        """Packets that need a person, of any age, and those queued from `moment` on that nobody will ever take."""
        return self._sending(
            "WHERE outbox.state IN ('needs_person', 'failed') AND outbox.superseded_by IS NULL"
            " AND (outbox.state = 'needs_person' OR outbox.created_at >= ?)"
            " ORDER BY outbox.created_at DESC, outbox.packet_id LIMIT ?",
            stamp(moment),
            limit,
        )

    def newest_batch(self) -> int:
        """The number of the batch written last; 0 where there is none."""
        return int(self._connection.execute("SELECT ifnull(max(rowid), 0) FROM batch").fetchone()[0])

    def stopped_batches(self, before: int) -> tuple[StoppedBatch, ...]:
        """Batches with files still to be signed that don't run any more, the newest first.

        `before` is the newest one that was there when this process began: it and older ones can't run, whatever their
        rows say, and whatever the clock said.
        """
        rows = self._connection.execute(
            "SELECT batch.id, sum(batch_file.state = 'signed') AS signed,"
            " sum(batch_file.state IN ('signed', 'pending', 'prepared', 'signing')) AS total"
            # Only of those that wait at all the files are counted: it is asked all the time.
            " FROM batch CROSS JOIN batch_file ON batch_file.batch_id = batch.id"
            " WHERE batch.begun_at IS NOT NULL AND (batch.finished_at IS NOT NULL OR batch.rowid <= ?)"
            " AND EXISTS (SELECT 1 FROM batch_file AS waiting INDEXED BY batch_file_waiting"
            " WHERE waiting.batch_id = batch.id"
            " AND waiting.state IN ('pending', 'prepared', 'signing'))"
            " GROUP BY batch.rowid ORDER BY batch.rowid DESC",
            (before,),
        )
        return tuple(StoppedBatch(row["id"], row["signed"], row["total"]) for row in rows)

    # ---- incoming --------------------------------------------------------------------------------------------------

    def arrived_since(self, moment: datetime) -> int:
        """How many packets came from `moment` on that bring a document or something about one."""
        row = self._connection.execute(
            "SELECT count(*) FROM inbox WHERE received_at >= ? AND sha256 IS NOT NULL"
            " AND ifnull(kind, 'new') <> 'status'",
            (stamp(moment),),
        )
        return int(row.fetchone()[0])

    def secret_since(self, moment: datetime) -> int:
        """How many packets came from `moment` on that carry a secrecy mark."""
        row = self._connection.execute(
            "SELECT count(*) FROM inbox WHERE received_at >= ? AND secret = 1", (stamp(moment),)
        )
        return int(row.fetchone()[0])

    def newest_documents(self, limit: int) -> tuple[InboxEntry, ...]:
        """The packets that came last and bring a document or something about one, no mere status and no secret one."""
        return self._inbox(
            "WHERE sha256 IS NOT NULL AND ifnull(kind, 'new') <> 'status'"
            " ORDER BY received_at DESC, packet_id DESC LIMIT ?",
            limit,
        )

    def pressing_since(self, moment: datetime, limit: int) -> tuple[InboxEntry, ...]:
        """Hỏa tốc and recalls that came from `moment` on, the newest first."""
        return self._inbox(
            "WHERE received_at >= ? AND sha256 IS NOT NULL"
            " AND ((priority >= ? AND ifnull(kind, 'new') <> 'status') OR kind = 'revoke')"
            " ORDER BY received_at DESC, packet_id DESC LIMIT ?",
            stamp(moment),
            _FLASH,
            limit,
        )

    # ---- the register ----------------------------------------------------------------------------------------------

    def register_years(self) -> tuple[int, ...]:
        """The years that have documents, the newest first."""
        rows = self._connection.execute(f"SELECT DISTINCT {_YEAR} AS year FROM document ORDER BY year DESC")  # noqa: S608
        return tuple(int(row["year"]) for row in rows)

    def register_bodies(self) -> tuple[str, ...]:
        """Codes of the bodies that have documents."""
        rows = self._connection.execute("SELECT DISTINCT body_code FROM document ORDER BY body_code")
        return tuple(row["body_code"] for row in rows)

    def register(self, year: int | None = None, body: str | None = None) -> Iterator[RegisterEntry]:
        """Documents (of one year, of one body), the newest first, one by one; of what was signed again the living."""
        wanted = [(f"{_YEAR} = ?", f"{year:04d}")] if year is not None else []
        wanted += [("body_code = ?", body)] if body is not None else []
        where = "".join(f" AND {clause}" for clause, _value in wanted)
        cursor = self._connection.cursor()
        cursor.row_factory = None
        order = "ORDER BY document.created_at DESC, document.id DESC"
        values = [value for _clause, value in wanted]
        rows = cursor.execute(f"{_REGISTER} {where} {order}", values)
        return (_register_entry(row) for row in rows)

    # ---- the database itself ---------------------------------------------------------------------------------------

    def version(self) -> int:
        """A number that is another one as soon as another connection has written; means nothing by itself."""
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def is_sound(self) -> bool:
        """Whether every page of the database can be read and fits the others; reads all of it."""
        return bool(self._connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")

    def _sending(self, clause: str, *values: object) -> tuple[SendingRow, ...]:
        rows = self._connection.execute(f"{_SENDING} {clause}", values)
        return tuple(to_value(row, SendingRow, json_columns=("error_params",)) for row in rows)

    def _inbox(self, clause: str, *values: object) -> tuple[InboxEntry, ...]:
        rows = self._connection.execute(
            f"SELECT {_INBOX} FROM inbox {clause}",  # noqa: S608 - clauses of this class; values are bound
            values,
        )
        return tuple(to_value(row, InboxEntry) for row in rows)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


_STATES = {state.value: state for state in DocumentState}
_SENDINGS = {state.value: state for state in OutboxState}
_URGENCIES = {urgency.value: urgency for urgency in Urgency}

# Made by hand, not by `rows.to_value`: a list has a hundred thousand of them.


def _register_entry(row: tuple[Any, ...]) -> RegisterEntry:
    return RegisterEntry(
        id=row[0],
        body_code=row[1],
        state=_STATES[row[2]],
        created_at=datetime.fromisoformat(row[3]),
        urgency=_URGENCIES[row[4]],
        number=row[5],
        notation=row[6],
        doc_date=_day(row[7]),
        type=row[8],
        subject=row[9],
        signer_name=row[10],
        sending=_SENDINGS[row[11]] if row[11] is not None else None,
        accepted_at=_moment(row[12]),
        receivers=tuple(row[13].split("\x1f")) if row[13] else (),
        again=bool(row[14]),
        answer=row[15],
    )
