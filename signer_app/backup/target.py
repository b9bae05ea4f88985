"""The set of backups in its place: objects that each lie there once, generations that name them, and what may go.

Blocking file work on another disk, a share or a USB stick, which may be full, read-only or pulled out at any instant. A
generation is there when its manifest is, which is written last; nothing of an older one is touched before that. Whoever
can write there may destroy backups but not pass off others for them: manifests are vouched for, objects bear names that
follow from what they hold. Opens nothing: that takes the recovery code.
"""

import datetime as dt
import errno
import os
import secrets
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Annotated, TypeVar

import msgspec

from signer_app.backup.sealing import DamagedError, Sealed, SealKeys, file_digest
from signer_app.store.durable import fsync_folder, is_full
from signer_app.store.times import VIETNAM
from signer_resources.errors import KnownError

FORMAT = 1
DAILY, WEEKLY = 7, 4
"""Generations that are kept: the last of each of so many days, and of so many weeks."""

_MAGIC = b"SIGNER-BACKUP\n"
_MANIFEST, _STATE, _CLAIM = ".backup", ".state", ".restored"
_MAX_MANIFEST = 256 << 20
_MAX_UNPACKED = 1 << 30
_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EBADF}
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM}

Hex = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]+$", max_length=64)]


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """An encrypted file: its name, the SHA-256 of its bytes and their number."""

    name: Hex
    sha256: Hex
    size: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one generation consists of. `number` counts them, for clocks go back; `state` is the file with database,
    settings and keys.
    """

    format: int
    number: int
    made_at: dt.datetime
    machine: str
    program: str
    documents: int
    state: Piece
    objects: tuple[Piece, ...]


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """That a machine was restored from this set, and goes on in place of the one before."""

    machine: str
    at: dt.datetime


V = TypeVar("V", Manifest, Claim)


@contextmanager
def target_errors(place: Path) -> Iterator[None]:
    """Turns what a disk complains of into KnownError: "backup_target_full", "backup_target_readonly",
    "backup_target_away".
    """
    try:
        yield
    except OSError as error:
        if is_full(error):
            raise KnownError("backup_target_full", folder=str(place)) from error
        if error.errno in _READ_ONLY:
            raise KnownError("backup_target_readonly", folder=str(place)) from error
        raise KnownError("backup_target_away", folder=str(place)) from error


class BackupSet:
    """The backups of one recovery code below the folder `place`."""

    def __init__(self, place: Path, keys: SealKeys) -> None:
        self.place = place
        self.path = place / keys.set_name
        self._keys = keys
        self._objects = self.path / "objects"
        self._generations = self.path / "generations"

    # ---- writing ---------------------------------------------------------------------------------------------------

    def set_up(self) -> None:
        """Makes the folders; KnownError as `target_errors`, "backup_target_away" where `place` isn't there."""
        with target_errors(self.place):
            if not self.place.is_dir():
                raise FileNotFoundError
            for folder in (self.path, self._objects, self._generations):
                folder.mkdir(mode=0o700, exist_ok=True)
                _sync_folder(folder.parent)

    def require_there(self) -> None:
        """KnownError "backup_target_away" where the set isn't: a stick that is pulled out often leaves an empty folder,
        and what is written into that fills the wrong disk.
        """
        with target_errors(self.place):
            if not (self._objects.is_dir() and self._generations.is_dir()):
                raise FileNotFoundError

    def clear_leftovers(self) -> int:
        """Removes what a run that was cut has left; how many files."""
        gone = 0
        with target_errors(self.place):
            for folder in (self._generations, *_folders(self._objects)):
                for entry in folder.glob(".*.part"):
                    entry.unlink(missing_ok=True)
                    gone += 1
        return gone

    def write(self, name: str, fill: Callable[[IO[bytes]], Sealed]) -> tuple[Piece, Sealed]:
        """Writes an object; not durable before `settle`. What `fill` raises goes through, and nothing stays."""
        target = self._object(name)
        with target_errors(self.place):
            target.parent.mkdir(mode=0o700, exist_ok=True)
            written = self._put(target, fill)
        return Piece(name, written.sha256, written.size), written

    def drop(self, piece: Piece) -> None:
        """Takes away an object that turned out to be none; it is written anew."""
        with target_errors(self.place):
            self._object(piece.name).unlink(missing_ok=True)

    def settle(self, pieces: Iterable[Piece]) -> None:
        """Makes objects that were written durable, and reads them again from the disk.

        KnownError "backup_not_whole" where one isn't what was written, and as `target_errors`.
        """
        folders = set()
        with target_errors(self.place):
            for piece in pieces:
                path = self._object(piece.name)
                _flush(path)
                folders.add(path.parent)
                if not self._is_whole(path, piece):
                    path.unlink(missing_ok=True)
                    raise KnownError("backup_not_whole", folder=str(self.place))
            for folder in (*folders, self._objects):
                _sync_folder(folder)

    def finish(self, state: Callable[[IO[bytes]], Sealed], manifest: Callable[[Piece], Manifest]) -> Manifest:
        """Writes a generation's state and then its manifest; from then on it is there. Raises as `settle`."""
        stem = secrets.token_hex(8)
        with target_errors(self.place):
            path = self._generations / f"{stem}{_STATE}"
            written = self._put(path, state)
            _flush(path)
            piece = Piece(stem, written.sha256, written.size)
            if not self._is_whole(path, piece):
                path.unlink(missing_ok=True)
                raise KnownError("backup_not_whole", folder=str(self.place))
            made = manifest(piece)
            self._write_vouched(self._generations / f"{stem}{_MANIFEST}", made)
            return made

    def claim(self, claim: Claim) -> None:
        """Notes that another machine goes on from here."""
        with target_errors(self.place):
            self._write_vouched(self._generations / f"{secrets.token_hex(8)}{_CLAIM}", claim)

    def prune(self) -> int:
        """Deletes the generations beyond those that are kept, and the objects that none names any more; how many
        files. Nothing where a manifest can't be read: what it names can't be told.
        """
        found, unreadable = self._manifests()
        if unreadable:
            return 0
        kept = kept_of(list(found.values()))
        stay = {piece.name for one in kept for piece in one.objects}
        states = {one.state.name for one in kept}
        gone = 0
        with target_errors(self.place):
            for path, one in found.items():
                if one.state.name not in states:
                    path.unlink(missing_ok=True)
                    gone += 1
            # Only what no manifest names any more goes now.
            _sync_folder(self._generations)
            for path in self._generations.glob(f"*{_STATE}"):
                if path.stem not in states:
                    path.unlink(missing_ok=True)
                    gone += 1
            for folder in _folders(self._objects):
                for path in folder.iterdir():
                    if path.name not in stay:
                        path.unlink(missing_ok=True)
                        gone += 1
        return gone

    # ---- reading ---------------------------------------------------------------------------------------------------

    def generations(self) -> tuple[Manifest, ...]:
        """All that can be read and are vouched for, the newest first; KnownError as `target_errors`."""
        return tuple(sorted(self._manifests()[0].values(), key=lambda one: one.number, reverse=True))

    def unreadable(self) -> int:
        """How many manifests are damaged or not ours."""
        return self._manifests()[1]

    def claimed_by(self) -> Claim | None:
        """The last machine that was restored from here."""
        claims = []
        with target_errors(self.place):
            for path in self._generations.glob(f"*{_CLAIM}"):
                with suppress(DamagedError):
                    claims.append(self._read_vouched(path, Claim))
        return max(claims, key=lambda one: one.at, default=None)

    def present(self) -> Mapping[str, int]:
        """The objects that lie there, with their sizes."""
        found = {}
        with target_errors(self.place):
            for folder in _folders(self._objects):
                with os.scandir(folder) as entries:
                    found.update({entry.name: entry.stat().st_size for entry in entries if entry.is_file()})
        return found

    def damaged(self, pieces: Iterable[Piece]) -> tuple[Piece, ...]:
        """Those that are missing or not what was written; each is read whole."""
        with target_errors(self.place):
            return tuple(piece for piece in pieces if not self._is_whole(self._object(piece.name), piece))

    def state_is_whole(self, generation: Manifest) -> bool:
        """Whether the state file of a generation is what was written; it is read whole."""
        with target_errors(self.place):
            return self._is_whole(self._state(generation), generation.state)

    def open_object(self, name: str) -> IO[bytes]:
        """An object's encrypted bytes; DamagedError where it isn't there."""
        return _opened(self._object(name))

    def open_state(self, generation: Manifest) -> IO[bytes]:
        """The same of a generation's state."""
        return _opened(self._state(generation))

    # ---- inside ----------------------------------------------------------------------------------------------------

    def _object(self, name: str) -> Path:
        return self._objects / name[:2] / name

    def _state(self, generation: Manifest) -> Path:
        return self._generations / f"{generation.state.name}{_STATE}"

    def _manifests(self) -> tuple[Mapping[Path, Manifest], int]:
        found, unreadable = {}, 0
        with target_errors(self.place):
            for path in self._generations.glob(f"*{_MANIFEST}"):
                try:
                    manifest = self._read_vouched(path, Manifest)
                except DamagedError:
                    unreadable += 1
                    continue
                if manifest.format > FORMAT:
                    raise KnownError("backup_newer", folder=str(self.place))
                found[path] = manifest
        return found, unreadable

    def _put(self, target: Path, fill: Callable[[IO[bytes]], Sealed]) -> Sealed:
        temporary = target.with_name(f".{target.name}.part")
        temporary.unlink(missing_ok=True)
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                written = fill(stream)
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        return written

    def _write_vouched(self, target: Path, value: Manifest | Claim) -> None:
        body = zlib.compress(msgspec.json.encode(value), 6)
        content = _MAGIC + self._keys.mac(body).encode("ascii") + b"\n" + body

        def fill(stream: IO[bytes]) -> Sealed:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
            return Sealed("", len(content), "", len(content))

        self._put(target, fill)
        _sync_folder(target.parent)
        _forget_cached(target)
        if target.read_bytes() != content:
            target.unlink(missing_ok=True)
            raise KnownError("backup_not_whole", folder=str(self.place))

    def _read_vouched(self, path: Path, kind: type[V]) -> V:
        """DamagedError where it can't be read or nobody with our key has written it."""
        with path.open("rb") as stream:
            content = stream.read(_MAX_MANIFEST + 1)
        head = len(_MAGIC) + 65
        mac, body = content[len(_MAGIC) : head - 1], content[head:]
        if not content.startswith(_MAGIC) or len(content) > _MAX_MANIFEST:
            raise DamagedError
        if not secrets.compare_digest(mac, self._keys.mac(body).encode("ascii")):
            raise DamagedError
        try:
            return msgspec.json.decode(zlib.decompressobj().decompress(body, _MAX_UNPACKED), type=kind)
        except (zlib.error, msgspec.MsgspecError) as error:
            raise DamagedError from error

    def _is_whole(self, path: Path, piece: Piece) -> bool:
        try:
            _forget_cached(path)
            return path.stat().st_size == piece.size and file_digest(path) == piece.sha256
        except FileNotFoundError:
            return False


