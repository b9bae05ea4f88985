"""What the sending loop sees of the store, through `signer_sync`'s own Protocols."""

import hashlib

import pytest

from signer_app.store.datafolder import DataFolder
from signer_app.store.model import OutboxState
from signer_app.store.store import Store
from signer_app.store.sync_stores import SqlInbox, SqlOutbox
from signer_resources.errors import KnownError
from signer_sync.contract import FeedItem, FeedType, JwsBody, PacketKind, PacketPhase, PacketState, Receipt
from signer_sync.ids import uuid7
from signer_sync.packets import SignedReceipt
from signer_sync.ports import FeedPosition, InboxStore, OutboxStore
from tests.store.letters import Clock, Letters, not_secret

ORG = "H41.01"
DATA = "<edXML>Công văn đến</edXML>".encode()


def item(data: bytes = DATA, subject: str = "Công văn đến") -> FeedItem:
    return FeedItem(
        seq=1,
        type=FeedType.PACKET,
        id=uuid7(),
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        sender="H77",
        kind=PacketKind.NEW,
        subject=subject,
        priority=3,
    )


def receipt_for(packet_id: str, head: str | None) -> SignedReceipt:
    facts = Receipt(
        server_id="s",
        packet_id=packet_id,
        sha256="ab" * 32,
        size=1,
        received_at="2026-11-22T08:42:00+07:00",
        seq=1,
        journal_head=head,
    )
    return SignedReceipt(facts, JwsBody(protected="cA", payload="cQ", signature="cg"))


def test_a_queued_packet_is_offered_with_its_file_and_ends_with_its_receipt(
    store: Store, letters: Letters, clock: Clock
) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    assert outbox.journal_head() is None
    signing = letters.signing(content=b"letter")
    store.commit_signed(signing, not_secret)
    (packet,) = outbox.due(ORG, clock(), at_once=False)
    assert packet.path.read_bytes() == b"letter packet"
    assert (packet.size, packet.attempts) == (len(b"letter packet"), 0)
    outbox.mark_sending(packet.packet_id)
    head = outbox.journal_head()
    assert head is not None
    receipt = receipt_for(packet.packet_id, str(head))
    outbox.accepted(packet.packet_id, receipt)
    outbox.delivery(
        packet.packet_id,
        PacketState(state=PacketPhase.DELIVERED, since="2026-11-22T08:43:00+07:00", recipients=()),
    )
    assert outbox.waiting(ORG) == 0
    with store.view() as view:
        kept = view.outbox.get(packet.packet_id)
        assert [(anchor.count, anchor.hash) for anchor in view.journal.anchors()] == [(head.count, head.hash)]
    assert kept is not None
    assert (kept.state, kept.receipt) == (OutboxState.DELIVERED, receipt.text)


def test_a_receipt_with_a_nonsensical_head_is_kept_and_anchors_nothing(
    store: Store, letters: Letters, clock: Clock
) -> None:
    outbox = SqlOutbox(store, clock)
    store.commit_signed(letters.signing(), not_secret)
    (packet,) = outbox.due(ORG, clock(), at_once=False)
    outbox.accepted(packet.packet_id, receipt_for(packet.packet_id, "12; DROP TABLE journal"))
    assert outbox.waiting(ORG) == 0
    with store.view() as view:
        assert view.journal.anchors() == ()


def test_failures_of_sending_are_recorded_each_in_its_kind(store: Store, letters: Letters, clock: Clock) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    for number in ("1", "2", "3"):
        store.commit_signed(letters.signing(number), not_secret)
    retried, person, failed = (packet.packet_id for packet in outbox.due(ORG, clock(), at_once=False))
    error = KnownError("disk_full", folder="/máy chủ")
    outbox.retry(retried, error, clock())
    outbox.needs_person(person, error)
    outbox.failed(failed, error)
    with store.view() as view:
        packets = view.outbox.list()
    states = {packet.packet_id: packet.state for packet in packets}
    assert {packet.error_code for packet in packets} == {"disk_full"}
    assert all(packet.error_params == {"folder": "/máy chủ"} for packet in packets)
    assert states == {
        retried: OutboxState.RETRYING,
        person: OutboxState.NEEDS_PERSON,
        failed: OutboxState.FAILED,
    }
    assert outbox.waiting(ORG) == 2


