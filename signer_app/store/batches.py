"""Batches of signing and the state of each of their files, as rows.

Reads on any connection, writes only inside a transaction of the main process. A secret file has no row here.
"""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import msgspec

from signer_app.store.model import Batch, BatchFile, FileState
from signer_app.store.rows import insert, params_json, require_one, to_value
from signer_app.store.times import stamp, stamp_or_none


class BatchReader:
    """Batches as one connection sees them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def get(self, batch_id: str) -> Batch | None:
        """The batch with this id."""
        return self._one("SELECT * FROM batch WHERE id = ?", batch_id)

    def latest(self) -> Batch | None:
        """The batch begun last."""
        return self._one("SELECT * FROM batch ORDER BY created_at DESC, id DESC LIMIT 1")

    def unreported(self) -> tuple[Batch, ...]:
        """Batches whose result nobody was told, because the program ended before; oldest first."""
        return self._many("SELECT * FROM batch WHERE reported_at IS NULL ORDER BY created_at, id")

    def unfinished(self) -> tuple[Batch, ...]:
        """Batches with files still to be signed, oldest first: what `resume` goes on with."""
        return self._many(
            "SELECT * FROM batch WHERE EXISTS (SELECT 1 FROM batch_file WHERE batch_id = batch.id"
            " AND state = 'pending') ORDER BY created_at, id"
        )

    def files(self, batch_id: str) -> tuple[BatchFile, ...]:
        """The files of a batch in their order."""
        rows = self._connection.execute("SELECT * FROM batch_file WHERE batch_id = ? ORDER BY position", (batch_id,))
        return tuple(to_value(row, BatchFile, json_columns=("params",)) for row in rows)

    def naming(self, paths: Collection[str], inputs: Collection[str]) -> tuple[Batch, ...]:
        """Batches with a file from one of these places, or with one of these hashes."""
        rows = self._connection.execute(
            "SELECT * FROM batch WHERE id IN (SELECT batch_id FROM batch_file WHERE"
            " input_path IN (SELECT value FROM json_each(?1)) OR input_sha256 IN (SELECT value FROM json_each(?2)))",
            _lists(paths, inputs),
        )
        return tuple(to_value(row, Batch, json_columns=("stopped_params",)) for row in rows)

    def _one(self, sql: str, *values: str) -> Batch | None:
        row = self._connection.execute(sql, values).fetchone()
        return to_value(row, Batch, json_columns=("stopped_params",)) if row else None

    def _many(self, sql: str) -> tuple[Batch, ...]:
        rows = self._connection.execute(sql)
        return tuple(to_value(row, Batch, json_columns=("stopped_params",)) for row in rows)


class Batches(BatchReader):
    """Batches inside a transaction, where they can be written."""

    def add(self, batch: Batch, files: Iterable[BatchFile] = ()) -> None:
        """Adds a batch with its files."""
        insert(
            self._connection,
            "batch",
            {
                "id": batch.id,
                "created_at": stamp(batch.created_at),
                "command": batch.command,
                "finished_at": stamp_or_none(batch.finished_at),
                "reported_at": stamp_or_none(batch.reported_at),
                "stopped_code": batch.stopped_code,
                "stopped_params": params_json(batch.stopped_params),
            },
        )
        self.put_files(files)

    def put_files(self, files: Iterable[BatchFile]) -> None:
        """Writes the state of files of a batch, new ones and known ones; a signed file stays signed
        (ValueError).
        """
        for file in files:
            columns = {
                "batch_id": file.batch_id,
                "position": file.position,
                "file_id": file.file_id,
                "input_path": file.input_path,
                "input_sha256": file.input_sha256,
                "profile": file.profile,
                "plan_sha256": file.plan_sha256,
                "output_path": file.output_path,
                "state": file.state.value,
                "code": file.code,
                "params": params_json(file.params),
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

    def skip_pending(self, inputs: Collection[str], code: str) -> None:
        """Records that files which wait in a stopped batch, named by their hashes, are not to be signed any more."""
        self._connection.executemany(
            "UPDATE batch_file SET state = 'skipped', code = ? WHERE state = 'pending' AND input_sha256 = ?",
            [(code, sha256) for sha256 in inputs],
        )

    def forget(self, paths: Collection[str], inputs: Collection[str]) -> None:
        """Removes the unsigned files from these places or with these hashes from all batches: they must leave no
        trace.
        """
        self._connection.execute(
            "DELETE FROM batch_file WHERE state <> 'signed' AND ("
            " input_path IN (SELECT value FROM json_each(?1)) OR input_sha256 IN (SELECT value FROM json_each(?2)))",
            _lists(paths, inputs),
        )

    def put_command(self, batch_id: str, command: str) -> None:
        """Writes what is needed to go on with a batch anew."""
        done = self._connection.execute("UPDATE batch SET command = ? WHERE id = ?", (command, batch_id))
        require_one(done, "no such batch")

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


def _lists(*texts: Collection[str]) -> tuple[str, ...]:
    return tuple(msgspec.json.encode(list(found)).decode() for found in texts)
