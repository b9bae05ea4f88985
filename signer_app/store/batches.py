"""Batches of signing, as rows: written by those who look at documents, sign them, or give them up.

Writes only inside a transaction of the main process; `batch_reader` reads. A secret file has no row here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from signer_app.store.batch_model import Batch, BatchDocument, BatchFile
from signer_app.store.batch_reader import BatchReader, batch_file, lists
from signer_app.store.model import FileState
from signer_app.store.rows import insert, params_json, require_one
from signer_app.store.times import stamp, stamp_or_none


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

    def looked_at(self, batch_id: str, context: str) -> None:
        """Records on what depends all that was seen of a batch."""
        done = self._connection.execute("UPDATE batch SET context = ? WHERE id = ?", (context, batch_id))
        require_one(done, "no such batch")

    def drop_unbegun(self, batch_id: str | None = None) -> None:
        """Removes batches to which nobody said yes: this one, or all."""
        self._connection.execute("DELETE FROM batch WHERE begun_at IS NULL AND (?1 IS NULL OR id = ?1)", (batch_id,))

    def give_up(self, batch_id: str, code: str) -> set[str]:
        """Records that nothing more of a batch is to be signed; the copies that waited in it."""
        copies = self.waiting_copies("batch_file.batch_id = ?", batch_id)
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

    def skip_draft(self, draft: str, code: str) -> None:
        """Records that what waits of a draft in batches that stopped is not to be signed any more."""
        waiting = self._connection.execute(
            "SELECT batch_document.batch_id, position FROM batch_file INDEXED BY batch_file_waiting"
            " CROSS JOIN batch_document USING (batch_id, position)"
            " WHERE state IN ('pending', 'prepared', 'signing') AND json_extract(job, '$.draft') = ?",
            (draft,),
        ).fetchall()
        for batch_id, document in waiting:
            self._connection.executemany(
                "UPDATE batch_file SET state = 'skipped', code = ? WHERE batch_id = ? AND position = ?",
                [(code, batch_id, file.position) for file in self.of_document(batch_id, document) if file.state.waits],
            )

    def forget(self, paths: Collection[str], inputs: Collection[str]) -> tuple[BatchFile, ...]:
        """Removes the unsigned documents with a file of these hashes from all batches: they must leave no trace. A file
        that nobody could read has no hash; it is known by its place. Their files, for whoever still has to answer for
        them.
        """
        hits = self._connection.execute(
            "SELECT * FROM batch_file WHERE state <> 'signed' AND input_sha256 IN (SELECT value FROM json_each(?1))"
            " UNION SELECT * FROM batch_file WHERE state <> 'signed' AND input_sha256 IS NULL"
            " AND input_path IN (SELECT value FROM json_each(?2))",
            lists(inputs, paths),
        )
        removed: dict[tuple[str, int], BatchFile] = {}
        for hit in map(batch_file, hits.fetchall()):
            removed[hit.batch_id, hit.position] = hit
            whole = self.of_document(hit.batch_id, hit.document) if hit.document is not None else ()
            if any(file.state is FileState.SIGNED for file in whole):
                continue
            removed |= {(file.batch_id, file.position): file for file in whole}
            self._connection.execute(
                "DELETE FROM batch_document WHERE batch_id = ? AND position = ?", (hit.batch_id, hit.document)
            )
        self._connection.executemany("DELETE FROM batch_file WHERE batch_id = ? AND position = ?", list(removed))
        return tuple(removed.values())

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
