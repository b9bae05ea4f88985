"""Incoming documents as rows: one for each document whatever brought it, its files, and all that happened to it.

Reads on any connection, writes only inside a transaction of the main process. Nothing is ever deleted here. Decides
nothing about what may be accepted or returned; it only refuses what would not fit the row as it stands.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from signer_app.pdf.names import fold
from signer_app.store.incoming_model import (
    ArrivalState,
    ArrivalVerdict,
    Asked,
    IncomingDocument,
    IncomingEvent,
    IncomingFacts,
    IncomingFile,
    IncomingWhat,
    Judged,
    NewIncoming,
    OwnDoubt,
)
from signer_app.store.model import Urgency
from signer_app.store.rows import insert, params_json, require_one, to_value
from signer_app.store.times import stamp, stamp_or_none
from signer_sync.contract import PacketKind

_NAMES = IncomingDocument.__struct_fields__
_COLUMNS = ", ".join(_NAMES)
_NEXT = "(SELECT ifnull(max(touched), 0) + 1 FROM incoming)"


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
        """Documents that could not be decided and are due to be looked at again."""
        return tuple(self._some("WHERE recheck_at <= ? ORDER BY recheck_at LIMIT ?", stamp(now), limit))

    def undecided(self) -> tuple[IncomingDocument, ...]:
        """All documents that news could decide, the newest first."""
        return tuple(self._some("WHERE recheck_at IS NOT NULL ORDER BY arrived_at DESC"))

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


class IncomingTable(IncomingReader):
    """The incoming documents inside a transaction, where they can be written."""

    def add(self, new: NewIncoming, event: IncomingEvent) -> None:
        """Files a document. ValueError for a kind that is none (a status message files nothing)."""
        if new.kind is PacketKind.STATUS:
            raise ValueError("a status message is no document")
        insert(
            self._connection,
            "incoming",
            {
                "id": new.id,
                "org": new.org,
                "document_key": new.document_key,
                "round": new.round,
                "content": new.content,
                "packet_sha256": new.packet_sha256,
                "kind": new.kind.value,
                "arrived_at": stamp(new.arrived_at),
                "readable": int(new.readable),
                **_fact_columns(new.facts, new.org),
                **_verdict_columns(new.judged),
                "state": ArrivalState.ARRIVED.value,
                "touched": self._next(),
            },
        )
        self._put_files(new.id, new.files)
        self.note(new.id, event)

    def decide(
        self, incoming_id: str, state: ArrivalState, event: IncomingEvent, *, reason: str | None = None, note: str = ""
    ) -> None:
        """The clerk's decision; ValueError for a document that has one (`reported` may be followed by another)."""
        done = self._connection.execute(
            f"UPDATE incoming SET state = ?, decided_at = ?, decided_by = ?, reason = ?, note = ?, touched = {_NEXT}"  # noqa: S608
            " WHERE id = ? AND state IN ('arrived', 'reported') AND kind <> 'revoke'",
            (state.value, stamp(event.at), event.by, reason, note, incoming_id),
        )
        require_one(done, "no such document that waits for a decision")
        self.note(incoming_id, event)

    def accept(self, incoming_id: str, number: int, year: int, event: IncomingEvent, *, note: str = "") -> None:
        """Accepted under this number of the register; ValueError as `decide`."""
        done = self._connection.execute(
            f"UPDATE incoming SET state = 'accepted', decided_at = ?, decided_by = ?, note = ?, number = ?,"  # noqa: S608
            f" number_year = ?, touched = {_NEXT}"
            " WHERE id = ? AND state IN ('arrived', 'reported') AND kind <> 'revoke'",
            (stamp(event.at), event.by, note, number, year, incoming_id),
        )
        require_one(done, "no such document that waits for a decision")
        self.note(incoming_id, event)

    def ask(self, incoming_id: str, asked: Asked, reason: str, packet_sha256: str, event: IncomingEvent) -> None:
        """The sender asks for it back, or to have it altered; a recall is not pushed aside by an update."""
        self._connection.execute(
            f"UPDATE incoming SET asked = ?, asked_at = ?, asked_reason = ?, asked_packet = ?, touched = {_NEXT}"  # noqa: S608
            " WHERE id = ? AND (asked IS NULL OR asked = 'update' OR ? = 'recall')",
            (asked.value, stamp(event.at), reason, packet_sha256, incoming_id, asked.value),
        )
        self.note(incoming_id, event)

    def declined(self, incoming_id: str, event: IncomingEvent) -> None:
        """What its sender asked for was declined (16): all stays as it is; ValueError where nothing is asked."""
        done = self._connection.execute(
            "UPDATE incoming SET asked = NULL, asked_at = NULL, asked_reason = '', asked_packet = NULL,"  # noqa: S608
            # A recall of what isn't here has nothing left to be done about it.
            " state = CASE WHEN kind = 'revoke' THEN 'reported' ELSE state END,"
            " decided_at = CASE WHEN kind = 'revoke' THEN ?1 ELSE decided_at END,"
            f" decided_by = CASE WHEN kind = 'revoke' THEN ?2 ELSE decided_by END, touched = {_NEXT}"
            " WHERE id = ?3 AND asked IS NOT NULL",
            (stamp(event.at), event.by, incoming_id),
        )
        require_one(done, "nothing is asked about this document")
        self.note(incoming_id, event)

    def cancel(self, incoming_id: str, event: IncomingEvent) -> None:
        """The recall was agreed to (15): the copy is marked cancelled, kept for the log. ValueError as `declined`."""
        done = self._connection.execute(
            f"UPDATE incoming SET state = 'cancelled', decided_at = ?, decided_by = ?, asked = NULL, asked_at = NULL,"  # noqa: S608
            f" asked_packet = NULL, recheck_at = NULL, touched = {_NEXT} WHERE id = ? AND asked = 'recall'",
            (stamp(event.at), event.by, incoming_id),
        )
        require_one(done, "no recall is asked of this document")
        self.note(incoming_id, event)

    def renew(
        self,
        incoming_id: str,
        facts: IncomingFacts,
        files: Sequence[IncomingFile] | None,
        judged: Judged | None,
        content: str | None,
        event: IncomingEvent,
    ) -> None:
        """The update was agreed to (15): its words stand now, and its files where it brought any."""
        columns = {**_fact_columns(facts, self._org(incoming_id)), "updated_at": stamp(event.at)}
        if files is not None and judged is not None:
            columns |= {**_verdict_columns(judged), "content": content}
            self._connection.execute("DELETE FROM incoming_file WHERE incoming_id = ?", (incoming_id,))
            self._put_files(incoming_id, files)
        assignments = ", ".join(f"{name} = ?" for name in columns)
        done = self._connection.execute(
            f"UPDATE incoming SET {assignments}, asked = NULL, asked_at = NULL, asked_reason = '', asked_packet = NULL,"  # noqa: S608
            f" touched = {_NEXT} WHERE id = ? AND asked = 'update'",
            (*columns.values(), incoming_id),
        )
        require_one(done, "no update is asked of this document")
        self.note(incoming_id, event)

    def supersede(self, incoming_id: str, by: str, event: IncomingEvent) -> None:
        """Another document stands in its place; a cancelled or superseded one stays so."""
        done = self._connection.execute(
            f"UPDATE incoming SET state = 'superseded', superseded_by = ?, decided_at = ifnull(decided_at, ?),"  # noqa: S608
            f" decided_by = ifnull(decided_by, ?), asked = NULL, asked_at = NULL, asked_packet = NULL,"
            f" recheck_at = NULL, touched = {_NEXT} WHERE id = ? AND state NOT IN ('cancelled', 'superseded')",
            (by, stamp(event.at), event.by, incoming_id),
        )
        if done.rowcount:
            self.note(incoming_id, event)

    def came_again(self, incoming_id: str, event: IncomingEvent) -> None:
        """The same document came once more, by another channel or another time."""
        self._connection.execute(
            f"UPDATE incoming SET came_again = came_again + 1, touched = {_NEXT} WHERE id = ?",  # noqa: S608
            (incoming_id,),
        )
        self.note(incoming_id, event)

    def judged(
        self, incoming_id: str, content: str, judged: Judged, files: Sequence[IncomingFile], event: IncomingEvent | None
    ) -> bool:
        """What another look has found; without `event` where it has found nothing new. False, and nothing is written,
        for a document whose files are others by now.
        """
        done = self._connection.execute(
            f"UPDATE incoming SET verdict = ?, verdict_code = ?, verified_at = ?, recheck_at = ?,"  # noqa: S608
            f" rechecks = rechecks + 1, touched = {_NEXT}"
            " WHERE id = ? AND content = ? AND state NOT IN ('cancelled', 'superseded')",
            (*_verdict_columns(judged).values(), incoming_id, content),
        )
        if not done.rowcount:
            return False
        self._connection.execute("DELETE FROM incoming_file WHERE incoming_id = ?", (incoming_id,))
        self._put_files(incoming_id, files)
        if event is not None:
            self.note(incoming_id, event)
        return True

    def transferred(self, incoming_id: str, event: IncomingEvent) -> None:
        """Passed on to somebody (Đã chuyển), whose name is the event's words."""
        self._touch(incoming_id)
        self.note(incoming_id, event)

    def note(self, incoming_id: str, event: IncomingEvent) -> None:
        """Writes down what happened; never altered afterwards."""
        insert(
            self._connection,
            "incoming_event",
            {
                "incoming_id": incoming_id,
                "at": stamp(event.at),
                "what": event.what.value,
                "by": event.by,
                "words": event.words,
                "packet_sha256": event.packet_sha256,
                "answer": event.answer,
            },
        )

    def _next(self) -> int:
        return int(self._connection.execute(f"SELECT {_NEXT}").fetchone()[0])

    def _touch(self, incoming_id: str) -> None:
        done = self._connection.execute(
            f"UPDATE incoming SET touched = {_NEXT} WHERE id = ?",  # noqa: S608
            (incoming_id,),
        )
        require_one(done, "no such document")

    def _org(self, incoming_id: str) -> str:
        row = self._connection.execute("SELECT org FROM incoming WHERE id = ?", (incoming_id,)).fetchone()
        if row is None:
            raise ValueError("no such document")
        return str(row[0])

    def _put_files(self, incoming_id: str, files: Sequence[IncomingFile]) -> None:
        for position, file in enumerate(files):
            insert(
                self._connection,
                "incoming_file",
                {
                    "incoming_id": incoming_id,
                    "position": position,
                    "name": file.name,
                    "sha256": file.sha256,
                    "size": file.size,
                    "is_pdf": int(file.is_pdf),
                    "verdict": file.verdict,
                    "integrity": file.integrity,
                    "message_code": file.message_code,
                    "message_params": params_json(file.message_params),
                },
            )


def _fact_columns(facts: IncomingFacts, org: str) -> dict[str, object]:
    searched = (facts.label, facts.sender_name, facts.sender, facts.type_name, facts.subject, facts.signer)
    return {
        "urgency": int(facts.urgency),
        "sender": facts.sender,
        "sender_name": facts.sender_name,
        "document_id": facts.document_id,
        "id_key": facts.id_key,
        "label": facts.label,
        "issued": facts.issued,
        "issued_on": facts.issued_on.isoformat() if facts.issued_on else None,
        "type_name": facts.type_name,
        "subject": facts.subject,
        "signer": facts.signer,
        "due": facts.due,
        "doubts": msgspec.json.encode(facts.doubts).decode(),
        "search": fold(" ".join((*searched, org))),
    }


def _verdict_columns(judged: Judged) -> dict[str, object]:
    return {
        "verdict": judged.verdict.value,
        "verdict_code": judged.code,
        "verified_at": stamp(judged.at),
        "recheck_at": stamp_or_none(judged.recheck_at),
    }


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
