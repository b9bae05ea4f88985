"""Batches of signing as one connection sees them: what each is to do document by document, how its files stand.

Reads on any connection, never writes. Nothing in here takes more memory for a large batch than for a small one, but
`files`, `jobs` and `blobs`, which say so. A secret file has no row here.
"""

import sqlite3
from collections.abc import Collection
from datetime import date
from itertools import takewhile

import msgspec

from signer_app.store.batch_model import Batch, BatchDocument, BatchFile
from signer_app.store.model import FileState
from signer_app.store.rows import to_value

_PAGE = 256


class BatchReader:
    """Batches as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, batch_id: str) -> Batch | None:
        """The batch with this id."""
        return self._one("SELECT * FROM batch WHERE id = ?", batch_id)

    def latest(self) -> Batch | None:
        """The batch begun last."""
        return self._one("SELECT * FROM batch WHERE begun_at IS NOT NULL ORDER BY rowid DESC LIMIT 1")

    def unfinished(self) -> tuple[Batch, ...]:
        """Batches with files still to be signed, oldest first: what `resume` goes on with."""
        # In the order in which they were written, here and below: a clock that was set back doesn't change that.
        rows = self._connection.execute(
            "SELECT * FROM batch WHERE begun_at IS NOT NULL"
            " AND EXISTS (SELECT 1 FROM batch_file INDEXED BY batch_file_waiting WHERE batch_id = batch.id"
            " AND state IN ('pending', 'prepared', 'signing')) ORDER BY rowid"
        )
        return tuple(map(_batch, rows))

    def counts(self, batch_id: str) -> dict[FileState, int]:
        """How many files of a batch stand how."""
        rows = self._connection.execute(
            "SELECT state, count(*) FROM batch_file WHERE batch_id = ? GROUP BY state", (batch_id,)
        )
        return {FileState(state): count for state, count in rows}

    def files(self, batch_id: str) -> tuple[BatchFile, ...]:
        """All files of a batch in their order."""
        rows = self._connection.execute("SELECT * FROM batch_file WHERE batch_id = ? ORDER BY position", (batch_id,))
        return tuple(map(batch_file, rows))

    def page(
        self, batch_id: str, states: Collection[FileState], after: int = -1, limit: int = _PAGE
    ) -> tuple[BatchFile, ...]:
        """The next files behind `after` that stand so, in their order."""
        rows = self._connection.execute(
            "SELECT * FROM batch_file WHERE batch_id = ? AND position > ?"
            " AND state IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?",
            (batch_id, after, *lists(states), limit),
        )
        return tuple(map(batch_file, rows))

    def of_document(self, batch_id: str, document: int) -> tuple[BatchFile, ...]:
        """The files of one document."""
        # By position, which has the index; a document's files stand behind each other.
        rows = self._connection.execute(
            "SELECT * FROM batch_file WHERE batch_id = ? AND position >= ? ORDER BY position", (batch_id, document)
        )
        return tuple(map(batch_file, takewhile(lambda row: row["document"] == document, rows)))

    def documents(
        self, batch_id: str, states: Collection[FileState], after: int = -1, limit: int = _PAGE
    ) -> tuple[BatchDocument, ...]:
        """The next documents behind `after` whose main file stands so, in their order."""
        rows = self._connection.execute(
            "SELECT batch_document.* FROM batch_document JOIN batch_file USING (batch_id, position)"
            " WHERE batch_id = ? AND position > ? AND state IN (SELECT value FROM json_each(?))"
            " ORDER BY position LIMIT ?",
            (batch_id, after, *lists(states), limit),
        )
        return tuple(map(_document, rows))

    def next_documents(self, batch_id: str, limit: int) -> tuple[BatchDocument, ...]:
        """The prepared documents that are signed next: those in a hurry, then in their order."""
        # Told which way to go: by itself it would go through all that is signed already, each time.
        found: list[sqlite3.Row] = []
        for tables, urgent in (
            ("batch_document INDEXED BY batch_document_urgent CROSS JOIN batch_file", 1),
            ("batch_file INDEXED BY batch_file_prepared CROSS JOIN batch_document", 0),
        ):
            found += self._connection.execute(
                f"SELECT batch_document.* FROM {tables} USING (batch_id, position)"  # noqa: S608 - all ours
                f" WHERE batch_document.batch_id = ?1 AND batch_file.batch_id = ?1 AND state = 'prepared'"
                f" AND urgent = {urgent} ORDER BY {tables.split()[0]}.position LIMIT ?2",
                (batch_id, limit - len(found)),
            ).fetchall()
        return tuple(map(_document, found))

    def document(self, batch_id: str, position: int) -> BatchDocument | None:
        """One document of a batch."""
        row = self._connection.execute(
            "SELECT * FROM batch_document WHERE batch_id = ? AND position = ?", (batch_id, position)
        ).fetchone()
        return _document(row) if row else None

    def draft_of(self, batch_id: str, position: int) -> str | None:
        """The id of the draft that a document of a batch came from."""
        row = self._connection.execute(
            "SELECT json_extract(job, '$.draft') FROM batch_document WHERE batch_id = ? AND position = ?",
            (batch_id, position),
        ).fetchone()
        return row[0] if row else None

    def with_number(self, batch_id: str, key: str) -> BatchDocument | None:
        """The document of a batch that issues this number, refused ones left out."""
        row = self._connection.execute(
            "SELECT * FROM batch_document INDEXED BY batch_document_number WHERE batch_id = ? AND number_key = ?"
            " AND NOT EXISTS (SELECT 1 FROM batch_file"
            " WHERE batch_id = batch_document.batch_id AND position = batch_document.position"
            " AND state IN ('refused', 'skipped')) ORDER BY position LIMIT 1",
            (batch_id, key),
        ).fetchone()
        return _document(row) if row else None

    def with_input(self, batch_id: str, sha256: str) -> BatchFile | None:
        """The first file of a batch with these bytes."""
        row = self._connection.execute(
            "SELECT * FROM batch_file WHERE input_sha256 = ? AND batch_id = ? ORDER BY position LIMIT 1",
            (sha256, batch_id),
        ).fetchone()
        return batch_file(row) if row else None

    def signed_untold(self, sha256: str, profile: str, output: str) -> tuple[BatchFile, ...]:
        """This very file as batches have signed it whose result nobody was told, oldest first."""
        rows = self._connection.execute(
            "SELECT batch_file.* FROM batch_file JOIN batch ON batch.id = batch_file.batch_id"
            " WHERE batch_file.input_sha256 = ? AND batch_file.state = 'signed' AND batch_file.profile = ?"
            " AND batch_file.output_path = ? AND batch_file.file_id IS NOT NULL"
            " AND batch.begun_at IS NOT NULL AND batch.reported_at IS NULL ORDER BY batch.created_at, batch.id",
            (sha256, profile, output),
        )
        return tuple(map(batch_file, rows))

    def waiting_for(self, batch_id: str, wish: tuple[str, str | None, str | None]) -> BatchFile | None:
        """The waiting file of a batch from this place, to be signed so, whose copy goes there."""
        row = self._connection.execute(
            "SELECT * FROM batch_file WHERE batch_id = ? AND input_path = ? AND profile IS ? AND output_path IS ?"
            " AND state IN ('pending', 'prepared', 'signing') LIMIT 1",
            (batch_id, *wish),
        ).fetchone()
        return batch_file(row) if row else None

    def signed_later(self, batch_id: str, wish: tuple[str, str | None, str | None]) -> bool:
        """Whether a batch begun after this one has signed the file from this place, so, whose copy went there."""
        row = self._connection.execute(
            "SELECT 1 FROM batch_file JOIN batch ON batch.id = batch_file.batch_id"
            " WHERE batch.rowid > (SELECT rowid FROM batch WHERE id = ?) AND input_path = ? AND profile IS ?"
            " AND output_path IS ? AND state = 'signed' LIMIT 1",
            (batch_id, *wish),
        ).fetchone()
        return row is not None

    def jobs(self, batch_id: str, states: Collection[FileState]) -> tuple[str, ...]:
        """The wishes (JSON) of all documents whose main file stands so, in their order: all in memory."""
        jobs, at = [], -1
        while page := self.documents(batch_id, states, at):
            jobs += [document.job for document in page]
            at = page[-1].position
        return tuple(jobs)

    def job_of(self, file_id: str) -> str | None:
        """The wish (JSON) as which a stored file was signed."""
        row = self._connection.execute(
            "SELECT job FROM batch_document JOIN batch_file ON batch_file.batch_id = batch_document.batch_id"
            " AND batch_file.document = batch_document.position WHERE batch_file.file_id = ?"
            " ORDER BY batch_file.batch_id DESC LIMIT 1",
            (file_id,),
        ).fetchone()
        return row["job"] if row else None

    def blobs(self) -> set[str]:
        """Copies of what waits in batches, and of what goes along with it; also before the person has said yes, for the
        same file may wait twice, and one of both is refused.
        """
        return self.waiting_copies("TRUE")

    def waiting_copies(self, which: str, *values: str) -> set[str]:
        """The same, of those files for which this condition of ours holds."""
        rows = self._connection.execute(
            "SELECT input_sha256, repaired_sha256, CASE WHEN instr(job, '\"attachments\":[]') THEN NULL ELSE"  # noqa: S608 - all ours
            " (SELECT json_group_array(json_extract(value, '$.blob')) FROM json_each(job, '$.attachments')) END"
            " FROM batch_file JOIN batch ON batch.id = batch_file.batch_id"
            " LEFT JOIN batch_document ON batch_document.batch_id = batch_file.batch_id"
            " AND batch_document.position = batch_file.position"
            f" WHERE {which} AND state IN ('pending', 'prepared', 'signing')",
            values,
        )
        found: set[str | None] = set()
        for own, repaired, along in rows:
            found |= {own, repaired, *(msgspec.json.decode(along) if along is not None else ())}
        return {blob for blob in found if blob is not None}

    def _one(self, sql: str, *values: str) -> Batch | None:
        row = self._connection.execute(sql, values).fetchone()
        return _batch(row) if row else None


def _batch(row: sqlite3.Row) -> Batch:
    return to_value(row, Batch, json_columns=("stopped_params",))


def batch_file(row: sqlite3.Row) -> BatchFile:
    """A row of `batch_file`."""
    return to_value(row, BatchFile, json_columns=("params", "warnings"))


def _document(row: sqlite3.Row) -> BatchDocument:
    return BatchDocument(
        batch_id=row["batch_id"],
        position=row["position"],
        job=row["job"],
        urgent=bool(row["urgent"]),
        number_key=row["number_key"],
        seen=row["seen"],
        label=row["label"],
        doc_date=date.fromisoformat(row["doc_date"]) if row["doc_date"] is not None else None,
    )


def lists(*texts: Collection[str]) -> tuple[str, ...]:
    """Texts as JSON lists, one parameter each."""
    return tuple(msgspec.json.encode(list(found)).decode() for found in texts)
