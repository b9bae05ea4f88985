"""Stores in memory for the tests of the loop; the real ones are tested with the database. And small other sides."""

import hashlib
import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from signer_resources.errors import KnownError
from signer_sync.contract import FeedType, JournalHead, OrgPage, PacketState
from signer_sync.ids import uuid7
from signer_sync.packets import Arrival, ArrivalPage, BinarySink, OutgoingPacket, Proof
from signer_sync.ports import Contact, FeedPosition, Sought, Taken, Traits
from signer_sync.reports import Surroundings

NOON: Final = datetime(2026, 11, 20, 5, 0, tzinfo=UTC)


@dataclass
class MemoryOutbox:
    """An outbox in memory that writes down what the loop tells it."""

    packets: list[OutgoingPacket] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    proofs: dict[str, Proof] = field(default_factory=dict)
    not_before: dict[str, datetime] = field(default_factory=dict)
    held_until: dict[str, datetime] = field(default_factory=dict)
    withdrawn: set[str] = field(default_factory=set)
    stuck: dict[str, str] = field(default_factory=dict)
    states: dict[str, PacketState] = field(default_factory=dict)
    step: Callable[[str, str], None] = lambda _step, _packet_id: None
    """Called before each write with its name and the packet; may raise, as a full disk would."""

    def due(self, org: str, now: datetime, *, at_once: bool) -> Sequence[OutgoingPacket]:
        return [
            packet
            for packet in self.packets
            if packet.org == org
            and packet.packet_id not in {*self.proofs, *self.stuck, *self.withdrawn}
            and (
                at_once
                or max(self.not_before.get(packet.packet_id, now), self.held_until.get(packet.packet_id, now)) <= now
            )
        ]

    def forget_delays(self, org: str) -> None:
        self.log.append("forget_delays")
        self.not_before.clear()

    def waiting(self, org: str) -> int:
        return len([packet for packet in self.packets if packet.packet_id not in self.proofs])

    def journal_head(self) -> JournalHead | None:
        return JournalHead(7, "07" * 32)

    def mark_sending(self, packet_id: str) -> bool:
        self.step("sending", packet_id)
        if packet_id in self.withdrawn:
            return False
        self.log.append(f"sending {packet_id}")
        self._change(packet_id, lambda packet: replace(packet, attempts=packet.attempts + 1))
        return True

    def accepted(self, packet_id: str, proof: Proof) -> None:
        self.step("accepted", packet_id)
        assert packet_id not in self.proofs
        self.log.append(f"accepted {packet_id}")
        self.proofs[packet_id] = proof

    def retry(self, packet_id: str, error: KnownError, not_before: datetime, *, uncertain: bool) -> None:
        self.step("retry", packet_id)
        self.log.append(f"retry {packet_id} {error.code}")
        self.not_before[packet_id] = not_before
        self._change(packet_id, lambda packet: replace(packet, uncertain=uncertain))

    def needs_person(self, packet_id: str, error: KnownError) -> None:
        self.stuck[packet_id] = f"needs_person {error.code}"

    def failed(self, packet_id: str, error: KnownError) -> None:
        self.stuck[packet_id] = f"failed {error.code}"

    def delivery(self, packet_id: str, state: PacketState) -> None:
        self.states[packet_id] = state

    def packet(self, packet_id: str) -> OutgoingPacket:
        return next(packet for packet in self.packets if packet.packet_id == packet_id)

    def order(self) -> list[str]:
        """The packets in the order in which they were begun."""
        return [line.split()[1] for line in self.log if line.startswith("sending")]

    def _change(self, packet_id: str, change: Callable[[OutgoingPacket], OutgoingPacket]) -> None:
        self.packets = [change(packet) if packet.packet_id == packet_id else packet for packet in self.packets]


