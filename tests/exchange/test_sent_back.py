"""What a receiver sends back, doesn't give back or wasn't reached with is loud until a person has acted on it."""

import argparse
import datetime as dt
import json
from collections.abc import Callable
from functools import partial

import pytest

from signer_app.cli.console import Console
from signer_app.cli.listings import outbox
from signer_app.desk.register import Years
from signer_app.desk.sending import Deed, Sending, SendingItem, Standing
from signer_app.exchange import changing, withdrawing
from signer_app.exchange.messages import status_packet
from signer_app.store.model import OutboxPacket, OutboxState, Urgency
from signer_app.store.queue import OpenAnswer
from signer_app.store.store import Transaction
from signer_app.store.sync_stores import SqlOutbox
from signer_resources.errors import KnownError
from signer_sync.contract import PacketPhase, PacketState, RecipientState, Transport
from signer_sync.edxml import Organ, ResponseFor, Staff, StatusCode
from signer_sync.ids import uuid7
from signer_sync.lgsp_errors import Refusal, error_for
from signer_ui.panes import sending_work as work
from signer_ui.presenters.sending_list import summary
from signer_ui.presenters.today import alarms
from signer_ui.words import Words
from tests.exchange.post import FIRST, NAME, ORG, SECOND, Post
from tests.server.by_hand import Hand
from tests.server.world import status_bytes

WHY = "Sai nơi nhận"


def sending(post: Post) -> Sending:
    return Sending(post.office.space)


def item(post: Post, packet: OutboxPacket) -> SendingItem:
    return sending(post).packet(packet.packet_id).item


def returned(post: Post, packet: OutboxPacket, org: str = FIRST, code: str = "02", reason: str = WHY) -> None:
    at = post.office.clock()
    post.office.clock.go_on(1)
    told = post.office.store.write(
        lambda tx: tx.outbox.receiver_told(packet.edxml_id, org, code, at, "Trần Văn Thư", reason, uuid7())
    )
    assert told


