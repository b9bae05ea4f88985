import gzip

import msgspec
import pytest

from signer_sync import contract as c
from signer_sync.contract import FeedType, PacketPhase, Transport
from signer_sync.edxml import Organ
from signer_sync.ids import uuid7
from tests.server.by_hand import Hand
from tests.server.world import COMMUNE, OFFICE, OTHER, World, document, packet_bytes, recall_bytes, status_bytes

DOCUMENT = document().document_id


@pytest.fixture
def sender(world: World) -> Hand:
    return Hand(world, world.enrolled())


@pytest.fixture
def receiver(world: World) -> Hand:
    return Hand(world, world.enrolled(OFFICE), OFFICE)


def send(hand: Hand, data: bytes) -> str:
    packet = uuid7()
    answer = hand.put(data, packet)
    assert answer.status_code == 201, answer.content
    return packet


def office_of(hand: Hand, packet: str) -> c.RecipientState:
    return next(item for item in hand.client.packet_state(packet).recipients if item.org == OFFICE)


def news(hand: Hand) -> list[tuple[str, str]]:
    return [(item.type, item.id) for item in hand.client.feed(None).items]


def test_what_the_receiver_was_shown_counts_as_sent_and_what_it_acknowledged_as_done(
    sender: Hand, receiver: Hand
) -> None:
    packet = send(sender, packet_bytes(sender.world.folder))
    assert office_of(sender, packet).transport is Transport.QUEUED
    page = receiver.client.feed(None)
    assert office_of(sender, packet).transport is Transport.SENT
    receiver.client.ack(page.cursor)
    assert office_of(sender, packet).transport is Transport.DONE
    assert sender.client.packet_state(packet).state is PacketPhase.DELIVERED


def test_only_the_chosen_machine_of_a_body_acknowledges_for_it(world: World, sender: Hand, receiver: Hand) -> None:
    second = world.enrolled(OFFICE)
    packet = send(sender, packet_bytes(world.folder))
    page = second.feed(None)
    second.ack(page.cursor)
    assert office_of(sender, packet).transport is Transport.QUEUED
    assert second.device is not None
    world.admin.choose_device(second.device.device)
    receiver.client.ack(receiver.client.feed(None).cursor)
    assert office_of(sender, packet).transport is Transport.QUEUED
    second.ack(page.cursor)
    assert office_of(sender, packet).transport is Transport.DONE


def test_a_receiver_may_ask_how_far_a_packet_is_with_itself_and_is_told_of_nobody_else(
    world: World, sender: Hand, receiver: Hand
) -> None:
    both = (Organ(OFFICE, "Sở Nội vụ"), Organ(OTHER, "Nơi khác"))
    packet = send(sender, packet_bytes(world.folder, receivers=both))
    send(receiver, status_bytes("01", DOCUMENT))
    (told,) = receiver.client.packet_state(packet).recipients
    assert (told.org, told.business_code) == (OFFICE, "01")
    assert {one.org for one in sender.client.packet_state(packet).recipients} == {OFFICE, OTHER}
    alone = send(sender, packet_bytes(world.folder, number="13", receivers=both[1:]))
    assert receiver.ask("GET", f"/orgs/{OFFICE}/packets/{alone}").status_code == 403


def test_status_messages_move_the_receivers_code_on_and_never_back(sender: Hand, receiver: Hand) -> None:
    packet = send(sender, packet_bytes(sender.world.folder))
    evidence = {}
    for code, expected in (("01", "01"), ("03", "03"), ("01", "03"), ("06", "06"), ("04", "06")):
        evidence[code] = send(receiver, status_bytes(code, DOCUMENT))
        assert office_of(sender, packet).business_code == expected
    state = office_of(sender, packet)
    assert (state.evidence, state.by, state.transport) == (evidence["06"], "Trần Văn Thư", Transport.DONE)
    assert sender.client.packet_state(packet).state is PacketPhase.DELIVERED


def test_the_sender_hears_of_each_packet_once_however_often_it_moved(sender: Hand, receiver: Hand) -> None:
    packet = send(sender, packet_bytes(sender.world.folder))
    first = send(receiver, status_bytes("01", DOCUMENT))
    cursor = sender.client.feed(None).cursor
    second = send(receiver, status_bytes("03", DOCUMENT))
    assert news(sender) == [("status", first), ("status", second), ("delivery", packet)]
    later = [item.type for item in sender.client.feed(cursor).items]
    assert later == ["status", "delivery"]


