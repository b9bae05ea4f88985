"""Incoming documents as the window shows them: the list, one document opened with its files, and what can be done.

Main process, any thread; everything blocks. What a sender calls a file is text to be shown and never a path. Secret
packets were never kept, so none is opened here. Decisions are `deciding`'s, filing `filing`'s.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from signer_app.deadlines import Deadlines
from signer_app.desk.incoming_model import (
    Facts,
    IncomingDetails,
    IncomingFile,
    IncomingRow,
    IncomingSnapshot,
    OpenedPacket,
    Place,
    place_of,
)
from signer_app.desk.incoming_packets import TakenApart
from signer_app.desk.names import Names
from signer_app.desk.reading import reading
from signer_app.desk.today import urgency_of
from signer_app.exchange.deciding import Deciding
from signer_app.exchange.filing import Filing
from signer_app.exchange.rechecking import Rechecking
from signer_app.pdf.names import fold
from signer_app.store.durable import copy_to_new, disk_errors
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import ArrivalState, IncomingDocument
from signer_app.verification.names import one_line
from signer_app.workdays import WorkCalendar
from signer_app.workspace import Workspace
from signer_resources import rules
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader
from signer_sync.edxml_read import read_header

__all__ = ["Facts", "Incoming", "IncomingFile", "IncomingRow", "IncomingSnapshot", "OpenedPacket", "label_of"]

_MOST = 100_000
"""Packets without a document that are listed; older ones stay in the store."""


class Incoming:
    """What came for the bodies of one workspace."""

    def __init__(self, space: Workspace, names: Names) -> None:
        self._space = space
        self._names = names
        self._facts: dict[str, Facts] = {}
        self._documents: dict[str, IncomingDocument] = {}
        self._rows: dict[str, IncomingRow] = {}
        self._touched = 0
        self._known: tuple[object, IncomingSnapshot] | None = None
        self._made_with: tuple[Mapping[str, str], Deadlines | None] = {}, None
        self._looking = threading.Lock()
        self._apart = TakenApart(space)

    @cached_property
    def deciding(self) -> Deciding:
        """Accepting, returning, reporting, answering."""
        return Deciding(self._space)

    @cached_property
    def filing(self) -> Filing:
        """Packets become documents; to be run after each pass of receiving."""
        return Filing(self._space)

    @cached_property
    def rechecking(self) -> Rechecking:
        """Another look at what could not be decided."""
        return Rechecking(self._space)

    # ---- the list --------------------------------------------------------------------------------------------------

    def look(self) -> IncomingSnapshot:
        """The whole list; the very same answer while nothing has changed. Only what is new is read from the store."""
        with self._looking:
            return self._look()

    def _look(self) -> IncomingSnapshot:
        names, deadlines = self._names.all(), self._deadlines()
        with reading(self._space).view() as view:
            # The first reading opens the moment to which the version belongs.
            changed = tuple(view.incoming.touched_since(self._touched))
            key = (view.listings.version(), names, len(self._facts), deadlines)
            if self._known is not None and self._known[0] == key and not changed:
                return self._known[1]
            packets = view.inbox.without_document(_MOST)
        named, by = self._made_with
        if names is not named or deadlines != by:
            # Rows name their senders as the directory does, and their deadlines as the calendar of the settings.
            self._made_with, self._rows = (names, deadlines), {}
        for document in changed:
            self._documents[document.id] = document
            self._rows.pop(document.id, None)
            self._touched = document.touched
        for document in self._documents.values() if len(self._rows) < len(self._documents) else ():
            if document.id not in self._rows:
                self._rows[document.id] = self._row(document, names, deadlines)
        rows = [*self._rows.values(), *(self._packet_row(packet, names) for packet in packets)]
        rows.sort(key=_order)
        snapshot = IncomingSnapshot(
            tuple(rows),
            {row.id: row for row in rows},
            valid=sum(row.document is not None and row.document.valid for row in rows),
            open=sum(row.place < Place.DONE for row in rows),
        )
        self._known = key, snapshot
        return snapshot

    def _deadlines(self) -> Deadlines:
        settings = self._space.settings
        calendar = WorkCalendar.of(settings.calendar)
        return Deadlines.of(rules.load(self._space.now().date()), calendar)

    def _row(self, document: IncomingDocument, names: Mapping[str, str], deadlines: Deadlines) -> IncomingRow:
        sender = names.get(document.sender) or document.sender_name or document.sender
        waits = document.state is ArrivalState.ARRIVED or document.asked is not None
        asked_at = document.asked_at if document.asked is not None else None
        return IncomingRow(
            document.id,
            document.arrived_at,
            False,
            one_line(sender),
            one_line(document.subject),
            document.urgency,
            document.kind,
            document.packet_sha256,
            Facts(one_line(document.label), "", document.readable),
            document=document,
            place=place_of(document),
            deadline=deadlines.receipt(asked_at or document.arrived_at, document.urgency) if waits else None,
            search=f"{document.search} {fold(sender)}",
        )

    def _packet_row(self, packet: IncomingPacket, names: Mapping[str, str]) -> IncomingRow:
        code = packet.from_org or ""
        sender = names.get(code, code)
        told = packet.told_at is not None
        problem = Place.PROBLEM if packet.secret or packet.given_up else Place.UNDECIDED
        return IncomingRow(
            f"{packet.org} {packet.channel} {packet.packet_id} {packet.sha256 or ''}",
            packet.received_at,
            packet.secret,
            one_line(sender),
            one_line(packet.subject or ""),
            urgency_of(packet.priority),
            packet.kind or PacketKind.NEW,
            packet.sha256,
            self._facts.get(packet.sha256) if packet.sha256 else None,
            packet=packet,
            place=Place.DONE if told else problem,
            search=fold(f"{packet.subject or ''} {sender}"),
        )

    def learn(self, rows: tuple[IncomingRow, ...], cancelled: Callable[[], bool]) -> int:
        """Reads the headers of those packets that aren't filed yet, as far as they aren't known; how many were read."""
        read = 0
        for row in rows:
            if row.document is not None or row.sha256 is None or row.sha256 in self._facts:
                continue
            if cancelled():
                break
            self._facts[row.sha256] = self._read_facts(row.sha256)
            read += 1
        return read

    def _read_facts(self, sha256: str) -> Facts:
        try:
            header = self._header(sha256)
        except (KnownError, OSError):
            return Facts(readable=False)
        return Facts(one_line(label_of(header)), header.status_code)

    def _header(self, sha256: str) -> PacketHeader:
        self._space.store.blobs.size(sha256)  # "blob_damaged" if it is gone
        with self._space.store.blobs.path(sha256).open("rb") as stream:
            return read_header(stream)

    # ---- one document ----------------------------------------------------------------------------------------------

    def open(self, row: IncomingRow, *, for_log: bool = False) -> OpenedPacket:
        """The document's header and files, or those of a packet that isn't filed yet.

        KnownError `edxml_invalid`, `blob_damaged`, `disk_full`, `data_folder_unwritable`, "incoming_quarantined" for a
        recalled one unless it is looked at `for_log`; ValueError for a packet of which nothing was kept.
        """
        if row.sha256 is None:
            raise ValueError("nothing was kept of this packet")
        if row.document is None:
            opened = self._apart.open(row.id, row.sha256)
            self._facts[row.sha256] = Facts(one_line(label_of(opened.header)), opened.header.status_code)
            return opened
        document, blobs = row.document, self._space.store.blobs
        if document.state is ArrivalState.CANCELLED and not for_log:
            raise KnownError("incoming_quarantined", label=document.label)
        with self._space.store.view() as view:
            files = view.incoming.files(document.id)
        for file in files:
            blobs.size(file.sha256)
        return OpenedPacket(
            document.id,
            self._header(document.packet_sha256),
            tuple(
                IncomingFile(file.name, file.size, file.sha256, file.is_pdf, blobs.path(file.sha256)) for file in files
            ),
            self._space.folder.blobs,
        )

    def details(self, incoming_id: str) -> IncomingDetails:
        """All that is known of a document; KnownError "incoming_unknown"."""
        with self._space.store.view() as view:
            document = view.incoming.get(incoming_id)
            if document is None:
                raise KnownError("incoming_unknown")
            files, events = view.incoming.files(incoming_id), view.incoming.events(incoming_id)
            holders = view.incoming.holders(incoming_id)
        return IncomingDetails(document, files, events, holders, self.deciding.may_return(incoming_id))

    def save(self, file: IncomingFile, destination: Path) -> None:
        """Puts a copy where the clerk wants it; never over another file.

        KnownError `output_exists`, `output_unwritable`, `disk_full`, `blob_damaged` if our copy isn't as it was.
        """
        try:
            with file.path.open("rb") as stream:
                sound = hashlib.file_digest(stream, "sha256").hexdigest() == file.sha256
        except OSError as error:
            raise KnownError("blob_damaged", sha256=file.sha256) from error
        if not sound:
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


def label_of(header: PacketHeader) -> str:
    """Số, ký hiệu as the sender wrote them; of an answer, those of the document that it answers."""
    return header.label or next((answered.code for answered in header.response_for if answered.code), "")


def _order(row: IncomingRow) -> tuple[int, int, float]:
    """What presses, the most urgent and oldest first; what is done, the newest first."""
    at = row.at.timestamp()
    return (row.place, 0, -at) if row.place == Place.DONE else (row.place, -row.urgency, at)
