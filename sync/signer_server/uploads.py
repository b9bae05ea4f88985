"""Uploads under way (tus 1.0): what was announced, how much of it is durably here, and when it is given up.

Called from the server's worker threads. `received` counts bytes that are fsynced; what a file holds beyond that was
never acknowledged, and the next append drops it. The bytes of a document that turns out to be secret lie here and
nowhere else, until `discard`.
"""

import sqlite3
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from signer_server.blobs import PartFolder
from signer_server.database import Database
from signer_server.problems import RefusedError
from signer_sync.contract import ProblemCode


@dataclass(frozen=True)
class Upload:
    """An announced packet of `size` bytes with the hash that it shall have; `received` of them are here.

    `committed`: its packet has been kept, the bytes lie with the packets.
    """

    id: str
    org: str
    packet: str
    sha256: str
    size: int
    received: int
    expires: int
    committed: bool


class Uploads:
    """Uploads as rows and files."""

    def __init__(self, database: Database, folder: Path, seconds: int) -> None:
        self._database = database
        self._db = database.connection
        self._parts = PartFolder(folder)
        self._seconds = seconds

    def collect(self) -> None:
        """Removes what is over or was left half done. Only at start."""
        self.expire()
        with self._database.lock:
            known = {row["id"] for row in self._db.execute("SELECT id FROM upload WHERE committed = 0")}
        self._parts.collect(known)

    def expire(self) -> None:
        """Gives up uploads whose time is over."""
        with self._database.lock:
            rows = self._db.execute("SELECT id FROM upload WHERE expires <= ?", (self._now(),)).fetchall()
        for row in rows:
            self.discard(row["id"])

    def find(self, org: str, packet: str, sha256: str) -> Upload | None:
        """The upload of just this packet."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT * FROM upload WHERE org = ? AND packet = ? AND sha256 = ? AND expires > ?",
                (org, packet, sha256, self._now()),
            ).fetchone()
        return self._usable(row)

    def get(self, upload_id: str, org: str) -> Upload:
        """The upload of this organisation with this id; RefusedError upload-expired if there is none."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT * FROM upload WHERE id = ? AND org = ? AND expires > ?", (upload_id, org, self._now())
            ).fetchone()
        found = self._usable(row)
        if found is None:
            raise RefusedError(ProblemCode.UPLOAD_EXPIRED)
        return found

    def create(self, org: str, packet: str, sha256: str, size: int, *, committed: bool = False) -> Upload:
        """Begins an upload; the one there is if another request was faster.

        `committed`: the packet is kept already and no byte is awaited.
        """
        made = Upload(
            id=str(uuid.uuid4()),
            org=org,
            packet=packet,
            sha256=sha256,
            size=size,
            received=size if committed else 0,
            expires=self._now() + self._seconds,
            committed=committed,
        )
        if not committed:
            self._parts.create(made.id)
        with self._database.transaction():
            done = self._db.execute(
                "INSERT INTO upload (id, org, packet, sha256, size, received, expires, committed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org, packet, sha256) DO NOTHING",
                (made.id, org, packet, sha256, size, made.received, made.expires, int(committed)),
            )
        if done.rowcount == 1:
            return made
        self._parts.remove(made.id)
        found = self.find(org, packet, sha256)
        if found is None:
            raise RefusedError(ProblemCode.UPLOAD_EXPIRED)
        return found

    def append(self, upload: Upload, offset: int, data: Collection[bytes]) -> int:
        """Adds bytes at `offset`, durable when it returns the new offset."""
        self._parts.append(upload.id, offset, data)
        offset += sum(len(block) for block in data)
        with self._database.transaction():
            self._db.execute(
                "UPDATE upload SET received = ?, expires = ? WHERE id = ?",
                (offset, self._now() + self._seconds, upload.id),
            )
        return offset

    def discard(self, upload_id: str) -> None:
        """Ends an upload: bytes first, then the row."""
        self._parts.remove(upload_id)
        with self._database.transaction():
            self._db.execute("DELETE FROM upload WHERE id = ?", (upload_id,))

    def kept(self, upload_id: str) -> None:
        """The packet has its own copy of the bytes."""
        self._parts.remove(upload_id)

    def path(self, upload: Upload) -> Path:
        """Where its bytes lie."""
        return self._parts.path(upload.id)

    def reserved(self, org: str) -> int:
        """Bytes that uploads of `org` have announced and that no packet has yet."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT coalesce(sum(size), 0) FROM upload WHERE org = ? AND committed = 0 AND expires > ?",
                (org, self._now()),
            ).fetchone()
            return int(row[0])

    def outstanding(self) -> int:
        """Bytes that all uploads are still to bring."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT coalesce(sum(size - received), 0) FROM upload WHERE committed = 0"
            ).fetchone()
            return int(row[0])

    def _usable(self, row: sqlite3.Row | None) -> Upload | None:
        if row is None:
            return None
        found = Upload(
            id=row["id"],
            org=row["org"],
            packet=row["packet"],
            sha256=row["sha256"],
            size=row["size"],
            received=row["received"],
            expires=row["expires"],
            committed=bool(row["committed"]),
        )
        if found.committed or _holds(self._parts.path(found.id), found.received):
            return found
        self.discard(found.id)  # a state put back from a copy without its files
        return None

    def _now(self) -> int:
        return int(self._database.clock())


def _holds(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size >= size
    except FileNotFoundError:
        return False
