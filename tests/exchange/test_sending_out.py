"""Documents given to a real server: held, sent once, recalled, replaced, given to others; what is noticed meanwhile."""

import datetime as dt
from collections.abc import Callable

import msgspec
import pytest

from signer_app.exchange import changing, outgoing, withdrawing
from signer_app.exchange.holders import holders
from signer_app.exchange.passes import stores
from signer_app.store.model import DocumentState, OutboxState, ProofBy, Urgency
from signer_app.store.receivers import PaperReason, PaperReceiver
from signer_app.store.settings import Exchange
from signer_app.store.store import Transaction
from signer_app.workspace import Workspace
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import PacketHeader, WrittenPacket
from signer_sync.edxml_read import read_header
from signer_sync.packets import BinarySink
from tests.exchange.post import FIRST, FORGOTTEN, ORG, SECOND, Post


def header(post: Post, packet_id: str) -> PacketHeader:
    with post.office.store.blobs.path(post.packet(packet_id).sha256).open("rb") as stream:
        return read_header(stream, strict=True)


def code(raised: pytest.ExceptionInfo[KnownError]) -> str:
    raised.value.explain("vi")
    return raised.value.code


def test_an_ordinary_document_leaves_after_its_hold_and_an_urgent_one_at_once(post: Post) -> None:
    plain, urgent = post.given("1"), post.given("2", urgency=Urgency.KHAN)
    assert plain.hold_until == post.office.clock() + dt.timedelta(seconds=120)
    assert urgent.hold_until is None
    assert (post.sync().sent, len(post.there())) == (1, 1)
    post.office.clock.go_on(120)
    report = post.sync()
    assert (report.sent, report.waiting, report.stopped) == (1, 0, None)
    sent = post.packet(plain.packet_id)
    assert (sent.state, sent.proof_by, sent.receipt is not None) == (OutboxState.ACCEPTED, ProofBy.RECEIPT, True)
    assert post.there() == sorted({sent.sha256, urgent.sha256})
    assert post.sync(at_once=True).sent == 0


def test_a_document_taken_out_of_the_queue_never_leaves_and_may_be_given_again(post: Post) -> None:
    packet = post.given("1")
    document_id = packet.document_id or ""
    withdrawing.withdraw(post.office.space, packet.packet_id)
    assert (post.sync(at_once=True).sent, post.there()) == (0, [])
    with post.office.store.view() as view:
        document = view.documents.get(document_id)
        view.replacing.require_replaceable(document_id)
        (row,) = view.listings.register()
    assert document is not None
    assert (document.state, row.sending) == (DocumentState.SIGNED, None)
    again = changing.give(post.office.space, document_id, [SECOND])
    assert post.sync(at_once=True).sent == 1
    assert header(post, again).routed_to == (SECOND,)
    with pytest.raises(KnownError) as raised:
        withdrawing.withdraw(post.office.space, again)
    assert code(raised) == "withdraw_too_late"
    with pytest.raises(KnownError) as raised:
        changing.give(post.office.space, document_id, [FIRST])
    assert code(raised) == "give_not_kept"


def test_a_recall_goes_to_all_who_have_it_with_its_reason(post: Post) -> None:
    packet = post.sent("1", FIRST, SECOND)
    document_id = packet.document_id or ""
    post.told(packet.packet_id, SECOND, "02")
    recall = withdrawing.recall(post.office.space, document_id, "Sai trích yếu")
    said = header(post, recall)
    assert (said.kind, said.reason, said.routed_to) == (PacketKind.REVOKE, "Sai trích yếu", (FIRST,))
    assert said.concerns == (packet.edxml_id,)
    assert post.sync().sent == 1
    for again in (None, [FIRST], [SECOND]):
        with pytest.raises(KnownError) as raised:
            withdrawing.recall(post.office.space, document_id, "Lại", again)
        assert code(raised) == ("recall_nobody" if again is None else "recall_not_there")
    post.told(packet.packet_id, FIRST, "16")
    second = withdrawing.recall(post.office.space, document_id, "Lần nữa")
    post.told(packet.packet_id, FIRST, "15")
    with post.office.store.view() as view:
        (first, other) = holders(view.outbox, document_id)
    assert (first.gave_back, first.has_it, other.has_it) == (True, False, False)
    assert post.packet(second).kind is PacketKind.REVOKE


def test_a_recall_needs_a_reason_and_something_that_left(post: Post) -> None:
    packet = post.given("1")
    for reason, told in (("  ", "recall_needs_reason"), ("Nhầm", "recall_not_sent")):
        with pytest.raises(KnownError) as raised:
            withdrawing.recall(post.office.space, packet.document_id or "", reason)
        assert code(raised) == told
    with post.office.store.view() as view:
        assert len(view.outbox.list()) == 1


