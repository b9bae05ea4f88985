"""From a packet's attachments to the files that a person sent: takes off ZIPs and packets that were put around them.

Runs on any thread. Some systems send each file as a ZIP with one entry, and in it another edXML packet with the file
itself (domain rule §6.6). What a thing is, its first bytes say, never its declared type. Nothing is ever lost: what
cannot be opened safely is a file as it came, with the reason; a packet inside stays a file, too. Names are text; an
entry's name in a ZIP is never used at all. Everything passes through streams that the caller makes, so the caller
decides whether it may touch a disk (before a packet is known to be open, it may not).
"""

import hashlib
import re
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from pathlib import PureWindowsPath
from typing import IO, Final

from signer_resources.errors import KnownError
from signer_sync.edxml import NAMESPACE, PacketHeader, ReadPacket, invalid
from signer_sync.edxml_read import ReadLimits, read_header, read_packet
from signer_sync.edxml_zip import OFFICE, NotOpenedError, Trouble, check_entry, open_zip, reading_zip
from signer_sync.packets import BinarySink
from signer_sync.secrecy import name_is_secret

_CHUNK: Final = 1 << 18
_START: Final = 4096
_PDF_ROOM: Final = 1024
"""A PDF's header may stand behind some bytes of junk (ISO 32000-1, annex H.3)."""
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?edXML[\s>]")
_ARCHIVE: Final = ".zip"


class FileKind(Enum):
    """What a file is by its first bytes."""

    PDF = "pdf"
    ZIP = "zip"
    """An archive, or an office document, which is one too."""
    PACKET = "packet"
    OTHER = "other"


@dataclass(frozen=True)
class UnwrapLimits:
    """Caps: bytes of all files together, how much smaller a ZIP may be than its content, packets around each other.

    `ratio` counts only beyond `free` bytes: small files of blanks are no attack.
    """

    total: int = 512 << 20
    ratio: int = 200
    free: int = 4 << 20
    packets: int = 2
    read: ReadLimits = field(default_factory=ReadLimits)


@dataclass(frozen=True)
class UnwrappedFile:
    """A file as a person sent it: `stream` stands at its start, `name` is the sender's text and never a path.

    `kind` PACKET: the packet that was put around the files before it. `trouble`: why it was not opened further.
    """

    name: str
    stream: IO[bytes] = field(repr=False)
    size: int
    sha256: str
    kind: FileKind
    trouble: Trouble | None = None


@dataclass(frozen=True)
class OpenedPacket:
    """A packet with the files that it carries. `inner`: headers of packets inside; only the outer one is ever shown."""

    packet: ReadPacket
    files: tuple[UnwrappedFile, ...]
    inner: tuple[PacketHeader, ...] = ()
    marked: bool = False
    """Something inside a wrapping is called secret."""

    @property
    def secret(self) -> bool:
        """Whether anything that the packet, or one inside it, says of itself is a secrecy mark."""
        return self.packet.secret or self.marked


Spool = Callable[[], IO[bytes]]
"""Gives a fresh stream for reading and writing, closed by us: a temporary file, or a BytesIO where no disk may be
touched.
"""


@contextmanager
def open_packet(source: IO[bytes], spool: Spool, limits: UnwrapLimits = UnwrapLimits()) -> Iterator[OpenedPacket]:
    """Reads a packet to its end and unwraps each of its attachments; the files live until the context ends.

    KnownError edxml_invalid if the packet itself cannot be read or is too large unpacked.
    """
    with ExitStack() as stack:
        work = _Work(stack, spool, limits)
        try:
            packet = work.read(source, 1)
        except NotOpenedError as error:
            raise invalid("attachments too large") from error
        yield OpenedPacket(packet, tuple(work.files), tuple(work.inner), work.marked)


@contextmanager
def unwrap(
    stream: IO[bytes],
    name: str,
    spool: Spool,
    limits: UnwrapLimits = UnwrapLimits(),
    expected: Collection[str] = (),
) -> Iterator[tuple[UnwrappedFile, ...]]:
    """The files in one attachment, which lies in a seekable stream; they live until the context ends.

    `name` is its AttachmentName. `expected`: names that the manifest lists; a ZIP with several entries is opened if
    they are all among these. Marks of secrecy inside are not told: see `open_packet`.
    """
    stream.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    with ExitStack() as stack:
        work = _Work(stack, spool, limits)
        work.open(_Item(name, stream, size, digest.hexdigest()), 1, frozenset(expected))
        yield tuple(work.files)


def kind_of(start: bytes) -> FileKind:
    """What a file is that begins so; some KB are enough."""
    # First, for a PDF that lies unpacked in a ZIP begins not far from the ZIP's own beginning.
    if start.startswith(b"PK\x03\x04"):
        return FileKind.ZIP
    if b"%PDF-" in start[:_PDF_ROOM]:
        return FileKind.PDF
    head = start[:_START].replace(b"\0", b"")  # so that UTF-16 is found, too
    if NAMESPACE.encode() in head and _ROOT.search(head):
        return FileKind.PACKET
    return FileKind.OTHER


@dataclass(frozen=True)
class _Item:
    """Something that may be a wrapping."""

    name: str
    stream: IO[bytes]
    size: int
    sha256: str
    unzipped: bool = False
    """It came out of a ZIP already."""

    def kind(self) -> FileKind:
        self.stream.seek(0)
        start = self.stream.read(_START)
        self.stream.seek(0)
        return kind_of(start)

    def file(self, kind: FileKind, trouble: Trouble | None) -> UnwrappedFile:
        self.stream.seek(0)
        name = self.name
        if kind is FileKind.PACKET and not name.casefold().endswith((".edxml", ".xml")):
            name += ".edxml"  # its sender's word is for what is in it
        return UnwrappedFile(name, self.stream, self.size, self.sha256, kind, trouble)


