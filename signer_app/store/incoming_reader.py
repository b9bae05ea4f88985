"""Incoming documents as they are read: by id, by what changed, by what speaks of them.

Any connection, any thread; writes nothing. A list has a hundred thousand of them, so rows are made by hand.
"""

import sqlite3
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import msgspec

from signer_app.store.incoming_model import (
    ArrivalState,
    ArrivalVerdict,
    Asked,
    IncomingDocument,
    IncomingEvent,
    IncomingFile,
    IncomingWhat,
    OwnDoubt,
)
from signer_app.store.model import Urgency
from signer_app.store.rows import to_value
from signer_app.store.times import stamp
from signer_sync.contract import PacketKind

_NAMES = IncomingDocument.__struct_fields__
_COLUMNS = ", ".join(_NAMES)


class IncomingReader:
    """The incoming documents as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, incoming_id: str) -> IncomingDocument | None:
        """The document with this id."""
        return next(self._some("WHERE id = ?", incoming_id), None)

    def touched_since(self, touched: int) -> Iterator[IncomingDocument]:
        """Those that are new or other since a row bore this `touched` (0: all), in the order of their changes."""
        return self._some("WHERE touched > ? ORDER BY touched", touched)

    def of_key(self, org: str, document_key: str) -> tuple[IncomingDocument, ...]:
        """The rounds of a document, the last one first."""
        return tuple(self._some("WHERE org = ? AND document_key = ? ORDER BY round DESC", org, document_key))

    def of_keys(self, org: str, *keys: str) -> tuple[IncomingDocument, ...]:
        """The documents that one of these keys means (`document_key` or `id_key`), the newest first."""
        marks = ", ".join("?" for _ in keys)
        return tuple(
            self._some(
                f"WHERE org = ? AND (document_key IN ({marks}) OR id_key IN ({marks}))"
                " ORDER BY arrived_at DESC, touched DESC",
                org,
                *keys,
                *keys,
            )
        )

    def to_check_again(self, now: datetime, limit: int) -> tuple[IncomingDocument, ...]:
        """Documents that could not be decided and are due to be looked at again: first those that nobody has looked at
        to the end, the most urgent first.
        """
        clause = "WHERE recheck_at <= ? ORDER BY rechecks > 0, urgency DESC, recheck_at LIMIT ?"
        return tuple(self._some(clause, stamp(now), limit))

    def undecided(self, limit: int) -> tuple[IncomingDocument, ...]:
        """Documents that news could decide, the newest first."""
        return tuple(self._some("WHERE recheck_at IS NOT NULL ORDER BY arrived_at DESC LIMIT ?", limit))

    def unanswered(self, org: str, limit: int) -> tuple[IncomingDocument, ...]:
        """Documents that wait and of which nothing was ever answered from here, the newest first."""
        clause = (
            "WHERE org = ? AND state = 'arrived' AND kind <> 'revoke' AND NOT EXISTS"
            " (SELECT 1 FROM outbox WHERE outbox.incoming = incoming.id) ORDER BY arrived_at DESC LIMIT ?"
        )
        return tuple(self._some(clause, org, limit))

    def files(self, incoming_id: str) -> tuple[IncomingFile, ...]:
        """The files of a document, in the order of the packet."""
        rows = self._connection.execute(
            "SELECT name, sha256, size, is_pdf, verdict, integrity, message_code, message_params FROM incoming_file"
            " WHERE incoming_id = ? ORDER BY position",
            (incoming_id,),
        )
        return tuple(to_value(row, IncomingFile, ("message_params",)) for row in rows)

    def events(self, incoming_id: str) -> tuple[IncomingEvent, ...]:
        """What happened to a document, the first thing first."""
        rows = self._connection.execute(
            "SELECT at, what, by, words, packet_sha256, answer FROM incoming_event WHERE incoming_id = ? ORDER BY id",
            (incoming_id,),
        )
        return tuple(to_value(row, IncomingEvent) for row in rows)

    def holders(self, incoming_id: str) -> tuple[str, ...]:
        """To whom a document was passed on (Đã chuyển), each once, the first one first."""
        passed = [event.words for event in self.events(incoming_id) if event.what is IncomingWhat.TRANSFERRED]
        return tuple(dict.fromkeys(passed))

    def waiting_valid(self, org: str | None = None) -> tuple[str, ...]:
        """Ids of the valid documents that wait to be accepted, hỏa tốc first, then the oldest; none whose sender asks
        for anything, and none that a person has to look at (`OwnDoubt`).
        """
        rows = self._connection.execute(
            "SELECT id, doubts FROM incoming WHERE state = 'arrived' AND verdict = 'valid' AND asked IS NULL"
            " AND kind <> 'revoke' AND (?1 IS NULL OR org = ?1) ORDER BY urgency DESC, arrived_at, id",
            (org,),
        )
        return tuple(row[0] for row in rows if _OWN_DOUBTS.isdisjoint(msgspec.json.decode(row[1])))

    def replacing(self, org: str, *keys: str) -> IncomingDocument | None:
        """The newest replacement that names a document with one of these keys; none that was returned or taken back."""
        marks = ", ".join("?" for _ in keys)
        clause = (
            f"WHERE id IN (SELECT incoming_id FROM incoming_replaced WHERE org = ? AND id_key IN ({marks}))"  # noqa: S608
            " AND state NOT IN ('returned', 'cancelled') ORDER BY arrived_at DESC, touched DESC LIMIT 1"
        )
        return next(self._some(clause, org, *keys), None)

    def blobs(self) -> set[str]:
        """The blobs of all files; packets are the inbox's."""
        return {row[0] for row in self._connection.execute("SELECT DISTINCT sha256 FROM incoming_file")}

    def _some(self, clause: str, *values: object) -> Iterator[IncomingDocument]:
        cursor = self._connection.cursor()
        cursor.row_factory = None
        rows = cursor.execute(
            f"SELECT {_COLUMNS} FROM incoming {clause}",  # noqa: S608 - columns and clauses of ours; values are bound
            values,
        )
        return (_document(row) for row in rows)


