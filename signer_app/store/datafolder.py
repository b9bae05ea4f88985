"""The data folder: where everything of this user lies, who may write it, and the reserve for a full disk.

Used by every process that reads or writes the store; only the main process locks it. The lock is the
operating system's, so a killed owner leaves none behind. Never reads what the files hold.
"""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from filelock import FileLock, Timeout

from signer_app.store.durable import CHUNK, disk_errors, fsync_folder, make_folders
from signer_resources.errors import KnownError

RESERVE_BYTES = 4 << 20
"""Enough for a signing result's transaction and the report on a batch that a full disk stopped."""

TRAINING = "training.json"
"""The file that makes a data folder one of the training mode."""

# File systems on which SQLite's WAL, which needs shared memory and true locks, can't be relied on
# (https://sqlite.org/wal.html, section 1; https://sqlite.org/lockingv3.html, section 6).
_NETWORK_FILE_SYSTEMS = frozenset(
    [
        "afs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "glusterfs",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb2",
        "smb3",
        "smbfs",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.gvfsd-fuse",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.smbnetfs",
        "fuse.sshfs",
    ]
)


class DataFolder:
    """The layout of one data folder. Making the object touches nothing; `create` makes the folder.

    `database`, `settings`, `blobs`, `work` (files of the signings that run; emptied at the start of the
    lock's owner), `cache` (CRLs, OCSP answers, directory), `logs`, `backups` (database before each
    migration) and `reserve`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.database = self.path / "signer.sqlite"
        self.settings = self.path / "settings.json"
        self.blobs = self.path / "blobs"
        self.work = self.path / "work"
        self.cache = self.path / "cache"
        self.logs = self.path / "logs"
        self.backups = self.path / "backups"
        self.reserve = self.path / "reserve"
        self.restoring = self.path / "restoring"
        """There while the folder is filled from a backup: until that is done nothing else may open it."""
        self.training = self.path / TRAINING
        self._lock_file = self.path / "lock"
        self._locked = False

    def __repr__(self) -> str:
        return f"DataFolder({str(self.path)!r})"

    @property
    def is_training(self) -> bool:
        """Whether this is a data folder of the training mode: nothing of it has any value, and nothing leaves it."""
        return self.training.is_file()

    @property
    def locked(self) -> bool:
        """Whether this object holds the lock, so that it may write."""
        return self._locked

    def create(self) -> None:
        """Makes what is missing, folders 0700; does nothing to what is there.

        On Windows Python's mkdir turns the mode 0700 into an ACL of the user alone (since 3.11.10).

        Raises KnownError "data_folder_network" for a network drive, "data_folder_unwritable", "disk_full".
        """
        if is_network_path(self.path):
            raise KnownError("data_folder_network", folder=str(self.path))
        with disk_errors(self.path, "data_folder_unwritable"):
            try:
                for folder in (self.path, self.blobs, self.work, self.cache, self.logs, self.backups):
                    make_folders(folder, 0o700)
            except FileExistsError as error:
                raise KnownError("data_folder_unwritable", folder=str(self.path)) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Creates the folder and holds its lock; KnownError "busy" at once if another process has it.

        Readers need no lock. Also raises what `create` raises.
        """
        self.create()
        # filelock's soft lock, a mere file, would outlive a killed owner: better none than that.
        lock = FileLock(self._lock_file, timeout=0, mode=0o600, thread_local=False, fallback_to_soft=False)
        with disk_errors(self.path, "data_folder_unwritable"):
            try:
                lock.acquire()
            except Timeout as error:
                raise KnownError("busy", folder=str(self.path)) from error
        self._locked = True
        try:
            yield
        finally:
            self._locked = False
            lock.release()

    def clear_work(self) -> int:
        """Deletes everything in `work`; how many entries there were. Only the lock's owner, at its start."""
        return _empty(self.work)

    def release_reserve(self) -> bool:
        """Gives the reserve's room back to the disk; whether there was one to give."""
        try:
            self.reserve.unlink()
        except OSError:
            return False
        return True

    def refill_reserve(self) -> bool:
        """Makes the reserve if it is missing and there is room; whether it is there now. Never raises for a
        full disk.
        """
        if _size(self.reserve) == RESERVE_BYTES:
            return True
        temporary = self.reserve.with_name("reserve.part")
        try:
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                for _ in range(RESERVE_BYTES // CHUNK):
                    # Random, because file systems that compress would keep no room for zeros.
                    stream.write(secrets.token_bytes(CHUNK))
                stream.flush()
                os.fsync(stream.fileno())
            temporary.replace(self.reserve)
            fsync_folder(self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
            return False
        return True


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _empty(folder: Path) -> int:
    entries = list(folder.iterdir()) if folder.is_dir() else []
    for entry in entries:
        if entry.is_dir() and not entry.is_symlink():
            _empty(entry)
            entry.rmdir()
        else:
            entry.unlink()
    return len(entries)


def is_network_path(path: Path) -> bool:
    """Whether `path` lies, or would lie, on a network drive; False where that can't be told (macOS)."""
    if sys.platform == "win32":
        import ctypes

        absolute = os.path.realpath(path)
        if absolute.startswith("\\\\") and not absolute.startswith(("\\\\?\\", "\\\\.\\")):
            return True
        drive_remote = 4
        root = Path(absolute).anchor
        return bool(ctypes.windll.kernel32.GetDriveTypeW(root) == drive_remote)
    try:
        mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return False
    return file_system_of(PurePosixPath(os.path.realpath(path)), mounts) in _NETWORK_FILE_SYSTEMS


def file_system_of(path: PurePosixPath, mounts: str) -> str | None:
    """The type of the file system that holds the absolute `path`, by the text of /proc/mounts (proc(5),
    fstab(5)).
    """
    found: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = PurePosixPath(_unescape(fields[1]))
        # A later mount on the same point hides the earlier one.
        if path.is_relative_to(point) and (found is None or len(point.parts) >= found[0]):
            found = (len(point.parts), fields[2])
    return None if found is None else found[1]


def _unescape(field: str) -> str:
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field
