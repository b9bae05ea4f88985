"""The seams of the sending loop: what it needs of the store and of a document server.

Protocols only. The store implements `OutboxStore` and `InboxStore` over its tables, a client implements
`DocumentServer`; all are called from the one thread that runs a pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from signer_resources.errors import KnownError
from signer_sync.contract import FeedItem, FeedPage, JournalHead, Meta, PacketState
from signer_sync.packets import OutgoingPacket, SignedReceipt


@dataclass(frozen=True)
class FeedPosition:
    """How far the feed has been stored *and* acknowledged, within one epoch of the server."""

    epoch: str
    cursor: str


class OutboxStore(Protocol):
    """What the loop needs of the outbox table; each method is durable when it returns.

    An error is kept with its `code` and `params`, which together make its message.
    """

    def due(self, org: str, now: datetime, *, at_once: bool) -> Sequence[OutgoingPacket]:
        """Packets to be tried now: queued, sending or retrying ones whose hold and delay are over.

        `at_once` ("Gửi ngay"): those too whose time has not come. Any order; the loop puts urgent ones
        first.
        """

    def waiting(self, org: str) -> int:
        """How many packets have no receipt and are not given up: queued, sending, retrying, needs_person."""

    def journal_head(self) -> JournalHead | None:
        """The journal's head, to be anchored in the next receipt."""

    def mark_sending(self, packet_id: str) -> None:
        """The first byte is about to leave: state `sending`, one attempt more."""

    def accepted(self, packet_id: str, receipt: SignedReceipt) -> None:
        """The server has it, here is the checked proof: state `accepted`."""

    def retry(self, packet_id: str, error: KnownError, not_before: datetime) -> None:
        """Not sent, or outcome unknown: state `retrying`, the same write again from `not_before` on."""

    def needs_person(self, packet_id: str, error: KnownError) -> None:
        """Someone must change something first: state `needs_person`."""

    def failed(self, packet_id: str, error: KnownError) -> None:
        """The server will never take this packet: state `failed`, final for this id."""

    def delivery(self, packet_id: str, state: PacketState) -> None:
        """The server tells more about an accepted packet; ignored if the id is not ours."""


class InboxStore(Protocol):
    """What the loop needs of the incoming side; each method is durable (fsynced) when it returns."""

    def position(self, org: str) -> FeedPosition | None:
        """Where to go on, None at the start."""

    def advance(self, org: str, position: FeedPosition) -> None:
        """Everything up to `position` is stored and acknowledged."""

    def has(self, org: str, packet_id: str, sha256: str) -> bool:
        """Whether this very packet is kept, or `packet_id` was recorded as secret."""

    def screen(self, org: str, item: FeedItem, data: bytes) -> bool:
        """Whether the packet carries a secrecy mark; looked at in memory, before anything is kept."""

    def record_secret(self, org: str, packet_id: str) -> None:
        """Keeps the id and nothing else of a secret packet."""

    def receive(self, org: str, item: FeedItem, data: bytes) -> None:
        """Keeps the packet: file and row."""


class DocumentServer(Protocol):
    """A document server as the loop sees it; `client.ServerClient` is one. All raise ExchangeError."""

    @property
    def org(self) -> str:
        """The organisation for which this machine is enrolled."""

    def meta(self) -> Meta:
        """Identity and reachability, checked against the pinned certificate."""

    def put_packet(self, packet: OutgoingPacket, journal_head: JournalHead | None) -> SignedReceipt:
        """Sends the packet; the receipt is checked. Same packet again: same receipt."""

    def packet_state(self, packet_id: str) -> PacketState:
        """What the server knows of a packet that we sent."""

    def feed(self, cursor: str | None, *, limit: int, wait: int) -> FeedPage:
        """The feed behind `cursor`; ExchangeError epoch_changed if the server is another one now."""

    def fetch(self, item: FeedItem, *, limit: int) -> bytes:
        """A packet's bytes, hash checked; KnownError content_wrong, packet_too_large."""

    def ack(self, cursor: str) -> None:
        """All up to `cursor` is durable here."""
