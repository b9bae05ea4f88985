"""The server's folder of packets: one file per content, named by its SHA-256.

Called from the server's worker threads. A file has its final name only after it is fsynced, so a name is
a promise.
"""

import os
import secrets
from collections.abc import Collection
from pathlib import Path


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
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        for folder in (path.parent, self._folder):
            _sync_folder(folder)

    def collect(self, known: Collection[str]) -> None:
        """Removes what a cut left behind: unfinished files, and files that nobody knows. Only at start."""
        for path in self._folder.glob("*/*"):
            if path.name not in known:
                path.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows has no handle on a folder to flush; its rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
