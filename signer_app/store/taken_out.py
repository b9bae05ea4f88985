"""What a person took out of the list although it still lies in the inbox folder, as rows: it comes by itself no more.

Reads on any connection, writes only inside a transaction of the main process. Knows content and times of a file, and no
name. The oldest rows go where there are too many.
"""

import sqlite3
from datetime import datetime

from signer_app.store.times import stamp

_MOST = 20_000
"""Rows kept: more files than are looked at in one folder."""


class TakenOutReader:
    """What was taken out, as one connection sees it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def has(self, sha256: str, times: str) -> bool:
        """Whether this very file was taken out: the same bytes, and not written or dropped anew since."""
        row = self._connection.execute("SELECT 1 FROM taken_out WHERE sha256 = ? AND times = ?", (sha256, times))
        return row.fetchone() is not None


class TakenOut(TakenOutReader):
    """The same inside a transaction, where it can be written."""

    def put(self, sha256: str, times: str, at: datetime) -> None:
        """A person takes a file out that lies in the folder with these bytes and times."""
        self._connection.execute(
            "INSERT OR REPLACE INTO taken_out (sha256, times, at) VALUES (?, ?, ?)", (sha256, times, stamp(at))
        )
        self._connection.execute(
            "DELETE FROM taken_out WHERE (sha256, times) IN"
            " (SELECT sha256, times FROM taken_out ORDER BY at DESC LIMIT -1 OFFSET ?)",
            (_MOST,),
        )
