"""The seams of the sending loop: what it needs of the store and of a document server.

Protocols only. The store implements `OutboxStore` and `InboxStore` over its tables, the adapters implement `Channel`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from signer_resources.errors import KnownError
from signer_sync.contract import JournalHead, OrgPage, PacketState
from signer_sync.packets import Arrival, ArrivalPage, BinarySink, OutgoingPacket, Proof


@dataclass(frozen=True)
class FeedPosition:
    """How far the feed has been stored *and* acknowledged, within one epoch of the server."""

    epoch: str
    cursor: str


class OutboxStore(Protocol):
    """What the loop needs of the outbox table; each method is durable when it returns, all from one thread at a time.

    An error is kept with its `code` and `params`, which together make its message.
    """

    def due(self, org: str, now: datetime, *, at_once: bool) -> Sequence[OutgoingPacket]:
        """Packets to be tried now: queued, sending or retrying ones whose hold and delay are over.

        `at_once` ("Gửi ngay"): those too whose time has not come. Any order; the loop puts urgent ones
        first. One that an earlier run of the program left `sending` comes back as `uncertain`.
        """

    def forget_delays(self, org: str) -> None:
        """The way is open again: delays after failures are over now; a hold (Hoãn gửi, the two minutes) stays."""

    def waiting(self, org: str) -> int:
        """How many packets have no receipt and are not given up: queued, sending, retrying, needs_person."""

    def journal_head(self) -> JournalHead | None:
        """The journal's head, to be anchored in the next receipt."""

    def mark_sending(self, packet_id: str) -> bool:
        """The first byte is about to leave: state `sending`, one attempt more. False where it is no longer to be
        sent (withdrawn or put off since `due`): nothing is written then, and nothing leaves.
        """

    def accepted(self, packet_id: str, proof: Proof) -> None:
        """The other side has it, here is the checked proof: state `accepted`."""

    def retry(self, packet_id: str, error: KnownError, not_before: datetime, *, uncertain: bool) -> None:
        """Not sent, or outcome unknown: state `retrying`, the same write again from `not_before` on.

        `uncertain`: the other side may have it, from this attempt or from an earlier one; kept as it is said here.
        """

    def needs_person(self, packet_id: str, error: KnownError) -> None:
        """Someone must change something first: state `needs_person`."""

    def failed(self, packet_id: str, error: KnownError) -> None:
        """The server will never take this packet: state `failed`, final for this id."""

    def delivery(self, packet_id: str, state: PacketState) -> None:
        """The server tells more about an accepted packet; ignored if the id is not ours."""


class Taken(Enum):
    """What became of a packet that was fetched."""

    KEPT = "kept"
    KNOWN = "known"
    SECRET = "secret"  # noqa: S105 - a state, no password


class InboxStore(Protocol):
    """What the loop needs of the incoming side; each method is durable (fsynced) when it returns."""

    def position(self, org: str) -> FeedPosition | None:
        """Where to go on, None at the start."""

    def advance(self, org: str, position: FeedPosition) -> None:
        """Everything up to `position` is stored and acknowledged."""

    def has(self, org: str, arrival: Arrival) -> bool:
        """Whether this very packet is kept (by id and hash, by id alone where no hash is told), or its id was recorded
        as secret.
        """

    def take(self, org: str, arrival: Arrival, fetch: Callable[[BinarySink], None]) -> Taken:
        """Fetches a packet, looks for secrecy marks before anything of it is kept, then keeps file and row, durable.

        Nothing is kept if `fetch` raises, and what it raises is passed on. A secret packet: the id alone. One that
        can't be read is kept like any other: an error of the store's own (a full disk) ends the whole pass.
        """

    def told(self, org: str, arrival: Arrival) -> None:
        """The other side says something to the clerk (a `notice`)."""

    def missed(self, org: str, arrival: Arrival, error: KnownError) -> int:
        """It was there and could not be had in this pass; in how many passes so far, this one with. Counted by its id
        until it is taken.
        """

    def give_up(self, org: str, arrival: Arrival, error: KnownError) -> None:
        """It can never be had: recorded with the reason, for a person to see, and passed over. May come again with the
        same id, and may still be taken then.
        """


@dataclass(frozen=True)
class Traits:
    """What a channel can and cannot do, as far as the loop must know.

    `idempotent`: the same packet may be submitted again after a lost answer and stays one packet; without it the loop
    looks before it submits again, and asks a person where looking doesn't tell. `receipts`: the proof is a signed
    receipt. `side_by_side`: so many submissions at once are of use, at most.
    """

    name: str
    idempotent: bool
    receipts: bool
    side_by_side: int = 1
    long_poll: bool = False


class Sought(Enum):
    """Whether the other side has a packet whose submission got no answer."""

    THERE = "there"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Contact:
    """The other side answered and is who it should be; `epoch` changes when its feed begins anew."""

    epoch: str
    server_time: datetime | None = None


class Channel(Protocol):
    """A way to exchange packets for one body: the Sync API, a province's LGSP, a folder of .edxml files.

    All methods raise ExchangeError, whose class of retry and scope tell what to do next. `submit` may be called from
    several threads at once, up to `traits.side_by_side`, and beside `contact`. Where `traits.long_poll` says that a
    `list` can be held open, one such `list` may run on a thread of its own beside everything else. All the rest comes
    from one thread at a time.
    """

    @property
    def org(self) -> str:
        """The body for which this channel speaks."""

    @property
    def traits(self) -> Traits:
        """What it can do."""

    def contact(self) -> Contact:
        """Makes sure that the other side is there and is the right one."""

    def submit(self, packet: OutgoingPacket, journal_head: JournalHead | None, sent: Callable[[int], None]) -> Proof:
        """Hands a packet over; `sent(n)` is told that n more bytes of it have left."""

    def seek(self, packet: OutgoingPacket) -> Sought:
        """Looks whether the other side has an `uncertain` packet; asked only of a channel that isn't idempotent."""

    def status(self, packet_id: str, proof: str) -> PacketState | None:
        """How far a packet is that was submitted; None where the channel cannot tell or doesn't know it."""

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        """What came behind `cursor` (None: from the start), held open up to `wait` seconds where it can be.

        ExchangeError epoch_changed if the other side began anew.
        """

    def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
        """Writes a packet's bytes into `sink`; content_wrong, packet_too_large beyond `limit` bytes."""

    def ack(self, cursor: str) -> None:
        """All up to `cursor` is durable here."""

    def directory(self, since: str | None) -> OrgPage:
        """Bodies of the directory that changed since the cursor; all without one."""