def test_a_document_can_be_asked_back_by_status_messages(post: Post) -> None:
    packet = post.sent("1", FIRST, SECOND)
    asked = withdrawing.ask_back(post.office.space, packet.document_id or "", "Nhầm phụ lục")
    said = [header(post, one) for one in asked]
    assert [(one.kind, one.status_code, one.description) for one in said] == [
        (PacketKind.STATUS, "13", "Nhầm phụ lục")
    ] * 2
    assert [one.routed_to for one in said] == [(FIRST,), (SECOND,)]
    post.told(packet.packet_id, FIRST, "15")
    with post.office.store.view() as view:
        first, second = holders(view.outbox, packet.document_id or "")
    assert (first.gave_back, second.asked) == (True, True)


def test_receivers_are_added_with_the_files_and_removed_without(post: Post) -> None:
    packet = post.sent("1", FIRST)
    document_id = packet.document_id or ""
    update = changing.change_receivers(post.office.space, document_id, [SECOND], [FIRST], "Đổi nơi nhận")
    said = header(post, update)
    assert (said.kind, said.routed_to) == (PacketKind.UPDATE, (SECOND, FIRST))
    assert [(one.organ_code, one.added) for one in said.receiver_changes] == [(SECOND, True), (FIRST, False)]
    assert len(said.references) == 1
    assert post.sync(at_once=True).sent == 1
    with post.office.store.view() as view:
        assert [one.org for one in holders(view.outbox, document_id) if one.has_it] == [SECOND]
    for added, removed, told in (
        ([SECOND], [], "receiver_has_it"),
        ([], [FIRST], "recall_not_there"),
        ([], [], "receivers_missing"),
    ):
        with pytest.raises(KnownError) as raised:
            changing.change_receivers(post.office.space, document_id, added, removed)
        assert code(raised) == told


