"""What a person may do with what waits: hold it, send it, take it out, say if it arrived; and what follows what."""

import sqlite3
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest

from signer_app.store.model import NewPacket, OutboxPacket, OutboxState, ProofBy, Urgency
from signer_app.store.outbox import Outbox
from signer_app.store.store import Store
from signer_sync.contract import PacketKind
from signer_sync.ids import uuid7
from tests.store.letters import Clock, Letters, not_secret

ORG = "H41.01"
CLERK = "Lê Thị Văn Thư"


def queue(store: Store, letters: Letters, number: str, hold_s: float = 0, urgency: Urgency = Urgency.NORMAL) -> str:
    signing = letters.signing(number, urgency=urgency)
    assert signing.packet is not None
    packet = signing.packet
    if hold_s:
        packet = msgspec.structs.replace(packet, hold_until=packet.created_at + timedelta(seconds=hold_s))
    store.commit_signed(msgspec.structs.replace(signing, packet=packet), not_secret)
    return packet.packet_id


def get(store: Store, packet_id: str) -> OutboxPacket:
    with store.view() as view:
        return view.outbox.require(packet_id)


def due(store: Store, clock: Clock, *, at_once: bool = False) -> list[str]:
    with store.view() as view:
        return [item.packet_id for item in view.outbox.due(ORG, clock(), at_once=at_once)]


def write(store: Store, work: Callable[[Outbox], object]) -> None:
    store.write(lambda tx: work(tx.outbox))


def follower(store: Store, packet_id: str, clock: Clock, **more: object) -> NewPacket:
    """A packet about, or in place of, one that there is."""
    before = get(store, packet_id)
    plain: dict[str, object] = {
        "packet_id": uuid7(),
        "document_id": before.document_id,
        "org": ORG,
        "kind": PacketKind.NEW,
        "sha256": before.sha256,
        "size": before.size,
        "created_at": clock(),
        "receivers": before.receivers,
    }
    return NewPacket(**{**plain, **more})  # type: ignore[arg-type]


def test_what_is_held_leaves_when_its_moment_comes_or_when_somebody_sends_it(
    store: Store, letters: Letters, clock: Clock
) -> None:
    held = queue(store, letters, "1", hold_s=120)
    assert due(store, clock) == []
    assert due(store, clock, at_once=True) == [held]
    with store.view() as view:
        assert view.outbox.next_time(ORG) == clock() + timedelta(seconds=120)
    clock.go_on(120)
    assert due(store, clock) == [held]
    write(store, lambda outbox: outbox.mark_sending(held))
    assert get(store, held).hold_until is None


def test_the_network_coming_back_ends_delays_and_no_holds(store: Store, letters: Letters, clock: Clock) -> None:
    held, delayed = queue(store, letters, "1", hold_s=120), queue(store, letters, "2")
    write(store, lambda outbox: outbox.mark_sending(delayed))
    write(store, lambda outbox: outbox.retry(delayed, "disk_fault", clock() + timedelta(hours=1)))
    assert due(store, clock) == []
    write(store, lambda outbox: outbox.forget_delays(ORG))
    assert due(store, clock) == [delayed]
    assert get(store, held).hold_until is not None


def test_what_a_person_postponed_leaves_neither_with_the_others_nor_by_a_loop_that_was_too_quick(
    store: Store, letters: Letters, clock: Clock
) -> None:
    first, second = queue(store, letters, "1"), queue(store, letters, "2", hold_s=120)
    until = clock() + timedelta(hours=3)
    write(store, lambda outbox: outbox.postpone(first, until))
    assert due(store, clock, at_once=True) == [second]
    assert store.write(lambda tx: tx.outbox.send_all_now()) == 1
    assert due(store, clock) == [second]
    assert not store.write(lambda tx: tx.outbox.begin_attempt(first, clock()))
    assert (get(store, first).attempts, get(store, first).state) == (0, OutboxState.QUEUED)
    write(store, lambda outbox: outbox.send_now(first))
    assert due(store, clock) == [first, second]
    write(store, lambda outbox: outbox.postpone(first, until))
    clock.go_on(3 * 3600)
    assert due(store, clock) == [first, second]
    assert store.write(lambda tx: tx.outbox.begin_attempt(first, clock()))


