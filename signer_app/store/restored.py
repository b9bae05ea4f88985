"""What backups left behind in the database: when they were made, what a restored one has to ask, what retention let go.

Reads on any connection, writes only inside a transaction of the main process. While a question is open nothing leaves
for its body (`outbox_reader` looks at `unsettled`), and until a person has looked into the books on paper no number is
given (`require_numbers`). Decides nothing about what the other side has.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from signer_app.store.rows import params_json, require_one, to_value
from signer_app.store.times import stamp
from signer_resources.errors import KnownError


class Answer(StrEnum):
    """What is known of a packet that was not proven to be sent when the backup was made."""

    OPEN = "open"
    """The other side is to be asked."""
    ABSENT = "absent"
    """It doesn't have it; a person says that it leaves."""
    THERE = "there"
    """It has it."""


class BackupRun(msgspec.Struct, frozen=True, kw_only=True):
    """One making of a backup; `error_code` None where it was made, with `missing` files that couldn't go along."""

    at: dt.datetime
    target: str
    error_code: str | None = None
    error_params: Mapping[str, object] = {}
    missing: int = 0

    @property
    def error(self) -> KnownError | None:
        """Why it was not made."""
        return KnownError(self.error_code, **self.error_params) if self.error_code is not None else None


class Epoch(msgspec.Struct, frozen=True, kw_only=True):
    """That the database came out of a backup of `backup_at`, with a journal of so many entries and this head."""

    epoch: int
    at: dt.datetime
    backup_at: dt.datetime
    journal_count: int
    journal_hash: str
    numbers_at: dt.datetime | None = None
    numbers_by: str | None = None


class RestoredReader:
    """The same as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def last_made(self) -> BackupRun | None:
        """The last backup that was made."""
        return self._run("WHERE error_code IS NULL")

    def last_run(self) -> BackupRun | None:
        """The last attempt, whatever came of it."""
        return self._run("")

    def epochs(self) -> tuple[Epoch, ...]:
        """Each time that the database came out of a backup, in their order."""
        rows = self._connection.execute("SELECT * FROM restored ORDER BY epoch")
        return tuple(to_value(row, Epoch) for row in rows)

    def numbers_open(self) -> bool:
        """Whether a person has still to say which numbers were given since the backup."""
        return self._connection.execute("SELECT 1 FROM restored WHERE numbers_at IS NULL").fetchone() is not None

    def require_numbers(self) -> None:
        """KnownError "restore_numbers_open" while that is so."""
        if self.numbers_open():
            raise KnownError("restore_numbers_open")

    def packets(self, answer: Answer, org: str | None = None) -> tuple[str, ...]:
        """Ids of the packets with this answer, the oldest first."""
        rows = self._connection.execute(
            "SELECT unsettled.packet_id FROM unsettled JOIN outbox ON outbox.packet_id = unsettled.packet_id"
            " WHERE answer = ? AND (?2 IS NULL OR unsettled.org = ?2) ORDER BY outbox.created_at, outbox.packet_id",
            (answer.value, org),
        )
        return tuple(row[0] for row in rows)

    def released_at(self, sha256: str) -> dt.datetime | None:
        """When this file was let go after the time that the body has set; None for one that wasn't."""
        row = self._connection.execute("SELECT at FROM released_blob WHERE sha256 = ?", (sha256,)).fetchone()
        return dt.datetime.fromisoformat(row[0]) if row else None

    def released(self) -> set[str]:
        """All files that were let go."""
        return {row[0] for row in self._connection.execute("SELECT sha256 FROM released_blob")}

    def _run(self, clause: str) -> BackupRun | None:
        row = self._connection.execute(
            f"SELECT at, target, error_code, error_params, missing FROM backup_run {clause}"  # noqa: S608 - ours
            " ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return to_value(row, BackupRun, ("error_params",)) if row else None


class Restored(RestoredReader):
    """The same inside a transaction, where it can be written."""

    def ran(self, run: BackupRun) -> None:
        """Writes down an attempt; of those before only the last that succeeded stays."""
        self._connection.execute(
            "DELETE FROM backup_run WHERE id IS NOT (SELECT max(id) FROM backup_run WHERE error_code IS NULL)"
        )
        self._connection.execute(
            "INSERT INTO backup_run (at, target, error_code, error_params, missing) VALUES (?, ?, ?, ?, ?)",
            (stamp(run.at), run.target, run.error_code, params_json(run.error_params), run.missing),
        )

    def begin_epoch(self, epoch: Epoch) -> None:
        """The database has come out of a backup; numbers wait for a person's word. Questions of an earlier epoch are
        asked again, and its restored numbers confirmed again.
        """
        self._connection.execute(
            "INSERT INTO restored (epoch, at, backup_at, journal_count, journal_hash) VALUES (?, ?, ?, ?, ?)",
            (epoch.epoch, stamp(epoch.at), stamp(epoch.backup_at), epoch.journal_count, epoch.journal_hash),
        )

    def hold(self, packets: Iterable[tuple[str, str]]) -> None:
        """None of these (packet, org) leaves before the other side was asked."""
        self._connection.executemany(
            "INSERT INTO unsettled (packet_id, org, answer) VALUES (?, ?, 'open')"
            " ON CONFLICT (packet_id) DO UPDATE SET answer = 'open'",
            packets,
        )

    def answered(self, packet_id: str, answer: Answer) -> None:
        """What the other side said."""
        done = self._connection.execute(
            "UPDATE unsettled SET answer = ? WHERE packet_id = ? AND answer = 'open'", (answer.value, packet_id)
        )
        require_one(done, "nobody asked for this packet")

    def let_go(self, packet_ids: Iterable[str] | None = None) -> int:
        """A person says that packets which the other side doesn't have may leave (None: all of them); how many."""
        if packet_ids is None:
            return self._connection.execute("DELETE FROM unsettled WHERE answer = 'absent'").rowcount
        return sum(
            self._connection.execute(
                "DELETE FROM unsettled WHERE answer = 'absent' AND packet_id = ?", (packet_id,)
            ).rowcount
            for packet_id in packet_ids
        )

    def numbers_confirmed(self, by: str, at: dt.datetime) -> None:
        """A person has looked into the books on paper."""
        self._connection.execute(
            "UPDATE restored SET numbers_at = ?, numbers_by = ? WHERE numbers_at IS NULL", (stamp(at), by)
        )

    def release_blobs(self, blobs: Iterable[tuple[str, int]], at: dt.datetime) -> None:
        """These files (SHA-256, size) are kept no longer."""
        self._connection.executemany(
            "INSERT INTO released_blob (sha256, size, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(sha256, size, stamp(at)) for sha256, size in blobs],
        )
