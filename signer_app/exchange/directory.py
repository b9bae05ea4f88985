"""The directory of organisations as the server last told it, kept in the cache with its day.

Main process. Codes are opaque; a code that is not in the directory is still a code, and stands for itself.
"""

import datetime as dt
from pathlib import Path

import msgspec

from signer_app.store.durable import write_atomically

_MAX_BYTES = 64 << 20


class KnownOrganisation(msgspec.Struct, frozen=True):
    """An organisation: code, name, whether it still receives."""

    code: str
    name: str
    active: bool = True


class Directory(msgspec.Struct, frozen=True):
    """All organisations known, and when the server told them."""

    fetched_at: dt.datetime | None = None
    organisations: tuple[KnownOrganisation, ...] = ()

    def name(self, code: str) -> str:
        """The organisation's name, or the code where the name isn't known."""
        return next((org.name for org in self.organisations if org.code == code), code)


def load_directory(cache: Path) -> Directory:
    """The kept directory; an empty one where there is none or it can't be read."""
    file = cache / "organisations.json"
    try:
        if file.stat().st_size > _MAX_BYTES:
            return Directory()
        return msgspec.json.decode(file.read_bytes(), type=Directory)
    except (OSError, msgspec.MsgspecError):
        return Directory()


def save_directory(cache: Path, directory: Directory) -> None:
    """Keeps the directory for the days without a network."""
    write_atomically(cache / "organisations.json", msgspec.json.encode(directory))
