"""Files that survive a power cut: write, fsync, rename, fsync the folder; and what a full or closed disk is
called.

Blocking file work, on whatever thread the caller is. One function per operating system moves a finished file
to its name; nothing else in the program renames. A copy shares its bytes with the original where the file system
can share them until one of both is changed (a clone, on Linux); two names of one file never stay. Never touches
the database.
"""

import errno
import ntpath
import os
import secrets
import shutil
import sys
import tempfile
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

_FICLONE = 0x40049409
"""_IOW(0x94, 9, int), linux/fs.h; the same number on all machines that we run on (ioctl_ficlone(2))."""

LONGEST_PLAIN_WINDOWS_PATH = 259
"""UTF-16 units that every program on Windows can open (MAX_PATH less the closing zero)."""
_LONGEST_PLAIN_WINDOWS_FOLDER = 247
"""A folder must leave room for a short name in it."""


@contextmanager
def disk_errors(folder: Path, unwritable: str = "output_unwritable") -> Iterator[None]:
    """Turns OSError of writing in `folder` into KnownError: "disk_full", "disk_fault", or `unwritable`; the
    rest goes through.
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise KnownError("disk_full", folder=str(folder)) from error
        if error.errno == errno.EIO:
            raise KnownError("disk_fault", folder=str(folder)) from error
        if error.errno in _CLOSED and not isinstance(error, FileExistsError):
            raise KnownError(unwritable, folder=str(folder)) from error
        raise


def is_full(error: OSError) -> bool:
    """Whether there is no room: on the disk, or in what its owner lets one use."""
    return error.errno in _FULL


def reachable(path: Path) -> Path:
    """The path by which the system reaches a file however deep it lies: on Windows the extended form where the plain
    one is too long, else the path as it is. For calls of the system alone; people and the database know the other.
    """
    return Path(extended(str(path))) if sys.platform == "win32" else path


def reachable_below(folder: Path) -> Path:
    """As `reachable`, for a folder below which there may be longer paths."""
    return Path(extended(str(folder), longest=0)) if sys.platform == "win32" else folder


def extended(path: str, longest: int = _LONGEST_PLAIN_WINDOWS_FOLDER) -> str:
    r"""A Windows path behind `\\?\` where it is longer than `longest` (Win32, "Maximum Path Length Limitation")."""
    units = len(path.encode("utf-16-le", "surrogatepass")) // 2
    if units <= longest or path.startswith("\\\\?\\"):
        return path
    if not (ntpath.isabs(path) and ntpath.splitdrive(path)[0]):
        return path
    # Behind the prefix nothing is put right any more: neither slashes nor "..".
    plain = ntpath.normpath(path)
    return f"\\\\?\\UNC\\{plain[2:]}" if plain.startswith("\\\\") else f"\\\\?\\{plain}"


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
    folder = reachable(folder)
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


def clone(reader: int, writer: int) -> bool:
    """Makes the empty file `writer` a clone of `reader`, both open; False where the file system can't, or these two lie
    on different ones, or the system is not Linux: then nothing has happened.
    """
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(writer, _FICLONE, reader)
    except OSError:
        # Whatever it was, it comes up again in the copy that is made then, with the words for it.
        return False
    return True


def can_clone(source: Path, target: Path) -> bool:
    """Whether a file of the folder `source` can be cloned into the folder `target`; found out by doing it once."""
    try:
        if source.stat().st_dev != target.stat().st_dev:
            return False
        with (
            tempfile.TemporaryFile(dir=source, prefix=".signer-") as reader,
            tempfile.TemporaryFile(dir=target, prefix=".signer-") as writer,
        ):
            reader.write(b"\0" * _PROBE_BYTES)
            reader.flush()
            return clone(reader.fileno(), writer.fileno())
    except OSError:
        return False


def copy_to_new(source: Path, target: Path, mode: int) -> None:
    """Copies `source`, by a clone if that can be, to the not yet existing `target` and fsyncs it; FileExistsError if it
    exists (no link followed).
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
    with source.open("rb") as reader, os.fdopen(os.open(target, flags, mode), "wb") as writer:
        if not clone(reader.fileno(), writer.fileno()):
            shutil.copyfileobj(reader, writer, CHUNK)
        writer.flush()
        os.fsync(writer.fileno())


_BINARY = getattr(os, "O_BINARY", 0)
_PROBE_BYTES = 4096
