"""Many clients at once, each with the program's own loop over its own connections, and stores in memory.

For the benchmark `clients`. A crowd lives in a process of its own; several crowds speak with the same server and meet
at a barrier when all is sent, so that what is on its way to a neighbour still arrives. Nothing here is killed or cut:
that is the campaign's part.
"""

import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from queue import Queue
from threading import Barrier
from typing import Final

from signer_sync import contract as c
from signer_sync.client import ClientPool, PinnedServer
from signer_sync.http import HttpSettings
from signer_sync.keystore import DeviceIdentity, FileKeyStore
from signer_sync.loop import keep_exchanging, sync_once
from signer_sync.packets import Arrival, ArrivalPage, BinarySink, OutgoingPacket, Proof
from signer_sync.ports import Contact, Taken
from signer_sync.reports import Outcome, Surroundings, SyncReport
from signer_sync.sync_channel import SyncChannel
from signer_sync.waking import Call, Wake
from tests.server.world import make_packet
from tests.support.exchange_server import code
from tests.sync.stores import MemoryInbox, MemoryOutbox

MEETING_S: Final = 600.0
_LIMITS: Final = HttpSettings(connect_timeout=10, read_timeout=60)


@dataclass(frozen=True)
class Task:
    """What a crowd is told: its members by number, of `all` clients, each of which sends about every `every` seconds
    for `seconds`; their devices' keys lie in `folder`/keys. No two crowds have the same seed.
    """

    url: str
    server: PinnedServer
    folder: Path
    members: tuple[tuple[int, str], ...]
    """Number and device id."""
    all: int
    seconds: float
    every: float
    size: int
    """Bytes of the file in each packet, incompressible."""
    seed: int


@dataclass
class Told:
    """What a crowd tells. `sent`: packet id → receiver; `proven`: ids with a receipt; `kept`: receiver → ids;
    `answers`: seconds by kind of call; `troubles`: codes of what ended a pass or an attempt.
    """

    sent: dict[str, str] = field(default_factory=dict)
    proven: set[str] = field(default_factory=set)
    kept: dict[str, list[str]] = field(default_factory=dict)
    answers: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    troubles: Counter[str] = field(default_factory=Counter)


class _Timed(SyncChannel):
    """The channel, with a watch in its hand."""

    def __init__(self, pool: ClientPool, answers: dict[str, list[float]]) -> None:
        super().__init__(pool)
        self._answers = answers

    def contact(self) -> Contact:
        began = time.monotonic()
        contact = super().contact()
        self._answers["meta"].append(time.monotonic() - began)
        return contact

    def submit(self, packet: OutgoingPacket, journal_head: c.JournalHead | None, sent: Callable[[int], None]) -> Proof:
        began = time.monotonic()
        proof = super().submit(packet, journal_head, sent)
        self._answers["packet sent"].append(time.monotonic() - began)
        return proof

    def list(self, cursor: str | None, *, limit: int, wait: int) -> ArrivalPage:
        began = time.monotonic()
        page = super().list(cursor, limit=limit, wait=wait)
        if wait == 0:  # else the server waits on purpose
            self._answers["feed"].append(time.monotonic() - began)
        return page

    def fetch(self, arrival: Arrival, sink: BinarySink, *, limit: int) -> None:
        began = time.monotonic()
        super().fetch(arrival, sink, limit=limit)
        self._answers["packet fetched"].append(time.monotonic() - began)

    def ack(self, cursor: str) -> None:
        began = time.monotonic()
        super().ack(cursor)
        self._answers["ack"].append(time.monotonic() - began)


class _Outbox(MemoryOutbox):
    """One to which another thread adds, and whose files go when they are sent."""

    def __init__(self) -> None:
        super().__init__()
        self._turn = threading.Lock()

    def add(self, packet: OutgoingPacket) -> None:
        with self._turn:
            self.packets.append(packet)

    def accepted(self, packet_id: str, proof: Proof) -> None:
        super().accepted(packet_id, proof)
        self.packet(packet_id).path.unlink()

    def _change(self, packet_id: str, change: Callable[[OutgoingPacket], OutgoingPacket]) -> None:
        with self._turn:
            super()._change(packet_id, change)


