"""Two bodies' programs exchange over a bad line with a server, and all three are killed again and again; then looks
what is left.

For the test and the benchmark of that name, in their own process. The programs are the real ones (`signer sync`, with
store, loop and workers) and so is the server; documents come into the store as the engine keeps them and are given to
be sent by the program's own code, while their program is dead. The programs know nothing of all this.
"""

import hashlib
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from signer_app.exchange import changing
from signer_app.exchange.directory import Directory, KnownOrganisation, save_directory
from signer_app.exchange.receipts import receipt_facts
from signer_app.store import DataFolder, Store
from signer_app.store.model import OutboxPacket, OutboxState, Urgency
from signer_app.store.settings import Body, ServerSettings, Settings
from signer_app.store.store import StoreReader, View
from signer_app.workspace import Overrides, vietnam_now, workspace
from signer_resources.errors import KnownError
from signer_sync.access import check_receipt
from signer_sync.client import ServerClient
from signer_sync.http import HttpSettings, open_session
from signer_sync.keystore import DeviceIdentity, FileKeyStore
from signer_sync.packets import SignedReceipt
from tests.server.process import prepare as prepare_server
from tests.server.process import process as server_process
from tests.server.world import COMMUNE, OFFICE, SERVER_ID, der, pinned, trust
from tests.store.letters import Clock, Letters, not_secret
from tests.support.exchange_faults import BadLine, bad_line

BODIES: Final = {COMMUNE: "Ủy ban nhân dân xã Hòa Sơn", OFFICE: "Sở Nội vụ"}
OTHER: Final = {COMMUNE: OFFICE, OFFICE: COMMUNE}
SERVER: Final = "server"
LARGE_EVERY: Final = 6
"""Of so many documents one is too large for a single request."""
_DEADLINE_S: Final = 600.0
_DURING_WORK: Final = 0.85
"""So often a kill waits until a program speaks; starting one takes longer than all that it has to do."""
_PATIENCE_S: Final = 20.0
_ALL: Final = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where everything lies: a data folder for each body, the server's folder and port."""

    folder: Path
    port: int
    devices: Mapping[str, DeviceIdentity]
    environment: Mapping[str, str]

    def data(self, org: str) -> Path:
        return self.folder / org

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Tally:
    """What was done. `in_the_midst`: kills of a program that left packets in the state of being sent."""

    given: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    in_the_midst: int = 0
    ends: Counter[int] = field(default_factory=Counter)
    """Exit codes of programs that ended without being killed; none should."""
    tracebacks: int = 0
    passes: int = 0
    """Passes that it took at the end, when the line was good."""


@contextmanager
def campaign(folder: Path, documents: int, kills: int, chance: random.Random, share: float) -> Iterator["Campaign"]:
    """All in place and everybody running: a line on which each request meets a fault with the probability `share`."""
    (folder / "world").mkdir()
    port = prepare_server(folder / "world")
    with ExitStack() as stack:
        line = stack.enter_context(bad_line(f"http://127.0.0.1:{port}", random.Random(chance.random()), share))
        made = Campaign(folder, port, line, chance, documents, kills)
        stack.callback(made.end)
        made.begin()
        yield made