class _Spooled:
    """A sink into a spool; takes no more than all spools of one packet together may."""

    def __init__(self, work: "_Work", stream: IO[bytes]) -> None:
        self._work = work
        self.stream = stream
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes, /) -> None:
        """Takes decoded bytes."""
        self._work.take(len(data))
        self.stream.write(data)
        self._digest.update(data)
        self._size += len(data)

    def item(self, name: str, *, unzipped: bool = False) -> _Item:
        """What was written."""
        return _Item(name, self.stream, self._size, self._digest.hexdigest(), unzipped)


class _Work:
    """One packet's unwrapping: what was found, and how much more may be unpacked."""

    def __init__(self, stack: ExitStack, spool: Spool, limits: UnwrapLimits) -> None:
        self._stack = stack
        self._spool = spool
        self._limits = limits
        self._room = limits.total
        self.files: list[UnwrappedFile] = []
        self.inner: list[PacketHeader] = []
        self.marked = False

    def take(self, size: int) -> None:
        """Counts bytes that are about to be spooled."""
        if size > self._room:
            raise NotOpenedError(Trouble.BOMB)
        self._room -= size

    def read(self, source: IO[bytes], depth: int) -> ReadPacket:
        """Reads a packet, then takes its attachments apart."""
        sinks: list[_Spooled] = []

        def sink_for(_number: int) -> BinarySink:
            sinks.append(self._sink())
            return sinks[-1]

        packet = read_packet(source, sink_for, self._limits.read)
        expected = frozenset(item.name for item in packet.header.references)
        for told, sink in zip(packet.attachments, sinks, strict=True):
            self.open(sink.item(told.name), depth, expected)
        return packet

    def open(self, item: _Item, depth: int, expected: frozenset[str]) -> None:
        """Adds the files in `item`, or else `item`."""
        kind = item.kind()
        trouble = None
        try:
            if kind is FileKind.PACKET:
                self._open_inner(item, depth)
            elif kind is FileKind.ZIP and not item.unzipped:
                with self._or_nothing():
                    contents = self._unzip(item, expected)
                for content in contents:
                    self.open(content, depth, expected)
                if contents:
                    return
        except NotOpenedError as kept:
            trouble = kept.trouble
        self.files.append(item.file(kind, trouble))

    def _open_inner(self, item: _Item, depth: int) -> None:
        try:
            header = read_header(item.stream, self._limits.read)
            # Looked at before the rest, which may be damaged: what is called secret is secret.
            self.marked = self.marked or header.secret
            if depth >= self._limits.packets:
                raise NotOpenedError(Trouble.NESTED)
            item.stream.seek(0)
            with self._or_nothing():
                packet = self.read(item.stream, depth + 1)
        except KnownError as error:
            raise NotOpenedError(Trouble.DAMAGED) from error
        self.marked = self.marked or packet.secret
        self.inner.append(header)

    def _unzip(self, item: _Item, expected: frozenset[str]) -> list[_Item]:
        """What is in a ZIP that is a wrapping; nothing if it is itself what was sent."""
        archive = open_zip(item.stream)
        if archive is None:
            return []
        with archive:
            return self._unzip_from(archive, item.name, expected)

    def _unzip_from(self, archive: zipfile.ZipFile, name: str, expected: frozenset[str]) -> list[_Item]:
        entries = archive.infolist()
        names = {entry.filename for entry in entries}
        self.marked = self.marked or any(name_is_secret(PureWindowsPath(entry).name) for entry in names)
        if not entries or names & OFFICE:
            return []
        called_so = name.casefold().endswith(_ARCHIVE)
        if len(entries) > 1 and not names <= expected:
            if called_so:
                return []
            raise NotOpenedError(Trouble.SEVERAL)
        for entry in entries:
            check_entry(entry, self._limits.free, self._limits.ratio)
        if len(entries) > 1:
            return [self._unpack(archive, entry, entry.filename) for entry in entries]
        if called_so and self._begins(archive, entries[0]) is not FileKind.PACKET:
            return []
        return [self._unpack(archive, entries[0], name)]

    def _begins(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> FileKind:
        with reading_zip(), archive.open(entry) as packed:
            return kind_of(packed.read(_START))

    def _unpack(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str) -> _Item:
        # The directory's sizes count, not those before the data: a ZIP written as a stream has zeros there.
        sink = self._sink()
        with reading_zip():
            packed = archive.open(entry)
        with packed:
            while True:
                with reading_zip():
                    chunk = packed.read(_CHUNK)
                if not chunk:
                    return sink.item(name, unzipped=True)
                sink.write(chunk)

    def _sink(self) -> _Spooled:
        return _Spooled(self, self._stack.enter_context(self._spool()))

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        """If it fails inside, what was spooled and found there is gone."""
        outer, room, files, inner = self._stack, self._room, len(self.files), len(self.inner)
        with ExitStack() as self._stack:
            try:
                yield
            except BaseException:
                self._room = room
                del self.files[files:], self.inner[inner:]
                raise
            finally:
                attempt, self._stack = self._stack, outer
            outer.enter_context(attempt.pop_all())