@dataclass
class MemoryInbox:
    """An inbox in memory."""

    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)
    notices: list[str] = field(default_factory=list)
    given_up: dict[str, str] = field(default_factory=dict)
    misses: dict[str, int] = field(default_factory=dict)
    at: FeedPosition | None = None
    is_secret: Callable[[bytes], bool] = lambda _: False
    step: Callable[[str], None] = lambda _: None

    def position(self, org: str) -> FeedPosition | None:
        return self.at

    def advance(self, org: str, position: FeedPosition) -> None:
        self.step("advance")
        self.at = position

    def has(self, org: str, arrival: Arrival) -> bool:
        return arrival.id in self.secret or any(
            packet_id == arrival.id and arrival.sha256 in (None, sha256) for packet_id, sha256 in self.kept
        )

    def take(self, org: str, arrival: Arrival, fetch: Callable[[BinarySink], None]) -> Taken:
        sink = io.BytesIO()
        fetch(sink)
        data = sink.getvalue()
        if self.is_secret(data):
            self.secret.add(arrival.id)
            return Taken.SECRET
        self.step("take")
        key = (arrival.id, hashlib.sha256(data).hexdigest())
        assert key not in self.kept
        self.kept[key] = data
        return Taken.KEPT

    def told(self, org: str, arrival: Arrival) -> None:
        self.notices.append(arrival.subject)

    def missed(self, org: str, arrival: Arrival, error: KnownError) -> int:
        self.misses[arrival.id] = self.misses.get(arrival.id, 0) + 1
        return self.misses[arrival.id]

    def give_up(self, org: str, arrival: Arrival, error: KnownError) -> None:
        self.given_up[arrival.id] = error.code

    @property
    def ids(self) -> set[str]:
        """The packets that are kept."""
        return {packet_id for packet_id, _ in self.kept}


Script = Callable[[OutgoingPacket], BaseException | None]


class ScriptedChannel:
    """Another side that does what a test says: refuses or loses packets, lists what it is given."""

    def __init__(self, traits: Traits | None = None, org: str = "H77.15") -> None:
        self.org = org
        self.traits = traits or Traits("scripted", idempotent=True, receipts=False, side_by_side=8)
        self.script: Script = lambda _packet: None
        self.away: KnownError | None = None
        self.found: dict[str, Sought] = {}
        self.epoch = "e1"
        self.entries: list[Arrival] = []
        self.content: dict[str, bytes | KnownError] = {}
        self.acked = 0
        self.submitted: list[str] = []
        self.heads: list[JournalHead | None] = []
        self.contacts = 0
        self.lists: list[tuple[str | None, int]] = []
        self._lock = threading.Lock()

    def contact(self) -> Contact:
        self.contacts += 1
        if self.away is not None:
            raise self.away
        return Contact(self.epoch)

    def submit(self, packet: OutgoingPacket, journal_head: JournalHead | None, sent: Callable[[int], None]) -> Proof:
        with self._lock:
            self.submitted.append(packet.packet_id)
            self.heads.append(journal_head)
        if (error := self.script(packet)) is not None:
            raise error
        sent(packet.size)
        return Proof("{}")

    def seek(self, packet: OutgoingPacket) -> Sought:
        return self.found[packet.packet_id]

    def status(self, packet_id: str, proof: str) -> PacketState | None:
        return None

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        self.lists.append((cursor, wait))
        start = int(cursor or 0)
        shown = tuple(self.entries[start : start + limit])
        return ArrivalPage(shown, str(start + len(shown)), more=start + len(shown) < len(self.entries))

    def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
        content = self.content[arrival.id]
        if isinstance(content, KnownError):
            raise content
        sink.write(content)

    def ack(self, cursor: str) -> None:
        self.acked = max(self.acked, int(cursor))

    def directory(self, since: str | None) -> OrgPage:
        return OrgPage(items=(), cursor="0")

    def announce(self, *contents: bytes | KnownError) -> tuple[str, ...]:
        """New entries at the end of the list."""
        ids = []
        for content in contents:
            name = f"n{len(self.entries)}"
            digest = hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else "0" * 64
            self.entries.append(Arrival(name, FeedType.PACKET, digest, 1))
            self.content[name] = content
            ids.append(name)
        return tuple(ids)


def waiting_packet(
    *, urgency: int = 0, minute: int = 0, size: int = 1000, uncertain: bool = False, attempts: int = 0
) -> OutgoingPacket:
    """A row of the outbox for a channel that doesn't look at the file."""
    return OutgoingPacket(
        packet_id=uuid7(),
        org="H77.15",
        path=Path("unused"),
        sha256="0" * 64,
        size=size,
        urgency=urgency,
        created_at=NOON + timedelta(minutes=minute),
        attempts=attempts,
        uncertain=uncertain,
    )


class HandClock:
    """Both clocks of the loop, moved by hand."""

    def __init__(self) -> None:
        self.wall = NOON
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        """Both go on."""
        self.wall += timedelta(seconds=seconds)
        self.seconds += seconds

    @property
    def around(self) -> Surroundings:
        """Chance takes the upper bound."""
        return Surroundings(self.now, lambda _low, high: high, self.monotonic)
