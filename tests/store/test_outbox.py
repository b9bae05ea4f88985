"""The outbox: urgent first, one sending per document, and a receipt is the only proof."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from signer_app.store.model import DocumentState, NewPacket, OutboxPacket, OutboxState, Urgency
from signer_app.store.outbox import Outbox
from signer_app.store.store import Store
from signer_sync.contract import JournalHead
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret

ORG = "H41.01"


def queue(store: Store, letters: Letters, number: str, urgency: Urgency = Urgency.NORMAL) -> str:
    signing = letters.signing(number, urgency=urgency)
    assert signing.packet is not None
    store.commit_signed(signing, not_secret)
    return signing.packet.packet_id


def packet(store: Store, packet_id: str) -> OutboxPacket:
    with store.view() as view:
        found = view.outbox.get(packet_id)
    assert found is not None
    return found


def due(store: Store, clock: Clock, *, at_once: bool = False) -> list[str]:
    with store.view() as view:
        return [item.packet_id for item in view.outbox.due(ORG, clock(), at_once=at_once)]


def accept(store: Store, packet_id: str, clock: Clock, head: JournalHead | None = None) -> None:
    store.write(lambda transaction: transaction.outbox.accepted(packet_id, '{"payload":"r"}', head, clock()))


def test_urgent_packets_come_first_then_the_oldest(store: Store, letters: Letters, clock: Clock) -> None:
    old = queue(store, letters, "1")
    clock.go_on(60)
    new = queue(store, letters, "2")
    clock.go_on(60)
    urgent = queue(store, letters, "3", Urgency.HOA_TOC)
    assert due(store, clock) == [urgent, old, new]
    with store.view() as view:
        assert view.outbox.due("H99", clock()) == ()
        assert [item.packet_id for item in view.outbox.list()] == [urgent, old, new]


def test_a_packet_waits_for_its_time_unless_sent_at_once(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")
    store.write(lambda transaction: transaction.outbox.mark_sending(first))
    later = clock() + timedelta(seconds=30)
    store.write(lambda transaction: transaction.outbox.retry(first, "disk_fault", later, {"n": 1}))
    waiting = packet(store, first)
    assert (waiting.state, waiting.attempts, waiting.error_code) == (OutboxState.RETRYING, 1, "disk_fault")
    assert waiting.error_params == {"n": 1}
    assert due(store, clock) == []
    assert due(store, clock, at_once=True) == [first]
    clock.go_on(30)
    assert due(store, clock) == [first]


def test_a_receipt_is_kept_as_it_came_and_anchors_the_journal(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")
    with store.view() as view:
        head = view.journal.head()
    accept(store, first, clock, head)
    accepted = packet(store, first)
    assert (accepted.state, accepted.receipt, accepted.accepted_at) == (
        OutboxState.ACCEPTED,
        '{"payload":"r"}',
        clock(),
    )
    with store.view() as view:
        assert [(anchor.count, anchor.hash) for anchor in view.journal.anchors()] == [(head.count, head.hash)]
        assert (view.outbox.waiting(), view.outbox.oldest_unsent()) == (0, None)
    assert due(store, clock, at_once=True) == []


def test_the_first_receipt_stands(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")
    accept(store, first, clock)
    store.write(lambda transaction: transaction.outbox.accepted(first, "another", None, clock()))
    assert packet(store, first).receipt == '{"payload":"r"}'


def test_an_accepted_packet_is_never_sent_failed_or_retried_again(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")
    accept(store, first, clock)
    changes: tuple[Callable[[Outbox], None], ...] = (
        lambda outbox: outbox.mark_sending(first),
        lambda outbox: outbox.retry(first, "x", clock()),
        lambda outbox: outbox.failed(first, "x"),
        lambda outbox: outbox.needs_person(first, "x"),
    )
    for change in changes:
        with pytest.raises(ValueError, match="state"), store.transaction() as transaction:
            change(transaction.outbox)
    assert packet(store, first).state is OutboxState.ACCEPTED


def test_what_needs_a_person_waits_for_one_and_stays_in_sight(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")
    since = clock()
    clock.go_on(60)
    second = queue(store, letters, "2")
    store.write(lambda transaction: transaction.outbox.needs_person(first, "disk_fault"))
    assert due(store, clock, at_once=True) == [second]
    with store.view() as view:
        assert (view.outbox.waiting(ORG), view.outbox.oldest_unsent()) == (2, since)
    store.write(lambda transaction: transaction.outbox.queue_again(first))
    assert due(store, clock) == [first, second]


def test_a_failed_packet_is_final_and_no_longer_counts_as_waiting(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")
    store.write(lambda transaction: transaction.outbox.failed(first, "disk_fault"))
    assert due(store, clock, at_once=True) == []
    with store.view() as view:
        assert view.outbox.waiting() == 0
        assert view.outbox.list()[0].state is OutboxState.FAILED


def test_the_servers_word_never_goes_back(store: Store, letters: Letters, clock: Clock) -> None:
    first = queue(store, letters, "1")

    def tell(state: OutboxState) -> OutboxState:
        store.write(lambda transaction: transaction.outbox.moved_on(first, state))
        return packet(store, first).state

    assert tell(OutboxState.DELIVERED) is OutboxState.QUEUED
    accept(store, first, clock)
    assert tell(OutboxState.FORWARDED) is OutboxState.FORWARDED
    assert tell(OutboxState.ACCEPTED) is OutboxState.FORWARDED
    assert tell(OutboxState.DELIVERED) is OutboxState.DELIVERED
    assert tell(OutboxState.FAILED) is OutboxState.DELIVERED
    store.write(lambda transaction: transaction.outbox.moved_on(uuid7(), OutboxState.DELIVERED))


def test_a_document_is_queued_once(store: Store, letters: Letters, clock: Clock) -> None:
    signing = letters.signing()
    assert signing.packet is not None
    store.commit_signed(signing, not_secret)
    second = msgspec.structs.replace(signing.packet, packet_id=uuid7())
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as transaction:
        transaction.outbox.add(second)
    with store.view() as view:
        assert len(view.outbox.list()) == 1


def test_a_packet_names_each_receiver_once(store: Store, letters: Letters) -> None:
    signing = letters.signing(receivers=("H41.02", "H41.02"))
    with pytest.raises(sqlite3.IntegrityError):
        store.commit_signed(signing, not_secret)
    assert signing.document.state is DocumentState.RELEASED
    assert isinstance(signing.packet, NewPacket)
    with store.view() as view:
        assert view.documents.list() == ()