def test_a_status_message_of_somebody_who_did_not_get_the_document_changes_nothing(
    world: World, sender: Hand, receiver: Hand
) -> None:
    packet = send(sender, packet_bytes(world.folder, receivers=(document().sender,)))
    send(receiver, status_bytes("03", DOCUMENT))
    send(receiver, status_bytes("03", "H77.15,2026/11/20,99/QĐ-UBND"))
    (only,) = sender.client.packet_state(packet).recipients
    assert (only.org, only.business_code) == (COMMUNE, None)


@pytest.mark.parametrize(("code", "original"), [("15", "15"), ("16", "03")])
def test_the_answer_to_a_recall_is_seen_at_the_recall(sender: Hand, receiver: Hand, code: str, original: str) -> None:
    packet = send(sender, packet_bytes(sender.world.folder))
    send(receiver, status_bytes("03", DOCUMENT))
    recall = send(sender, recall_bytes())
    send(receiver, status_bytes("01", DOCUMENT))  # repeated for the document: it hasn't seen the recall yet
    assert office_of(sender, recall).business_code is None
    receiver.client.feed(None)
    send(receiver, status_bytes(code, DOCUMENT))
    assert office_of(sender, recall).business_code == code
    assert office_of(sender, packet).business_code == original


def test_the_axis_forwards_and_fails_and_a_failed_packet_is_superseded_by_another(sender: Hand) -> None:
    world, data = sender.world, packet_bytes(sender.world.folder)
    packet = send(sender, data)
    world.admin.forwarded(packet, "5beb")
    state = sender.client.packet_state(packet)
    assert (state.state, state.axis_doc_id) == (PacketPhase.FORWARDED, "5beb")
    world.admin.failed(packet, OFFICE, "23")
    world.admin.failed(packet, OFFICE, "18")
    world.admin.forwarded(packet, "other")
    state = sender.client.packet_state(packet)
    assert (state.state, state.error, state.axis_doc_id) == (PacketPhase.FAILED, "23", "5beb")
    assert news(sender) == [("delivery", packet)]
    again = sender.send_large(data, uuid7(), supersedes=packet)
    assert again.status_code == 202


def test_the_administrator_tells_bodies_something_and_of_a_changed_directory(
    world: World, sender: Hand, receiver: Hand
) -> None:
    world.admin.notice("Bảo trì lúc 17:00", [OFFICE])
    assert news(sender) == []
    (item,) = receiver.client.feed(None).items
    assert (item.feed_type, item.subject, item.sha256) == (FeedType.NOTICE, "Bảo trì lúc 17:00", None)
    before = sender.client.orgs().cursor
    rules = world.server._rules.directory()
    world.admin.set_directory(rules)
    assert news(sender) == []
    merged = c.Org(code="H77.16", name="UBND xã Hòa Bình", parent="H77", active=False, replaced_by=COMMUNE)
    world.admin.set_directory([merged, *(org for org in rules if org.code not in ("H77.16", "H77.99"))])
    assert [item.feed_type for item in sender.client.feed(None).items] == [FeedType.DIRECTORY]
    (changed,) = sender.client.orgs(before).items
    assert changed == merged


def test_a_directory_of_more_than_a_hundred_thousand_bodies_comes_in_pages_and_then_by_what_changed(
    world: World, sender: Hand
) -> None:
    many = [c.Org(code=f"Z{number // 1000}.{number % 1000}", name=f"Cơ quan số {number}") for number in range(100_500)]
    world.admin.set_directory([*world.server._rules.directory(), *many])
    seen, cursor, more, plain = set[str](), "", True, 0
    while more:
        query = f"?since={cursor}" if cursor else ""
        answer = sender.session.get(
            f"{world.server.url}/v1/orgs{query}", headers={"Accept-Encoding": "gzip"}, stream=True
        )
        assert answer.headers["Content-Encoding"] == "gzip"
        raw = answer.raw.read()
        body = gzip.decompress(raw)
        assert len(raw) * 3 < len(body) < c.MAX_JSON
        page = msgspec.json.decode(body, type=c.OrgPage)
        seen |= {org.code for org in page.items}
        cursor, more, plain = page.cursor, page.more, plain + len(page.items)
    assert len(seen) == plain == 100_505
    world.admin.set_directory([*world.server._rules.directory(), *many[1:], c.Org(code=many[0].code, name="Tên mới")])
    assert [org.name for org in sender.client.orgs(cursor).items] == ["Tên mới"]