def test_an_incoming_packet_is_kept_once_with_its_bytes(store: Store, clock: Clock) -> None:
    inbox: InboxStore = SqlInbox(store, clock, lambda item, data: False)
    came = item()
    assert not inbox.has(ORG, came.id, came.sha256)
    inbox.receive(ORG, came, DATA)
    inbox.receive(ORG, came, DATA)
    assert inbox.has(ORG, came.id, came.sha256)
    assert not inbox.has(ORG, came.id, "00" * 32)
    with store.view() as view:
        (kept,) = view.inbox.list()
    assert (kept.subject, kept.from_org, kept.priority) == ("Công văn đến", "H77", 3)
    assert kept.sha256 is not None
    assert store.blobs.path(kept.sha256).read_bytes() == DATA


def test_bytes_that_the_feed_did_not_announce_get_no_row(store: Store, clock: Clock) -> None:
    inbox = SqlInbox(store, clock, lambda item, data: False)
    with pytest.raises(ValueError, match="bytes"):
        inbox.receive(ORG, item(), b"others")
    with store.view() as view:
        assert view.inbox.list() == ()


def test_of_a_secret_packet_only_its_id_is_kept(folder: DataFolder, store: Store, clock: Clock) -> None:
    asked: list[bytes] = []

    def secret(item: FeedItem, data: bytes) -> bool:
        asked.append(data)
        return True

    inbox: InboxStore = SqlInbox(store, clock, secret)
    came = item(subject="Phương án tối mật")
    assert inbox.screen(ORG, came, DATA)
    assert asked == [DATA]
    inbox.record_secret(ORG, came.id)
    inbox.record_secret(ORG, came.id)
    assert inbox.has(ORG, came.id, came.sha256)
    with store.view() as view:
        (kept,) = view.inbox.list()
    assert (kept.packet_id, kept.secret, kept.sha256, kept.subject) == (came.id, True, None, None)
    content = b"".join(path.read_bytes() for path in folder.path.rglob("*") if path.is_file())
    assert came.sha256.encode() not in content
    assert "Phương án".encode() not in content


def test_the_place_in_the_feed_is_remembered_per_org(store: Store, clock: Clock) -> None:
    inbox: InboxStore = SqlInbox(store, clock, lambda item, data: False)
    assert inbox.position(ORG) is None
    inbox.advance(ORG, FeedPosition("e1", "c1"))
    inbox.advance(ORG, FeedPosition("e2", "c9"))
    assert inbox.position(ORG) == FeedPosition("e2", "c9")
    assert inbox.position("H99") is None


def test_a_pass_that_is_no_longer_wanted_ends_before_the_next_packet_leaves_or_comes(
    store: Store, letters: Letters, clock: Clock
) -> None:
    wanted = [True]
    outbox: OutboxStore = SqlOutbox(store, clock, lambda: not wanted)
    inbox: InboxStore = SqlInbox(store, clock, lambda item, data: False, lambda: not wanted)
    store.commit_signed(letters.signing(content=b"letter"), not_secret)
    (packet,) = outbox.due(ORG, clock(), at_once=False)
    assert not inbox.has(ORG, "p", "ab" * 32)
    wanted.clear()
    for ask in (lambda: outbox.mark_sending(packet.packet_id), lambda: inbox.has(ORG, "p", "ab" * 32)):
        with pytest.raises(KnownError) as caught:
            ask()
        assert caught.value.code == "interrupted"
    with store.view() as view:
        assert [row.state for row in view.outbox.list()] == [OutboxState.QUEUED]
