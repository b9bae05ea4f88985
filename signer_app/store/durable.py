"""Files that survive a power cut: write, fsync, rename, fsync the folder; and what a full or closed disk is
called.

Blocking file work, on whatever thread the caller is. One function per operating system moves a finished file
to its name; nothing else in the program renames. Never touches the database.
"""

import errno
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from signer_resources.errors import KnownError

CHUNK = 1 << 20
"""Bytes read or written at a time: files are never whole in memory."""

_FULL = {errno.ENOSPC, errno.EDQUOT}
_CLOSED = {
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOENT,
    errno.ENOTDIR,
    errno.ENAMETOOLONG,
    errno.EINVAL,
}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS}


@contextmanager
def disk_errors(folder: Path, unwritable: str = "output_unwritable") -> Iterator[None]:
    """Turns OSError of writing in `folder` into KnownError: "disk_full", "disk_fault", or `unwritable`; the
    rest goes through.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise KnownError("disk_full", folder=str(folder)) from error
        if error.errno == errno.EIO:
            raise KnownError("disk_fault", folder=str(folder)) from error
        if error.errno in _CLOSED and not isinstance(error, FileExistsError):
            raise KnownError(unwritable, folder=str(folder)) from error
        raise


def fsync_folder(folder: Path) -> None:
    """Makes the names in `folder` durable. Nothing to do on Windows: there the move itself is written
    through.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folders(folder: Path, mode: int = 0o777) -> None:
    """Makes `folder` (with `mode`) and the missing ones above it, durably; FileExistsError if a file has the
    name.
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    if missing:
        folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=mode, exist_ok=True)
    for place in missing:
        # A folder above may be closed to reading, as /home sometimes is; then its owner answers for it.
        with suppress(PermissionError):
            fsync_folder(place.parent)


def fsync_file(path: Path) -> None:
    """Makes the bytes of a file written by someone else durable."""
    # Windows flushes only through a handle that may write.
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _move_posix(source: Path, target: Path) -> None:
    source.replace(target)
    fsync_folder(target.parent)
    if source.parent != target.parent:
        fsync_folder(source.parent)


def _place_posix(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if isinstance(error, FileExistsError) or error.errno not in _NO_LINKS:
            raise
        # FAT and many shares have no links: an empty file takes the name, then the finished one takes its
        # place.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        source.replace(target)
    else:
        source.unlink()
    fsync_folder(target.parent)


def _move_windows(source: Path, target: Path, *, replace: bool) -> None:
    if sys.platform == "win32":
        import ctypes

        replace_existing, write_through = 0x1, 0x8
        kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
        flags = write_through | (replace_existing if replace else 0)
        if not kernel32.MoveFileExW(str(source.absolute()), str(target.absolute()), flags):
            raise ctypes.WinError(ctypes.get_last_error())


def move_over(source: Path, target: Path) -> None:
    """Gives the finished, fsynced file `source` the name `target`, durably; an older `target` is replaced."""
    if sys.platform == "win32":
        _move_windows(source, target, replace=True)
    else:
        _move_posix(source, target)


def place_new(source: Path, target: Path) -> None:
    """As `move_over`, but FileExistsError if `target` exists, which is then left as it is (`source` stays
    too).
    """
    if sys.platform == "win32":
        _move_windows(source, target, replace=False)
    else:
        _place_posix(source, target)


def write_atomically(target: Path, content: bytes, *, replace: bool = True) -> None:
    """Replaces the small file `target` (mode 0600) so that a reader or a power cut sees the old or the new
    whole; without `replace` it is made, and FileExistsError if it is there.
    """
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        (move_over if replace else place_new)(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise


def copy_to_new(source: Path, target: Path, mode: int) -> None:
    """Copies `source` to the not yet existing `target` and fsyncs it; FileExistsError if it exists (no link
    followed).
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    with source.open("rb") as reader, os.fdopen(os.open(target, flags, mode), "wb") as writer:
        shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        os.fsync(writer.fileno())


_BINARY = getattr(os, "O_BINARY", 0)
