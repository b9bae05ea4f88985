"""Incoming documents as the window shows them: the list, one packet opened, its files, what their signatures are worth.

Main process, any thread; everything blocks. A packet is taken apart into `work`, under names made of hashes: what a
sender calls a file is text to be shown and never a path. Those copies are few, bounded, and gone with the workspace.
Secret packets were never kept, so none is opened here. Accepting and returning documents is not done here.
"""

import datetime as dt
import hashlib
import os
import shutil
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Self

import msgspec

from signer_app.desk.names import Names
from signer_app.desk.reading import reading
from signer_app.desk.today import urgency_of
from signer_app.store.durable import copy_to_new, disk_errors
from signer_app.store.listings import InboxEntry
from signer_app.store.model import Urgency
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader, invalid
from signer_sync.edxml_read import read_header, read_packet
from signer_sync.packets import BinarySink

_MOST = 100_000
"""Rows of the list; older ones stay in the store."""
_KEPT = 8
"""Packets that stay taken apart."""
_LARGEST = 512 << 20
"""Bytes of files that one packet may unpack to; more is no office's letter."""
_PDF = b"%PDF-"
_HEADER_ROOM = 1024
"""A PDF's header may stand behind some bytes of junk (ISO 32000-1, annex H.3)."""


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What only the packet's own header tells; empty where it doesn't, `readable` False where nobody can read it."""

    label: str = ""
    """Số, ký hiệu as the sender wrote it."""
    status_code: str = ""
    readable: bool = True


class IncomingRow(msgspec.Struct, frozen=True, gc=False):
    """A packet as a line of the list; `facts` is None until its header was read (`Incoming.learn`).

    The garbage collector leaves these alone: there may be a hundred thousand, and they hold no cycles.
    """

    id: str
    at: dt.datetime
    secret: bool
    sender: str
    subject: str
    urgency: Urgency
    kind: PacketKind
    sha256: str | None
    facts: Facts | None


@dataclass(frozen=True, eq=False)
class IncomingSnapshot:
    """The list, the newest first."""

    rows: tuple[IncomingRow, ...]
    by_id: Mapping[str, IncomingRow] = field(repr=False)


@dataclass(frozen=True)
class IncomingFile:
    """A file of a packet. `path` is our own copy, named by its content; `name` is the sender's word for it."""

    name: str
    size: int
    sha256: str
    is_pdf: bool
    path: Path


@dataclass(frozen=True)
class OpenedPacket:
    """A packet taken apart."""

    id: str
    header: PacketHeader
    files: tuple[IncomingFile, ...]
    folder: Path
    """Where our copies of its files lie."""


