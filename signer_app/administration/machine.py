"""The settings of a whole machine: one file that only an administrator writes, which fills in or locks users' settings.

Read once a run, by the main process, never written. A file that others could write is not believed at all, nor is one
with anything wrong in it: half of an administrator's wishes would be none of them. What is wrong is told by the check
of the machine and by each command; the program works on with the user's own settings.
"""

import datetime as dt
import os
import stat
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from signer_app.store.settings import Exchange, NetworkSettings, Sha256
from signer_app.store.update_settings import VERSION_PATTERN
from signer_resources.errors import KnownError

_LARGEST = 1 << 20
_POSIX_ADMINISTRATOR = frozenset({0})


class Key(StrEnum):
    """What can be set for a whole machine."""

    SERVER = "server"
    """The document server's address and identity; bodies have none of their own then."""
    EXCHANGE = "exchange"
    """Whether this program exchanges, or only signs."""
    TSA = "tsa_url"
    NATIONAL_ROOT = "national_root"
    TRUST_DIR = "trust_dir"
    TRUST_STORE = "trust_store"
    LEGACY_SHA1 = "legacy_sha1_before"
    NETWORK = "network"
    MODULES = "modules"
    UPDATES = "update_source"
    MINIMUM = "minimum_version"
    BACKUP = "backup_target"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What all parts of the file have in common."""


class MachineServer(_Part, frozen=True, kw_only=True):
    """The document server. Without an identity the first enrolment pins the one that answers."""

    url: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    server_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
    signer_certificate_der: bytes | None = None
    """Base64 in the file."""

    def __post_init__(self) -> None:
        """An identity is both or neither."""
        if (self.server_id is None) != (self.signer_certificate_der is None):
            raise ValueError("server_id and signer_certificate_der belong together")


_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]


class MachineValues(_Part, frozen=True, kw_only=True):
    """The values; None: this machine says nothing of it. Named as `Key`."""

    server: MachineServer | None = None
    exchange: Exchange | None = None
    tsa_url: _Text | None = None
    national_root: Sha256 | None = None
    trust_dir: _Text | None = None
    trust_store: _Text | None = None
    legacy_sha1_before: dt.date | None = None
    network: NetworkSettings | None = None
    modules: tuple[_Text, ...] | None = None
    update_source: _Text | None = None
    minimum_version: Annotated[str, msgspec.Meta(pattern=VERSION_PATTERN)] | None = None
    backup_target: _Text | None = None

    def of(self, key: Key) -> object:
        """The value of one key."""
        value: object = getattr(self, key.value)
        return value


class _File(_Part, frozen=True, kw_only=True):
    """The file: values that fill in what a user hasn't set, and those of them that nobody changes."""

    format: Literal[1]
    settings: MachineValues
    locked: tuple[Key, ...] = ()

    def __post_init__(self) -> None:
        """What is locked has a value."""
        if any(self.settings.of(key) is None for key in self.locked):
            raise ValueError("what is locked must have a value")


@dataclass(frozen=True)
class Machine:
    """What an administrator has set for this machine. `trouble`: why a file that is there does not count."""

    values: MachineValues = field(default_factory=MachineValues)
    locked: frozenset[Key] = frozenset()
    file: Path | None = None
    trouble: KnownError | None = None

    @property
    def is_set(self) -> bool:
        """Whether there is a file that counts."""
        return self.file is not None and self.trouble is None


NO_MACHINE = Machine()
"""Nobody has set anything."""


def machine_folder() -> Path:
    """Where an administrator puts what holds for the whole machine."""
    if sys.platform == "win32":
        import platformdirs

        return Path(platformdirs.site_data_path("Signer", appauthor=False))
    return Path("/etc/signer")


def read_machine(file: Path | None = None, owners: Collection[int] = _POSIX_ADMINISTRATOR) -> Machine:
    """What `file` sets (None: machine.json in `machine_folder`); never raises. `owners`: numbers of the accounts that
    may own file and folder, where the system has such numbers.
    """
    place = file if file is not None else machine_folder() / "machine.json"
    try:
        found = _decoded(place, owned_bytes(place, owners))
    except FileNotFoundError:
        return NO_MACHINE
    except KnownError as error:
        return Machine(file=place, trouble=error)
    except OSError as error:
        return Machine(file=place, trouble=_invalid(place, error.strerror or type(error).__name__))
    # Below its own minimum nobody signs: who may lower it must not be the user.
    always = {Key.MINIMUM} if found.settings.minimum_version is not None else set()
    return Machine(found.settings, frozenset(found.locked) | always, place)


def _decoded(file: Path, content: bytes) -> _File:
    try:
        return msgspec.json.decode(content, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _invalid(file, str(error)) from error


def _invalid(file: Path, reason: str) -> KnownError:
    return KnownError("machine_file_invalid", file=str(file), reason=reason)


def owned_bytes(file: Path, owners: Collection[int] = _POSIX_ADMINISTRATOR) -> bytes:
    """The content of a file of the administrator's. KnownError "machine_file_open" where others could have written it,
    machine_file_invalid where it is too large or no file; OSError.

    On Windows Python's library shows no access list. So it is tried: who is no administrator and can open the file for
    writing, or make another beside it, is one of those others. What another account of the machine may write isn't
    seen; the set-up gives the folder to administrators alone.
    """
    descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _invalid(file, "no regular file")
        if sys.platform == "win32":
            safe = not _windows_writable(file)
        else:
            safe = _is_owned(status, owners) and _is_owned(file.parent.stat(), owners)
        if not safe:
            raise KnownError("machine_file_open", file=str(file))
        content = stream.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise _invalid(file, f"> {_LARGEST} bytes")
    return content


def _is_owned(status: os.stat_result, owners: Collection[int]) -> bool:
    return status.st_uid in owners and not stat.S_IMODE(status.st_mode) & (stat.S_IWGRP | stat.S_IWOTH)


def _windows_writable(file: Path) -> bool:
    """Whether this user, being no administrator, could write the file or put another in its place."""
    if sys.platform == "win32":
        import ctypes
        import tempfile

        if ctypes.windll.shell32.IsUserAnAdmin():
            return False
        try:
            with file.open("r+b"):
                return True
        except OSError:
            pass
        try:
            with tempfile.TemporaryFile(dir=file.parent):
                return True
        except OSError:
            return False
    return False
