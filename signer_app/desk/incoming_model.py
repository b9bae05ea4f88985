"""What the list of incoming documents and one opened document are made of: plain, frozen values.

Usable on any thread. What a sender wrote is text to be shown, never markup and never a path; of a secret packet there
is nothing but that it came.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from signer_app.deadlines import Deadline
from signer_app.desk.sending_rows import LOUD_AFTER
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import (
    CHECK_WAITS,
    ArrivalState,
    ArrivalVerdict,
    Asked,
    IncomingDocument,
    IncomingEvent,
    ReturnReason,
)
from signer_app.store.incoming_model import IncomingFile as FiledFile
from signer_app.store.model import Urgency
from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader

_PROBLEMS = frozenset(
    {
        ArrivalVerdict.INVALID,
        ArrivalVerdict.UNSIGNED,
        ArrivalVerdict.NO_PDF,
        ArrivalVerdict.UNREADABLE,
        ArrivalVerdict.CHANGED,
    }
)


class Facts(msgspec.Struct, frozen=True, gc=False):
    """What only the packet's own header tells; empty where it doesn't, `readable` False where nobody can read it."""

    label: str = ""
    """Số, ký hiệu as the sender wrote it."""
    status_code: str = ""
    readable: bool = True


class Place:
    """Where a line stands in the list: the lowest first."""

    FLASH = 0
    """Hỏa tốc that nobody has answered."""
    ASKED = 1
    PROBLEM = 2
    UNDECIDED = 3
    VALID = 4
    DONE = 5


class IncomingRow(msgspec.Struct, frozen=True, gc=False):
    """A line of the list: a document, or a packet that no document stands for (being filed, secret, given up).

    `facts` is None until a packet's header was read (`Incoming.learn`). The garbage collector leaves these alone: there
    may be a hundred thousand, and they hold no cycles.
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
    document: IncomingDocument | None = None
    packet: IncomingPacket | None = None
    place: int = Place.UNDECIDED
    deadline: Deadline | None = None
    """By when it must be accepted or returned; None where nothing is to be done any more."""
    search: str = ""
    """All that can be searched for, folded (`pdf.names.fold`)."""

    @property
    def state_key(self) -> str:
        """The key of the words that say how it stands."""
        if self.document is None:
            return packet_state(self.packet) if self.packet is not None else _FILING
        return asked_key(self.document) or STATE_KEYS[self.document.state]

    @property
    def verdict_key(self) -> str | None:
        """The key of the words about its signatures; None for what has no verdict."""
        if self.document is None or self.document.kind is PacketKind.REVOKE:
            return None
        return verdict_key(self.document)

    @property
    def is_recall(self) -> bool:
        """Whether its sender wants it back; a recall that isn't filed yet is one."""
        if self.document is not None and self.document.asked is not None:
            return self.document.asked is Asked.RECALL
        return self.kind is PacketKind.REVOKE

    @property
    def is_flash(self) -> bool:
        """Whether it is a hỏa tốc that nobody has answered, whatever else its sender asks for but to have it back; one
        that isn't filed yet is one.
        """
        if self.urgency < Urgency.HOA_TOC or self.secret or self.is_recall or self.kind is PacketKind.STATUS:
            return False
        return self.document is None or self.document.state is ArrivalState.ARRIVED


_FILING = "incoming_state_filing"
_ASKED_STATES = {Asked.RECALL: "incoming_state_recall", Asked.UPDATE: "incoming_state_update"}
STATE_KEYS = {
    ArrivalState.ARRIVED: "incoming_state_arrived",
    ArrivalState.ACCEPTED: "incoming_state_accepted",
    ArrivalState.RETURNED: "incoming_state_returned",
    ArrivalState.REPORTED: "incoming_state_reported",
    ArrivalState.CANCELLED: "incoming_state_cancelled",
    ArrivalState.SUPERSEDED: "incoming_state_superseded",
}
VERDICT_KEYS = {
    ArrivalVerdict.VALID: "incoming_verdict_valid",
    ArrivalVerdict.CHANGED: "incoming_verdict_changed",
    ArrivalVerdict.INDETERMINATE: "incoming_verdict_indeterminate",
    ArrivalVerdict.INVALID: "incoming_verdict_invalid",
    ArrivalVerdict.UNSIGNED: "incoming_verdict_unsigned",
    ArrivalVerdict.NO_PDF: "incoming_verdict_no_pdf",
    ArrivalVerdict.UNREADABLE: "incoming_verdict_unreadable",
}


def verdict_key(document: IncomingDocument) -> str:
    """The key of the words about what a document's signatures are worth."""
    if document.verdict is ArrivalVerdict.INDETERMINATE and document.verdict_code == CHECK_WAITS:
        return "incoming_verdict_checking"
    return VERDICT_KEYS[document.verdict]


def packet_state(packet: IncomingPacket) -> str:
    """The key of the words about a packet that no document stands for."""
    if packet.secret:
        return "incoming_state_secret"
    return "incoming_state_given_up" if packet.given_up else _FILING


def asked_key(document: IncomingDocument) -> str | None:
    """The key of the words about what a document's sender asks for; None where it asks for nothing."""
    return _ASKED_STATES[document.asked] if document.asked is not None else None


@dataclass(frozen=True, eq=False)
class IncomingSnapshot:
    """The list: hỏa tốc, what senders ask for, problems, undecided, valid, then what is done, the newest first.

    `valid`: how many one click would accept; `open`: how many wait for the clerk at all.
    """

    rows: tuple[IncomingRow, ...]
    by_id: Mapping[str, IncomingRow] = field(repr=False)
    valid: int = 0
    open: int = 0

    def flash(self) -> tuple[IncomingRow, ...]:
        """The hỏa tốc that nobody has answered, the oldest first."""
        return tuple(sorted((row for row in self.rows[: self.open] if row.is_flash), key=lambda row: row.at))

    def loud(self, now: dt.datetime) -> tuple[IncomingRow, ...]:
        """Those of them that nobody has answered for ten minutes."""
        return tuple(row for row in self.flash() if now - row.at >= LOUD_AFTER)

    def late(self, now: dt.datetime) -> tuple[IncomingRow, ...]:
        """Those whose sender should have heard of them by now (accepted or returned the same day)."""
        return tuple(row for row in self.rows[: self.open] if row.deadline is not None and row.deadline.is_late(now))


def place_of(document: IncomingDocument) -> int:
    """Where a document stands in the list."""
    if document.state is ArrivalState.ARRIVED and document.urgency >= Urgency.HOA_TOC and document.asked is None:
        return Place.FLASH
    if document.asked is not None:
        return Place.ASKED
    if document.state is not ArrivalState.ARRIVED:
        return Place.DONE
    if document.verdict in _PROBLEMS or document.doubted:
        return Place.PROBLEM
    return Place.VALID if document.verdict is ArrivalVerdict.VALID else Place.UNDECIDED


@dataclass(frozen=True)
class IncomingFile:
    """A file of a document. `path` is our own copy, named by its content; `name` is the sender's word for it."""

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


@dataclass(frozen=True)
class IncomingDetails:
    """All that is known here of one document, beside its packet."""

    document: IncomingDocument
    files: tuple[FiledFile, ...]
    events: tuple[IncomingEvent, ...]
    holders: tuple[str, ...]
    """To whom it was passed on."""
    may_return: tuple[ReturnReason, ...]
