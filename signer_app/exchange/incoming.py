"""Looks for secrecy marks in a packet that came, in memory, before anything of it is kept.

Main process; files are read by workers, which get the bytes over their pipe and write nothing. What the feed and the
packet say of themselves counts, and so does a mark in any file of it, however it is wrapped. A file at which a worker
hangs or dies is no reason to receive nothing any more: it is given up in time, and the packet is marked as one that was
not looked through.
"""

import html
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from signer_app.exchange.incoming_spool import as_file, in_memory
from signer_app.pdf.model import Screened
from signer_app.store.inbox_stores import Held, Screening
from signer_app.tasks import LookInto, LookIntoBytes, Screen, ScreenBytes
from signer_app.workers import Workers
from signer_resources.errors import KnownError
from signer_sync.edxml_attachments import FileKind, UnwrappedFile, kind_of, open_packet
from signer_sync.edxml_zip import NotOpenedError, Trouble, check_entry, open_zip, reading_zip
from signer_sync.packets import Arrival
from signer_sync.secrecy import field_is_secret, name_is_secret

_IN_ONE_MESSAGE = 60 << 20
"""Bytes of a file that are handed to a worker in one message (`tasks.FRAME_CAP`)."""
_FILE_S = 40.0
_PACKET_S = 150.0
"""Seconds for all files of a packet: what hangs must not hold up what came behind it."""
_OFFICE_NAMES = ("1.docx", "1.odt")
_OTHER_KIND = frozenset({"attachment_kind", "attachment_damaged"})
_CLOSED = frozenset({Trouble.LOCKED, Trouble.BOMB, Trouble.NESTED})
"""What is put around a file so that nobody can look into it."""
_NOT_LOOKED = frozenset(
    {"worker_timeout", "worker_fault", "attachment_locked", "attachment_macros", "attachment_too_large"}
)
"""Faults after which nobody knows what stands in a file. The others tell that it is of a kind without words."""
_ENTRIES = 200
_UNPACKED = 256 << 20
_FREE, _RATIO = 4 << 20, 200
_DEEPEST = 3
"""Archives in archives that are looked into; what is beyond any of these was not looked through."""
_START = 4096
_BLOCK = 1 << 18
_WORDS = 64 << 20
"""Bytes of a packet that can't be read in which its words are looked for."""
_TEXT = 20_000
_NAME = b"AttachmentName"


