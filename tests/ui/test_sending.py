"""The list Chờ gửi: what lines, sums and details say; and the pane over a real store, every deed with its question."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog
from pytestqt.qtbot import QtBot

from signer_app.exchange import changing
from signer_app.store.model import Document, InsteadOf, OutboxState, ProofBy, Urgency
from signer_app.store.settings import Body
from signer_app.store.store import Transaction
from signer_sync.contract import PacketKind
from signer_ui.panes.outgoing import OutgoingPane
from signer_ui.panes.receivers_dialog import ReceiversDialog
from signer_ui.panes.sending import SendingPane
from signer_ui.panes.sending_change import ChangeDialog, PostponeDialog
from signer_ui.panes.sending_steps import RecallDialog, ReplaceDialog
from signer_ui.presenters.sending_details import Way
from signer_ui.presenters.sending_list import columns, read_time, summary, times_to_postpone
from signer_ui.words import Words
from tests.desk.office import DEPARTMENT, FRIDAY, MONDAY, ORG, PROVINCE, TODAY, Office, changed, office
from tests.desk.test_register import receipt
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

D = TypeVar("D", bound=QDialog)
WORDS = Words("vi")
NAMES = {PROVINCE: "UBND tỉnh", DEPARTMENT: "Sở Nội vụ"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        changed(made, bodies=(Body(code=ORG, name="Ủy ban nhân dân xã Hòa Sơn"),), clerk="Lê Thị Văn Thư")
        yield made


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


def given(place: Office, number: str, urgency: Urgency = Urgency.NORMAL, day: dt.date = TODAY) -> Document:
    document = place.signed(number, day, urgency=urgency, receivers=())
    changing.give(place.space, document.id, [DEPARTMENT, PROVINCE])
    return document


def received(place: Office, document: Document) -> None:
    place.accepted(document, receipt(place.packet_of(document)))


def undecided(place: Office, document: Document) -> None:
    packet_id = place.packet_of(document)

    def work(tx: Transaction) -> None:
        tx.outbox.mark_sending(packet_id)
        tx.outbox.retry(packet_id, "server_unreachable", place.clock(), {"host": "x"}, uncertain=True)
        tx.outbox.needs_person(packet_id, "outcome_undecided")

    place.store.write(work)


def texts(place: Office) -> dict[str, list[str]]:
    shown = columns(lambda: NAMES, lambda: place.now, WORDS)
    items = place.desk.sending.look().items
    return {item.row.label.partition("/")[0]: [column.text(item) for column in shown] for item in items}


# ---- what is said


def test_each_line_says_how_it_stands_by_when_it_must_leave_and_when_it_goes(place: Office) -> None:
    given(place, "1")
    given(place, "2", Urgency.HOA_TOC)
    place.hindered(given(place, "3", day=FRIDAY), "server_busy")
    received(place, given(place, "4"))
    undecided(place, given(place, "5"))
    told = texts(place)
    assert told["1"] == [
        "Tự gửi sau 2:00",
        "1/UBND-VHXH",
        told["1"][2],
        "(2) Sở Nội vụ; UBND tỉnh",
        "Trước 12:00 24/11",
        "08:42",
        "08:44",
    ]
    assert (told["2"][0], told["2"][4], told["2"][6]) == ("Chờ gửi", "Ngay", "ngay")
    assert told["3"][0] == "Chưa gửi được, gửi lại lúc 08:47"
    assert told["3"][4] == "Trước 12:00 hôm nay"
    assert (told["4"][0], told["4"][4]) == ("Máy chủ đã nhận lúc 08:42; nơi nhận chưa tiếp nhận.", "")
    assert told["5"][0] == "Cần hỏi nơi nhận đã có chưa"
    place.clock.go_on(95)
    assert texts(place)["1"][0] == "Tự gửi sau 0:25"
    place.clock.go_on(60 * 60 * 24)
    assert (texts(place)["3"][4], texts(place)["2"][4]) == ("Quá hạn 1 ngày", "Quá hạn 1 ngày")


def test_the_oldest_unsent_stands_in_the_sums_and_nothing_is_said_of_an_empty_list(place: Office) -> None:
    from signer_ui.panes.sending_work import Queue, look

    assert summary(look(place.desk, Queue()).sums, place.now, WORDS) == "Chưa có văn bản nào chờ gửi"
    given(place, "1")
    place.clock.go_on(60)
    place.hindered(given(place, "2"), "unknown_receiver", person=True)
    first = look(place.desk, Queue())
    told = summary(first.sums, place.now, WORDS)
    assert told == "2 văn bản chờ gửi · lâu nhất từ 08:42 (1/UBND-VHXH) · 1 cần xem"
    assert look(place.desk, first).items is first.items


def test_later_is_half_an_hour_the_afternoon_or_the_next_morning() -> None:
    assert [one.text for one in times_to_postpone(MONDAY, WORDS)] == [
        "30 phút nữa",
        "13:30 chiều nay",
        "07:30 sáng mai (24/11/2026)",
    ]
    assert len(times_to_postpone(MONDAY.replace(hour=15), WORDS)) == 2


@pytest.mark.parametrize(
    ("clock", "day", "read"),
    [
        ("14:30", "", MONDAY.replace(hour=14, minute=30)),
        ("14h30", "24/11", MONDAY.replace(day=24, hour=14, minute=30)),
        ("7h05", "2/1/2027", dt.datetime(2027, 1, 2, 7, 5, tzinfo=MONDAY.tzinfo)),
        ("25:00", "", None),
        ("", "24/11", None),
        ("8:00", "31/11", None),
    ],
)
def test_a_time_is_read_as_clerks_type_it(clock: str, day: str, read: dt.datetime | None) -> None:
    assert read_time(clock, day, MONDAY) == read


# ---- the pane


class Clerk:
    """Who works with the list."""

    def __init__(self, screen: Desktop, place: Office) -> None:
        self.screen, self.place = screen, place
        self.outgoing = screen.show(OutgoingPane)
        self.outgoing.activateWindow()
        self.outgoing.lists.to_sign.setFocus()
        screen.wait(self.outgoing.lists.to_sign.hasFocus)
        QTest.keyClick(self.outgoing.lists.to_sign, Qt.Key.Key_F8)
        sending = self.outgoing.lists.sending
        assert sending is not None
        self.pane: SendingPane = sending
        self.rest()

    def rest(self) -> None:
        self.screen.wait(lambda: not self.screen.shell.tasks.busy and self.pane.grid.settled)

    def choose(self, *documents: Document) -> None:
        self.pane.grid.choose([self.place.packet_of(document) for document in documents])
        self.rest()

    def dialog(self, kind: type[D]) -> D:
        self.rest()
        found = [one for one in self.pane.findChildren(kind) if one.isVisible()]
        assert len(found) == 1
        return found[0]

    @property
    def ways(self) -> list[Way]:
        return [way for way, press in self.pane.details.ways.items() if press.isVisible()]

    def packets(self, document: Document) -> list[tuple[PacketKind, OutboxState]]:
        with self.place.store.view() as view:
            return [(one.kind, one.state) for one in view.outbox.of_document(document.id)]


def test_the_switch_counts_and_a_key_turns_it(place: Office, screen: Desktop) -> None:
    given(place, "1")
    place.draft("9")
    clerk = Clerk(screen, place)
    lists = clerk.outgoing.lists
    screen.wait(lambda: (lists.to_sign.text(), lists.to_send.text()) == ("Chờ ký (1)", "Chờ gửi (1)"))
    assert not clerk.outgoing.grid.isVisible()
    screen.wait(clerk.pane.grid.hasFocus)
    QTest.keyClick(clerk.pane.grid, Qt.Key.Key_Tab, Qt.KeyboardModifier.ControlModifier)
    assert clerk.outgoing.grid.isVisible()
    clerk.outgoing.lists.show_second()
    clerk.outgoing.open_files([])
    assert not lists.is_second


def test_a_hold_counts_down_and_gui_ngay_ends_it_with_one_press(place: Office, screen: Desktop) -> None:
    held, postponed = given(place, "1"), given(place, "2")
    clerk = Clerk(screen, place)
    clerk.choose(held)
    assert clerk.ways == [Way.SEND_NOW, Way.POSTPONE, Way.WITHDRAW]
    assert "Tự gửi sau 2:00" in visible_texts(clerk.pane)
    place.clock.go_on(60)
    clerk.pane._count_down()
    assert "Tự gửi sau 1:00" in visible_texts(clerk.pane)
    assert clerk.pane._tick.isActive()
    press(clerk.pane.details, "Gửi ngay")
    clerk.rest()
    assert "Đang gửi 1 văn bản." in clerk.pane.notice.text
    assert place.desk.sending.packet(place.packet_of(held)).item.next_try is None
    assert place.desk.sending.packet(place.packet_of(postponed)).item.next_try is not None
    assert not nameless(clerk.pane)


def test_several_are_postponed_at_once_and_a_time_can_be_typed(place: Office, screen: Desktop) -> None:
    documents = [given(place, number) for number in "12"]
    clerk = Clerk(screen, place)
    clerk.choose(*documents)
    clerk.pane.later.aboutToShow.emit()
    assert [one.text() for one in clerk.pane.later.actions()][-1] == "Chọn giờ…"
    clerk.pane.later.actions()[1].trigger()
    clerk.rest()
    assert "Đã hoãn gửi 2 văn bản đến 13:30" in clerk.pane.notice.text
    assert place.desk.sending.look().postponed == 2
    clerk.choose(documents[0])
    clerk.pane.later.aboutToShow.emit()
    clerk.pane.later.actions()[-1].trigger()
    dialog = clerk.dialog(PostponeDialog)
    dialog.clock.setText("mai")
    press(dialog, "Hoãn gửi")
    assert "Chưa đọc được" in visible_texts(dialog)
    dialog.day.setText("24/11")
    dialog.clock.setText("16:00")
    press(dialog, "Hoãn gửi")
    clerk.rest()
    item = place.desk.sending.packet(place.packet_of(documents[0])).item
    assert item.next_try == MONDAY.replace(day=24, hour=16, minute=0)


def test_taking_out_is_asked_once_and_the_document_can_be_given_again(place: Office, screen: Desktop) -> None:
    document = given(place, "1")
    clerk = Clerk(screen, place)
    clerk.choose(document)
    press(clerk.pane.details, "Bỏ khỏi hàng gửi…")
    assert clerk.packets(document) == [(PacketKind.NEW, OutboxState.QUEUED)]
    press(clerk.pane.notice, "Thôi")
    press(clerk.pane.details, "Bỏ khỏi hàng gửi…")
    press(clerk.pane.notice, "Bỏ khỏi hàng gửi")
    clerk.rest()
    assert clerk.packets(document) == [(PacketKind.NEW, OutboxState.WITHDRAWN)]
    assert clerk.pane.grid.shown_ids == ()
    press(clerk.pane.notice, "Chọn nơi nhận và gửi…")
    clerk.rest()
    dialog = clerk.dialog(ReceiversDialog)
    assert "Sở Nội vụ tỉnh An Sơn: gửi điện tử (H77.02)" in [
        dialog.chooser.list.item(at).text() for at in range(dialog.chooser.list.count())
    ]
    press(dialog, "Gửi")
    clerk.rest()
    assert clerk.packets(document)[-1] == (PacketKind.NEW, OutboxState.QUEUED)


def test_who_asked_the_receiver_says_whether_it_arrived(place: Office, screen: Desktop) -> None:
    there, away = given(place, "1"), given(place, "2")
    undecided(place, there)
    undecided(place, away)
    clerk = Clerk(screen, place)
    details = clerk.pane.details
    clerk.choose(there)
    assert details.ask.isVisible()
    assert not details.there.isEnabled()
    details.sure.setChecked(True)
    clerk.choose(away)
    # What was sworn to of one document says nothing of another.
    assert not details.sure.isChecked()
    QTest.mouseClick(details.away, Qt.MouseButton.LeftButton)
    clerk.rest()
    assert clerk.packets(away) == [(PacketKind.NEW, OutboxState.NEEDS_PERSON)]
    clerk.choose(there)
    details.sure.setChecked(True)
    press(details, "Đã đến")
    clerk.rest()
    with place.store.view() as view:
        assert view.outbox.require(place.packet_of(there)).proof_by is ProofBy.PERSON
    clerk.choose(there)
    assert "Văn thư xác nhận lúc" in visible_texts(details)
    clerk.choose(away)
    details.sure.setChecked(True)
    press(details, "Chưa đến, gửi lại")
    clerk.rest()
    assert clerk.packets(away) == [(PacketKind.NEW, OutboxState.RETRYING)]


def test_recalling_takes_a_reason_and_two_steps(place: Office, screen: Desktop) -> None:
    document = given(place, "1")
    received(place, document)
    clerk = Clerk(screen, place)
    clerk.choose(document)
    assert clerk.ways == [Way.CHANGE, Way.REPLACE, Way.RECALL]
    shown = visible_texts(clerk.pane.details)
    for words in ("Máy chủ đã nhận lúc 08:42", "tinh-an-son", "Sở Nội vụ tỉnh An Sơn: Chưa tiếp nhận"):
        assert words in shown
    press(clerk.pane.details, "Thu hồi văn bản…")
    dialog = clerk.dialog(RecallDialog)
    assert not dialog.go_on.isEnabled()
    dialog.reason.setText("Sai số liệu")
    dialog.boxes.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not nameless(dialog)
    press(dialog, "Tiếp tục")
    # Enter once too often leaves everything as it was.
    assert dialog.focusWidget() is dialog.no
    assert "Lý do: Sai số liệu" in visible_texts(dialog)
    assert len(clerk.packets(document)) == 1
    press(dialog, "Thu hồi văn bản")
    clerk.rest()
    assert clerk.packets(document)[-1] == (PacketKind.REVOKE, OutboxState.QUEUED)
    clerk.choose(document)
    assert "Ủy ban nhân dân tỉnh An Sơn: Đã yêu cầu thu hồi văn bản, chờ trả lời" in visible_texts(clerk.pane.details)


def test_receivers_are_added_and_removed_in_two_steps(place: Office, screen: Desktop) -> None:
    document = place.signed("1", receivers=())
    changing.give(place.space, document.id, [PROVINCE])
    received(place, document)
    clerk = Clerk(screen, place)
    clerk.choose(document)
    press(clerk.pane.details, "Cập nhật nơi nhận…")
    dialog = clerk.dialog(ChangeDialog)
    assert not dialog.go_on.isEnabled()
    dialog.chooser.add_text("Sở Nội vụ tỉnh An Sơn")
    clerk.rest()
    assert dialog.go_on.isEnabled()
    dialog.have.item(0).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.go_on.isEnabled()
    dialog.reason.setText("Gửi nhầm")
    press(dialog, "Tiếp tục")
    shown = visible_texts(dialog)
    assert "Gửi thêm: Sở Nội vụ tỉnh An Sơn" in shown
    assert "Bỏ: Ủy ban nhân dân tỉnh An Sơn" in shown
    press(dialog, "Gửi cập nhật")
    clerk.rest()
    assert clerk.packets(document)[-1] == (PacketKind.UPDATE, OutboxState.QUEUED)


def test_a_document_that_was_signed_and_kept_goes_in_place_of_a_sent_one(place: Office, screen: Desktop) -> None:
    sent = given(place, "1")
    received(place, sent)
    clerk = Clerk(screen, place)
    clerk.choose(sent)
    press(clerk.pane.details, "Thay thế…")
    dialog = clerk.dialog(ReplaceDialog)
    assert "Chưa có văn bản nào chờ ký hoặc đã ký mà chưa gửi" in visible_texts(dialog)
    dialog.reject()
    clerk.rest()
    kept = place.signed("2", receivers=())
    press(clerk.pane.details, "Thay thế…")
    dialog = clerk.dialog(ReplaceDialog)
    dialog.documents.setCurrentRow(0)
    dialog.reason.setText("Sai phụ lục")
    press(dialog, "Tiếp tục")
    press(dialog, "Gửi văn bản thay thế")
    clerk.rest()
    assert clerk.packets(kept)[-1] == (PacketKind.REPLACE, OutboxState.QUEUED)


def test_a_document_that_waits_to_be_signed_is_chosen_to_go_in_place_of_a_sent_one(
    place: Office, screen: Desktop
) -> None:
    sent = given(place, "1")
    received(place, sent)
    place.draft("9")
    clerk = Clerk(screen, place)
    clerk.choose(sent)
    press(clerk.pane.details, "Thay thế…")
    dialog = clerk.dialog(ReplaceDialog)
    assert dialog.documents.item(0).text().startswith("Chờ ký: 9/UBND-VP")
    dialog.documents.setCurrentRow(0)
    dialog.reason.setText("Sai phụ lục")
    press(dialog, "Tiếp tục")
    assert "Ký xong 9/UBND-VP thì gửi thay thế 1/UBND-VHXH?" in visible_texts(dialog)
    press(dialog, "Gửi văn bản thay thế")
    clerk.rest()
    assert "Khi ký và gửi, 9/UBND-VP sẽ thay thế 1/UBND-VHXH." in clerk.pane.notice.text
    with place.store.view() as view:
        (draft,) = view.drafts.list()
    assert draft.instead == InsteadOf(document_id=sent.id, reason="Sai phụ lục")
    assert draft.receivers == (DEPARTMENT, PROVINCE)
    assert clerk.packets(sent) == [(PacketKind.NEW, OutboxState.ACCEPTED)]


def test_what_was_sent_back_is_loud_and_counted_until_the_clerk_has_dealt_with_it(
    place: Office, screen: Desktop
) -> None:
    document = given(place, "1")
    received(place, document)
    packet = place.packet_of(document)

    def returned(tx: Transaction) -> None:
        edxml_id = tx.outbox.require(packet).edxml_id
        tx.outbox.receiver_told(edxml_id, DEPARTMENT, "02", place.clock(), reason="Sai nơi nhận")

    place.store.write(returned)
    place.clock.go_on(3 * 24 * 3600)
    clerk = Clerk(screen, place)
    clerk.choose(document)
    assert texts(place)["1"][0] == "Bị trả lại: Sở Nội vụ (Sai nơi nhận)"
    assert clerk.pane.summary.text() == "Chưa có văn bản nào chờ gửi · 1 bị trả lại"
    screen.wait(lambda: clerk.outgoing.lists.to_send.text() == "Chờ gửi (1)")
    assert clerk.ways == [Way.SETTLE, Way.CHANGE, Way.REPLACE, Way.RECALL]
    assert "Nơi nhận trả lại: Sở Nội vụ tỉnh An Sơn (Sai nơi nhận)." in visible_texts(clerk.pane.details)
    assert not nameless(clerk.pane)
    press(clerk.pane.details, "Đã xử lý…")
    press(clerk.pane.notice, "Thôi")
    assert place.desk.sending.look().returned == 1
    press(clerk.pane.details, "Đã xử lý…")
    press(clerk.pane.notice, "Đã xử lý")
    clerk.rest()
    assert (place.desk.sending.look().items, clerk.pane.grid.shown_ids) == ((), ())
    screen.wait(lambda: clerk.outgoing.lists.to_send.text() == "Chờ gửi")


def test_a_refused_one_goes_again_as_another_packet(place: Office, screen: Desktop) -> None:
    document = given(place, "1")
    place.hindered(document, "packet_conflict", never=True)
    clerk = Clerk(screen, place)
    clerk.choose(document)
    assert clerk.ways == [Way.AGAIN, Way.AGAIN_OTHERS]
    press(clerk.pane.details, "Gửi lại…")
    assert len(clerk.packets(document)) == 1
    press(clerk.pane.notice, "Gửi lại")
    clerk.rest()
    assert [state for _kind, state in clerk.packets(document)] == [OutboxState.FAILED, OutboxState.QUEUED]


def test_what_the_exchange_has_to_say_stays_until_it_is_seen(place: Office, screen: Desktop) -> None:
    place.store.write(lambda tx: tx.notices.tell(ORG, "server_lost_packets", place.clock(), {"count": 2}))
    clerk = Clerk(screen, place)
    assert "không còn 2 văn bản" in visible_texts(clerk.pane.exchange_notice)
    press(clerk.pane.exchange_notice, "Đã xem")
    clerk.rest()
    assert clerk.pane.exchange_notice.isHidden()
    assert place.desk.sending.look().notices == ()


def test_in_a_narrow_window_the_details_stand_below_the_list(place: Office, screen: Desktop) -> None:
    given(place, "1")
    clerk = Clerk(screen, place)
    clerk.outgoing.resize(683, 384)
    QTest.qWait(20)
    assert clerk.pane._splitter.orientation() is Qt.Orientation.Vertical
    assert clerk.pane.grid.isVisible()
    assert clerk.pane.details.isVisible()