_KINDS = {kind.value: kind for kind in PacketKind}
_STATES = {state.value: state for state in ArrivalState}
_VERDICTS = {verdict.value: verdict for verdict in ArrivalVerdict}
_URGENCIES = {urgency.value: urgency for urgency in Urgency}
_ASKED = {asked.value: asked for asked in Asked}
_OWN_DOUBTS = frozenset(doubt.value for doubt in OwnDoubt)
_NO_DOUBTS: tuple[str, ...] = ()


_AT = {name: at for at, name in enumerate(_NAMES)}
_KIND, _STATE, _VERDICT, _URGENCY = (_AT[name] for name in ("kind", "state", "verdict", "urgency"))
_READABLE, _DOUBTS, _ASKED_FOR, _ISSUED_ON = (_AT[name] for name in ("readable", "doubts", "asked", "issued_on"))
_MOMENTS = tuple(
    _AT[name] for name in ("arrived_at", "verified_at", "recheck_at", "decided_at", "asked_at", "updated_at")
)


def _document(row: tuple[Any, ...]) -> IncomingDocument:
    """By hand, not by `rows.to_value`: a list has a hundred thousand of them."""
    told = list(row)
    told[_KIND] = _KINDS[told[_KIND]]
    told[_STATE] = _STATES[told[_STATE]]
    told[_VERDICT] = _VERDICTS[told[_VERDICT]]
    told[_URGENCY] = _URGENCIES[told[_URGENCY]]
    told[_READABLE] = bool(told[_READABLE])
    told[_DOUBTS] = _NO_DOUBTS if told[_DOUBTS] == "[]" else tuple(msgspec.json.decode(told[_DOUBTS]))
    if told[_ASKED_FOR] is not None:
        told[_ASKED_FOR] = _ASKED[told[_ASKED_FOR]]
    if told[_ISSUED_ON] is not None:
        told[_ISSUED_ON] = date.fromisoformat(told[_ISSUED_ON])
    for at in _MOMENTS:
        if told[at] is not None:
            told[at] = datetime.fromisoformat(told[at])
    return IncomingDocument(*told)