class IncomingScreen:
    """Called with each packet of the feed and its bytes; `folder` is for files too large for one message."""

    def __init__(self, workers: Workers, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._workers = workers
        self._folder = folder
        self._clock = clock

    def __call__(self, arrival: Arrival, held: Held) -> Screening:
        """Whether the packet is secret. One that nobody can read is kept for its sender's sake, unless what can be read
        of it says that it is; nobody knows it to be free of marks.
        """
        if field_is_secret("Subject", arrival.subject):
            return Screening.SECRET
        try:
            with open_packet(held.reader(), in_memory) as packet:
                if packet.secret:
                    return Screening.SECRET
                return self._files(packet.files, _Room(self._clock() + _PACKET_S))
        except KnownError as error:
            if error.code != "edxml_invalid":
                raise
            return Screening.SECRET if _says_secret(held) else Screening.UNSURE

    def _files(self, files: Sequence[UnwrappedFile], room: "_Room") -> Screening:
        found = Screening.OPEN
        for part in files:
            looked = self._file(part, room, 1)
            if looked is Screening.SECRET:
                return looked
            if looked is Screening.UNSURE or part.trouble in _CLOSED:
                found = Screening.UNSURE
        return found

    def _file(self, part: UnwrappedFile, room: "_Room", depth: int) -> Screening:
        if name_is_secret(part.name):
            return Screening.SECRET
        left = room.until - self._clock()
        if left <= 0:
            return Screening.UNSURE
        if part.kind is FileKind.PACKET and part.trouble is None:
            # Its files stand beside it, each by itself.
            return Screening.OPEN
        try:
            if part.kind is FileKind.PDF:
                screened = self._pdf(part, min(_FILE_S, left))
                return _told(screened.secret, sure=screened.readable)
            known = self._other(part, min(_FILE_S, left))
            if known is None and part.kind is FileKind.ZIP:
                return self._archive(part.stream, room, depth)
            return _told(bool(known), sure=True)
        except KnownError as error:
            if error.code in _NOT_LOOKED:
                return Screening.UNSURE
            if error.code.startswith("attachment_"):
                return Screening.OPEN
            raise

    def _pdf(self, part: UnwrappedFile, limit_s: float) -> Screened:
        if part.size <= _IN_ONE_MESSAGE:
            return self._workers.screen_bytes(ScreenBytes(part.stream.read(), part.name), limit_s).screened
        with as_file(part.stream, self._folder) as path:
            return self._workers.screen(Screen(str(path), part.name), limit_s).screened

    def _other(self, part: UnwrappedFile, limit_s: float) -> bool | None:
        """Whether it carries a mark; None for what no kind of file with words is, an archive of files among them."""
        # An office file is looked into as what it is, whatever it is called.
        for name in _OFFICE_NAMES if part.kind is FileKind.ZIP else (part.name,):
            try:
                return self._words(part, name, limit_s)
            except KnownError as error:
                if error.code not in _OTHER_KIND:
                    raise
        return None

    def _words(self, part: UnwrappedFile, name: str, limit_s: float) -> bool:
        part.stream.seek(0)
        if part.size <= _IN_ONE_MESSAGE:
            return self._workers.look_into_bytes(LookIntoBytes(part.stream.read(), name), limit_s).found.secret
        with as_file(part.stream, self._folder) as path:
            return self._workers.look_into(LookInto(str(path), name), limit_s).found.secret

    # ---- archives --------------------------------------------------------------------------------------------------

    def _archive(self, stream: IO[bytes], room: "_Room", depth: int) -> Screening:
        """A look at each file in an archive that was sent as one."""
        stream.seek(0)
        try:
            archive = open_zip(stream)
            if archive is None:
                return Screening.UNSURE
            with archive:
                return self._entries(archive, room, depth)
        except NotOpenedError:
            return Screening.UNSURE

    def _entries(self, archive: zipfile.ZipFile, room: "_Room", depth: int) -> Screening:
        entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
        found = Screening.OPEN if len(entries) <= _ENTRIES and depth <= _DEEPEST else Screening.UNSURE
        names = (part for entry in archive.infolist() for part in PurePosixPath(entry.filename).parts)
        if any(map(name_is_secret, names)):
            return Screening.SECRET
        for entry in entries if found is Screening.OPEN else ():
            looked = self._entry(archive, entry, room, depth)
            if looked is Screening.SECRET:
                return looked
            if looked is Screening.UNSURE:
                found = looked
        return found

    def _entry(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, room: "_Room", depth: int) -> Screening:
        try:
            check_entry(entry, _FREE, _RATIO)
            with in_memory() as stream:
                room.unpack(archive, entry, stream)
                stream.seek(0)
                kind = kind_of(stream.read(_START))
                if kind is FileKind.PACKET:
                    return self._packet(stream, room)
                stream.seek(0)
                name = PurePosixPath(entry.filename).name
                return self._file(UnwrappedFile(name, stream, entry.file_size, "", kind), room, depth + 1)
        except NotOpenedError:
            return Screening.UNSURE

    def _packet(self, stream: IO[bytes], room: "_Room") -> Screening:
        stream.seek(0)
        try:
            with open_packet(stream, in_memory) as packet:
                # What it carries came in an archive: looked at by its own marks, not followed further.
                return Screening.SECRET if packet.secret else self._files(packet.files, room)
        except KnownError as error:
            if error.code != "edxml_invalid":
                raise
            return Screening.UNSURE


@dataclass
class _Room:
    """How long the files of a packet may be looked at, and how much of archives is unpacked for that."""

    until: float
    left: int = _UNPACKED

    def unpack(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, out: IO[bytes]) -> None:
        """Unpacks an entry; NotOpenedError for one that is damaged or too much."""
        with reading_zip():
            packed = archive.open(entry)
        with packed:
            while True:
                with reading_zip():
                    block = packed.read(_BLOCK)
                if not block:
                    return
                self.left -= len(block)
                if self.left < 0:
                    raise NotOpenedError(Trouble.BOMB)
                out.write(block)


def _says_secret(held: Held) -> bool:
    """Whether a packet that can't be read to its end bears a mark in its words as they stand between the tags."""
    stream = held.reader()
    left, read = b"", 0
    while read < _WORDS and (block := stream.read(_BLOCK)):
        read += len(block)
        *texts, left = (left + block).split(b"<")
        if any(map(_marked, texts)):
            return True
        # Of a file in the packet no more is needed than that it is none of the words.
        left = left[: 2 * _TEXT]
    return _marked(left)


def _marked(text: bytes) -> bool:
    """Of what follows a "<": the name of the element, and what it says."""
    tag, _, said = text.partition(b">")
    if len(said) > _TEXT or not said.strip():
        return False
    name = tag.split()[0].rpartition(b":")[2] if tag.split() else b""
    words = html.unescape(said.decode("utf-8", "replace"))
    return field_is_secret(name.decode("ascii", "replace"), words) or (name == _NAME and name_is_secret(words))


def _told(secret: bool, *, sure: bool) -> Screening:
    if secret:
        return Screening.SECRET
    return Screening.OPEN if sure else Screening.UNSURE
