"""What others tell of what was sent: each receiver by its status messages, the server by its state of the packet."""

from datetime import datetime, timedelta

import msgspec
import pytest

from signer_app.store.model import NewPacket, OutboxState, PacketReceiver, ReceiverChange
from signer_app.store.store import Store
from signer_sync.contract import PacketKind, PacketPhase, PacketState, RecipientState, Transport
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret

ORG, HERE, THERE = "H41.01", "H41.02", "H41.03"
DOCUMENT = "H41.01,2026/11/18,125/UBND-VHXH"


@pytest.fixture
def sent(store: Store, letters: Letters, clock: Clock) -> str:
    """A packet that the server took, to two receivers."""
    signing = letters.signing(receivers=(HERE, THERE))
    assert signing.packet is not None
    packet = msgspec.structs.replace(signing.packet, edxml_id=DOCUMENT)
    store.commit_signed(msgspec.structs.replace(signing, packet=packet), not_secret)
    store.write(lambda tx: tx.outbox.accepted(packet.packet_id, "{}", None, clock()))
    return packet.packet_id


def told(store: Store, packet_id: str, org: str = HERE) -> PacketReceiver:
    with store.view() as view:
        return next(one for one in view.outbox.receivers(packet_id) if one.org == org)


def say(store: Store, code: str, at: datetime, org: str = HERE, **more: str) -> bool:
    return store.write(lambda tx: tx.outbox.receiver_told(DOCUMENT, org, code, at, **more))


def test_a_receivers_word_is_kept_with_its_reason_and_its_evidence(store: Store, clock: Clock, sent: str) -> None:
    evidence = uuid7()
    assert say(store, "02", clock(), by="Sở Nội vụ", reason="Sai nơi nhận", evidence=evidence)
    kept = told(store, sent)
    assert (kept.code, kept.code_at, kept.code_by) == ("02", clock(), "Sở Nội vụ")
    assert (kept.code_reason, kept.evidence) == ("Sai nơi nhận", evidence)
    assert told(store, sent, THERE).code is None


def test_the_newest_word_stands_and_an_arrival_never_stands_over_another(store: Store, clock: Clock, sent: str) -> None:
    now = clock()
    for code, after_s, stands in (("03", 60, "03"), ("01", 90, "03"), ("05", 120, "05"), ("04", 100, "05")):
        assert say(store, code, now + timedelta(seconds=after_s))
        assert told(store, sent).code == stands
    assert say(store, "02", now + timedelta(seconds=200))
    assert told(store, sent).code == "02"


def test_a_word_on_another_document_or_from_somebody_who_never_got_it_changes_nothing(
    store: Store, clock: Clock, sent: str
) -> None:
    assert not say(store, "03", clock(), org="H99")
    assert not store.write(lambda tx: tx.outbox.receiver_told("H41.01,2026/11/18,9/X", HERE, "03", clock()))
    assert not store.write(lambda tx: tx.outbox.receiver_told("", HERE, "03", clock()))
    assert say(store, "03", clock(), org=HERE.lower())
    assert told(store, sent).code == "03"


def about(store: Store, sent: str, clock: Clock, kind: PacketKind, receivers: tuple[str, ...], **more: object) -> str:
    with store.view() as view:
        before = view.outbox.require(sent)
    clock.go_on(1)
    packet = NewPacket(
        packet_id=uuid7(),
        document_id=before.document_id,
        org=ORG,
        kind=kind,
        sha256=before.sha256,
        size=before.size,
        created_at=clock(),
        receivers=receivers,
        edxml_id=DOCUMENT,
        **more,  # type: ignore[arg-type]
    )
    store.write(lambda tx: tx.outbox.add(packet))
    return packet.packet_id


def test_answers_to_a_recall_belong_to_the_recall_and_all_else_to_the_document(
    store: Store, clock: Clock, sent: str
) -> None:
    assert say(store, "03", clock())
    recall = about(store, sent, clock, PacketKind.REVOKE, (HERE,), reason="Nhầm")
    assert say(store, "16", clock(), reason="Đang xử lý")
    assert (told(store, recall).code, told(store, sent).code) == ("16", "03")
    assert say(store, "05", clock())
    assert (told(store, recall).code, told(store, sent).code) == ("16", "05")
    assert say(store, "15", clock(), org=THERE)
    assert told(store, sent, THERE).code == "15"


def test_one_who_was_added_later_answers_on_the_change_that_added_it(store: Store, clock: Clock, sent: str) -> None:
    changes = (ReceiverChange.ADDED, ReceiverChange.REMOVED)
    update = about(store, sent, clock, PacketKind.UPDATE, ("H41.09", HERE), changes=changes)
    assert say(store, "03", clock(), org="H41.09")
    assert (told(store, update, "H41.09").code, told(store, update, "H41.09").change) == ("03", ReceiverChange.ADDED)
    assert say(store, "06", clock())
    assert (told(store, sent).code, told(store, update).code) == ("06", None)


def test_the_servers_state_tells_of_each_receiver(store: Store, clock: Clock, sent: str) -> None:
    recipients = (
        RecipientState(org=HERE, transport=Transport.DONE, business_code="03", at="2026-11-22T09:00:00+07:00", by="An"),
        RecipientState(org=THERE, transport=Transport.FAIL),
        RecipientState(org="H99", transport=Transport.DONE),
    )
    state = PacketState(state=PacketPhase.PARTIALLY, since="2026-11-22T09:00:00+07:00", recipients=recipients)
    assert store.write(lambda tx: tx.outbox.delivery(sent, state))
    first, second = told(store, sent), told(store, sent, THERE)
    assert (first.transport, first.code, first.code_by) == (Transport.DONE, "03", "An")
    assert (second.transport, second.code) == (Transport.FAIL, None)
    with store.view() as view:
        assert view.outbox.require(sent).state is OutboxState.PARTIALLY
    assert not store.write(lambda tx: tx.outbox.delivery(uuid7(), state))


def test_what_the_server_could_not_pass_on_is_failed_with_its_reason_and_may_be_sent_in_another_way(
    store: Store, clock: Clock, sent: str
) -> None:
    state = PacketState(state=PacketPhase.FAILED, since="x", recipients=(), error="axis-21")
    assert store.write(lambda tx: tx.outbox.delivery(sent, state))
    with store.view() as view:
        failed = view.outbox.require(sent)
        assert view.outbox.failed_there(sent)
    assert (failed.state, failed.error_code, failed.error_params) == (
        OutboxState.FAILED,
        "not_forwarded",
        {"reason": "axis-21"},
    )
    assert failed.receipt == "{}"


def test_what_a_server_that_began_anew_no_longer_has_is_marked_and_stays(store: Store, clock: Clock, sent: str) -> None:
    assert store.write(lambda tx: tx.outbox.ask_for_all(ORG)) == 1
    with store.view() as view:
        assert [packet.packet_id for packet in view.outbox.to_ask(ORG, 10)] == [sent]
    store.write(lambda tx: tx.outbox.answered_for(sent, there=False, at=clock()))
    with store.view() as view:
        kept = view.outbox.require(sent)
        assert (view.outbox.to_ask(ORG, 10), view.outbox.missing(ORG)) == ((), 1)
    assert (kept.state, kept.receipt, kept.missing_since) == (OutboxState.ACCEPTED, "{}", clock())
    store.write(lambda tx: tx.outbox.answered_for(sent, there=True, at=clock()))
    with store.view() as view:
        assert view.outbox.missing() == 0
