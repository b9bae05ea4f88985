"""The list "Chờ gửi", read straight from the tables: what waits, what was refused, what was sent lately; ten thousand
rows at once, and no values that grow.

Reads on any connection, never writes. What a row means is decided by those who show it.
"""

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from signer_app.store.model import OutboxState, Urgency
from signer_app.store.outbox_reader import ANSWERED, OPEN, SILENT, UNHEARD
from signer_app.store.times import stamp
from signer_sync.contract import PacketKind


class OpenAnswer(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What became of a packet at a receiver, where a person must act on it: 02 sent back, 16 declined to give it back,
    None not reached; when, by whom and why as far as it was told.
    """

    org: str
    code: str | None = None
    at: datetime | None = None
    by: str | None = None
    reason: str | None = None


class QueueRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A packet as a line of the list."""

    packet_id: str
    org: str
    kind: PacketKind
    state: OutboxState
    urgency: Urgency
    created_at: datetime
    attempts: int
    label: str
    """Số, ký hiệu; of a status message those of what it answers."""
    receivers: tuple[str, ...]
    """Organisation codes."""
    subject: str | None = None
    type: str | None = None
    doc_date: date | None = None
    signed_at: datetime | None = None
    """When the document was signed here; None for a status message."""
    document_id: str | None = None
    incoming: str | None = None
    status_code: str | None = None
    hold_until: datetime | None = None
    postponed: bool = False
    not_before: datetime | None = None
    uncertain: bool = False
    error_code: str | None = None
    error_params: str | None = None
    """JSON."""
    accepted_at: datetime | None = None
    missing_since: datetime | None = None
    answers: tuple[OpenAnswer, ...] = ()
    """Of what the other side has: where it was sent back, declined or not reached, and nobody has acted on it yet."""
    unheard: tuple[str, ...] = ()
    """Of a hỏa tốc that the other side has: codes of the receivers of which nobody has accepted it yet."""


_SELECT = (
    "SELECT outbox.packet_id, outbox.org, outbox.kind, outbox.state, outbox.urgency, outbox.created_at,"  # noqa: S608
    " outbox.attempts, CASE WHEN outbox.about <> '' THEN outbox.about ELSE ifnull(number || '/' || notation, '') END,"
    " (SELECT group_concat(org, char(31)) FROM (SELECT org FROM outbox_receiver"
    "  WHERE outbox_receiver.packet_id = outbox.packet_id ORDER BY position)),"
    " subject, type, doc_date, document.created_at, outbox.document_id, incoming, status_code, hold_until, postponed,"
    " not_before, uncertain, error_code, error_params, accepted_at, missing_since,"
    " CASE WHEN accepted_at IS NULL THEN NULL ELSE (SELECT json_group_array(json_array(org, code, code_at, code_by,"
    f" code_reason)) FROM outbox_receiver WHERE outbox_receiver.packet_id = outbox.packet_id AND {OPEN}) END,"
    " CASE WHEN accepted_at IS NULL OR outbox.urgency < 3 THEN NULL ELSE (SELECT group_concat(org, char(31)) FROM"
    f" (SELECT org FROM outbox_receiver WHERE outbox_receiver.packet_id = outbox.packet_id AND {UNHEARD}"
    " ORDER BY position)) END"
    " FROM outbox LEFT JOIN document ON document.id = outbox.document_id "
)
_WAITING = (
    # Each part has an index of its own; none holds a row of another.
    "WHERE outbox.accepted_at IS NULL AND outbox.state <> 'withdrawn' AND outbox.superseded_by IS NULL",
    "WHERE outbox.state IN ('needs_person', 'failed') AND outbox.accepted_at IS NOT NULL"
    " AND outbox.superseded_by IS NULL AND outbox.missing_since IS NULL",
    "WHERE outbox.missing_since IS NOT NULL AND outbox.superseded_by IS NULL",
    f"WHERE {ANSWERED}",
)


class QueueReader:
    """The list as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def waiting(self) -> Iterator[QueueRow]:
        """What is not sent, what was refused for good and not sent in another way, what the server lost, what receivers
        sent back and nobody has acted on; in no order.
        """
        for part in _WAITING:
            yield from self._rows(part)

    def silent(self, after: datetime, until: datetime) -> Iterator[QueueRow]:
        """Each hỏa tốc that the other side took after the one moment and until the other, of which a receiver has not
        accepted it; the oldest first. None of them is `answered`.
        """
        return self._rows(f"WHERE {SILENT} ORDER BY outbox.accepted_at, outbox.packet_id", stamp(after), stamp(until))

    def answered(self, limit: int) -> Iterator[QueueRow]:
        """What receivers sent back, declined or could not be brought, the newest first."""
        return self._rows(f"WHERE {ANSWERED} ORDER BY outbox.created_at DESC, outbox.packet_id LIMIT ?", limit)

    def answered_count(self) -> int:
        """How many packets `answered` has."""
        return int(self._connection.execute(f"SELECT count(*) FROM outbox WHERE {ANSWERED}").fetchone()[0])  # noqa: S608

    def sent_since(self, moment: datetime, limit: int) -> Iterator[QueueRow]:
        """What the other side has taken from `moment` on and didn't refuse, without what is among those that wait and
        without answers to senders, which have nothing more to say; the newest first.
        """
        return self._rows(
            "WHERE outbox.accepted_at >= ? AND outbox.state <> 'failed' AND outbox.missing_since IS NULL"
            f" AND outbox.kind <> 'status' AND NOT ({ANSWERED})"
            " ORDER BY outbox.accepted_at DESC, outbox.packet_id LIMIT ?",
            stamp(moment),
            limit,
        )

    def one(self, packet_id: str) -> QueueRow | None:
        """The row of one packet, however it stands."""
        return next(self._rows("WHERE outbox.packet_id = ?", packet_id), None)

    def _rows(self, clause: str, *values: object) -> Iterator[QueueRow]:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return (_row(row) for row in cursor.execute(f"{_SELECT}{clause}", values))


_KINDS = {kind.value: kind for kind in PacketKind}
_STATES = {state.value: state for state in OutboxState}
_URGENCIES = {urgency.value: urgency for urgency in Urgency}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _row(row: tuple[Any, ...]) -> QueueRow:
    # Made by hand, not by `rows.to_value`: there may be ten thousand of them.
    return QueueRow(
        packet_id=row[0],
        org=row[1],
        kind=_KINDS[row[2]],
        state=_STATES[row[3]],
        urgency=_URGENCIES[row[4]],
        created_at=datetime.fromisoformat(row[5]),
        attempts=row[6],
        label=row[7],
        receivers=tuple(row[8].split("\x1f")) if row[8] else (),
        subject=row[9],
        type=row[10],
        doc_date=date.fromisoformat(row[11]) if row[11] else None,
        signed_at=_moment(row[12]),
        document_id=row[13],
        incoming=row[14],
        status_code=row[15],
        hold_until=_moment(row[16]),
        postponed=bool(row[17]),
        not_before=_moment(row[18]),
        uncertain=bool(row[19]),
        error_code=row[20],
        error_params=row[21],
        accepted_at=_moment(row[22]),
        missing_since=_moment(row[23]),
        answers=msgspec.json.decode(row[24], type=tuple[OpenAnswer, ...]) if row[24] not in (None, "[]") else (),
        unheard=tuple(row[25].split("\x1f")) if row[25] else (),
    )
