"""Incoming documents as rows: one for each document whatever brought it, its files, and all that happened to it.

Written only inside a transaction of the main process. Nothing is ever deleted here. Decides
nothing about what may be accepted or returned; it only refuses what would not fit the row as it stands.
"""

from collections.abc import Iterable, Sequence

import msgspec

from signer_app.pdf.names import fold
from signer_app.store.incoming_model import (
    ArrivalState,
    Asked,
    IncomingEvent,
    IncomingFacts,
    IncomingFile,
    Judged,
    NewIncoming,
)
from signer_app.store.incoming_reader import IncomingReader
from signer_app.store.rows import insert, params_json, require_one
from signer_app.store.times import stamp, stamp_or_none
from signer_sync.contract import PacketKind

_NEXT = "(SELECT ifnull(max(touched), 0) + 1 FROM incoming)"


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

    def replaces(self, incoming_id: str, org: str, keys: Iterable[str]) -> None:
        """Writes down which documents this one replaces (`id_key`), whether they are here or still to come."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO incoming_replaced (org, id_key, incoming_id) VALUES (?, ?, ?)",
            [(org, key, incoming_id) for key in keys],
        )

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
        self,
        incoming_id: str,
        content: str,
        judged: Judged,
        files: Sequence[IncomingFile],
        event: IncomingEvent | None,
        *,
        rechecks: int,
    ) -> bool:
        """What another look has found, after so many by itself; without `event` where it has found nothing new. False,
        and nothing is written, for a document whose files are others by now.
        """
        done = self._connection.execute(
            f"UPDATE incoming SET verdict = ?, verdict_code = ?, verified_at = ?, recheck_at = ?,"  # noqa: S608
            f" rechecks = ?, touched = {_NEXT}"
            " WHERE id = ? AND content = ? AND state NOT IN ('cancelled', 'superseded')",
            (*_verdict_columns(judged).values(), rechecks, incoming_id, content),
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
