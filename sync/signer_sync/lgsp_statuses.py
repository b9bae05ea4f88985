"""What status messages on the LGSP say of packets of ours: the only trace of a packet that was sent and not answered.

Runs on the network pool, one thread. There is no list of what was sent; a receiver's program answers each document
with status messages, which name it by its DocumentId. Messages are read in memory, once each, and never kept here: the
same messages come by the list of incoming packets too.
"""

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind, PacketPhase, PacketState, RecipientState, Transport
from signer_sync.edxml import PacketHeader
from signer_sync.edxml_read import read_header
from signer_sync.errors import ExchangeError
from signer_sync.lgsp_cursor import Entry
from signer_sync.packets import BinarySink

MAX_MESSAGE: Final = 1 << 20
"""Bytes of a status message that are read."""
MOST_READ: Final = 300
"""So many messages are fetched for one question; more remain unread, and the answer is not known."""

ANSWERS: Final = frozenset({"15", "16"})
"""What a receiver answers to a recall or a change of a document that it has already answered (domain rules, §6.4)."""
REFUSED: Final = "02"

Fetch = Callable[[str, BinarySink], None]
"""Writes the packet of a number into a sink; ExchangeError."""


@dataclass(frozen=True)
class Told:
    """One status message: who says what of which documents."""

    sender: str
    code: str
    at: str
    document_ids: tuple[str, ...]


class StatusBook:
    """Status messages that were read, by the LGSP's number."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._read: dict[str, Told | None] = {}

    def about(self, document_id: str, entries: Iterable[Entry]) -> "Reading":
        """What the messages among `entries` say of a document, read one after the other as they are wanted."""
        return Reading(self, document_id.strip(), [entry for entry in entries if entry.is_status])

    def message(self, entry: Entry) -> Told | None:
        """The message of an entry; None for what cannot be read. ExchangeError when the LGSP itself is away."""
        if entry.doc_id not in self._read:
            self._read[entry.doc_id] = self._ask(entry)
        return self._read[entry.doc_id]

    def knows(self, entry: Entry) -> bool:
        """Whether it was read before."""
        return entry.doc_id in self._read

    def _ask(self, entry: Entry) -> Told | None:
        sink = io.BytesIO()
        try:
            self._fetch(entry.doc_id, sink)
        except ExchangeError as error:
            if error.code in ("content_wrong", "packet_too_large", "lgsp_no_packet", "lgsp_refused"):
                return None
            raise
        sink.seek(0)
        try:
            return _told(read_header(sink))
        except KnownError:
            return None


class Reading:
    """An iteration over what is told of one document, the newest first; `complete` once nothing was left out."""

    def __init__(self, book: StatusBook, document_id: str, entries: list[Entry]) -> None:
        self._book = book
        self._document_id = document_id
        self._entries = sorted(entries, key=lambda entry: (entry.order, entry.doc_id), reverse=True)
        self.complete = False

    def __iter__(self) -> Iterator[Told]:
        left = MOST_READ
        for entry in self._entries:
            if not self._book.knows(entry):
                if left == 0:
                    return
                left -= 1
            told = self._book.message(entry)
            if told is not None and self._document_id in told.document_ids:
                yield told
        self.complete = True


def proves(told: Told, kind: PacketKind) -> bool:
    """Whether a message can only have been written by somebody who has a packet of this kind on the document."""
    return kind in (PacketKind.NEW, PacketKind.REPLACE) or told.code in ANSWERS


def state_of(messages: Iterable[Told], receivers: tuple[str, ...], since: datetime) -> PacketState | None:
    """How far a packet is, by what its receivers have answered; None when nobody has. The first message that names a
    receiver counts.
    """
    newest: dict[str, Told] = {}
    for told in messages:
        if told.sender in receivers:
            newest.setdefault(told.sender, told)
    if not newest:
        return None
    recipients = tuple(
        RecipientState(
            org=code,
            transport=Transport.DONE if code in newest else Transport.SENT,
            business_code=newest[code].code if code in newest else None,
            at=newest[code].at[:40] or None if code in newest else None,
        )
        for code in receivers
    )
    phase = PacketPhase.DELIVERED if len(newest) == len(receivers) else PacketPhase.PARTIALLY
    return PacketState(state=phase, since=since.isoformat(), recipients=recipients)


def _told(header: PacketHeader) -> Told | None:
    if header.kind is not PacketKind.STATUS:
        return None
    ids = tuple(item.document_id.strip() for item in header.response_for if item.document_id.strip())
    return Told(header.sender.code, header.status_code[:10], header.timestamp, ids)