class Incoming:
    """The inbox of one workspace."""

    def __init__(self, space: Workspace, names: Names) -> None:
        self._space = space
        self._names = names
        self._guard = threading.Lock()
        self._facts: dict[str, Facts] = {}
        self._known: tuple[object, IncomingSnapshot] | None = None
        self._opened: OrderedDict[str, OpenedPacket] = OrderedDict()
        space.on_close(self._forget_all)

    def look(self) -> IncomingSnapshot:
        """The whole list; the very same answer while nothing has changed."""
        names = self._names.all()
        with reading(self._space).view() as view:
            # The first reading opens the moment to which the version belongs.
            entries = view.listings.inbox(_MOST)
            first = next(entries, None)
            key = (view.listings.version(), names, len(self._facts))
            if self._known is not None and self._known[0] == key:
                return self._known[1]
            rows = tuple(self._row(entry, names) for entry in chain([first] if first else [], entries))
        snapshot = IncomingSnapshot(rows, {row.id: row for row in rows})
        self._known = key, snapshot
        return snapshot

    def _row(self, entry: InboxEntry, names: Mapping[str, str]) -> IncomingRow:
        code = entry.from_org or ""
        return IncomingRow(
            entry.id,
            entry.received_at,
            entry.secret,
            names.get(code, code),
            entry.subject or "",
            urgency_of(entry.priority),
            entry.kind or PacketKind.NEW,
            entry.sha256,
            self._facts.get(entry.sha256) if entry.sha256 else None,
        )

    def learn(self, rows: tuple[IncomingRow, ...], cancelled: Callable[[], bool]) -> int:
        """Reads the headers of these packets as far as they aren't known yet; how many were read."""
        read = 0
        for row in rows:
            if row.sha256 is None or row.sha256 in self._facts:
                continue
            if cancelled():
                break
            self._facts[row.sha256] = self._read_facts(row.sha256)
            read += 1
        return read

    def _read_facts(self, sha256: str) -> Facts:
        try:
            with self._space.store.blobs.path(sha256).open("rb") as stream:
                header = read_header(stream)
        except (KnownError, OSError):
            return Facts(readable=False)
        return Facts(label_of(header), header.status_code)

    def open(self, row: IncomingRow) -> OpenedPacket:
        """The packet taken apart; at once if it still is.

        KnownError `edxml_invalid`, `blob_damaged`, `disk_full`, `data_folder_unwritable`; ValueError for a secret one.
        """
        if row.sha256 is None:
            raise ValueError("nothing was kept of a secret packet")
        with self._guard:
            known = self._opened.get(row.sha256)
            if known is not None and all(file.path.is_file() for file in known.files):
                self._opened.move_to_end(row.sha256)
                return known
            opened = self._take_apart(row.id, row.sha256)
            self._facts[row.sha256] = Facts(label_of(opened.header), opened.header.status_code)
            self._opened[row.sha256] = opened
            while len(self._opened) > _KEPT:
                shutil.rmtree(self._opened.popitem(last=False)[1].folder, ignore_errors=True)
            return opened

    def _take_apart(self, row_id: str, sha256: str) -> OpenedPacket:
        blobs, work = self._space.store.blobs, self._space.folder.work
        blobs.size(sha256)  # "blob_damaged" if it is gone
        with disk_errors(work, "data_folder_unwritable"):
            folder = Path(tempfile.mkdtemp(prefix="incoming-", dir=work))
            sinks: list[_FileSink] = []
            try:
                with ExitStack() as stack:

                    def sink_for(_number: int) -> BinarySink:
                        sinks.append(stack.enter_context(_FileSink(folder, _LARGEST - sum(s.size for s in sinks))))
                        return sinks[-1]

                    packet = read_packet(stack.enter_context(blobs.path(sha256).open("rb")), sink_for)
                files = tuple(
                    IncomingFile(told.name, told.size, told.sha256, sink.is_pdf, sink.keep(told.sha256))
                    for told, sink in zip(packet.attachments, sinks, strict=True)
                )
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
        return OpenedPacket(row_id, packet.header, files, folder)

    def save(self, file: IncomingFile, destination: Path) -> None:
        """Puts a copy where the clerk wants it; never over another file.

        KnownError `output_exists`, `output_unwritable`, `disk_full`, `blob_damaged` if our copy isn't as it was.
        """
        with file.path.open("rb") as stream:
            if hashlib.file_digest(stream, "sha256").hexdigest() != file.sha256:
                raise KnownError("blob_damaged", sha256=file.sha256)
        with disk_errors(destination.parent):
            try:
                copy_to_new(file.path, destination, 0o666)
            except FileExistsError as error:
                raise KnownError("output_exists", file=str(destination)) from error
            except OSError:
                # The name was ours: a copy cut short must not pass for the file.
                destination.unlink(missing_ok=True)
                raise

    def _forget_all(self) -> None:
        with self._guard:
            for opened in self._opened.values():
                shutil.rmtree(opened.folder, ignore_errors=True)
            self._opened.clear()


def label_of(header: PacketHeader) -> str:
    """Số, ký hiệu as the sender wrote them; of an answer, those of the document that it answers."""
    if header.code_number or header.code_notation:
        return "/".join(part for part in (header.code_number, header.code_notation) if part)
    return next((answered.code for answered in header.response_for if answered.code), "")


class _FileSink:
    """One attachment on its way to disk (0600, under a name of chance); takes at most `room` bytes."""

    def __init__(self, folder: Path, room: int) -> None:
        descriptor, name = tempfile.mkstemp(dir=folder)
        self._path = Path(name)
        self._stream = os.fdopen(descriptor, "wb")
        self._room = room
        self._start = b""
        self.size = 0

    def write(self, data: bytes, /) -> None:
        """Takes decoded bytes."""
        self.size += len(data)
        if self.size > self._room:
            raise invalid("attachments too large")
        if len(self._start) < _HEADER_ROOM:
            self._start += data[: _HEADER_ROOM - len(self._start)]
        self._stream.write(data)

    @property
    def is_pdf(self) -> bool:
        """Whether it begins as a PDF; what the sender says of its type doesn't count."""
        return _PDF in self._start

    def keep(self, sha256: str) -> Path:
        """Where the finished file lies, under the name of its content."""
        target = self._path.with_name(f"{sha256}.pdf" if self.is_pdf else f"{sha256}.bin")
        self._path.replace(target)
        return target

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
