"""Files that outlive a power cut: written under another name, flushed, renamed, the folder flushed.

Plain functions on any thread; OSError passes through.
"""

import os
from collections.abc import Iterable
from pathlib import Path


def write_new(path: Path, chunks: Iterable[bytes]) -> None:
    """Writes a file (0600) in place of whatever has that name; durable when it returns. Whatever `chunks` raises passes
    through, and then nothing has that name that hadn't before.
    """
    temporary = path.with_name(path.name + ".part")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def move(source: Path, target: Path) -> None:
    """Moves a file within one file system; durable when it returns."""
    source.replace(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable."""
    if os.name == "nt":  # Windows has no handle on a folder to flush; its rename is journalled
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
