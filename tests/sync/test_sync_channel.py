"""The loop over the Sync API, against a real server over real sockets. The stores are small ones in memory."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from signer_sync import contract as c
from signer_sync.client import ClientPool, ServerClient
from signer_sync.edxml import Priority
from signer_sync.errors import ExchangeError
from signer_sync.http import HttpSettings
from signer_sync.ids import uuid7
from signer_sync.loop import keep_exchanging, sync_once
from signer_sync.packets import Arrival
from signer_sync.ports import FeedPosition, Sought
from signer_sync.reports import Surroundings, SyncReport
from signer_sync.sync_channel import SyncChannel
from signer_sync.waking import Call, Wake
from tests.server.world import OFFICE, World, pinned
from tests.sync.faults import fault_proxy
from tests.sync.stores import MemoryInbox, MemoryOutbox


def channel(world: World, client: ServerClient, url: str | None = None) -> SyncChannel:
    """The channel of an enrolled machine, over connections of its own."""
    pool = ClientPool(
        url or world.server.url,
        pinned(),
        client.device,
        HttpSettings(connect_timeout=10, read_timeout=20),
        epoch_seconds=world.clock,
    )
    world.stack.callback(pool.close)
    return SyncChannel(pool)


def around(world: World) -> Surroundings:
    return Surroundings(world.clock.now, lambda _low, high: high)


def run(
    world: World,
    side: SyncChannel,
    outbox: MemoryOutbox | None = None,
    inbox: MemoryInbox | None = None,
    *,
    at_once: bool = False,
) -> SyncReport:
    return sync_once(side, outbox or MemoryOutbox(), inbox or MemoryInbox(), around(world), at_once=at_once)


def test_a_letter_goes_from_one_body_to_the_other_and_its_delivery_comes_back(world: World) -> None:
    commune, office = channel(world, world.enrolled()), channel(world, world.enrolled(OFFICE))
    packet = world.packet()
    outbox, sender_inbox, inbox = MemoryOutbox([packet]), MemoryInbox(), MemoryInbox()
    report = run(world, commune, outbox, sender_inbox)
    assert (report.sent, report.received, report.waiting, report.stopped) == (1, 0, 0, None)
    assert report.server_time is not None
    proof = outbox.proofs[packet.packet_id]
    assert proof.receipt is not None
    assert proof.receipt.facts.journal_head == f"7:{'07' * 32}"
    assert run(world, office, inbox=inbox).received == 1
    assert inbox.kept == {(packet.packet_id, packet.sha256): packet.path.read_bytes()}
    run(world, commune, outbox, sender_inbox)
    assert outbox.states[packet.packet_id].state is c.PacketPhase.DELIVERED
    again = run(world, office, inbox=inbox)
    assert (again.received, again.sent, len(inbox.kept)) == (0, 0, 1)


def test_packets_that_the_server_refuses_do_not_hold_up_the_others(world: World) -> None:
    client, taken = world.enrolled(), world.packet()
    client.put_packet(taken)
    unknown, conflict, damaged, good = (
        world.packet(to=("H77.404",)),
        world.packet(packet_id=taken.packet_id, subject="Khác"),
        world.packet(),
        world.packet(),
    )
    damaged.path.write_bytes(b"changed")
    outbox = MemoryOutbox([unknown, conflict, damaged, good])
    assert run(world, channel(world, client), outbox).sent == 1
    assert list(outbox.proofs) == [good.packet_id]
    assert outbox.stuck == {
        unknown.packet_id: "needs_person unknown_receiver",
        conflict.packet_id: "failed packet_conflict",
        damaged.packet_id: "needs_person packet_damaged",
    }


def test_a_lost_answer_ends_in_exactly_one_copy_and_holds_up_nobody(world: World) -> None:
    client, office = world.enrolled(), channel(world, world.enrolled(OFFICE))
    first, second = world.packet(priority=Priority.URGENT), world.packet()
    outbox = MemoryOutbox([first, second])
    with fault_proxy(world.server.url) as proxy:
        commune = channel(world, client, proxy.url)
        # the first loss looks like a kept connection that was just being closed, and the packet goes out again at once
        proxy.lose_answers(f"^PUT /v1/orgs/[^ ]+/{first.packet_id}/content".encode(), times=2)
        report = run(world, commune, outbox)
        assert (report.sent, report.waiting, report.stopped) == (1, 1, None)
        assert f"retry {first.packet_id} server_unreachable" in outbox.log
        assert outbox.packet(first.packet_id).uncertain
        assert run(world, commune, outbox).sent == 0, "its delay is not over"
        world.clock.seconds += 3600
        assert run(world, commune, outbox).sent == 1
    inbox = MemoryInbox()
    assert run(world, office, inbox=inbox).received == 2
    assert inbox.ids == {first.packet_id, second.packet_id}


def test_many_packets_go_side_by_side_and_each_has_a_receipt_of_its_own_in_one_chain(world: World) -> None:
    packets = [world.packet() for _ in range(12)]
    outbox = MemoryOutbox(packets)
    assert run(world, channel(world, world.enrolled()), outbox).sent == 12
    receipts = [proof.receipt for proof in outbox.proofs.values() if proof.receipt is not None]
    assert {receipt.facts.packet_id for receipt in receipts} == {packet.packet_id for packet in packets}
    assert sorted(receipt.facts.seq for receipt in receipts) == list(range(1, 13))


def test_a_server_that_goes_away_in_the_middle_ends_the_pass_with_the_rest_waiting(world: World) -> None:
    packets = [world.packet(created_at=datetime(2026, 11, day, tzinfo=UTC)) for day in range(1, 7)]

    def stop(step: str, packet_id: str) -> None:
        if (step, packet_id) == ("sending", packets[2].packet_id):
            world.server.stop()

    outbox = MemoryOutbox(packets, step=stop)
    report = run(world, channel(world, world.enrolled()), outbox)
    assert report.unreachable == "server_unreachable"
    assert report.waiting == 6 - len(outbox.proofs) >= 4
    assert outbox.stuck == {}
    assert len(outbox.not_before) == len(outbox.order()) - len(outbox.proofs)


def test_a_revoked_machine_stops_the_pass_and_keeps_everything_in_the_queue(world: World) -> None:
    client, outbox = world.enrolled(), MemoryOutbox([world.packet(), world.packet()])
    assert client.device is not None
    world.server.revoke_device(client.device.device)
    report = run(world, channel(world, client), outbox)
    assert (report.unreachable, report.waiting, len(outbox.stuck)) == ("device_revoked", 2, 0)


def test_after_the_server_was_restored_the_list_starts_again_and_nothing_local_is_lost(world: World) -> None:
    client, office = world.enrolled(), channel(world, world.enrolled(OFFICE))
    packets = [world.packet() for _ in range(2)]
    client.put_packet(packets[0])
    inbox = MemoryInbox()
    run(world, office, inbox=inbox)
    epoch = world.server.begin_epoch()
    client.put_packet(packets[1])
    report = run(world, office, inbox=inbox)
    assert (report.received, report.epoch_changed, len(inbox.kept)) == (1, True, 2)
    assert inbox.at is not None
    assert inbox.at.epoch == epoch
    assert not run(world, office, inbox=inbox).epoch_changed


def test_a_server_restored_between_greeting_and_listing_is_noticed_too(world: World) -> None:
    client, office = world.enrolled(), channel(world, world.enrolled(OFFICE))
    client.put_packet(world.packet())
    inbox = MemoryInbox()
    run(world, office, inbox=inbox)

    class Restoring(MemoryInbox):
        def position(self, org: str) -> FeedPosition | None:
            world.server.begin_epoch()
            return super().position(org)

    restored = Restoring(kept=inbox.kept, at=inbox.at)
    assert run(world, office, inbox=restored).stopped is None
    assert restored.at is not None
    assert inbox.at is not None
    assert restored.at.epoch != inbox.at.epoch


@contextmanager
def exchanging(
    world: World, side: SyncChannel, outbox: MemoryOutbox, inbox: MemoryInbox
) -> Iterator[tuple[Wake, "queue.Queue[SyncReport]"]]:
    wake, reports = Wake(), queue.Queue[SyncReport]()
    thread = threading.Thread(target=keep_exchanging, args=(side, outbox, inbox, around(world), wake, reports.put))
    thread.start()
    try:
        yield wake, reports
    finally:
        wake.call(Call.STOP)
        thread.join(30)
        world.server.stop()  # ends the feed that is still held open


def test_what_one_body_sends_rings_at_the_other_which_answers_while_its_feed_is_held_open(world: World) -> None:
    client, office = world.enrolled(), channel(world, world.enrolled(OFFICE))
    outbox, inbox = MemoryOutbox(), MemoryInbox()
    with exchanging(world, office, outbox, inbox) as (wake, reports):
        assert reports.get(timeout=60).stopped is None
        client.put_packet(packet := world.packet())
        assert reports.get(timeout=60).received == 1
        assert inbox.ids == {packet.packet_id}
        outbox.packets.append(world.packet(org=OFFICE, to=("H77.15",)))
        wake.call(Call.WORK)
        while (report := reports.get(timeout=60)).sent == 0:
            assert report.stopped is None
    assert len(outbox.proofs) == 1


def test_a_packet_that_the_server_does_not_know_has_no_status_and_is_absent(world: World) -> None:
    client, known, unknown = world.enrolled(), world.packet(), world.packet()
    client.put_packet(known)
    side = channel(world, client)
    assert side.status(unknown.packet_id, "") is None
    assert [side.seek(known), side.seek(unknown)] == [Sought.THERE, Sought.ABSENT]
    assert OFFICE in {org.code for org in side.directory(None).items}


class TalkingSpeaker:
    """A server that says words of a later version."""

    org = "H77.15"

    def feed(self, cursor: str | None, *, limit: int, wait: int) -> c.FeedPage:
        items = (
            c.FeedItem(seq=1, type="hologram", id=uuid7()),
            c.FeedItem(seq=2, type="packet", id=uuid7(), kind="duet", sha256="0" * 64, size=3, sender="H77.02"),
            c.FeedItem(seq=3, type="packet", id=uuid7()),
        )
        return c.FeedPage(items=items, cursor="x")


def test_words_of_a_later_version_and_entries_without_a_hash_make_no_page_unreadable(world: World) -> None:
    side = SyncChannel(TalkingSpeaker())  # type: ignore[arg-type]
    unknown, packet, hashless = side.list(None, limit=10, wait=0).items
    assert (unknown.type, packet.type, packet.kind, packet.sender) == (None, c.FeedType.PACKET, None, "H77.02")
    with pytest.raises(ExchangeError) as caught:
        side.fetch(hashless, _Nowhere(), limit=10)
    assert (caught.value.code, caught.value.retry) == ("arrival_unknown", c.Retry.FIX)


class _Nowhere:
    def write(self, data: bytes, /) -> object:
        raise AssertionError("nothing was to be fetched")


def test_what_the_feed_says_of_a_packet_is_kept_as_the_senders_claim(world: World) -> None:
    client, office = world.enrolled(), channel(world, world.enrolled(OFFICE))
    client.put_packet(packet := world.packet(priority=Priority.FLASH))
    (arrival,) = office.list(None, limit=10, wait=0).items
    assert isinstance(arrival, Arrival)
    assert (arrival.id, arrival.sha256, arrival.size) == (packet.packet_id, packet.sha256, packet.size)
    assert (arrival.kind, arrival.priority) == (c.PacketKind.NEW, int(Priority.FLASH))
