"""The server's folders of files: packets by their SHA-256, uploads by their id.

Called from the server's worker threads. A packet's file has its final name only after it is fsynced, so a name is
a promise.
"""

import contextlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import IO, Final

_UNPACKED: Final = ".unpacked"


class BlobFolder:
    """Files under `folder`, made if missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Where the bytes with this hash lie."""
        return self._folder / sha256[:2] / sha256

    def write(self, sha256: str, content: bytes) -> None:
        """Keeps `content`, durably; nothing happens if it is there."""
        path = self.path(sha256)
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        temporary = path.with_name(f"{sha256}.{secrets.token_hex(8)}.tmp")
        try:
            with _create(temporary) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:  # a full disk: what was written must not stay until the next start
            temporary.unlink(missing_ok=True)
            raise
        temporary.replace(path)
        self._settle(path)

    def adopt(self, sha256: str, finished: Path) -> None:
        """Keeps the bytes of a finished, fsynced file of this file system; it stays where it is, too, if it can."""
        path = self.path(sha256)
        if path.exists():
            return
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            os.link(finished, path)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            finished.replace(path)
        self._settle(path)

    def free(self) -> int:
        """Bytes left on the disk."""
        return shutil.disk_usage(self._folder).free

    def collect(self, known: Collection[str]) -> None:
        """Removes what a cut left behind: unfinished files, and files that nobody knows. Only at start."""
        for path in self._folder.glob("*/*"):
            if path.name not in known:
                path.unlink()

    def _settle(self, path: Path) -> None:
        for folder in (path.parent, self._folder):
            _sync_folder(folder)


class PartFolder:
    """Uploads under `folder`, made if missing: files that grow at their end only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, upload_id: str) -> Path:
        """Where the bytes of this upload lie; `upload_id` is one that the server made."""
        return self._folder / upload_id

    def create(self, upload_id: str) -> None:
        """An empty file, durable."""
        _create(self.path(upload_id)).close()
        _sync_folder(self._folder)

    def append(self, upload_id: str, offset: int, data: Collection[bytes]) -> None:
        """Writes `data` from `offset` on; what lay behind that was never acknowledged and goes. Durable."""
        handle = os.open(self.path(upload_id), os.O_WRONLY | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "wb") as file:
            file.truncate(offset)
            file.seek(offset)
            for block in data:
                file.write(block)
            file.flush()
            os.fsync(file.fileno())

    @contextlib.contextmanager
    def unpacked(self, upload_id: str, content: Iterable[bytes]) -> Iterator[Path]:
        """`content` as a durable file beside the upload's own, gone at the end; one at a time for each upload."""
        path = self._folder / f"{upload_id}{_UNPACKED}"
        path.unlink(missing_ok=True)
        try:
            with _create(path) as file:
                for block in content:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)
            _sync_folder(self._folder)

    def remove(self, upload_id: str) -> None:
        """The bytes are gone when this returns."""
        with contextlib.suppress(FileNotFoundError):
            self.path(upload_id).unlink()
        _sync_folder(self._folder)

    def collect(self, known: Collection[str]) -> None:
        """Removes files of uploads that nobody knows. Only at start."""
        for path in self._folder.iterdir():
            if path.name not in known:
                path.unlink()


def _create(path: Path) -> IO[bytes]:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    return os.fdopen(handle, "wb")


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder to flush; its rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
