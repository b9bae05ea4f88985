"""Batches of signing, as rows: what each is to do document by document, and how each of its files stands.

Reads on any connection, writes only inside a transaction of the main process. A secret file has no row here. Nothing in
here takes more memory for a large batch than for a small one, but `files` and `jobs`, which say so.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import takewhile

import msgspec

from signer_app.store.batch_model import Batch, BatchDocument, BatchFile
from signer_app.store.model import FileState
from signer_app.store.rows import insert, params_json, require_one, to_value
from signer_app.store.times import stamp, stamp_or_none

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
        return tuple(map(_file, rows))

    def page(
        self, batch_id: str, states: Collection[FileState], after: int = -1, limit: int = _PAGE
    ) -> tuple[BatchFile, ...]:
        """The next files behind `after` that stand so, in their order."""
        rows = self._connection.execute(
            "SELECT * FROM batch_file WHERE batch_id = ? AND position > ?"
            " AND state IN (SELECT value FROM json_each(?)) ORDER BY position LIMIT ?",
            (batch_id, after, *_lists(states), limit),
        )
        return tuple(map(_file, rows))

    def of_document(self, batch_id: str, document: int) -> tuple[BatchFile, ...]:
        """The files of one document."""
        # By position, which has the index; a document's files stand behind each other.
        rows = self._connection.execute(
            "SELECT * FROM batch_file WHERE batch_id = ? AND position >= ? ORDER BY position", (batch_id, document)
        )
        return tuple(map(_file, takewhile(lambda row: row["document"] == document, rows)))

    def documents(
        self, batch_id: str, states: Collection[FileState], after: int = -1, limit: int = _PAGE
    ) -> tuple[BatchDocument, ...]:
        """The next documents behind `after` whose main file stands so, in their order."""
        rows = self._connection.execute(
            "SELECT batch_document.* FROM batch_document JOIN batch_file USING (batch_id, position)"
            " WHERE batch_id = ? AND position > ? AND state IN (SELECT value FROM json_each(?))"
            " ORDER BY position LIMIT ?",
            (batch_id, after, *_lists(states), limit),
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
        return _file(row) if row else None

    def signed_untold(self, sha256: str, profile: str, output: str) -> tuple[BatchFile, ...]:
        """This very file as batches have signed it whose result nobody was told, oldest first."""
        rows = self._connection.execute(
            "SELECT batch_file.* FROM batch_file JOIN batch ON batch.id = batch_file.batch_id"
            " WHERE batch_file.input_sha256 = ? AND batch_file.state = 'signed' AND batch_file.profile = ?"
            " AND batch_file.output_path = ? AND batch_file.file_id IS NOT NULL"
            " AND batch.begun_at IS NOT NULL AND batch.reported_at IS NULL ORDER BY batch.created_at, batch.id",
            (sha256, profile, output),
        )
        return tuple(map(_file, rows))

    def waiting_for(self, batch_id: str, wish: tuple[str, str | None, str | None]) -> BatchFile | None:
        """The waiting file of a batch from this place, to be signed so, whose copy goes there."""
        row = self._connection.execute(
            "SELECT * FROM batch_file WHERE batch_id = ? AND input_path = ? AND profile IS ? AND output_path IS ?"
            " AND state IN ('pending', 'prepared', 'signing') LIMIT 1",
            (batch_id, *wish),
        ).fetchone()
        return _file(row) if row else None

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
        """Copies of what waits in batches that were begun, and of what goes along with it."""
        return self._waiting_copies("batch.begun_at IS NOT NULL")

    def _waiting_copies(self, which: str, *values: str) -> set[str]:
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


class Batches(BatchReader):
    """Batches inside a transaction, where they can be written."""

    def add(self, batch: Batch, files: Iterable[BatchFile] = ()) -> None:
        """Adds a batch, perhaps with files."""
        insert(
            self._connection,
            "batch",
            {
                "id": batch.id,
                "created_at": stamp(batch.created_at),
                "command": batch.command,
                "begun_at": stamp_or_none(batch.begun_at),
                "finished_at": stamp_or_none(batch.finished_at),
                "reported_at": stamp_or_none(batch.reported_at),
                "stopped_code": batch.stopped_code,
                "stopped_params": params_json(batch.stopped_params),
                "continues": batch.continues,
                "context": batch.context,
            },
        )
        self.put_files(files)

    def put_document(self, document: BatchDocument, files: Iterable[BatchFile]) -> None:
        """Writes a document with its files, a new one or a known one."""
        columns = {
            **msgspec.structs.asdict(document),
            "urgent": int(document.urgent),
            "doc_date": document.doc_date.isoformat() if document.doc_date is not None else None,
        }
        names, marks = ", ".join(columns), ", ".join("?" for _ in columns)
        self._connection.execute(
            f"INSERT OR REPLACE INTO batch_document ({names}) VALUES ({marks})",  # noqa: S608 - names are ours
            tuple(columns.values()),
        )
        self.put_files(files)

    def put_files(self, files: Iterable[BatchFile]) -> None:
        """Writes the state of files of a batch, new ones and known ones; a signed file stays signed
        (ValueError). Of a document that is done with, what the preflight said goes.
        """
        for file in files:
            columns = {
                "batch_id": file.batch_id,
                "position": file.position,
                "document": file.document,
                "file_id": file.file_id,
                "input_path": file.input_path,
                "input_sha256": file.input_sha256,
                "repaired_sha256": file.repaired_sha256,
                "profile": file.profile,
                "plan_sha256": file.plan_sha256,
                "output_path": file.output_path,
                "state": file.state.value,
                "code": file.code,
                "params": params_json(file.params),
                "warnings": msgspec.json.encode(file.warnings, enc_hook=str).decode() if file.warnings else None,
                "level": file.level,
                "output_sha256": file.output_sha256,
                "seconds": file.seconds,
            }
            known = self._connection.execute(
                "SELECT state FROM batch_file WHERE batch_id = ? AND position = ?",
                (file.batch_id, file.position),
            ).fetchone()
            if known and known["state"] == FileState.SIGNED and file.state is not FileState.SIGNED:
                raise ValueError("a signed file does not become unsigned")
            self._connection.execute(
                "DELETE FROM batch_file WHERE batch_id = ? AND position = ?", (file.batch_id, file.position)
            )
            insert(self._connection, "batch_file", columns)
            if not file.state.waits and file.document is not None:
                self._connection.execute(
                    "UPDATE batch_document SET seen = NULL WHERE batch_id = ? AND position = ?",
                    (file.batch_id, file.document),
                )

    def mark(self, batch_id: str, documents: Sequence[int], state: FileState) -> None:
        """Writes how the files of documents stand."""
        files = [file for document in documents for file in self.of_document(batch_id, document)]
        self._connection.executemany(
            "UPDATE batch_file SET state = ? WHERE batch_id = ? AND position = ?",
            [(state.value, batch_id, file.position) for file in files if file.state.waits],
        )

    def begin(self, batch_id: str, at: datetime, context: str) -> None:
        """Records that the person said yes. A batch that was cut still waits for files that are begun anew here, and so
        does the one that is gone on with: they wait here alone from now on. What comes from a draft is known by its
        bytes, for it may go elsewhere today than when its batch was cut.
        """
        require_one(
            self._connection.execute(
                "UPDATE batch SET begun_at = ?, context = ? WHERE id = ?", (stamp(at), context, batch_id)
            ),
            "no such batch",
        )
        self._connection.execute(
            "UPDATE batch_file SET state = 'skipped', code = 'taken_over' WHERE batch_id <> ?1"
            " AND state IN ('pending', 'prepared', 'signing')"
            " AND (batch_id = (SELECT continues FROM batch WHERE id = ?1)"
            " OR input_sha256 IN (SELECT new.input_sha256 FROM batch_file AS new JOIN batch_document AS wish"
            " ON wish.batch_id = new.batch_id AND wish.position = new.document"
            " WHERE new.batch_id = ?1 AND json_extract(wish.job, '$.draft') IS NOT NULL)"
            " OR EXISTS (SELECT 1 FROM batch_file AS new WHERE new.batch_id = ?1"
            " AND new.input_path = batch_file.input_path AND new.profile IS batch_file.profile"
            " AND new.output_path IS batch_file.output_path))",
            (batch_id,),
        )

    def drop_unbegun(self, batch_id: str | None = None) -> None:
        """Removes batches to which nobody said yes: this one, or all."""
        self._connection.execute("DELETE FROM batch WHERE begun_at IS NULL AND (?1 IS NULL OR id = ?1)", (batch_id,))

    def give_up(self, batch_id: str, code: str) -> set[str]:
        """Records that nothing more of a batch is to be signed; the copies that waited in it."""
        copies = self._waiting_copies("batch_file.batch_id = ?", batch_id)
        self._connection.execute(
            "UPDATE batch_file SET state = 'skipped', code = ? WHERE batch_id = ?"
            " AND state IN ('pending', 'prepared', 'signing')",
            (code, batch_id),
        )
        self._connection.execute("UPDATE batch_document SET seen = NULL WHERE batch_id = ?", (batch_id,))
        return copies

    def skip_pending(self, inputs: Collection[str], code: str) -> None:
        """Records that files which wait in a stopped batch, named by their hashes, are not to be signed any more."""
        self._connection.executemany(
            "UPDATE batch_file SET state = 'skipped', code = ? WHERE input_sha256 = ?"
            " AND state IN ('pending', 'prepared', 'signing')",
            [(code, sha256) for sha256 in inputs],
        )

    def forget(self, draft: str | None, paths: Collection[str], inputs: Collection[str]) -> tuple[BatchFile, ...]:
        """Removes the unsigned documents with a file from these places or with these hashes, or of this draft, from all
        batches: they must leave no trace. Their files, for whoever still has to answer for them.
        """
        places, hashes = _lists(paths, inputs)
        hit = (
            "SELECT batch_id, document FROM batch_file WHERE state <> 'signed' AND"
            " (input_path IN (SELECT value FROM json_each(?1)) OR input_sha256 IN (SELECT value FROM json_each(?2)))"
        )
        named = (
            "SELECT batch_id, position FROM batch_document WHERE ?3 IS NOT NULL AND json_extract(job, '$.draft') = ?3"
            " OR EXISTS (SELECT 1 FROM json_each(job, '$.files') AS part WHERE"
            " json_extract(part.value, '$.path') IN (SELECT value FROM json_each(?1))"
            " OR json_extract(part.value, '$.blob') IN (SELECT value FROM json_each(?2)))"
        )
        whole = (
            "NOT EXISTS (SELECT 1 FROM batch_file AS kept WHERE kept.batch_id = batch_document.batch_id"
            " AND kept.document = batch_document.position AND kept.state = 'signed')"
        )
        self._connection.execute(
            f"DELETE FROM batch_document WHERE {whole} AND ((batch_id, position) IN ({hit}) OR (batch_id, position) IN"  # noqa: S608 - all ours
            f" ({named}))",
            (places, hashes, draft),
        )
        removed = self._connection.execute(
            "DELETE FROM batch_file WHERE state <> 'signed' AND ("
            " input_path IN (SELECT value FROM json_each(?1)) OR input_sha256 IN (SELECT value FROM json_each(?2))"
            " OR document IS NOT NULL AND NOT EXISTS (SELECT 1 FROM batch_document WHERE batch_document.batch_id ="
            " batch_file.batch_id AND batch_document.position = batch_file.document)) RETURNING *",
            (places, hashes),
        )
        return tuple(map(_file, removed))

    def finish(
        self,
        batch_id: str,
        at: datetime,
        stopped_code: str | None = None,
        stopped_params: Mapping[str, object] = {},
    ) -> None:
        """Records that the batch ended, with the error that stopped it before its end if there was one."""
        done = self._connection.execute(
            "UPDATE batch SET finished_at = ?, stopped_code = ?, stopped_params = ? WHERE id = ?",
            (stamp(at), stopped_code, params_json(stopped_params), batch_id),
        )
        require_one(done, "no such batch")

    def mark_reported(self, batch_id: str, at: datetime) -> None:
        """Records that the person or script was told the result."""
        done = self._connection.execute("UPDATE batch SET reported_at = ? WHERE id = ?", (stamp(at), batch_id))
        require_one(done, "no such batch")


def _batch(row: sqlite3.Row) -> Batch:
    return to_value(row, Batch, json_columns=("stopped_params",))


def _file(row: sqlite3.Row) -> BatchFile:
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


def _lists(*texts: Collection[str]) -> tuple[str, ...]:
    return tuple(msgspec.json.encode(list(found)).decode() for found in texts)
