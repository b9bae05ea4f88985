"""The loop against a real server. The stores are small lists here; the real ones are tested with the database."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from signer_resources.errors import KnownError
from signer_sync.client import ServerClient
from signer_sync.contract import FeedItem, JournalHead, PacketPhase, PacketState, Problem, Retry
from signer_sync.edxml import Priority
from signer_sync.errors import ExchangeError, from_problem
from signer_sync.outbox import (
    MAX_DELAY,
    Outcome,
    Surroundings,
    SyncReport,
    backoff,
    sync_once,
    sync_until,
)
from signer_sync.packets import OutgoingPacket, SignedReceipt
from signer_sync.ports import FeedPosition
from tests.server.world import OFFICE, World
from tests.sync.faults import fault_proxy


@dataclass
class ListOutbox:
    """An outbox in memory that writes down what the loop tells it."""

    packets: list[OutgoingPacket] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    receipts: dict[str, SignedReceipt] = field(default_factory=dict)
    not_before: dict[str, datetime] = field(default_factory=dict)
    stuck: dict[str, str] = field(default_factory=dict)
    states: dict[str, PacketState] = field(default_factory=dict)

    def due(self, org: str, now: datetime, *, at_once: bool) -> Sequence[OutgoingPacket]:
        return [
            packet
            for packet in self.packets
            if packet.org == org
            and packet.packet_id not in self.receipts
            and packet.packet_id not in self.stuck
            and (at_once or self.not_before.get(packet.packet_id, now) <= now)
        ]

    def waiting(self, org: str) -> int:
        return len([packet for packet in self.packets if packet.packet_id not in self.receipts])

    def journal_head(self) -> JournalHead | None:
        return JournalHead(7, "07" * 32)

    def mark_sending(self, packet_id: str) -> None:
        self.log.append(f"sending {packet_id}")
        self.packets = [
            replace(item, attempts=item.attempts + 1) if item.packet_id == packet_id else item for item in self.packets
        ]

    def accepted(self, packet_id: str, receipt: SignedReceipt) -> None:
        self.log.append(f"accepted {packet_id}")
        self.receipts[packet_id] = receipt

    def retry(self, packet_id: str, error: KnownError, not_before: datetime) -> None:
        self.log.append(f"retry {packet_id} {error.code}")
        self.not_before[packet_id] = not_before

    def needs_person(self, packet_id: str, error: KnownError) -> None:
        self.stuck[packet_id] = f"needs_person {error.code}"

    def failed(self, packet_id: str, error: KnownError) -> None:
        self.stuck[packet_id] = f"failed {error.code}"

    def delivery(self, packet_id: str, state: PacketState) -> None:
        self.states[packet_id] = state


@dataclass
class ListInbox:
    """An inbox in memory."""

    kept: dict[tuple[str, str], bytes] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)
    at: FeedPosition | None = None
    is_secret: Callable[[bytes], bool] = lambda _: False
    fail: Callable[[str], None] = lambda _: None

    def position(self, org: str) -> FeedPosition | None:
        return self.at

    def advance(self, org: str, position: FeedPosition) -> None:
        self.fail("advance")
        self.at = position

    def has(self, org: str, packet_id: str, sha256: str) -> bool:
        return (packet_id, sha256) in self.kept or packet_id in self.secret

    def screen(self, org: str, item: FeedItem, data: bytes) -> bool:
        return self.is_secret(data)

    def record_secret(self, org: str, packet_id: str) -> None:
        self.secret.add(packet_id)

    def receive(self, org: str, item: FeedItem, data: bytes) -> None:
        self.fail("receive")
        assert (item.id, item.sha256) not in self.kept
        self.kept[item.id, item.sha256] = data


def run(
    world: World,
    client: ServerClient,
    outbox: ListOutbox | None = None,
    inbox: ListInbox | None = None,
    *,
    uniform: Callable[[float, float], float] = lambda _low, high: high,
    at_once: bool = False,
) -> SyncReport:
    around = Surroundings(world.clock.now, uniform)
    return sync_once(client, outbox or ListOutbox(), inbox or ListInbox(), around, at_once=at_once)


# -- sending -----------------------------------------------------------------------------------------------


def test_a_letter_goes_from_one_body_to_the_other_and_its_delivery_comes_back(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    packet = world.packet()
    outbox, sender_inbox, inbox = ListOutbox([packet]), ListInbox(), ListInbox()
    report = run(world, commune, outbox, sender_inbox)
    assert (report.sent, report.received, report.waiting, report.stopped) == (1, 0, 0, None)
    assert outbox.receipts[packet.packet_id].facts.journal_head == f"7:{'07' * 32}"
    assert run(world, office, inbox=inbox).received == 1
    assert inbox.kept == {(packet.packet_id, packet.sha256): packet.path.read_bytes()}
    run(world, commune, outbox, sender_inbox)
    assert outbox.states[packet.packet_id].state is PacketPhase.DELIVERED
    again = run(world, office, inbox=inbox)
    assert (again.received, again.sent, len(inbox.kept)) == (0, 0, 1)


def test_urgent_packets_go_first_then_the_oldest(world: World) -> None:
    start = datetime(2026, 11, 20, tzinfo=UTC)
    young, old, urgent = (
        world.packet(created_at=start + timedelta(hours=2)),
        world.packet(created_at=start),
        world.packet(created_at=start + timedelta(hours=3), priority=Priority.FLASH),
    )
    outbox = ListOutbox([young, old, urgent])
    run(world, world.enrolled(), outbox)
    order = [line.split()[1] for line in outbox.log if line.startswith("accepted")]
    assert order == [urgent.packet_id, old.packet_id, young.packet_id]


def test_packets_that_cannot_be_sent_do_not_hold_up_the_others(world: World) -> None:
    commune, taken = world.enrolled(), world.packet()
    commune.put_packet(taken)
    unknown, conflict, damaged, good = (
        world.packet(to=("H77.404",)),
        world.packet(packet_id=taken.packet_id, subject="Khác"),
        world.packet(),
        world.packet(),
    )
    damaged.path.write_bytes(b"changed")
    outbox = ListOutbox([unknown, conflict, damaged, good])
    report = run(world, commune, outbox)
    assert report.sent == 1
    assert outbox.stuck == {
        unknown.packet_id: "needs_person unknown_receiver",
        conflict.packet_id: "failed packet_conflict",
        damaged.packet_id: "needs_person packet_damaged",
    }
    assert {result.packet_id: result.outcome for result in report.packets}[good.packet_id] is Outcome.ACCEPTED


def test_a_lost_answer_ends_in_exactly_one_copy_and_holds_up_nobody(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    first, second = world.packet(priority=Priority.URGENT), world.packet()
    outbox = ListOutbox([first, second])
    with fault_proxy(world.server.url) as proxy:
        client = world.again(commune, proxy.url)
        client.token()
        proxy.lose_answers(rb"^PUT /v1/orgs/[^ ]+/content")
        report = run(world, client, outbox)
        assert (report.sent, report.waiting, report.stopped) == (1, 1, None)
        assert outbox.log[1] == f"retry {first.packet_id} server_unreachable"
        assert run(world, client, outbox).sent == 0, "its delay is not over"
        world.clock.seconds += 3600
        assert run(world, client, outbox).sent == 1
    inbox = ListInbox()
    assert run(world, office, inbox=inbox).received == 2
    assert {packet_id for packet_id, _ in inbox.kept} == {first.packet_id, second.packet_id}


def test_send_now_looks_at_no_delay(world: World) -> None:
    packet = world.packet()
    outbox = ListOutbox([packet], not_before={packet.packet_id: world.clock.now() + timedelta(hours=1)})
    commune = world.enrolled()
    assert run(world, commune, outbox).sent == 0
    assert run(world, commune, outbox, at_once=True).sent == 1


def test_a_server_that_is_away_touches_no_packet_and_is_told(world: World) -> None:
    commune, outbox = world.enrolled(), ListOutbox([world.packet()])
    commune.token()
    world.server.stop()
    report = run(world, commune, outbox)
    assert (report.unreachable, report.waiting, report.sent) == ("server_unreachable", 1, 0)
    assert outbox.log == []


def test_a_server_that_goes_away_in_the_middle_ends_the_pass_with_the_rest_waiting(world: World) -> None:
    packets = [world.packet(created_at=datetime(2026, 11, day, tzinfo=UTC)) for day in (1, 2, 3)]

    class Stopping(ListOutbox):
        def mark_sending(self, packet_id: str) -> None:
            super().mark_sending(packet_id)
            if packet_id == packets[1].packet_id:
                world.server.stop()

    outbox = Stopping(list(packets))
    report = run(world, world.enrolled(), outbox)
    assert (report.sent, report.waiting, report.unreachable) == (1, 2, "server_unreachable")
    assert outbox.log[-1] == f"retry {packets[1].packet_id} server_unreachable"


def test_a_revoked_machine_stops_the_pass_and_keeps_everything_in_the_queue(world: World) -> None:
    commune, outbox = world.enrolled(), ListOutbox([world.packet(), world.packet()])
    assert commune.device is not None
    world.server.revoke_device(commune.device.device)
    report = run(world, commune, outbox)
    assert (report.unreachable, report.waiting, len(outbox.stuck)) == ("device_revoked", 2, 0)


# -- delays ------------------------------------------------------------------------------------------------


def test_delays_grow_with_full_jitter_up_to_the_ceiling() -> None:
    bounds: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        bounds.append((low, high))
        return high / 2

    delays = [backoff(attempt, uniform) for attempt in range(1, 40)]
    assert bounds[:4] == [(0.0, 5.0), (0.0, 10.0), (0.0, 20.0), (0.0, 40.0)]
    assert bounds[-1] == (0.0, MAX_DELAY)
    assert delays == sorted(delays)
    assert max(delays) == MAX_DELAY / 2


class Busy:
    """A server of which only the sending end is asked; it is too busy."""

    def __init__(self, real: ServerClient, retry_after: float) -> None:
        self._real = real
        self._retry_after = retry_after

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def put_packet(self, packet: OutgoingPacket, head: JournalHead | None) -> SignedReceipt:
        raise from_problem(Problem(status=503, code="unavailable", retry="after"), 503, self._retry_after, "máy chủ")


@pytest.mark.parametrize(("asked", "waits"), [(120.0, 120.0), (1.0, 5.0), (1e9, 3600.0)])
def test_a_server_that_asks_for_time_gets_it_within_reason(world: World, asked: float, waits: float) -> None:
    packet = world.packet()
    outbox = ListOutbox([packet])
    report = run(world, Busy(world.enrolled(), asked), outbox)  # type: ignore[arg-type]
    assert report.unreachable == "server_busy"
    assert outbox.not_before[packet.packet_id] - world.clock.now() == timedelta(seconds=waits)


def test_the_loop_waits_longer_while_the_server_is_away_and_ends_when_told() -> None:
    away = SyncReport(stopped=ExchangeError("server_unreachable", retry=Retry.AFTER, host="h"))
    reports = iter([away, away, SyncReport(), away])
    waits: list[float] = []

    def stopped(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) == 4

    told: list[SyncReport] = []
    sync_until(stopped, lambda: next(reports), told.append, lambda _low, high: high, idle=30)
    assert waits == [5.0, 10.0, 30, 5.0]
    assert len(told) == 4


# -- receiving ---------------------------------------------------------------------------------------------


def test_of_a_secret_packet_only_the_id_is_kept_and_it_is_fetched_once(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    secret, open_one = world.packet(content=b"%PDF secret"), world.packet()
    for packet in (secret, open_one):
        commune.put_packet(packet)
    screened: list[bytes] = []

    def is_secret(data: bytes) -> bool:
        screened.append(data)
        return data == secret.path.read_bytes()

    inbox = ListInbox(is_secret=is_secret)
    report = run(world, office, inbox=inbox)
    assert (report.received, report.secret) == (1, 1)
    assert inbox.secret == {secret.packet_id}
    assert list(inbox.kept) == [(open_one.packet_id, open_one.sha256)]
    run(world, office, inbox=replace(inbox, at=None))
    assert len(screened) == 2


@pytest.mark.parametrize("step", ["receive", "advance"])
def test_nothing_is_acknowledged_before_it_is_kept_and_nothing_comes_twice(world: World, step: str) -> None:
    commune, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
    commune.put_packet(packet)

    def fail(at: str) -> None:
        if at == step:
            raise KnownError("disk_full")

    inbox = ListInbox(fail=fail)
    with pytest.raises(KnownError):
        run(world, office, inbox=inbox)
    state = commune.packet_state(packet.packet_id).state
    assert state is (PacketPhase.ACCEPTED if step == "receive" else PacketPhase.DELIVERED)
    inbox.fail = lambda _: None
    run(world, office, inbox=inbox)
    assert len(inbox.kept) == 1
    assert inbox.at is not None
    assert commune.packet_state(packet.packet_id).state is PacketPhase.DELIVERED


class Spoiling:
    """A client that spoils the content of one packet on its way."""

    def __init__(self, real: ServerClient, packet_id: str, times: int) -> None:
        self._real = real
        self._packet_id = packet_id
        self.times = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def fetch(self, item: FeedItem, *, limit: int) -> bytes:
        if item.id == self._packet_id and self.times > 0:
            self.times -= 1
            return self._real.fetch(replace_hash(item), limit=limit)
        return self._real.fetch(item, limit=limit)


def replace_hash(item: FeedItem) -> FeedItem:
    return msgspec.structs.replace(item, sha256="00" * 32)


def test_spoilt_content_is_fetched_once_more_at_once(world: World) -> None:
    commune, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
    commune.put_packet(packet)
    report = run(world, Spoiling(office, packet.packet_id, 1))  # type: ignore[arg-type]
    assert (report.received, report.incoming_problems) == (1, ())


def test_one_packet_that_stays_spoilt_does_not_keep_the_others_out_nor_is_it_acknowledged(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    first, bad, last = (world.packet() for _ in range(3))
    for packet in (first, bad, last):
        commune.put_packet(packet)
    inbox = ListInbox()
    spoiling = Spoiling(office, bad.packet_id, 4)
    for _ in range(2):
        report = run(world, spoiling, inbox=inbox)  # type: ignore[arg-type]
        assert [(item.packet_id, item.code) for item in report.incoming_problems] == [(bad.packet_id, "content_wrong")]
        assert {packet_id for packet_id, _ in inbox.kept} == {first.packet_id, last.packet_id}
        states = [commune.packet_state(item.packet_id).state for item in (first, bad, last)]
        assert states == [PacketPhase.DELIVERED, PacketPhase.ACCEPTED, PacketPhase.ACCEPTED]
    assert run(world, spoiling, inbox=inbox).received == 1  # type: ignore[arg-type]
    assert commune.packet_state(last.packet_id).state is PacketPhase.DELIVERED


def test_after_the_server_was_restored_the_list_starts_again_and_nothing_local_is_lost(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    packets = [world.packet() for _ in range(2)]
    commune.put_packet(packets[0])
    inbox = ListInbox()
    run(world, office, inbox=inbox)
    epoch = world.server.begin_epoch()
    commune.put_packet(packets[1])
    assert run(world, office, inbox=inbox).received == 1
    assert len(inbox.kept) == 2
    assert inbox.at is not None
    assert inbox.at.epoch == epoch


def test_a_server_restored_between_greeting_and_listing_is_noticed_too(world: World) -> None:
    commune, office, packet = world.enrolled(), world.enrolled(OFFICE), world.packet()
    inbox = ListInbox()
    run(world, commune, ListOutbox([packet]))
    run(world, office, inbox=inbox)

    class Restoring(ListInbox):
        def position(self, org: str) -> FeedPosition | None:
            world.server.begin_epoch()
            return super().position(org)

    restored = Restoring(kept=inbox.kept, at=inbox.at)
    assert run(world, office, inbox=restored).stopped is None
    assert restored.at is not None
    assert inbox.at is not None
    assert restored.at.epoch != inbox.at.epoch
