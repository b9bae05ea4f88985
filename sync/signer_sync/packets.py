"""Values that pass between the sending loop, the client and the store: packets on their way, their proofs.

Plain values on any thread; nothing here reads a file or talks to a network.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from signer_sync.contract import JwsBody, Receipt


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