def test_only_what_never_left_can_be_taken_out_of_the_queue(store: Store, letters: Letters, clock: Clock) -> None:
    first, second = queue(store, letters, "1"), queue(store, letters, "2")
    write(store, lambda outbox: outbox.withdraw(first, CLERK, clock()))
    gone = get(store, first)
    assert (gone.state, gone.decided_by) == (OutboxState.WITHDRAWN, CLERK)
    with store.view() as view:
        assert (view.outbox.waiting(), view.outbox.carrying(gone.document_id or "")) == (1, None)
    write(store, lambda outbox: outbox.mark_sending(second))
    write(store, lambda outbox: outbox.retry(second, "disk_fault", clock()))
    with pytest.raises(ValueError, match="state"), store.transaction() as tx:
        tx.outbox.withdraw(second, CLERK, clock())
    assert not store.write(lambda tx: tx.outbox.begin_attempt(first, clock()))
    store.write(lambda tx: tx.outbox.accepted(first, "{}", None, clock()))
    assert get(store, first).accepted_at is None
    with pytest.raises(sqlite3.IntegrityError):
        store._connection.execute("UPDATE outbox SET state = 'withdrawn' WHERE packet_id = ?", (second,))


def test_after_a_crash_the_outcome_of_what_was_being_sent_is_uncertain(
    store: Store, letters: Letters, clock: Clock
) -> None:
    cut, waiting = queue(store, letters, "1"), queue(store, letters, "2")
    write(store, lambda outbox: outbox.mark_sending(cut))
    assert store.write(lambda tx: tx.outbox.forget_attempts()) == 1
    assert (get(store, cut).uncertain, get(store, waiting).uncertain) == (True, False)
    write(store, lambda outbox: outbox.mark_sending(cut))
    write(store, lambda outbox: outbox.retry(cut, "disk_fault", clock(), uncertain=True))
    assert get(store, cut).uncertain
    write(store, lambda outbox: outbox.mark_sending(cut))
    write(store, lambda outbox: outbox.retry(cut, "disk_fault", clock(), uncertain=False))
    assert not get(store, cut).uncertain
    write(store, lambda outbox: outbox.accepted(cut, "{}", None, clock()))
    assert (get(store, cut).uncertain, get(store, cut).proof_by) == (False, ProofBy.RECEIPT)


def undecided(store: Store, letters: Letters, clock: Clock, number: str) -> str:
    packet_id = queue(store, letters, number)
    write(store, lambda outbox: outbox.mark_sending(packet_id))
    write(store, lambda outbox: outbox.retry(packet_id, "server_unreachable", clock(), uncertain=True))
    write(store, lambda outbox: outbox.needs_person(packet_id, "outcome_undecided"))
    return packet_id


def test_nobody_but_a_person_who_made_sure_decides_about_a_packet_that_may_have_arrived(
    store: Store, letters: Letters, clock: Clock
) -> None:
    there, not_there = undecided(store, letters, clock, "1"), undecided(store, letters, clock, "2")
    assert store.write(lambda tx: tx.outbox.try_again()) == 0
    assert store.write(lambda tx: tx.outbox.send_all_now()) == 0
    forced: tuple[Callable[[Outbox], None], ...] = (
        lambda outbox: outbox.send_now(there),
        lambda outbox: outbox.queue_again(there),
    )
    for force in forced:
        with pytest.raises(ValueError, match="state"), store.transaction() as tx:
            force(tx.outbox)
    assert due(store, clock, at_once=True) == []
    write(store, lambda outbox: outbox.arrived(there, CLERK, clock()))
    kept = get(store, there)
    assert (kept.state, kept.proof_by, kept.decided_by) == (OutboxState.ACCEPTED, ProofBy.PERSON, CLERK)
    assert msgspec.json.decode(kept.proof or "")["by"] == CLERK
    assert kept.receipt is None
    write(store, lambda outbox: outbox.not_arrived(not_there, CLERK, clock()))
    assert (get(store, not_there).uncertain, due(store, clock)) == (False, [not_there])
    with pytest.raises(ValueError, match="state"), store.transaction() as tx:
        tx.outbox.arrived(not_there, CLERK, clock())


def test_a_channel_without_receipts_gives_its_own_number_and_no_anchor(
    store: Store, letters: Letters, clock: Clock
) -> None:
    first = queue(store, letters, "1")
    store.write(lambda tx: tx.outbox.accepted_by_channel(first, '{"docId":"77"}', "77", clock()))
    kept = get(store, first)
    assert (kept.proof_by, kept.doc_id, kept.receipt) == (ProofBy.CHANNEL, "77", None)
    store.write(lambda tx: tx.outbox.accepted(first, "{}", None, clock()))
    assert get(store, first) == kept
    with store.view() as view:
        assert (view.journal.anchors(), list(view.journal.receipts()), view.outbox.waiting()) == ((), [], 0)


