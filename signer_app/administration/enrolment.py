"""An enrolment file: all that one machine needs to be set up without anybody there, in one file that is good once.

Main process, under the data folder's lock. The file brings bodies with their registers and certificates' roles, the
server with its identity, and the one-time code with which the server's administrator expects this machine; the code
goes to where the device key will lie, and away with the first enrolment. The token's own signature can't be had
unattended: the clerk gives the PIN once, when the machine is enrolled at the server. The code is a secret: never in a
log, on a screen or in an error; and the file is erased after use.
"""

import datetime as dt
import os
import stat
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from signer_app.administration.exported import Difference, differences, imported
from signer_app.administration.machine import machine_folder
from signer_app.exchange.session import keep_enrolment_code
from signer_app.logs import log_event
from signer_app.store.durable import disk_errors, write_atomically
from signer_app.store.settings import Settings
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.secrets import Secret

_LARGEST = 1 << 20
_USED = "enrolments"
"""A file of the data folder: ids of the files that were used, one a line."""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The file. `settings` as an export has them; `code` is left out where the server asks for none."""

    format: Literal[1]
    id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
    machine: Annotated[str, msgspec.Meta(max_length=200)] = ""
    expires: Annotated[dt.datetime, msgspec.Meta(tz=True)]
    settings: Settings
    code: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{16,200}$")] | None = None

    def __repr__(self) -> str:
        return f"_File({self.id})"


@dataclass(frozen=True)
class Enrolment:
    """A file that may be used; shows its code to nobody."""

    id: str
    machine: str
    settings: Settings
    code: Secret | None = field(default=None, repr=False)


def enrolment_place() -> Path:
    """Where an administrator lays the file ready for the next start; it belongs to the clerk's account alone."""
    return machine_folder() / "enrolment.json"


def read_enrolment(space: Workspace, file: Path) -> Enrolment:
    """The file, if it may be used here and now. KnownError "enrolment_file_open" where others may read it,
    enrolment_file_invalid, "enrolment_expired", "enrolment_used".
    """
    found = _decoded(file, _content(file))
    if found.expires <= space.now():
        raise KnownError("enrolment_expired", name=file.name, date=found.expires.astimezone().strftime("%d/%m/%Y"))
    if found.id in _used(space):
        raise KnownError("enrolment_used", name=file.name)
    if not found.settings.bodies or found.settings.server is None:
        raise _invalid(file, "no body or no server")
    return Enrolment(found.id, found.machine, found.settings, Secret(found.code) if found.code is not None else None)


def set_up(space: Workspace, file: Path) -> tuple[Difference, ...]:
    """Uses the file: settings as a whole, then the code; then the file is erased. What has changed.

    A power cut leaves either nothing or all of it: the settings come last but one, and a file whose id is noted is not
    used again. Raises as `read_enrolment`, `Workspace.change_settings`.
    """
    found = read_enrolment(space, file)
    before = space.settings
    if found.code is not None:
        for body in found.settings.bodies:
            keep_enrolment_code(space, body.code, found.code)
    after = space.change_settings(lambda now: imported(now, found.settings))
    _note_used(space, found.id)
    _erase(file)
    log_event("enrolment", id=found.id, count=len(found.settings.bodies))
    return differences(before, after)


def pick_up(space: Workspace, file: Path | None = None) -> KnownError | None:
    """At the start: uses the file that lies ready, if there is one; why it can't be used."""
    place = file if file is not None else enrolment_place()
    try:
        if not place.is_file() or place.stat().st_size == 0:
            return None
        set_up(space, place)
    except KnownError as error:
        log_event("enrolment_refused", code=error.code)
        return error
    except OSError:
        return None
    return None


def enrolment_trouble(space: Workspace, file: Path | None = None) -> KnownError | None:
    """Why the file that lies ready can't be used; None where it can, or where there is none."""
    place = file if file is not None else enrolment_place()
    try:
        if place.is_file() and place.stat().st_size:
            read_enrolment(space, place)
    except KnownError as error:
        return error
    except OSError:
        return None
    return None


def _content(file: Path) -> bytes:
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _invalid(file, "no regular file")
            # On Windows a mode says nothing; there the folder's rights are the administrator's affair.
            if sys.platform != "win32" and stat.S_IMODE(status.st_mode) & 0o077:
                raise KnownError("enrolment_file_open", name=file.name)
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise _invalid(file, error.strerror or "?") from error
    if len(content) > _LARGEST:
        raise _invalid(file, f"> {_LARGEST} bytes")
    return content


def _decoded(file: Path, content: bytes) -> _File:
    try:
        return msgspec.json.decode(content, type=_File)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # The decoder's own words could quote what stands in the file.
        raise _invalid(file, "JSON") from None


def _invalid(file: Path, reason: str) -> KnownError:
    return KnownError("enrolment_file_invalid", name=file.name, reason=reason)


def _used(space: Workspace) -> frozenset[str]:
    try:
        return frozenset((space.folder.path / _USED).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return frozenset()


def _note_used(space: Workspace, file_id: str) -> None:
    with disk_errors(space.folder.path, "data_folder_unwritable"):
        write_atomically(space.folder.path / _USED, "\n".join(sorted({*_used(space), file_id})).encode() + b"\n")


def _erase(file: Path) -> None:
    """Its content is overwritten, then it goes; in a folder of the administrator's an empty file stays."""
    try:
        with file.open("r+b") as stream:
            length = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            stream.write(b"\0" * length)
            stream.flush()
            os.fsync(stream.fileno())
            stream.truncate(0)
        file.unlink()
    except OSError:
        log_event("enrolment_left", kind="OSError")
