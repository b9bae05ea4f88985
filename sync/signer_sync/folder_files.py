"""The .edxml files that lie in a folder, of whatever name, looked at without trusting a name or a link.

On the thread of the pass. A file counts once nobody writes to it any more; its identity is its content.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

SUFFIX: Final = ".edxml"
CHUNK: Final = 1 << 20
SETTLE_SECONDS: Final = 10.0
"""A file that changed less long ago may still be on its way into the folder."""
MAX_HASHED: Final = 512 << 20
"""Bytes; a larger file is no packet that anyone would take, and is not read to know it."""


@dataclass(frozen=True)
class Shape:
    """What tells that a file is still the one that was looked at."""

    size: int
    modified_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Shape":
        """The shape of a file as the system tells it."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino)


@dataclass(frozen=True)
class FoundFile:
    """A file of the folder that is whole. `id`: the hash of its content, or of its name and shape where it is too large
    to be read; `sha256` is None then.
    """

    name: str
    id: str
    sha256: str | None
    shape: Shape


class WatchedFolder:
    """Looks at one folder again and again; remembers what it has hashed and what was still growing."""

    def __init__(
        self,
        folder: Path,
        *,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._now = now
        self._monotonic = monotonic
        self._first_seen: dict[str, tuple[Shape, float]] = {}
        self._hashed: dict[str, tuple[Shape, str | None]] = {}

    def look(self) -> list[FoundFile]:
        """The whole files, those that came first at the head. OSError if the folder can't be read."""
        seen: dict[str, Shape] = {}
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.startswith((".", "~")) or not entry.name.lower().endswith(SUFFIX):
                    continue
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode):
                    seen[entry.name] = Shape.of(status)
        self._first_seen = {name: self._since(name, shape) for name, shape in seen.items()}
        self._hashed = {name: known for name, known in self._hashed.items() if seen.get(name) == known[0]}
        found = [self._found(name, shape) for name, shape in seen.items() if self._settled(name, shape)]
        whole = [file for file in found if file is not None]
        return sorted(whole, key=lambda file: (file.shape.modified_ns, file.name))

    @contextmanager
    def opened(self, file: FoundFile) -> Iterator[IO[bytes]]:
        """The file's bytes; OSError, also where it is no longer the one that was found."""
        with _open_plain(self._folder / file.name) as handle:
            if Shape.of(os.fstat(handle.fileno())) != file.shape:
                raise FileNotFoundError(file.name)
            yield handle

    def unchanged(self, file: FoundFile) -> bool:
        """Whether it still lies there as it was found; OSError if that can't be told."""
        try:
            status = (self._folder / file.name).lstat()
        except FileNotFoundError:
            return False
        return stat.S_ISREG(status.st_mode) and Shape.of(status) == file.shape

    def _since(self, name: str, shape: Shape) -> tuple[Shape, float]:
        known = self._first_seen.get(name)
        return known if known is not None and known[0] == shape else (shape, self._monotonic())

    def _settled(self, name: str, shape: Shape) -> bool:
        """By the file's own time, or, where that is of another clock, by how long we have seen it unchanged."""
        age = self._now() - shape.modified_ns / 1e9
        return age >= SETTLE_SECONDS or self._monotonic() - self._first_seen[name][1] >= SETTLE_SECONDS

    def _found(self, name: str, shape: Shape) -> FoundFile | None:
        known = self._hashed.get(name)
        if known is None:
            try:
                known = (shape, self._hash(name, shape))
            except OSError:
                return None  # taken away or locked meanwhile; the next look tells
            self._hashed[name] = known
        digest = known[1]
        fallback = hashlib.sha256(f"{shape}".encode() + os.fsencode(name)).hexdigest()
        return FoundFile(name, digest or fallback, digest, shape)

    def _hash(self, name: str, shape: Shape) -> str | None:
        if shape.size > MAX_HASHED:
            return None
        digest = hashlib.sha256()
        with _open_plain(self._folder / name) as handle:
            if Shape.of(os.fstat(handle.fileno())) != shape:
                raise FileNotFoundError(name)
            while chunk := handle.read(CHUNK):
                digest.update(chunk)
        return digest.hexdigest()


def _open_plain(path: Path) -> IO[bytes]:
    """A plain file, no link and nothing that would keep us waiting; OSError otherwise."""
    flags = os.O_RDONLY
    for name in ("O_BINARY", "O_NOFOLLOW", "O_NONBLOCK"):
        flags |= getattr(os, name, 0)
    handle = os.fdopen(os.open(path, flags), "rb")
    if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
        handle.close()
        raise FileNotFoundError(path.name)
    return handle
