"""The server's one SQLite file: opening it, and who may use it when.

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


class Database:
    """Opens or makes the state in `path`; `clock` gives seconds since 1970."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        path.touch(mode=0o600, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self.connection.execute(f"PRAGMA {pragma}").fetchall()
        schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
        with self.transaction():
            for statement in schema.split(";"):
                self.connection.execute(statement)
            for name in ("epoch", "nonce_secret"):
                self.connection.execute(
                    "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (name, secrets.token_hex(16)),
                )
            self._epoch = self.fact("epoch")

    def close(self) -> None:
        """Closes the file."""
        with self.lock:
            self.connection.close()

    @property
    def epoch(self) -> str:
        """The feed's epoch."""
        return self._epoch

    def begin_epoch(self) -> str:
        """After this state was restored from a backup: a new epoch, so that clients list from the start."""
        with self.transaction():
            epoch = secrets.token_hex(16)
            self.connection.execute("UPDATE fact SET value = ? WHERE name = 'epoch'", (epoch,))
        self._epoch = epoch
        return epoch

    def fact(self, name: str) -> str:
        """A single value; the caller holds the lock."""
        row = self.connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row["value"])

    def now_text(self) -> str:
        """The time as it goes on the wire."""
        return datetime.fromtimestamp(self.clock(), _VIETNAM).isoformat(timespec="seconds")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Holds the lock and one transaction; committed, hence on disk, when the block ends well."""
        with self.lock:
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            self.connection.execute("COMMIT")
