"""Documents that were signed, not sent, and signed again: which may be, which were, and by which.

Reads on any connection, writes only inside the transaction that keeps the new document. What was given to be sent is
never replaced here; that is told to its receivers in other ways (Decree 30/2020, article 18.3).
"""

import sqlite3
from datetime import datetime

import msgspec

from signer_app.store.model import DocumentState
from signer_app.store.rows import insert, to_value
from signer_app.store.sequences import sequence_key
from signer_app.store.times import stamp
from signer_resources.errors import KnownError
from signer_resources.messages import text


class ReplacingReader:
    """What was signed again, as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def replaced_by(self, document_id: str) -> str | None:
        """The id of the document that stands in place of this one."""
        row = self._connection.execute(
            "SELECT replaced_by FROM replaced_document WHERE document_id = ?", (document_id,)
        ).fetchone()
        return row["replaced_by"] if row else None

    def again(self) -> frozenset[str]:
        """Ids of the documents that stand in place of others."""
        return frozenset(row[0] for row in self._connection.execute("SELECT replaced_by FROM replaced_document"))

    def input_path(self, file_id: str) -> str | None:
        """Where the input of a signed file lay."""
        row = self._connection.execute(
            "SELECT input_path FROM batch_file WHERE file_id = ? ORDER BY batch_id DESC LIMIT 1", (file_id,)
        ).fetchone()
        return row["input_path"] if row else None

    def require_replaceable(self, document_id: str) -> None:
        """KnownError "again_unknown", "again_sent", "again_replaced" for a document that can't be signed again."""
        row = self._connection.execute(
            "SELECT state, number || '/' || notation AS label,"
            " EXISTS (SELECT 1 FROM outbox WHERE document_id = document.id AND state <> 'withdrawn') AS sent,"
            " EXISTS (SELECT 1 FROM replaced_document WHERE document_id = document.id) AS replaced,"
            " (SELECT name FROM file WHERE document_id = document.id AND role = 'main') AS name"
            " FROM document WHERE id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            raise KnownError("again_unknown")
        label = row["label"] or row["name"] or ""
        if row["sent"] or row["state"] != DocumentState.SIGNED:
            raise KnownError("again_sent", label=label)
        if row["replaced"]:
            raise KnownError("again_replaced", label=label)


class FreedNumber(msgspec.Struct, frozen=True):
    """The number that a replaced document had, as its row says."""

    body_code: str
    year: int
    notation_group: str
    number: str
    shown: str
    notation: str
    doc_date: str

    @property
    def label(self) -> str:
        """Số, ký hiệu as on the page."""
        return f"{self.shown}/{self.notation}"


class Replacing(ReplacingReader):
    """What was signed again, inside the transaction that keeps the new document."""

    def give_up(self, document_id: str) -> FreedNumber | None:
        """Takes the old document's number off it, so that the new one can have it; raises as `require_replaceable`.

        Copies of it that are not beside their inputs yet are not put there any more; those that are stay.
        """
        self.require_replaceable(document_id)
        row = self._connection.execute(
            "SELECT issued_number.body_code, year, issued_number.notation_group, issued_number.number,"
            " document.number AS shown, document.notation, document.doc_date"
            " FROM issued_number JOIN document ON document.id = issued_number.document_id WHERE document_id = ?",
            (document_id,),
        ).fetchone()
        self._connection.execute("DELETE FROM issued_number WHERE document_id = ?", (document_id,))
        self._connection.execute(
            "UPDATE file SET output_path = NULL WHERE document_id = ? AND exported_at IS NULL", (document_id,)
        )
        return to_value(row, FreedNumber) if row else None

    def record(
        self, document_id: str, replaced_by: str, freed: FreedNumber | None, at: datetime, operator: str
    ) -> bool:
        """Writes down which document stands in its place; both are there by now. A number that the new one has not
        taken over is given up, with the reason, and never used again; whether that was so.
        """
        row = {"document_id": document_id, "replaced_by": replaced_by, "at": stamp(at)}
        insert(self._connection, "replaced_document", row)
        if freed is None or self._is_taken(freed, replaced_by):
            return False
        given_up = {"at": stamp(at), "operator": operator, "reason": text("again_number_reason", "vi")}
        insert(self._connection, "reserved_number", {**msgspec.structs.asdict(freed), **given_up})
        return True

    def _is_taken(self, freed: FreedNumber, document_id: str) -> bool:
        """Whether the new document has it: by its sequence, or, where a register came or went between, its notation."""
        row = self._connection.execute(
            "SELECT issued_number.notation_group, document.notation FROM issued_number"
            " JOIN document ON document.id = issued_number.document_id"
            " WHERE issued_number.document_id = ? AND issued_number.body_code = ? AND year = ?"
            " AND issued_number.number = ?",
            (document_id, freed.body_code, freed.year, freed.number),
        ).fetchone()
        return row is not None and (
            row["notation_group"] == freed.notation_group
            or sequence_key(row["notation"]) == sequence_key(freed.notation)
        )