def test_a_failed_packet_may_be_followed_by_one_other_and_a_waiting_one_by_none(
    store: Store, letters: Letters, clock: Clock
) -> None:
    failed, waiting = queue(store, letters, "1"), queue(store, letters, "2")
    write(store, lambda outbox: outbox.failed(failed, "packet_conflict"))
    second = follower(store, failed, clock, supersedes=failed)
    write(store, lambda outbox: outbox.add(second))
    assert get(store, failed).superseded_by == second.packet_id
    with store.view() as view:
        carrier = view.outbox.carrying(second.document_id or "")
        assert (carrier.packet_id if carrier else None, view.outbox.waiting()) == (second.packet_id, 2)
    for bad in (
        follower(store, failed, clock, supersedes=failed),
        follower(store, waiting, clock, supersedes=waiting),
    ):
        with pytest.raises(ValueError, match="state"), store.transaction() as tx:
            tx.outbox.add(bad)
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.outbox.add(follower(store, waiting, clock))


def test_a_recall_leaves_after_its_document_and_an_answer_waits_for_nothing(
    store: Store, letters: Letters, clock: Clock
) -> None:
    document = queue(store, letters, "1", hold_s=120)
    recall = follower(store, document, clock, kind=PacketKind.REVOKE, reason="Nhầm nội dung")
    answer = follower(
        store, document, clock, kind=PacketKind.STATUS, status_code="03", document_id=None, incoming="in-1"
    )
    for packet in (recall, answer):
        store.write(lambda tx, packet=packet: tx.outbox.add(packet))  # type: ignore[misc]
    assert due(store, clock) == [answer.packet_id]
    assert set(due(store, clock, at_once=True)) == {document, answer.packet_id}
    write(store, lambda outbox: outbox.mark_sending(document))
    assert set(due(store, clock)) == {document, answer.packet_id}
    write(store, lambda outbox: outbox.accepted(document, "{}", None, clock()))
    assert set(due(store, clock)) == {recall.packet_id, answer.packet_id}


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": PacketKind.REVOKE},
        {"kind": PacketKind.REVOKE, "reason": "  "},
        {"kind": PacketKind.REPLACE},
        {"kind": PacketKind.STATUS, "incoming": "in-1", "document_id": None},
        {"kind": PacketKind.STATUS, "status_code": "02", "incoming": "in-1", "document_id": None},
        {"kind": PacketKind.STATUS, "status_code": "03"},
        {"kind": PacketKind.STATUS, "status_code": "13", "incoming": "in-1", "reason": "x"},
        {"kind": PacketKind.STATUS, "status_code": "99", "incoming": "in-1", "document_id": None},
        {"kind": PacketKind.UPDATE, "document_id": None},
        {"kind": PacketKind.UPDATE, "status_code": "03"},
    ],
)
def test_the_database_itself_refuses_what_makes_no_sense(
    store: Store, letters: Letters, clock: Clock, wrong: dict[str, object]
) -> None:
    document = queue(store, letters, "1")
    with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
        tx.outbox.add(follower(store, document, clock, **wrong))
    with store.view() as view:
        assert len(view.outbox.list()) == 1


def test_an_incoming_document_is_answered_once_in_each_way(store: Store, letters: Letters, clock: Clock) -> None:
    document = queue(store, letters, "1")

    def answer(code: str, **more: object) -> NewPacket:
        about = {"kind": PacketKind.STATUS, "document_id": None, "incoming": "in-1", "status_code": code}
        return follower(store, document, clock, **{**about, **more})

    for code in ("01", "03", "16", "16"):
        clock.go_on(1)
        store.write(lambda tx, code=code: tx.outbox.add(answer(code)))  # type: ignore[misc]
    for code in ("01", "03"):
        with pytest.raises(sqlite3.IntegrityError), store.transaction() as tx:
            tx.outbox.add(answer(code))
    with store.view() as view:
        assert [packet.status_code for packet in view.outbox.of_incoming("in-1")] == ["01", "03", "16", "16"]
    (failed,) = [p.packet_id for p in _answers(store) if p.status_code == "03"]
    write(store, lambda outbox: outbox.failed(failed, "packet_conflict"))
    write(store, lambda outbox: outbox.add(answer("03", supersedes=failed)))
    assert len([p for p in _answers(store) if p.status_code == "03"]) == 2


def _answers(store: Store) -> tuple[OutboxPacket, ...]:
    with store.view() as view:
        return view.outbox.of_incoming("in-1")