class Campaign:
    """`kills` violent ends while `documents` are exchanged. Use as made by `campaign`."""

    def __init__(
        self, folder: Path, port: int, line: BadLine, chance: random.Random, documents: int, kills: int
    ) -> None:
        self.line = line
        self.tally = Tally()
        self._chance = chance
        self._left = documents
        self._wanted = kills
        self._server = ExitStack()
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        environment = {
            key: value for key, value in os.environ.items() if not key.upper().startswith(("SIGNER_", "PYTEST"))
        }
        home = folder / "home"
        home.mkdir()
        self.place = Place(
            folder,
            port,
            {org: DeviceIdentity.create(org) for org in BODIES},
            {**environment, "HOME": str(home), "XDG_DATA_HOME": str(home)},
        )

    def begin(self) -> None:
        """Server and programs run; each program has a first part of its documents."""
        self._start(SERVER)
        for org in BODIES:
            self._set_up(org)
            self._give(org)
            self._start(org)

    def kill(self, pause_s: float) -> None:
        """All kills, each up to `pause_s` seconds after something was asked of the server; now and then before that,
        while a program starts. Server and programs fall equally often.
        """
        turn: list[str] = []
        while self.tally.kills.total() < self._wanted:
            if self._chance.random() < _DURING_WORK:
                self._await_request()
            time.sleep(self._chance.uniform(0.0, pause_s))
            self._note_ends()
            turn = turn or self._chance.sample((*BODIES, SERVER), len(BODIES) + 1)
            victim = turn.pop()
            self._kill(victim)
            if victim in BODIES:
                self._give(victim)
            self._start(victim)

    def _await_request(self) -> None:
        before, end = self.line.asked, time.monotonic() + _PATIENCE_S
        while self.line.asked == before and time.monotonic() < end:
            time.sleep(0.01)

    def finish(self) -> None:
        """The line is good; as many single passes as it takes, at most twenty."""
        for org in BODIES:
            self._kill(org, counted=False)
        self.line.calm()
        while self._left:
            for org in BODIES:
                self._give(org)
        for org in itertools.islice(itertools.cycle(BODIES), 20):
            self.tally.passes += 1
            self._one_pass(org)
            if self._settled():
                break
        self.tally.tracebacks = sum(self._complaints(one).read_bytes().count(b"Traceback") for one in BODIES)

    def end(self) -> None:
        """Nothing runs any more."""
        for org in list(self._running):
            self._kill(org, counted=False)
        self._server.close()

    # ---- programs ----------------------------------------------------------------------------------------------------

    def _start(self, who: str) -> None:
        if who == SERVER:
            self._server.enter_context(server_process(self.place.folder / "world", self.place.port))
            return
        with self._complaints(who).open("ab") as told:
            self._running[who] = subprocess.Popen(
                self._line(who, "sync"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=told,
                env=dict(self.place.environment),
                start_new_session=True,
            )

    def _kill(self, who: str, *, counted: bool = True) -> None:
        self.tally.kills[who] += counted
        if who == SERVER:
            self._server.close()
            return
        process = self._running.pop(who)
        try:
            os.killpg(process.pid, signal.SIGKILL)  # its workers with it, as a power cut would
        finally:
            process.wait()
        with _reader(self.place.data(who)) as (_, view):
            self.tally.in_the_midst += any(packet.state is OutboxState.SENDING for packet in view.outbox.list(_ALL))

    def _note_ends(self) -> None:
        for org, process in list(self._running.items()):
            if process.poll() is not None:
                self.tally.ends[process.returncode] += 1
                del self._running[org]
                self._start(org)

    def _one_pass(self, org: str) -> None:
        with self._complaints(org).open("ab") as told:
            subprocess.run(
                self._line(org, "sync", "--once"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=told,
                env=dict(self.place.environment),
                check=False,
                timeout=_DEADLINE_S,
            )

    def _settled(self) -> bool:
        """Whether each has all that the other has sent, and has answered each document."""
        sent: dict[str, set[str]] = {}
        kept: dict[str, set[str]] = {}
        for org in BODIES:
            with _reader(self.place.data(org)) as (_, view):
                packets = view.outbox.list(_ALL)
                sent[org] = {packet.packet_id for packet in packets if packet.accepted_at is not None}
                kept[org] = {packet.packet_id for packet in view.inbox.list(_ALL)}
                answers = sum(packet.incoming is not None for packet in packets)
                if len(sent[org]) < len(packets) or answers < self.tally.given[OTHER[org]]:
                    return False
        return all(sent[org] <= kept[OTHER[org]] for org in BODIES)

    def _line(self, org: str, *words: str) -> list[str]:
        return [sys.executable, "-P", "-m", "signer_app", "--data-dir", str(self.place.data(org)), "--json", *words]

    def _complaints(self, org: str) -> Path:
        return self.place.folder / f"complaints of {org}"

    # ---- what they work with -----------------------------------------------------------------------------------------

    def _set_up(self, org: str) -> None:
        device, holder = self.place.devices[org], trust().commune if org == COMMUNE else trust().office
        with open_session(HttpSettings()) as session:
            ServerClient(self.place.server_url, pinned(), None, session).enrol(holder.sign, holder.chain_der, device)
        device.save(FileKeyStore(self.place.data(org) / "keys"))
        server = ServerSettings(
            url=self.line.url,
            server_id=SERVER_ID,
            signer_certificate_der=der(trust().server.certificate),
            devices={org: device.device},
        )
        body = Body(code=org, name=BODIES[org], place_name="Hòa Sơn")
        # As in a demonstration, so that no keyring of whoever runs this is touched.
        settings = Settings(server=server, bodies=(body,), clerk="Lê Thị Văn Thư", softhsm2_conf="/x/softhsm2.conf")
        with workspace(self.place.data(org), Overrides(), writing=True) as space:
            space.change_settings(lambda _old: settings)
            known = tuple(KnownOrganisation(code, name) for code, name in BODIES.items())
            save_directory(space.store, Directory(vietnam_now(), known))

    def _give(self, org: str) -> None:
        """The clerk gives a part of the documents to be sent, so that some are left for each of the kills to come."""
        to_come = (self._wanted - self.tally.kills.total()) * len(BODIES) // (len(BODIES) + 1)
        count = min(self._left, -(-self._left // (to_come + 1)))
        self._left -= count
        if not count:
            return
        clock = Clock()
        with workspace(self.place.data(org), Overrides(), writing=True) as space:
            letters = Letters(space.store, clock)
            for _ in range(count):
                clock.time = vietnam_now()
                self.tally.given[org] += 1
                large = self.tally.given.total() % LARGE_EVERY == 0
                made = letters.signing(
                    str(self.tally.given[org]),
                    receivers=(),
                    content=self._chance.randbytes(600_000 if large else self._chance.randrange(500, 5000)),
                    urgency=self._chance.choice(list(Urgency)),
                    doc_date=clock.time.date(),
                    body=org,
                )
                space.store.commit_signed(made, not_secret)
                changing.give(space, made.document.id, [OTHER[org]])


# ---- what is left ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Findings:
    """What is wrong, by name; all empty where nothing is. `packets`: documents and status messages of both bodies;
    `receipts`: of these, how many have one that verifies.
    """

    documents: int
    packets: int
    receipts: int
    lost: Sequence[str]
    doubled: Sequence[str]
    altered: Sequence[str]
    bad_receipts: Sequence[str]
    chains: Sequence[str]

    @property
    def all_is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not any((self.lost, self.doubled, self.altered, self.bad_receipts, self.chains))


def findings(place: Place, given: Mapping[str, int]) -> Findings:
    """All that databases, blobs, receipts and the running server tell; `given`: documents of each body."""
    lost: list[str] = []
    doubled: list[str] = []
    altered: list[str] = []
    bad: list[str] = []
    chains: list[str] = []
    packets: dict[str, tuple[OutboxPacket, ...]] = {}
    for org in BODIES:
        with _reader(place.data(org)) as (_, view):
            packets[org] = view.outbox.list(_ALL)
            documents = [packet.document_id for packet in packets[org] if packet.document_id is not None]
            lost += [f"{given[org] - len(set(documents))} documents of {org}"] * (len(set(documents)) < given[org])
            doubled += [f"document {name}" for name, times in Counter(documents).items() if times > 1]
            doubled += _answered_twice(packets[org])
    for org, sent in packets.items():
        good = {packet.packet_id for packet in sent if _receipt_is_right(packet)}
        bad += [f"{p.packet_id}: {p.state.value} {p.error_code}" for p in sent if p.packet_id not in good]
        numbers = sorted(_seq(packet) for packet in sent if packet.packet_id in good)
        if numbers != [*range(1, len(numbers) + 1)]:
            chains.append(f"receipts of {org} are numbered {numbers}")
        with _reader(place.data(OTHER[org])) as (store, view):
            kept = Counter((row.packet_id, row.sha256) for row in view.inbox.list(_ALL))
            altered += [name for name, sha256 in kept if sha256 is None or not _is_whole(store, sha256)]
            filed = Counter(row.document_id for row in view.incoming.touched_since(0))
            doubled += [f"{name} is filed {times} times" for name, times in filed.items() if times > 1]
            carried = {packet.edxml_id for packet in sent if packet.document_id is not None}
            lost += [f"{name} is not filed" for name in carried - filed.keys()]
        wanted = {(packet.packet_id, packet.sha256) for packet in sent}
        lost += [f"{name} did not come" for name, _ in wanted - kept.keys()]
        doubled += [f"{name} came besides" for name, _ in kept.keys() - wanted]
        at_server = _fed(place, OTHER[org])
        lost += [f"{name} is not at the server" for name, _ in wanted - at_server.keys()]
        doubled += [f"{name} is {times} times at the server" for (name, _), times in at_server.items() if times > 1]
        doubled += [f"{name} is at the server besides" for name, _ in at_server.keys() - wanted]
    count = sum(map(len, packets.values()))
    return Findings(sum(given.values()), count, count - len(bad), lost, doubled, altered, bad, chains)


def _answered_twice(packets: Sequence[OutboxPacket]) -> Iterator[str]:
    answers = Counter((packet.incoming, packet.status_code) for packet in packets if packet.incoming is not None)
    for (incoming, code), times in answers.items():
        if times > 1:
            yield f"{times} answers {code} to {incoming}"


def _receipt_is_right(packet: OutboxPacket) -> bool:
    if packet.receipt is None:
        return False
    try:
        check_receipt(SignedReceipt.message_of(packet.receipt), pinned(), packet.packet_id, packet.sha256)
    except (KnownError, msgspec.MsgspecError):
        return False
    return True


def _seq(packet: OutboxPacket) -> int:
    number = receipt_facts(packet.receipt or "")["seq"]
    assert isinstance(number, int)
    return number


def _is_whole(store: StoreReader, sha256: str) -> bool:
    return hashlib.sha256(store.blobs.path(sha256).read_bytes()).hexdigest() == sha256


def _fed(place: Place, org: str) -> Counter[tuple[str, str | None]]:
    """Every packet in the body's feed from the start on, with how often it stands there."""
    found: Counter[tuple[str, str | None]] = Counter()
    with open_session(HttpSettings()) as session:
        client, cursor, more = ServerClient(place.server_url, pinned(), place.devices[org], session), None, True
        while more:
            page = client.feed(cursor)
            cursor, more = page.cursor, page.more
            found.update((item.id, item.sha256) for item in page.items if item.type in ("packet", "status"))
    return found


@contextmanager
def _reader(data: Path) -> Iterator[tuple[StoreReader, View]]:
    with Store.read_only(DataFolder(data)) as store, store.view() as view:
        yield store, view
