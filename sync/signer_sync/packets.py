"""Values that pass between the sending loop, the client and the store: packets on their way, their proofs.

Plain values on any thread; nothing here reads a file or talks to a network.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from signer_sync.contract import FeedType, JwsBody, PacketKind, Receipt


class BinarySink(Protocol):
    """Takes bytes one after the other: a file opened for writing, a BytesIO."""

    def write(self, data: bytes, /) -> object:
        """Takes all of `data`."""


@dataclass(frozen=True)
class OutgoingPacket:
    """A row of the outbox: a finished edXML file on disk, its identity, and its place in the queue.

    `urgency`: 0 thường to 4 hỏa tốc hẹn giờ (edXML Priority); `attempts`: sendings begun so far.
    """

    packet_id: str
    org: str
    path: Path
    sha256: str
    size: int
    urgency: int
    created_at: datetime
    attempts: int = 0
    kind: PacketKind = PacketKind.NEW
    document_id: str = ""
    """The edXML DocumentId; of a status message that of the document it answers."""
    supersedes: str | None = None
    """The failed packet in whose place this one is sent."""
    uncertain: bool = False
    """An earlier attempt got no answer: the other side may have it."""


@dataclass(frozen=True)
class Arrival:
    """One thing that a channel has for us. `sha256` and `size` are None where the channel doesn't tell them before the
    packet is fetched; `id` is the channel's own word for it, opaque, and never part of a path. `kind` is the sender's
    claim, as are `subject` and `priority`. `type` None: a word that this version doesn't know.
    """

    id: str
    type: FeedType | None
    sha256: str | None = None
    size: int | None = None
    sender: str = ""
    kind: PacketKind | None = None
    subject: str = ""
    priority: int = 0


@dataclass(frozen=True)
class ArrivalPage:
    """What came behind a cursor; `cursor` stands behind the last. `more`: ask again at once."""

    items: tuple[Arrival, ...]
    cursor: str
    more: bool = False


@dataclass(frozen=True)
class Proof:
    """That the other side has a packet. `text`: what is kept of it, in JSON. `receipt`: the server's signed one, whose
    text it then is; where the channel gives none, `doc_id` is its own number of the document, if it has one.
    """

    text: str
    receipt: "SignedReceipt | None" = None
    doc_id: str | None = None


@dataclass(frozen=True)
class SignedReceipt:
    """A receipt whose signature and facts have been checked; `message` is the proof to be kept."""

    facts: Receipt
    message: JwsBody

    @property
    def text(self) -> str:
        """The proof as flattened JSON, as it is kept."""
        return msgspec.json.encode(self.message).decode("ascii")

    @classmethod
    def message_of(cls, text: str) -> JwsBody:
        """The message inside a kept proof, to be checked again; msgspec.ValidationError if it is none."""
        return msgspec.json.decode(text, type=JwsBody)
