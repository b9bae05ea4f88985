"""Where the bytes of a packet lie until it is known that they carry no mark of secrecy: in memory, on no disk.

Main process, on the network's thread. On Linux an anonymous file in memory (memfd_create), elsewhere the program's own
memory; gone with the process, however it ends. The system may still page memory out: that is the swap's affair, which
an office encrypts with its disk.
"""

import hashlib
import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from signer_app.store.durable import disk_errors
from signer_sync.contract import Retry
from signer_sync.errors import ExchangeError
from signer_sync.receiving import MAX_INCOMING

_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, and names of chance in it
_BLOCK = 1 << 20


class Spool:
    """Bytes in memory: written once, then read as often as wanted. A context manager; afterwards it is empty."""

    def __init__(self, limit: int = MAX_INCOMING) -> None:
        self._limit = limit
        self._digest = hashlib.sha256()
        self._size = 0
        self._stream = in_memory()

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._size

    @property
    def sha256(self) -> str:
        """Of the bytes so far, in hex."""
        return self._digest.hexdigest()

    def write(self, data: bytes, /) -> None:
        """Takes all of `data`; ExchangeError "packet_too_large" beyond the limit."""
        if self._size + len(data) > self._limit:
            raise ExchangeError("packet_too_large", retry=Retry.FIX, limit=self._limit)
        self._stream.write(data)
        self._digest.update(data)
        self._size += len(data)

    def reader(self) -> IO[bytes]:
        """The stream at its beginning; one reader at a time."""
        self._stream.seek(0)
        return self._stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def in_memory() -> IO[bytes]:
    """A fresh stream for reading and writing that lies on no disk."""
    if sys.platform == "linux":
        with suppress(OSError):
            return os.fdopen(os.memfd_create("signer-packet", os.MFD_CLOEXEC), "w+b")
    return io.BytesIO()


@contextmanager
def as_file(stream: IO[bytes], folder: Path) -> Iterator[Path]:
    """For what is too large to hand to a worker in one message: a file (0600) that is gone afterwards.

    It lies in memory where the system has a file system there and room in it, else for the length of the look in
    `folder`, the workspace's own for unfinished files, which is cleared at each start. KnownError "disk_full".
    """
    path = _copied(stream, _SHARED_MEMORY) if sys.platform == "linux" and os.access(_SHARED_MEMORY, os.W_OK) else None
    if path is None:
        with disk_errors(folder, "data_folder_unwritable"):
            path = _copied(stream, folder, full_is_none=False)
    assert path is not None
    try:
        yield path
    finally:
        with suppress(OSError):
            path.unlink()


def _copied(stream: IO[bytes], place: Path, *, full_is_none: bool = True) -> Path | None:
    """The bytes as a file of their own there; None where there is no room for them."""
    stream.seek(0)
    name = None
    try:
        descriptor, name = tempfile.mkstemp(prefix="signer-", dir=place)
        with os.fdopen(descriptor, "wb") as out:
            while block := stream.read(_BLOCK):
                out.write(block)
    except BaseException as error:
        if name is not None:
            with suppress(OSError):
                Path(name).unlink()
        if full_is_none and isinstance(error, OSError):
            return None
        raise
    return Path(name)
