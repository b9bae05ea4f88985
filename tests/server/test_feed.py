import threading

import pytest

from signer_sync.contract import FeedType, PacketPhase, Transport
from signer_sync.edxml import Priority
from signer_sync.errors import ExchangeError
from tests.server.world import COMMUNE, OFFICE, World


def test_a_packet_appears_in_the_feed_of_each_receiver_and_of_nobody_else(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    packet = world.packet(to=(OFFICE, "H77"), priority=Priority.FLASH)
    commune.put_packet(packet)
    (item,) = office.feed(None).items
    assert (item.id, item.sha256, item.size, item.sender) == (
        packet.packet_id,
        packet.sha256,
        packet.size,
        COMMUNE,
    )
    assert (item.type, item.priority) == (FeedType.PACKET, 3)
    assert item.subject.startswith("Về việc kiện toàn")
    assert commune.feed(None).items == ()


def test_a_packet_is_delivered_in_part_and_then_when_all_receivers_have_acknowledged_it(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    packet = world.packet(to=(OFFICE, COMMUNE))
    commune.put_packet(packet)
    assert commune.packet_state(packet.packet_id).state is PacketPhase.ACCEPTED
    office.ack(office.feed(None).cursor)
    state = commune.packet_state(packet.packet_id)
    assert state.state is PacketPhase.PARTIALLY
    assert {item.org: item.transport for item in state.recipients} == {
        OFFICE: Transport.DONE,
        COMMUNE: Transport.QUEUED,
    }
    commune.ack(commune.feed(None).cursor)
    assert commune.packet_state(packet.packet_id).state is PacketPhase.DELIVERED
    assert [item.type for item in commune.feed(None).items] == [FeedType.PACKET, FeedType.DELIVERY]


def test_an_older_acknowledgement_does_nothing_and_one_from_the_future_is_refused(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    start = office.feed(None).cursor
    commune.put_packet(world.packet())
    later = office.feed(None).cursor
    with pytest.raises(ExchangeError) as caught:
        commune.ack(later)  # the commune's own feed is still empty
    assert caught.value.problem == "bad-request"
    office.ack(later)
    office.ack(start)
    assert [item.type for item in commune.feed(None).items] == [FeedType.DELIVERY]


def test_pages_follow_each_other_without_gap_or_repetition(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    packets = [world.packet() for _ in range(5)]
    for packet in packets:
        commune.put_packet(packet)
    seen, cursor, more = [], None, True
    while more:
        page = office.feed(cursor, limit=2)
        seen += [item.id for item in page.items]
        cursor, more = page.cursor, page.more
    assert seen == [packet.packet_id for packet in packets]
    assert office.feed(cursor).items == ()


def test_a_waiting_feed_answers_as_soon_as_something_comes(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    cursor = office.feed(None).cursor
    found: list[str] = []
    waiting = threading.Thread(target=lambda: found.extend(item.id for item in office.feed(cursor, wait=25).items))
    waiting.start()
    packet = world.packet()
    commune.put_packet(packet)
    waiting.join(timeout=20)
    assert found == [packet.packet_id]


def test_a_waiting_feed_does_not_hold_up_the_servers_end(world: World) -> None:
    office = world.enrolled(OFFICE)
    cursor = office.feed(None).cursor
    ended: list[str] = []

    def wait() -> None:
        try:
            office.feed(cursor, wait=25)
            ended.append("answered")
        except ExchangeError as error:
            ended.append(error.code)

    waiting = threading.Thread(target=wait)
    waiting.start()
    world.server.stop()
    waiting.join(timeout=20)
    assert ended in (["answered"], ["server_unreachable"])


@pytest.mark.parametrize("cursor", ["nonsense", "", "OTA6LTE", "ÿ"])
def test_a_cursor_that_is_none_of_ours_is_refused(world: World, cursor: str) -> None:
    office = world.enrolled(OFFICE)
    with pytest.raises(ExchangeError) as caught:
        office.feed(cursor)
    assert caught.value.problem in ("bad-request", "epoch-changed")


def test_after_a_restore_old_cursors_are_refused_and_the_list_starts_again(world: World) -> None:
    commune, office = world.enrolled(), world.enrolled(OFFICE)
    commune.put_packet(world.packet())
    cursor = office.feed(None).cursor
    before = office.meta().feed_epoch
    assert world.server.begin_epoch() != before
    with pytest.raises(ExchangeError) as caught:
        office.feed(cursor)
    assert caught.value.code == "epoch_changed"
    assert len(office.feed(None).items) == 1


def test_the_directory_is_given_whole_once_and_then_by_what_changed(world: World) -> None:
    commune = world.enrolled()
    page = commune.orgs()
    assert {org.code: org.active for org in page.items}["H77.99"] is False
    assert {org.code: org.parent for org in page.items}[COMMUNE] == "H77"
    assert commune.orgs(page.cursor).items == ()
