"""Files kept by content: blobs/ab/<sha256>, durable before anyone is told of them.

Written by the main process under the data folder's lock, read by any. A blob is never changed; a row of the
database may name it only after it is here. Gives a kept file out again without ever overwriting another one. A blob
never has a second name: what happens to a file outside of the store can't happen to it.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from signer_app.store.durable import (
    CHUNK,
    clone,
    copy_to_new,
    disk_errors,
    fsync_file,
    fsync_folder,
    make_folders,
    move_over,
    place_new,
    reachable,
)
from signer_resources.errors import KnownError

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class Blob(msgspec.Struct, frozen=True):
    """A kept file: its SHA-256 in lower-case hex and its size in bytes."""

    sha256: str
    size: int


class Collected(msgspec.Struct, frozen=True):
    """What a collection removed: blobs that no row names, and files left by a killed process."""

    orphans: int
    temporaries: int


class BlobStore:
    """The folder of blobs. All methods block on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"

    def path(self, sha256: str) -> Path:
        """Where the blob lies or would lie; ValueError if the text is no lower-case hex SHA-256."""
        if not _SHA256.match(sha256):
            raise ValueError("not a SHA-256 in lower-case hex")
        return self._root / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the blob is here (its bytes are not read)."""
        return self.path(sha256).is_file()

    def size(self, sha256: str) -> int:
        """Size in bytes; KnownError "blob_damaged" if the blob is missing."""
        try:
            return self.path(sha256).stat().st_size
        except OSError as error:
            raise KnownError("blob_damaged", sha256=sha256) from error

    def add_file(self, source: Path) -> Blob:
        """Keeps a copy of `source`, which isn't touched; it takes no room where the file system can clone.

        Raises KnownError "input_unreadable", "disk_full", "data_folder_unwritable".
        """
        try:
            reader = reachable(source).open("rb")
        except OSError as error:
            raise KnownError("input_unreadable", file=str(source)) from error
        with reader, self._temporary() as (temporary, writer):
            if not clone(reader.fileno(), writer.fileno()):
                return self._keep_stream(reader, str(source), temporary, writer)
            os.fsync(writer.fileno())
            writer.close()
            # Told by its own bytes, which nobody else can change any more.
            return self._keep(temporary, _digest(temporary))

    def add_stream(self, reader: IO[bytes], name: str = "") -> Blob:
        """Keeps what `reader` still gives; `name` is for the message if it can't be read. Raises as
        `add_file`.
        """
        with self._temporary() as (temporary, writer):
            return self._keep_stream(reader, name, temporary, writer)

    def adopt(self, finished: Path) -> Blob:
        """Takes a finished work file into the store; afterwards it is gone from where it was.

        Moved, not copied, where it lies on the same file system and has no other name. Raises as `add_file`.
        """
        try:
            blob = _digest(finished)
        except OSError as error:
            raise KnownError("input_unreadable", file=str(finished)) from error
        with disk_errors(self._root, "data_folder_unwritable"):
            found = finished.stat()
            if found.st_dev == self._root.stat().st_dev and found.st_nlink == 1:
                fsync_file(finished)
                finished.chmod(0o600)
                return self._keep(finished, blob)
        kept = self.add_file(finished)
        finished.unlink()
        return kept

    def verify(self, sha256: str) -> Blob:
        """Reads the whole blob; KnownError "blob_damaged" if it is missing or its bytes are not those of its
        name.
        """
        try:
            blob = _digest(self.path(sha256))
        except OSError as error:
            raise KnownError("blob_damaged", sha256=sha256) from error
        if blob.sha256 != sha256:
            raise KnownError("blob_damaged", sha256=sha256)
        return blob

    def export(self, sha256: str, destination: Path) -> None:
        """Puts a durable copy of the blob at `destination`, all or nothing, making missing folders.

        The copy gets the ordinary mode of the user's files. Whatever a killed export left is cleaned up by
        the next.

        Raises KnownError "output_exists" (nothing overwritten), "output_unwritable", "disk_full",
        "blob_damaged".
        """
        folder = destination.parent
        # Made from both names, so that the same export finds what it left; short, for the name may be at
        # its limit.
        temporary, named = self._export_temporary(sha256, destination), reachable(destination)
        if not self.has(sha256):
            raise KnownError("blob_damaged", sha256=sha256)
        with disk_errors(folder):
            _make_folder(folder)
            if named.is_symlink() or (named.exists() and not _placeholder(named, temporary)):
                temporary.unlink(missing_ok=True)
                raise KnownError("output_exists", file=str(destination))
            temporary.unlink(missing_ok=True)
            try:
                # 0666 less the umask: this is a file of the user's, to be shared as the user's others are.
                copy_to_new(self.path(sha256), temporary, 0o666)
                if _is_empty(named):
                    named.unlink()
                place_new(temporary, named)
            except FileExistsError as error:
                raise KnownError("output_exists", file=str(destination)) from error
            finally:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)

    def is_exported(self, sha256: str, destination: Path) -> bool:
        """Whether `destination` holds exactly the blob's bytes already; removes what a killed export left
        beside it.
        """
        try:
            named = reachable(destination)
            same = named.stat().st_size == self.size(sha256) and _digest(named).sha256 == sha256
        except OSError:
            return False
        if same:
            with suppress(OSError):
                self._export_temporary(sha256, destination).unlink(missing_ok=True)
        return same

    def delete(self, sha256: str) -> None:
        """Deletes the blob; for the owner of the lock, once nothing refers to it."""
        with disk_errors(self._root, "data_folder_unwritable"):
            self.path(sha256).unlink(missing_ok=True)

    def collect(self, keep: Collection[str], older_than: float) -> Collected:
        """Removes the blobs not in `keep` and the leftovers of killed processes.

        Only what was last written before `older_than` (seconds since the epoch) is touched, so that work in
        hand stays. Only for the owner of the data folder's lock.
        """
        orphans = temporaries = 0
        for entry in self._files():
            if entry.parent == self._incoming:
                temporaries += _remove_old(entry, older_than)
            elif _SHA256.match(entry.name) and entry.name not in keep:
                orphans += _remove_old(entry, older_than)
        return Collected(orphans, temporaries)

    def _files(self) -> Iterator[Path]:
        for folder in self._root.iterdir():
            if folder.is_dir() and not folder.is_symlink():
                yield from (entry for entry in folder.iterdir() if not entry.is_dir())

    def _keep(self, temporary: Path, blob: Blob) -> Blob:
        """Gives the finished, fsynced `temporary` its name; one that is there already is left, if it is
        whole.
        """
        target = self.path(blob.sha256)
        if target.is_file() and target.stat().st_size == blob.size:
            temporary.unlink()
            # A process killed before this point may have renamed without making the name durable.
            fsync_folder(target.parent)
            return blob
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            fsync_folder(self._root)
        move_over(temporary, target)
        return blob

    def _keep_stream(self, reader: IO[bytes], name: str, temporary: Path, writer: IO[bytes]) -> Blob:
        digest, size = hashlib.sha256(), 0
        while chunk := _read(reader, name):
            digest.update(chunk)
            writer.write(chunk)
            size += len(chunk)
        writer.flush()
        os.fsync(writer.fileno())
        writer.close()
        return self._keep(temporary, Blob(digest.hexdigest(), size))

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, IO[bytes]]]:
        with disk_errors(self._root, "data_folder_unwritable"):
            self._incoming.mkdir(mode=0o700, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=self._incoming, suffix=".part")
            temporary = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as writer:
                    yield temporary, writer
            except BaseException:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
                raise

    def _export_temporary(self, sha256: str, destination: Path) -> Path:
        of_name = hashlib.sha256(os.fsencode(destination.name)).hexdigest()
        return reachable(destination.with_name(f".signer-{sha256[:16]}-{of_name[:8]}.part"))


def _make_folder(folder: Path) -> None:
    try:
        make_folders(folder)
    except FileExistsError as error:
        raise KnownError("output_unwritable", folder=str(folder)) from error


def _read(reader: IO[bytes], name: str) -> bytes:
    try:
        return reader.read(CHUNK)
    except OSError as error:
        raise KnownError("input_unreadable", file=name) from error


def _digest(path: Path) -> Blob:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as reader:
        while chunk := reader.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return Blob(digest.hexdigest(), size)


def _is_empty(path: Path) -> bool:
    return path.is_file() and path.stat().st_size == 0


def _placeholder(destination: Path, temporary: Path) -> bool:
    """Whether `destination` is the empty file by which a killed export of ours reserved the name (file
    systems without links): its finished copy still lies beside it.
    """
    return _is_empty(destination) and temporary.is_file()


def _remove_old(entry: Path, older_than: float) -> bool:
    if entry.lstat().st_mtime >= older_than:
        return False
    entry.unlink()
    return True
