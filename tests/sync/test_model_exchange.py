"""Two bodies exchange over a line that loses, cuts and garbles, with clocks that jump, programs that are killed between
two commits and a server that begins anew: in the end each packet is there exactly once, and each receipt verifies.
"""

import re
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from signer_sync.access import check_receipt
from signer_sync.client import ClientPool, ServerClient
from signer_sync.http import HttpSettings
from signer_sync.loop import sync_once
from signer_sync.packets import OutgoingPacket, SignedReceipt
from signer_sync.receiving import PATIENCE
from signer_sync.reports import Surroundings, SyncReport
from signer_sync.sync_channel import SyncChannel
from tests.server.world import COMMUNE, OFFICE, World, pinned, running
from tests.sync.faults import FaultProxy, fault_proxy
from tests.sync.stores import MemoryInbox, MemoryOutbox

CONTENT = rb"^PUT /v1/orgs/[^ ]+/content"
BAD_GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>"
FETCH = rb"^GET /v1/packets/"
ANY = rb"^(GET|PUT|POST) /v1/"


class KilledError(Exception):
    """The program was killed; nothing more of it is written."""


@dataclass
class Garbler:
    """Forwards TCP; flips the last bit of a body on its way up or down, or answers like a broken gateway."""

    target: str
    plan: list[str] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    ends: list[socket.socket] = field(default_factory=list)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self.ends.append(near)
            self.threads.append(thread := threading.Thread(target=self._relay, args=(near,)))
            thread.start()

    def end(self) -> None:
        for near in self.ends:
            _hang_up(near)
        for thread in self.threads:
            thread.join(20)

    def _relay(self, near: socket.socket) -> None:
        parts = urlsplit(self.target)
        with near, socket.create_connection((parts.hostname, parts.port), 10) as far:
            back = threading.Thread(target=self._pump, args=(far, near, "down"))
            back.start()
            uploading = False
            while data := _receive(near):
                if re.match(ANY, data):
                    uploading = re.match(CONTENT, data) is not None
                    if self._take("gateway"):
                        _send(near, BAD_GATEWAY)
                        break
                if not _send(far, self._garbled(data, "up") if uploading else data):
                    break
            _hang_up(far)
            _hang_up(near)
            back.join(20)

    def _pump(self, source: socket.socket, sink: socket.socket, way: str) -> None:
        while data := _receive(source):
            if not _send(sink, self._garbled(data, way)):
                break
        _hang_up(sink)

    def _garbled(self, data: bytes, way: str) -> bytes:
        if data.endswith(b"\r\n\r\n") or not self._take(way):
            return data
        return data[:-1] + bytes([data[-1] ^ 1])

    def _take(self, what: str) -> bool:
        if what not in self.plan:
            return False
        self.plan.remove(what)
        return True


def _receive(end: socket.socket) -> bytes:
    try:
        return end.recv(65536)
    except OSError:
        return b""


def _send(end: socket.socket, data: bytes) -> bool:
    try:
        end.sendall(data)
    except OSError:
        return False
    return True