class _Inbox(MemoryInbox):
    """One that keeps the hashes alone; what comes again with other bytes counts as another packet."""

    def take(self, org: str, arrival: Arrival, fetch: Callable[[BinarySink], None]) -> Taken:
        taken = super().take(org, arrival, fetch)
        self.kept = dict.fromkeys(self.kept, b"")
        return taken


class _Member:
    def __init__(self, task: Task, number: int, device: str, told: Told) -> None:
        self.org = code(number)
        self.outbox, self.inbox = _Outbox(), _Inbox()
        self._told = told
        self._wake = Wake()
        identity = DeviceIdentity.load(FileKeyStore(task.folder / "keys"), device, self.org)
        self._pool = ClientPool(task.url, task.server, identity, _LIMITS)
        self._channel = _Timed(self._pool, told.answers)
        self._around = Surroundings(lambda: datetime.now(UTC), random.SystemRandom().uniform)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def queue(self, packet: OutgoingPacket) -> None:
        self.outbox.add(packet)
        self._wake.call(Call.WORK)

    @property
    def is_through(self) -> bool:
        return len(self.outbox.packets) == len(self.outbox.proofs) + len(self.outbox.stuck)

    def stop(self) -> None:
        self._wake.call(Call.STOP)

    def last_pass(self) -> None:
        self._thread.join()
        self._heard(sync_once(self._channel, self.outbox, self.inbox, self._around, at_once=True))
        self._pool.close()

    def _run(self) -> None:
        keep_exchanging(self._channel, self.outbox, self.inbox, self._around, self._wake, self._heard)

    def _heard(self, report: SyncReport) -> None:
        if report.stopped is not None:
            self._told.troubles[report.stopped.code] += 1
        for result in report.packets:
            if result.outcome is not Outcome.ACCEPTED:
                self._told.troubles[result.code or "?"] += 1
        for problem in (*report.incoming_problems, *report.given_up):
            self._told.troubles[problem.code] += 1


def crowd(task: Task, through: Barrier, answer: "Queue[Told]") -> None:
    """Runs a crowd to its end; for a process of its own."""
    told, chance = Told(), random.Random(task.seed)
    members = [_Member(task, number, device, told) for number, device in task.members]
    for member in members:
        member.start()
    _send(task, members, chance, told)
    end = time.monotonic() + MEETING_S
    while not all(member.is_through for member in members) and time.monotonic() < end:
        time.sleep(0.1)
    through.wait(MEETING_S)
    for member in members:
        member.stop()
    for member in members:
        member.last_pass()
        told.proven.update(member.outbox.proofs)
        told.kept[member.org] = [packet_id for packet_id, _ in member.inbox.kept]
    told.answers = dict(told.answers)
    answer.put(told)


def _send(task: Task, members: Sequence[_Member], chance: random.Random, told: Told) -> None:
    """Each member sends to whomever, at its own times."""
    folder = task.folder / f"crowd {task.seed}"
    folder.mkdir()
    began = time.monotonic()
    due = [(chance.uniform(0.0, 2 * task.every), at) for at in range(len(members))]
    count = 0
    while due and (first := min(due))[0] < task.seconds:
        due.remove(first)
        when, at = first
        due.append((when + chance.uniform(0.0, 2 * task.every), at))
        time.sleep(max(0.0, began + when - time.monotonic()))
        member, count = members[at], count + 1
        to = code(chance.randrange(task.all))
        packet = make_packet(
            folder,
            org=member.org,
            to=(to,),
            number=f"{task.seed}{count}",
            content=b"%PDF-1.7\n" + chance.randbytes(task.size),
            created_at=datetime.now(UTC),
        )
        for file in folder.glob("file-*"):
            file.unlink()  # the packet holds it now
        told.sent[packet.packet_id] = to
        member.queue(packet)
