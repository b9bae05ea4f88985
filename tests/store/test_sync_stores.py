"""What the sending loop sees of the store, through `signer_sync`'s own Protocols."""

from datetime import timedelta

import msgspec

from signer_app.store.model import OutboxState, ProofBy
from signer_app.store.store import Store
from signer_app.store.sync_stores import SqlOutbox
from signer_resources.errors import KnownError
from signer_sync.contract import JwsBody, PacketPhase, PacketState, Receipt
from signer_sync.ids import uuid7
from signer_sync.packets import Proof, SignedReceipt
from signer_sync.ports import OutboxStore
from tests.store.letters import Clock, Letters, not_secret

ORG = "H41.01"


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
    assert outbox.mark_sending(packet.packet_id)
    head = outbox.journal_head()
    assert head is not None
    receipt = receipt_for(packet.packet_id, str(head))
    outbox.accepted(packet.packet_id, Proof(receipt.text, receipt))
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
    receipt = receipt_for(packet.packet_id, "12; DROP TABLE journal")
    outbox.accepted(packet.packet_id, Proof(receipt.text, receipt))
    assert outbox.waiting(ORG) == 0
    with store.view() as view:
        assert view.journal.anchors() == ()


def test_failures_of_sending_are_recorded_each_in_its_kind(store: Store, letters: Letters, clock: Clock) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    for number in ("1", "2", "3"):
        store.commit_signed(letters.signing(number), not_secret)
    retried, person, failed = (packet.packet_id for packet in outbox.due(ORG, clock(), at_once=False))
    error = KnownError("disk_full", folder="/máy chủ")
    outbox.retry(retried, error, clock(), uncertain=False)
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


def test_what_was_postponed_or_withdrawn_since_it_was_offered_does_not_leave(
    store: Store, letters: Letters, clock: Clock
) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    for number in ("1", "2"):
        store.commit_signed(letters.signing(number), not_secret)
    first, second = (packet.packet_id for packet in outbox.due(ORG, clock(), at_once=False))
    store.write(lambda tx: tx.outbox.postpone(first, clock() + timedelta(hours=1)))
    store.write(lambda tx: tx.outbox.withdraw(second, "An", clock()))
    assert [outbox.mark_sending(packet_id) for packet_id in (first, second)] == [False, False]
    with store.view() as view:
        assert {packet.attempts for packet in view.outbox.list()} == {0}


def test_an_attempt_that_nobody_settled_makes_its_packet_uncertain(
    store: Store, letters: Letters, clock: Clock
) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    store.commit_signed(letters.signing(), not_secret)
    (packet,) = outbox.due(ORG, clock(), at_once=False)
    assert not packet.uncertain
    assert outbox.mark_sending(packet.packet_id)
    (again,) = outbox.due(ORG, clock(), at_once=False)
    assert (again.uncertain, again.attempts, again.packet_id) == (True, 1, packet.packet_id)
    outbox.retry(packet.packet_id, KnownError("disk_full"), clock() + timedelta(hours=1), uncertain=True)
    assert outbox.due(ORG, clock(), at_once=False) == []
    outbox.forget_delays(ORG)
    (after,) = outbox.due(ORG, clock(), at_once=False)
    assert after.uncertain


def test_the_proof_of_a_channel_without_receipts_is_kept_as_it_came(
    store: Store, letters: Letters, clock: Clock
) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    store.commit_signed(letters.signing(), not_secret)
    (packet,) = outbox.due(ORG, clock(), at_once=False)
    outbox.accepted(packet.packet_id, Proof('{"file":"x.edxml"}', doc_id="9"))
    with store.view() as view:
        kept = view.outbox.require(packet.packet_id)
    assert (kept.proof, kept.doc_id, kept.proof_by) == ('{"file":"x.edxml"}', "9", ProofBy.CHANNEL)
    assert outbox.waiting(ORG) == 0


def test_only_a_packet_that_the_server_knows_as_failed_is_named_to_it(
    store: Store, letters: Letters, clock: Clock
) -> None:
    outbox: OutboxStore = SqlOutbox(store, clock)
    names: list[str | None] = []
    for number, there in (("1", False), ("2", True)):
        signing = letters.signing(number)
        assert signing.packet is not None
        store.commit_signed(signing, not_secret)
        before = signing.packet
        if there:
            receipt = receipt_for(before.packet_id, None)
            outbox.accepted(before.packet_id, Proof(receipt.text, receipt))
            outbox.delivery(before.packet_id, PacketState(state=PacketPhase.FAILED, since="x", recipients=()))
        else:
            outbox.failed(before.packet_id, KnownError("packet_conflict"))
        after = msgspec.structs.replace(before, packet_id=uuid7(), supersedes=before.packet_id)
        store.write(lambda tx, after=after: tx.outbox.add(after))  # type: ignore[misc]
        (packet,) = [one for one in outbox.due(ORG, clock(), at_once=True) if one.packet_id == after.packet_id]
        names.append(packet.supersedes and (packet.supersedes == before.packet_id and "named"))  # type: ignore[arg-type]
    assert names == [None, "named"]
