"""The server's one SQLite file: opening it, bringing it up to date, and who may use it when.

One connection behind a lock, used from the server's worker threads. A transaction is on disk when its
block ends; anything raised inside undoes it.
"""

import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

_VIETNAM: Final = timezone(timedelta(hours=7))
_MARK: Final = "started-"
_SCHEMAS: Final = ("schema.sql", "schema_2.sql", "schema_3.sql")
"""In the order in which they are applied; the file's `user_version` counts those it has."""


class Database:
    """Opens or makes the state in `path`; `clock` gives seconds since 1970. `secret` seals nonces and cursors."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        path.touch(mode=0o600, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self.connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode = WAL", "synchronous = FULL"):
                self.connection.execute(f"PRAGMA {pragma}").fetchall()
            self._bring_up_to_date()
            self.connection.execute("PRAGMA foreign_keys = ON")
            self._epoch = self.fact("epoch")
            self.secret = self.fact("nonce_secret")
            self._notice_a_copy(path.parent)
        except BaseException:
            self.connection.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        with self.lock:
            self.connection.close()

    @property
    def epoch(self) -> str:
        """The feed's epoch."""
        return self._epoch

    def begin_epoch(self) -> str:
        """After this state was restored from a backup: a new epoch, so that clients list from the start.

        Leases end, and each register waits to hear the highest number that its writer knows.
        """
        with self.transaction():
            epoch = secrets.token_hex(16)
            self.connection.execute("UPDATE fact SET value = ? WHERE name = 'epoch'", (epoch,))
            self.connection.execute("UPDATE register SET fence = fence + 1")
        self._epoch = epoch
        return epoch

    def fact(self, name: str) -> str:
        """A single value; the caller holds the lock."""
        row = self.connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row["value"])

    def now_text(self) -> str:
        """The time as it goes on the wire."""
        return self.time_text(self.clock())

    @staticmethod
    def time_text(seconds: float) -> str:
        """Seconds since 1970 as they go on the wire."""
        return datetime.fromtimestamp(seconds, _VIETNAM).isoformat(timespec="seconds")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Holds the lock and one transaction; committed, hence on disk, when the block ends well."""
        with self.lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self.connection.execute("COMMIT")
            except BaseException:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    def _bring_up_to_date(self) -> None:
        version = int(self.connection.execute("PRAGMA user_version").fetchone()[0])
        for number, name in enumerate(_SCHEMAS[version:], version + 1):
            schema = Path(__file__).with_name(name).read_text(encoding="utf-8")
            with self.transaction():
                for statement in schema.split(";"):
                    self.connection.execute(statement)
                if number == 1:
                    self._first_facts()
                self.connection.execute(f"PRAGMA user_version = {number}")

    def _first_facts(self) -> None:
        for name in ("epoch", "nonce_secret"):
            self.connection.execute(
                "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, secrets.token_hex(16))
            )

    def _notice_a_copy(self, folder: Path) -> None:
        """Begins a new epoch if this state was put back from a copy: what came after the copy is lost.

        Each start leaves an empty file and remembers when it was made, which no copy repeats (the last change of its
        inode; on Windows its creation).
        """
        mark = folder / f"{_MARK}{secrets.token_hex(8)}"
        mark.touch(mode=0o600, exist_ok=False)
        with self.transaction():
            known = self.connection.execute("SELECT value FROM fact WHERE name = 'mark'").fetchone()
            self.connection.execute("INSERT OR REPLACE INTO fact (name, value) VALUES ('mark', ?)", (_made(mark),))
        copied = known is not None and known["value"] not in {_made(path) for path in folder.glob(f"{_MARK}*")}
        for path in folder.glob(f"{_MARK}*"):
            if path != mark:
                path.unlink()
        if copied:
            self.begin_epoch()


def _made(mark: Path) -> str:
    return f"{mark.name} {mark.stat().st_ctime_ns}"