def kept_of(generations: Sequence[Manifest]) -> tuple[Manifest, ...]:
    """Those that stay: the newest of each of the last days and weeks on which there was one, by Vietnam's calendar."""
    days: dict[dt.date, Manifest] = {}
    weeks: dict[tuple[int, int], Manifest] = {}
    in_order = sorted(generations, key=lambda one: one.number)
    for one in in_order:
        day = one.made_at.astimezone(VIETNAM).date()
        days[day] = one
        weeks[day.isocalendar()[:2]] = one
    chosen = [days[day] for day in sorted(days)[-DAILY:]] + [weeks[week] for week in sorted(weeks)[-WEEKLY:]]
    # Whatever its clock says, the one that was made last stays.
    return tuple({one.state.name: one for one in (*chosen, *in_order[-1:])}.values())


def sets_below(place: Path) -> Collection[str]:
    """Names of all sets in a folder, whosever they are."""
    with target_errors(place):
        if not place.is_dir():
            raise FileNotFoundError
        return {entry.name for entry in place.iterdir() if entry.name.startswith("signer-backup-") and entry.is_dir()}


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise DamagedError from error


def _folders(root: Path) -> Iterator[Path]:
    return (entry for entry in root.iterdir() if entry.is_dir() and not entry.is_symlink())


def _sync_folder(folder: Path) -> None:
    """Makes the names in it durable, where the file system knows such a thing: not every share does."""
    try:
        fsync_folder(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | _BINARY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _forget_cached(path: Path) -> None:
    """So that the next reading comes from the disk, where the system can be told so."""
    if hasattr(os, "posix_fadvise"):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


_BINARY = getattr(os, "O_BINARY", 0)
