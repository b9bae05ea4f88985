"""ZIPs that may be wrappings of files in packets: opened with distrust, or not at all.

Runs on any thread. Names of entries are looked at and never used; nothing is unpacked here.
"""

import errno
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import PureWindowsPath
from typing import IO, Final

_DIRECTORY: Final = 1 << 18
"""Bytes of a ZIP's directory; zipfile makes objects of all of it, and a wrapping's is small."""
_END: Final = struct.Struct("<4s4H2LH")
"""End of central directory record (APPNOTE 4.3.16)."""
_END_MARK: Final = b"PK\x05\x06"
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_SIZE: Final = 20
_ENCRYPTED: Final = 0x1 | 0x40
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
OFFICE: Final = frozenset({"[Content_Types].xml", "mimetype", "META-INF/MANIFEST.MF"})
"""Entries by which a ZIP is a document of an office program, an e-book or the like, not a wrapping."""


class Trouble(StrEnum):
    """Why something that was put around a file was not taken off."""

    DAMAGED = "damaged"
    """A ZIP or a packet that cannot be read."""
    SEVERAL = "several"
    """A ZIP with several files where one was told."""
    UNSAFE_NAME = "unsafe_name"
    """A ZIP whose entry is called like a folder or a path out of one, or is not called anything."""
    LOCKED = "locked"
    """A ZIP with a password or a method that nobody uses."""
    BOMB = "bomb"
    """A ZIP that unpacks to more than any letter."""
    NESTED = "nested"
    """Packets in packets in packets."""

    @property
    def text_key(self) -> str:
        """The key of its words in the catalogue."""
        return f"edxml_trouble_{self.value}"


class NotOpenedError(Exception):
    """Something stays as it is."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble)
        self.trouble = trouble


def open_zip(stream: IO[bytes]) -> zipfile.ZipFile | None:
    """The archive in `stream`; None if it holds too much to be a wrapping.

    NotOpenedError if it cannot be opened safely.
    """
    with reading_zip():
        return zipfile.ZipFile(stream) if _is_small(stream) else None


def check_entry(entry: zipfile.ZipInfo, free: int, ratio: int) -> None:
    """NotOpenedError for an entry that is not to be unpacked.

    What is larger than `free` bytes may be `ratio` times as large as it is packed.
    """
    # Not `is_dir`, which expects a name.
    name, path = entry.orig_filename, PureWindowsPath(entry.filename)
    if not name or name.endswith(("/", "\\")) or "\0" in name or path.anchor or ".." in path.parts:
        raise NotOpenedError(Trouble.UNSAFE_NAME)
    if entry.flag_bits & _ENCRYPTED or entry.compress_type not in _METHODS:
        raise NotOpenedError(Trouble.LOCKED)
    if entry.file_size > free + ratio * entry.compress_size:
        raise NotOpenedError(Trouble.BOMB)


@contextmanager
def reading_zip() -> Iterator[None]:
    """zipfile answers damaged archives with errors of many kinds; not with those of a disk, which pass."""
    try:
        yield
    except OSError as error:
        if error.errno != errno.EINVAL:  # a seek to before the start, where a directory lies about its place
            raise
        raise NotOpenedError(Trouble.DAMAGED) from error
    except (
        zipfile.BadZipFile, zlib.error, struct.error, EOFError, LookupError, OverflowError, RuntimeError, ValueError,
    ) as error:  # fmt: skip
        raise NotOpenedError(Trouble.DAMAGED) from error


def _is_small(stream: IO[bytes]) -> bool:
    """Whether a ZIP's directory is of a size to be read. Looks for its end where zipfile does (APPNOTE 4.3.16)."""
    size = stream.seek(0, os.SEEK_END)
    room = min(size, (1 << 16) + _END.size)
    stream.seek(size - room)
    tail = stream.read(room)
    at = len(tail) - _END.size
    if not (tail[at:].startswith(_END_MARK) and tail.endswith(b"\0\0")):
        at = tail.rfind(_END_MARK)
    if at < 0:
        raise zipfile.BadZipFile
    directory: int = _END.unpack_from(tail, at)[5]
    stream.seek(max(size - room + at - _LOCATOR_SIZE, 0))
    if stream.read(len(_ZIP64_LOCATOR)) == _ZIP64_LOCATOR:
        # Its own directory may be of any size, and no letter needs it.
        raise NotOpenedError(Trouble.LOCKED)
    return directory <= _DIRECTORY
