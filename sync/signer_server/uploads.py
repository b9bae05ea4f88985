"""Uploads under way (tus 1.0): what was announced, how much of it is durably here, and when it is given up.

Called from the server's worker threads. `received` counts bytes that are fsynced; what a file holds beyond that was
never acknowledged, and the next append drops it. The bytes of a document that turns out to be secret lie here and
nowhere else, until `discard`.
"""

import hashlib
import sqlite3
import uuid
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import IO, Final

from signer_server.blobs import PartFolder
from signer_server.database import Database
from signer_server.problems import RefusedError
from signer_sync.contract import ProblemCode

_BLOCK: Final = 1 << 16


@dataclass(frozen=True)
class Announced:
    """What a client wants to upload: a packet of `packet_size` bytes and this hash, which comes in `size` bytes.

    `gzip_sha256`: these are its gzip stream, and its hash; None: the packet comes as it is.
    """

    packet: str
    sha256: str
    packet_size: int
    size: int
    gzip_sha256: str | None = None


@dataclass(frozen=True)
class Upload:
    """An announced packet; `received` of the bytes that come are here.

    `committed`: its packet has been kept, the bytes lie with the packets.
    """

    id: str
    org: str
    announced: Announced
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

    def create(self, org: str, announced: Announced, *, committed: bool = False) -> Upload:
        """Begins an upload; the one there is if another request was faster.

        `committed`: the packet is kept already and no byte is awaited.
        """
        made = Upload(
            id=str(uuid.uuid4()),
            org=org,
            announced=announced,
            received=announced.size if committed else 0,
            expires=self._now() + self._seconds,
            committed=committed,
        )
        if not committed:
            self._parts.create(made.id)
        with self._database.transaction():
            done = self._db.execute(
                "INSERT INTO upload (id, org, packet, sha256, packet_size, size, gzip_sha256, received, expires,"
                " committed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (org, packet, sha256) DO NOTHING",
                (made.id, org, *astuple(announced), made.received, made.expires, int(committed)),
            )
        if done.rowcount == 1:
            return made
        self._parts.remove(made.id)
        found = self.find(org, announced.packet, announced.sha256)
        if found is None or found.announced != announced:
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

    @contextmanager
    def opened(self, upload: Upload) -> Iterator[Path]:
        """The packet's own bytes as a durable file, which may be linked or moved away, for the length of the `with`.

        RefusedError digest-mismatch if they are not what was announced, bad-request if what came is no gzip stream of
        that length.
        """
        announced = upload.announced
        if announced.gzip_sha256 is None:
            path = self._parts.path(upload.id)
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != announced.sha256:
                raise RefusedError(ProblemCode.DIGEST_MISMATCH)
            yield path
            return
        with self._parts.path(upload.id).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != announced.gzip_sha256:
                raise RefusedError(ProblemCode.DIGEST_MISMATCH, "not the gzip stream that was announced")
            file.seek(0)
            digest = hashlib.sha256()
            with self._parts.unpacked(upload.id, _unpacked(file, announced.packet_size, digest.update)) as path:
                if digest.hexdigest() != announced.sha256:
                    raise RefusedError(ProblemCode.DIGEST_MISMATCH)
                yield path

    def reserved(self, org: str) -> int:
        """Bytes that uploads of `org` have announced and that no packet has yet."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT coalesce(sum(packet_size), 0) FROM upload WHERE org = ? AND committed = 0 AND expires > ?",
                (org, self._now()),
            ).fetchone()
            return int(row[0])

    def outstanding(self) -> int:
        """Bytes that all uploads are still to bring; for those that are then unpacked also the packet's own."""
        with self._database.lock:
            row = self._db.execute(
                "SELECT coalesce(sum(size - received + iif(gzip_sha256 IS NULL, 0, packet_size)), 0)"
                " FROM upload WHERE committed = 0"
            ).fetchone()
            return int(row[0])

    def _usable(self, row: sqlite3.Row | None) -> Upload | None:
        if row is None:
            return None
        found = Upload(
            id=row["id"],
            org=row["org"],
            announced=Announced(
                packet=row["packet"],
                sha256=row["sha256"],
                packet_size=row["packet_size"],
                size=row["size"],
                gzip_sha256=row["gzip_sha256"],
            ),
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


def _unpacked(file: IO[bytes], size: int, passed: Callable[[bytes], object]) -> Iterator[bytes]:
    """The `size` bytes that a gzip stream holds, in small pieces, each first given to `passed`.

    RefusedError bad-request as soon as it is something else: no small stream becomes a large file.
    """
    machine, total = zlib.decompressobj(wbits=31), 0
    while data := file.read(_BLOCK):
        while data and not machine.eof:
            try:
                piece = machine.decompress(data, _BLOCK)
            except zlib.error as error:
                raise RefusedError(ProblemCode.BAD_REQUEST, "not gzip") from error
            data = machine.unconsumed_tail
            total += len(piece)
            if total > size:
                raise RefusedError(ProblemCode.BAD_REQUEST, "longer than announced")
            passed(piece)
            yield piece
        if machine.eof and (machine.unused_data or data):
            raise RefusedError(ProblemCode.BAD_REQUEST, "gzip followed by something")
    if not machine.eof or total != size:
        raise RefusedError(ProblemCode.BAD_REQUEST, "gzip cut short")