def test_of_two_changes_at_once_one_is_made_so_that_nobody_gets_it_twice(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    packet = post.sent("1", FIRST)
    document_id, space, keep = packet.document_id or "", post.office.space, outgoing.keep_packet

    def slowly(space: Workspace, write: Callable[[BinarySink], WrittenPacket]) -> WrittenPacket:
        monkeypatch.setattr(changing, "keep_packet", keep)
        changing.change_receivers(space, document_id, [SECOND], [])
        return keep(space, write)

    monkeypatch.setattr(changing, "keep_packet", slowly)
    with pytest.raises(KnownError) as raised:
        changing.change_receivers(space, document_id, [SECOND], [])
    assert code(raised) == "receiver_has_it"
    with post.office.store.view() as view:
        assert [one.kind for one in view.outbox.of_document(document_id)] == [PacketKind.NEW, PacketKind.UPDATE]


def test_who_cannot_be_reached_gets_it_on_paper_whenever_it_is_given(post: Post) -> None:
    space, store = post.office.space, post.office.store
    document = post.kept("1")
    chosen = (PaperReceiver(name="Lưu trữ", reason=PaperReason.CHOSEN),)
    given = post.packet(changing.give(space, document.id, [FIRST, "H00"], chosen))
    assert (given.receivers, header(post, given.packet_id).paper) == ((FIRST,), True)
    with store.view() as view:
        told = [(one.name, one.reason) for one in view.receivers.paper(document.id)]
    assert told == [("Lưu trữ", PaperReason.CHOSEN), ("H00", PaperReason.UNKNOWN)]
    # Taken out and given again: what the clerk says of paper now is what holds.
    withdrawing.withdraw(space, given.packet_id)
    again = post.packet(changing.give(space, document.id, [FIRST, SECOND], ()))
    assert (again.receivers, header(post, again.packet_id).paper) == ((FIRST, SECOND), False)
    post.sync(at_once=True)
    with pytest.raises(KnownError) as raised:
        changing.change_receivers(space, document.id, ["H00"], [])
    assert code(raised) == "receivers_on_paper"
    more = changing.change_receivers(space, document.id, ["H01"], [SECOND], "Nhầm")
    assert (post.packet(more).receivers, header(post, more).paper) == ((SECOND,), True)
    with store.view() as view:
        assert [one.code for one in view.receivers.paper(document.id)] == ["H00", "H01"]


def test_a_body_that_goes_elsewhere_in_the_middle_of_a_pass_sends_nothing_more(post: Post) -> None:
    packet = post.given("1", urgency=Urgency.KHAN)
    outbox, _inbox = stores(post.office.space, "server")
    (due,) = outbox.due(ORG, post.office.clock(), at_once=False)
    (body,) = post.office.space.settings.bodies
    post.change(bodies=(msgspec.structs.replace(body, exchange=Exchange.EXTERNAL),))
    assert not outbox.mark_sending(due.packet_id)
    assert (post.packet(packet.packet_id).attempts, post.packet(packet.packet_id).state) == (0, OutboxState.QUEUED)
    post.change(bodies=(body,))
    assert outbox.mark_sending(due.packet_id)


def test_holds_and_delays_of_a_clock_that_ran_years_ahead_keep_nothing(post: Post) -> None:
    clock = post.office.clock
    right = clock()
    clock.time = right + dt.timedelta(days=3650)
    held, delayed, postponed = post.given("1"), post.given("2"), post.given("3")
    later = clock() + dt.timedelta(minutes=15)

    def wrong(tx: Transaction) -> None:
        tx.outbox.mark_sending(delayed.packet_id)
        tx.outbox.retry(delayed.packet_id, "server_busy", later)
        tx.outbox.postpone(postponed.packet_id, later)

    post.office.store.write(wrong)
    clock.time = right
    with post.office.store.view() as view:
        due = {one.packet_id for one in view.outbox.due(ORG, right)}
    assert due == {held.packet_id, delayed.packet_id}


def test_another_document_comes_in_place_of_a_sent_one_and_both_stand_in_the_register(post: Post) -> None:
    packet = post.sent("1", FIRST, SECOND)
    better = post.kept("2")
    packet_id = changing.replace_sent(post.office.space, packet.document_id or "", better.id, "Sai số liệu")
    said = header(post, packet_id)
    assert (said.kind, said.reason, said.routed_to) == (PacketKind.REPLACE, "Sai số liệu", (FIRST, SECOND))
    assert [(one.document_id, one.organ_codes) for one in said.replaced] == [(packet.edxml_id, (FIRST, SECOND))]
    assert post.sync(at_once=True).sent == 1
    with post.office.store.view() as view:
        assert {row.number for row in view.listings.register()} == {"1", "2"}
        assert {row.sending for row in view.listings.register()} == {OutboxState.ACCEPTED}
    with pytest.raises(KnownError) as raised:
        changing.replace_sent(post.office.space, packet.document_id or "", post.kept("3").id, "Lại")
    assert code(raised) == "replaced_already"


def test_what_the_server_refuses_is_sent_in_place_to_the_right_receiver(post: Post) -> None:
    wrong, right = post.given("1", FORGOTTEN), post.given("2")
    report = post.sync(at_once=True)
    assert (report.sent, report.waiting) == (1, 1)
    assert post.packet(wrong.packet_id).state is OutboxState.NEEDS_PERSON
    with pytest.raises(KnownError) as raised:
        changing.send_in_place(post.office.space, right.packet_id)
    assert code(raised) == "packet_moved_on"
    mended = changing.send_in_place(post.office.space, wrong.packet_id, [FIRST])
    report = post.sync()
    assert (report.sent, report.waiting) == (1, 0)
    assert (post.packet(mended).supersedes, header(post, mended).routed_to) == (wrong.packet_id, (FIRST,))
    assert len(post.there()) == 2


def test_for_a_body_that_exchanges_elsewhere_nothing_is_queued_and_nothing_leaves(post: Post) -> None:
    waiting, kept = post.given("1"), post.kept("2")
    (body,) = post.office.space.settings.bodies
    external = msgspec.structs.replace(body, exchange=Exchange.EXTERNAL)
    post.change(bodies=(external,))
    for attempt in (
        lambda: changing.give(post.office.space, kept.id, [FIRST]),
        lambda: post.sync(at_once=True),
    ):
        with pytest.raises(KnownError) as raised:
            attempt()
        assert code(raised) == "exchange_external"
    assert (post.there(), post.packet(waiting.packet_id).attempts) == ([], 0)
    with post.office.store.view() as view:
        assert [packet.packet_id for packet in view.outbox.list()] == [waiting.packet_id]
        assert view.inbox.list() == ()


def test_what_a_restored_server_lost_is_said_and_never_sent_again_by_itself(post: Post) -> None:
    first = post.sent("1")
    copy = post.world.copy_of_state()
    post.moved()
    second = post.sent("2")
    post.world.put_back(copy)
    post.moved()
    report = post.sync(at_once=True)
    assert (report.sent, report.stopped) == (0, None)
    kept, lost = post.packet(first.packet_id), post.packet(second.packet_id)
    assert (kept.missing_since, lost.missing_since is not None) == (None, True)
    assert (lost.state, lost.receipt is not None) == (OutboxState.ACCEPTED, True)
    with post.office.store.view() as view:
        (notice,) = view.notices.unseen()
    assert (notice.code, notice.params, notice.org) == ("server_lost_packets", {"count": 1}, ORG)
    again = changing.send_in_place(post.office.space, second.packet_id)
    assert post.sync().sent == 1
    assert post.packet(again).receipt is not None
    assert post.there() == sorted([first.sha256, second.sha256])
    post.sync()
    with post.office.store.view() as view:
        assert view.outbox.missing() == 0


def test_a_second_machine_that_acknowledges_is_noticed_once(post: Post) -> None:
    post.sync()
    with post.office.store.view() as view:
        assert view.notices.unseen() == ()
    other = post.world.enrolled(ORG).device
    assert other is not None
    post.world.admin.choose_device(other.device)
    for _ in range(2):
        post.office.clock.go_on(1000)
        post.sync()
    with post.office.store.view() as view:
        (notice,) = view.notices.unseen()
    assert notice.code == "second_machine"