def test_a_document_that_its_receiver_sent_back_is_loud_the_next_day_too_until_it_is_dealt_with(
    post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    packet = post.sent("1", FIRST)
    receiver = Hand(post.world, post.world.enrolled(FIRST), FIRST)
    receiver.client.ack(receiver.client.feed(None).cursor)
    assert receiver.put(status_bytes("02", packet.edxml_id, sender=FIRST, to=ORG), uuid7()).status_code == 201
    post.sync()
    post.office.clock.go_on(3 * 24 * 3600)
    look = sending(post).look()
    (only,) = look.items
    assert (only.standing, look.returned, look.waiting, look.refused) == (Standing.RETURNED, 1, 0, 0)
    (answer,) = only.row.answers
    assert (answer.org, answer.code, answer.by, answer.reason) == (FIRST, "02", "Trần Văn Thư", "Lý do")
    assert only.deeds == (Deed.SETTLE, Deed.RECALL)
    today = post.office.desk.today().sending
    assert (today.answered, [row.packet_id for row in today.returned], today.lines) == (1, [packet.packet_id], ())
    register = post.office.desk.register.look(Years.ALL)
    assert register is not None
    assert [row.answer for row in register.rows] == ["02"]
    outbox(post.office.space, argparse.Namespace(), Console("vi", as_json=False))
    assert f"Bị trả lại: {FIRST} (Lý do)" in capsys.readouterr().out
    sending(post).settle(packet.packet_id, [FIRST])
    assert (sending(post).look().items, post.office.desk.today().sending.answered) == ((), 0)
    outbox(post.office.space, argparse.Namespace(), Console("vi", as_json=True))
    (shown,) = json.loads(capsys.readouterr().out)
    assert ([one["open"] for one in shown["receivers"]], shown["receivers"][0]["code"]) == ([False], "02")
    # Told again by the server, it is the same return.
    post.sync()
    assert sending(post).look().items == ()
    with post.office.store.view() as view:
        (told,) = view.outbox.receivers(packet.packet_id)
    assert (told.settled_by, told.code) == ("Lê Thị Văn Thư", "02")


def test_dealing_with_it_names_the_receivers_that_were_seen(post: Post) -> None:
    packet = post.sent("1", FIRST, SECOND)
    returned(post, packet, FIRST)
    seen = item(post, packet)
    returned(post, packet, SECOND, reason="Chữ ký không hợp lệ")
    sending(post).settle(packet.packet_id, [answer.org for answer in seen.row.answers])
    assert [answer.org for answer in item(post, packet).row.answers] == [SECOND]
    for orgs in ([FIRST], [SECOND, FIRST], ["H99"]):
        with pytest.raises(KnownError) as raised:
            sending(post).settle(packet.packet_id, orgs)
        assert raised.value.code == "packet_moved_on"
    assert item(post, packet).standing is Standing.RETURNED


def test_a_replacement_a_change_and_a_recall_settle_it_and_taken_out_of_the_queue_they_dont(post: Post) -> None:
    space = post.office.space
    packet = post.sent("1", FIRST, SECOND)
    document = packet.document_id or ""
    returned(post, packet)
    deeds: tuple[Callable[[], str], ...] = (
        lambda: changing.replace_sent(space, document, post.kept("2").id, WHY),
        lambda: changing.change_receivers(space, document, [], [SECOND], WHY),
        lambda: withdrawing.recall(space, document, WHY),
        lambda: withdrawing.ask_back(space, document, WHY)[0],
    )
    for deed in deeds:
        made = deed()
        assert item(post, packet).standing is Standing.RECEIVED
        withdrawing.withdraw(space, made)
        assert item(post, packet).standing is Standing.RETURNED
    withdrawing.recall(space, document, WHY)
    assert item(post, packet).standing is Standing.RECEIVED


def test_a_newer_return_stands_anew_and_another_word_ends_one(post: Post) -> None:
    packet = post.sent("1", FIRST)
    returned(post, packet)
    sending(post).settle(packet.packet_id, [FIRST])
    returned(post, packet, reason="Vẫn sai nơi nhận")
    (answer,) = item(post, packet).row.answers
    assert answer.reason == "Vẫn sai nơi nhận"
    returned(post, packet, code="03", reason="")
    assert item(post, packet).standing is Standing.RECEIVED


def _by_server(packet: OutboxPacket, state: PacketState, tx: Transaction) -> None:
    assert tx.outbox.delivery(packet.packet_id, state)


def _by_receiver(packet: OutboxPacket, at: dt.datetime, evidence: str, tx: Transaction) -> None:
    assert tx.outbox.receiver_told(packet.edxml_id, FIRST, "02", at, "Trần Văn Thư", WHY, evidence)


def test_who_and_why_are_kept_whichever_tells_first_the_server_or_the_receiver(post: Post) -> None:
    for number, server_first in (("1", True), ("2", False)):
        packet = post.sent(number, FIRST)
        at = post.office.clock()
        evidence = uuid7()
        one = RecipientState(org=FIRST, transport=Transport.DONE, business_code="02", at=at.isoformat(),
                             evidence=evidence)  # fmt: skip
        state = PacketState(state=PacketPhase.DELIVERED, since=at.isoformat(), recipients=(one,))

        earlier = at - (at - packet.created_at) / 2
        for by_server in (server_first, not server_first):
            if by_server:
                post.office.store.write(partial(_by_server, packet, state))
            else:
                post.office.store.write(partial(_by_receiver, packet, earlier, evidence))
        (answer,) = item(post, packet).row.answers
        assert (answer.by, answer.reason) == ("Trần Văn Thư", WHY)


def test_a_declined_recall_and_a_receiver_that_was_not_reached_are_loud_too(post: Post) -> None:
    packet = post.sent("1", FIRST, SECOND)
    recall = post.packet(withdrawing.recall(post.office.space, packet.document_id or "", WHY))
    post.sync(at_once=True)
    returned(post, recall, SECOND, code="16", reason="Đã xử lý")
    assert item(post, recall).standing is Standing.DECLINED
    assert item(post, recall).deeds == (Deed.SETTLE,)
    other = post.sent("2", FIRST, SECOND)
    at = post.office.clock().isoformat()
    reached = RecipientState(org=FIRST, transport=Transport.DONE)
    failed = RecipientState(org=SECOND, transport=Transport.FAIL)
    state = PacketState(state=PacketPhase.PARTIALLY, since=at, recipients=(reached, failed))
    post.office.store.write(lambda tx: tx.outbox.delivery(other.packet_id, state))
    assert (item(post, other).standing, item(post, other).row.answers) == (
        Standing.NOT_REACHED,
        (OpenAnswer(SECOND),),
    )
    assert sending(post).look().answered == 2
    # All of them failed: the packet itself is what nobody took.
    post.office.store.write(
        lambda tx: tx.outbox.delivery(
            other.packet_id, PacketState(state=PacketPhase.FAILED, since=at, recipients=(failed,))
        )
    )
    assert (item(post, other).standing, post.packet(other.packet_id).state) == (
        Standing.NOT_FORWARDED,
        OutboxState.FAILED,
    )
    assert sending(post).look().answered == 1


def test_a_return_of_what_was_added_later_belongs_to_the_change(post: Post) -> None:
    packet = post.sent("1", FIRST)
    change = post.packet(changing.change_receivers(post.office.space, packet.document_id or "", [SECOND], []))
    post.sync(at_once=True)
    returned(post, change, SECOND)
    assert (item(post, packet).standing, item(post, change).standing) == (Standing.RECEIVED, Standing.RETURNED)
    assert item(post, change).deeds == (Deed.SETTLE, Deed.RECALL)
    register = post.office.desk.register.look(Years.ALL)
    assert register is not None
    assert [row.answer for row in register.rows] == ["02"]


def test_names_stand_on_the_home_screen(post: Post) -> None:
    packet = post.sent("1", FIRST)
    returned(post, packet)
    names = post.office.desk.today().sending.names
    assert set(names) == {FIRST}
    assert NAME not in names.values()


# ---- a hỏa tốc that nobody answers


def flash(post: Post, *receivers: str) -> OutboxPacket:
    """A hỏa tốc that the server has."""
    packet = post.given("1", *receivers, urgency=Urgency.HOA_TOC)
    assert post.sync(at_once=True).stopped is None
    return post.packet(packet.packet_id)


def test_a_hoa_toc_that_a_receiver_has_not_accepted_for_ten_minutes_is_loud_until_it_answers(post: Post) -> None:
    packet, ordinary = flash(post, FIRST, SECOND), post.sent("2", FIRST)
    today, clock = post.office.desk.today, post.office.clock
    clock.go_on(9 * 60)
    assert (today().sending.silent, item(post, packet).standing) == ((), Standing.RECEIVED)
    clock.go_on(61)
    # That it arrived is a machine's word.
    post.told(packet.packet_id, FIRST, "01")
    look = sending(post).look()
    assert [(one.id, one.standing, one.to_settle) for one in look.items] == [
        (packet.packet_id, Standing.UNANSWERED, (FIRST, SECOND)),
        (ordinary.packet_id, Standing.RECEIVED, ()),
    ]
    assert (look.answered, look.items[0].deeds) == (1, (Deed.SETTLE, Deed.RECALL))
    (silent,) = today().sending.silent
    assert (silent.packet_id, silent.unheard) == (packet.packet_id, (FIRST, SECOND))
    told = alarms(today(), Words("vi"))
    assert [(alarm.loud, alarm.sending) for alarm in told] == [(1, True)]
    assert "chưa được tiếp nhận: Sở Nội vụ; UBND xã Hòa Bình" in told[0].text
    post.told(packet.packet_id, FIRST, "03")
    assert item(post, packet).to_settle == (SECOND,)
    # The next day it is as loud as before.
    clock.go_on(24 * 3600)
    assert [one.standing for one in sending(post).look().items] == [Standing.UNANSWERED]
    post.told(packet.packet_id, SECOND, "03")
    assert (sending(post).look().items, today().sending.silent) == ((), ())


def test_who_has_telephoned_is_not_told_again_when_it_arrives_there(post: Post) -> None:
    packet = flash(post, FIRST, SECOND)
    post.office.clock.go_on(600)
    sending(post).settle(packet.packet_id, [FIRST])
    assert item(post, packet).to_settle == (SECOND,)
    post.told(packet.packet_id, FIRST, "01")
    assert item(post, packet).to_settle == (SECOND,)
    sending(post).settle(packet.packet_id, [SECOND])
    assert item(post, packet).standing is Standing.RECEIVED
    # A return stands anew all the same.
    returned(post, packet)
    assert (item(post, packet).standing, item(post, packet).to_settle) == (Standing.RETURNED, (FIRST,))
    with pytest.raises(KnownError) as raised:
        sending(post).settle(post.sent("2", FIRST).packet_id, [FIRST])
    assert raised.value.code == "packet_moved_on"


def test_a_recall_ends_the_waiting_and_another_receiver_doesnt(post: Post) -> None:
    packet = flash(post, FIRST)
    post.office.clock.go_on(600)
    document = packet.document_id or ""
    changing.change_receivers(post.office.space, document, [SECOND], [], "")
    assert item(post, packet).standing is Standing.UNANSWERED
    made = withdrawing.recall(post.office.space, document, WHY)
    assert item(post, packet).standing is Standing.RECEIVED
    withdrawing.withdraw(post.office.space, made)
    assert item(post, packet).standing is Standing.UNANSWERED


# ---- a receiver that the exchange has locked


def test_a_receiver_that_the_exchange_has_locked_comes_on_the_paper_list_and_the_others_get_it(post: Post) -> None:
    packet = post.given("1", FIRST, SECOND)
    organs = tuple(Organ(code, f"Cơ quan {code}") for code in (FIRST, SECOND))

    def refuse(text: str) -> None:
        error = error_for(Refusal(200, "23", text), "lgsp", receivers=organs)
        post.office.store.write(lambda tx: tx.outbox.mark_sending(packet.packet_id))
        SqlOutbox(post.office.store, post.office.space.now).needs_person(packet.packet_id, error)

    def paper() -> list[tuple[str | None, str, str]]:
        with post.office.store.view() as view:
            return [(one.code, one.name, one.reason.value) for one in view.receivers.paper(packet.document_id or "")]

    refuse("Đơn vị đã khóa")
    assert paper() == []  # nobody knows which of them
    sending(post).send_now([packet.packet_id])
    refuse(f"{SECOND} đã khóa")
    assert paper() == [(SECOND, f"Cơ quan {SECOND}", "locked")]
    made = sending(post).send_in_place(packet.packet_id, [FIRST, SECOND], ())
    assert post.packet(made).receivers == (FIRST, SECOND)  # the person took it off the list
    post.office.store.write(lambda tx: tx.outbox.mark_sending(made))
    error = error_for(Refusal(200, "23", f"{SECOND} đã khóa"), "lgsp", receivers=organs)
    SqlOutbox(post.office.store, post.office.space.now).needs_person(made, error)
    assert post.packet(sending(post).send_in_place(made, [FIRST])).receivers == (FIRST,)
    assert paper() == [(SECOND, f"Cơ quan {SECOND}", "locked")]


def test_only_documents_are_counted_as_waiting(post: Post) -> None:
    post.given("1", FIRST)
    asked = ResponseFor(FIRST, "5/UBND", "2026/11/20", "000.00.00.H77-20261120-5")
    (body,) = post.office.space.settings.bodies
    answer = status_packet(
        post.office.space, body, asked, StatusCode.ACCEPTED, "", Staff(name="Thư"), post.office.now, incoming="x"
    )
    post.office.store.write(lambda tx: tx.outbox.add(answer))
    look = sending(post).look()
    assert (look.waiting, look.documents, look.answers) == (2, 1, 1)
    queue = work.look(post.office.desk, work.Queue())
    assert summary(queue.sums, post.office.now, Words("vi")).endswith("(1/UBND-VHXH) · 1 tin trả lời nơi gửi")