def _hang_up(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@contextmanager
def garbler(target: str) -> Iterator[tuple[Garbler, str]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = Garbler(target)
        thread = threading.Thread(target=made.serve, args=(listener,))
        thread.start()
        try:
            yield made, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            _hang_up(listener)
            thread.join(20)
            made.end()


@dataclass
class Side:
    """One body's program and what is durable of it."""

    world: World
    client: ServerClient
    url: str
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    inbox: MemoryInbox = field(default_factory=MemoryInbox)
    writes_left: int | None = None
    """So many writes of the stores succeed before the program is killed."""

    def __post_init__(self) -> None:
        self.outbox.step = lambda _step, _packet_id: self._write()
        self.inbox.step = lambda _step: self._write()

    def run(self, *, at_once: bool) -> SyncReport | None:
        """A pass of a program that was just started; None if it was killed."""
        self.outbox.packets = [
            replace(packet, uncertain=packet.uncertain or packet.attempts > 0) for packet in self.outbox.packets
        ]
        around = Surroundings(self.world.clock.now, lambda _low, high: high)
        limits = HttpSettings(connect_timeout=10, read_timeout=20)
        device = self.client.device
        with ClientPool(self.url, pinned(), device, limits, epoch_seconds=self.world.clock) as pool:
            try:
                return sync_once(SyncChannel(pool), self.outbox, self.inbox, around, at_once=at_once)
            except KilledError:
                return None
            finally:
                self.writes_left = None

    def _write(self) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise KilledError
            self.writes_left -= 1


class Exchange(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.queued: list[OutgoingPacket] = []
        self.garbled_down = 0

    @initialize()
    def begin(self) -> None:
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.world = self.stack.enter_context(running(folder))
        self.proxy: FaultProxy = self.stack.enter_context(fault_proxy(self.world.server.url))
        self.line, url = self.stack.enter_context(garbler(self.proxy.url))
        self.sides = [Side(self.world, self.world.enrolled(org), url) for org in (COMMUNE, OFFICE)]

    @rule(sender=st.integers(0, 1), urgency=st.integers(0, 4))
    def queue(self, sender: int, urgency: int) -> None:
        orgs = (COMMUNE, OFFICE)
        packet = self.world.packet(
            org=orgs[sender], to=(orgs[1 - sender],), created_at=self.world.clock.now(), content=b"%PDF-1.7"
        )
        self.queued.append(packet)
        self.sides[sender].outbox.packets.append(replace(packet, urgency=urgency))

    @rule(side=st.integers(0, 1), at_once=st.booleans())
    def make_a_pass(self, side: int, at_once: bool) -> None:
        self.sides[side].run(at_once=at_once)

    @rule(side=st.integers(0, 1), writes=st.integers(0, 5))
    def make_a_pass_that_is_killed(self, side: int, writes: int) -> None:
        self.sides[side].writes_left = writes
        self.sides[side].run(at_once=True)

    @rule(pattern=st.sampled_from([CONTENT, ANY, rb"^PUT /v1/orgs/[^ ]+/feed/ack", FETCH]), times=st.integers(1, 2))
    def lose_answers(self, pattern: bytes, times: int) -> None:
        self.proxy.lose_answers(pattern, times)

    @rule(side=st.integers(0, 1))
    def make_a_pass_that_can_fetch_nothing(self, side: int) -> None:
        self.queue(1 - side, 0)
        self.sides[1 - side].run(at_once=True)
        planned, self.proxy.lose = self.proxy.lose, [FETCH] * 40
        self.sides[side].run(at_once=True)
        self.proxy.lose = planned

    @rule(pattern=st.sampled_from([CONTENT, ANY]), after=st.integers(1, 900))
    def cut_a_request(self, pattern: bytes, after: int) -> None:
        self.proxy.cut_requests(pattern, after)

    @rule(pattern=st.sampled_from([CONTENT, ANY]), after=st.integers(1, 900))
    def cut_an_answer(self, pattern: bytes, after: int) -> None:
        self.proxy.cut_answers(pattern, after)

    @rule(how=st.sampled_from(["down", "up", "gateway"]))
    def garble(self, how: str) -> None:
        if how == "down":
            if self.garbled_down == PATIENCE - 1:
                return  # more of it, always over the same packet, would rightly make the program give it up
            self.garbled_down += 1
        self.line.plan.append(how)

    @rule(hours=st.sampled_from([-9000, -30, -1, 1, 30, 9000]))
    def let_the_clocks_jump(self, hours: int) -> None:
        self.world.clock.seconds += 3600 * hours

    @rule()
    def begin_a_new_epoch(self) -> None:
        self.world.server.begin_epoch()

    @rule()
    def restart_the_server(self) -> None:
        self.world.restart()
        self.proxy.target = self.world.server.url

    @invariant()
    def what_counts_as_sent_has_a_receipt_that_verifies(self) -> None:
        for packet in self.queued:
            for side in self.sides:
                if (proof := side.outbox.proofs.get(packet.packet_id)) is not None:
                    check_receipt(SignedReceipt.message_of(proof.text), pinned(), packet.packet_id, packet.sha256)

    def teardown(self) -> None:
        try:
            if hasattr(self, "sides"):
                self._settle()
                self._check()
        finally:
            self.stack.close()

    def _settle(self) -> None:
        """The line is good again and the clocks are right; as many passes as it takes."""
        self.proxy.lose.clear()
        self.proxy.cuts.clear()
        self.proxy.answer_cuts.clear()
        self.line.plan.clear()
        for _ in range(2):
            for side in self.sides:
                report = side.run(at_once=True)
                assert report is not None
                assert report.stopped is None
                assert report.incoming_problems == ()
        # what the first body sent last is fetched by the second in the same turn, and the other way round in the next

    def _check(self) -> None:
        for side, other in (self.sides, self.sides[::-1]):
            mine = {packet.packet_id: packet for packet in self.queued if packet.org == side.client.org}
            assert side.outbox.stuck == {}, "a fault of the line says nothing against a packet"
            assert set(side.outbox.proofs) == set(mine), "lost on the way out"
            assert other.inbox.given_up == {}
            assert set(other.inbox.kept) == {(one.packet_id, one.sha256) for one in mine.values()}, "lost or doubled"
            assert all(other.inbox.kept[one.packet_id, one.sha256] == one.path.read_bytes() for one in mine.values())
            page = self.world.again(other.client).feed(None, limit=100)
            at_server = [item.id for item in page.items if item.type == "packet"]
            assert sorted(at_server) == sorted(mine), "the server has each packet once"


def test_a_packet_that_is_garbled_on_its_way_up_is_sent_again(world: World) -> None:
    with garbler(world.server.url) as (line, url):
        side = Side(world, world.enrolled(), url)
        side.outbox.packets.append(packet := world.packet())
        line.plan.append("up")
        side.run(at_once=True)
        side.run(at_once=True)
        assert line.plan == []
    assert list(side.outbox.proofs) == [packet.packet_id]


_QUIET = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


def _run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Exchange,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.explicit, Phase.generate),  # shrinking would take longer than the reading of what was found
            derandomize=True,
            database=None,
            suppress_health_check=_QUIET,
        ),
    )


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_whatever_the_line_does() -> None:
    _run(examples=5, steps=16)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_nothing_is_lost_or_doubled_in_a_long_campaign() -> None:
    _run(examples=200, steps=40)
