"""Incoming documents: what the list and a document say, and the pane on which they are opened and decided."""

import datetime as dt
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.incoming import Facts, IncomingFile, IncomingRow
from signer_app.desk.incoming_model import IncomingSnapshot, Place
from signer_app.exchange.deciding import Accepted
from signer_app.store.inbox import IncomingPacket
from signer_app.store.incoming_model import ArrivalState, ArrivalVerdict
from signer_app.store.model import Urgency
from signer_app.store.settings import Exchange
from signer_resources.errors import KnownError
from signer_sync.contract import PacketKind
from signer_sync.edxml import Priority
from signer_ui.glow import Glow
from signer_ui.panes.incoming import IncomingPane
from signer_ui.presenters.figures import short_body
from signer_ui.presenters.incoming import Answering, columns, list_view, state, state_glow
from signer_ui.presenters.incoming_deciding import Act, accepted_words
from signer_ui.presenters.incoming_details import packet_standing, suggested_name, written_day
from signer_ui.words import Words
from tests.desk.office import MONDAY, ORG, Office, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts
from tests.exchange.arrivals import Post, broken_letter, plain_letter, post

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
ROW = IncomingRow("1", MONDAY, False, "UBND tỉnh", "V/v họp", Urgency.NORMAL, PacketKind.NEW, "ab", None)
PACKET = IncomingPacket(org=ORG, packet_id="p-1", received_at=MONDAY, secret=True)
SECRET = replace(ROW, secret=True, sender="", subject="", sha256=None, packet=PACKET, place=Place.PROBLEM)
ANSWERS = Answering(frozenset({ORG}), external=False)


# ---- what is said


def test_columns_say_when_who_which_what_and_how() -> None:
    row = replace(ROW, facts=Facts("12/UBND-VX"), at=MONDAY - dt.timedelta(days=3))
    texts = [column.text(row) for column in columns(WORDS, lambda: MONDAY)]
    assert texts == ["20/11", "", "UBND tỉnh", "12/UBND-VX", "V/v họp", "", "Vừa đến, đang kiểm tra"]


def test_a_narrow_column_names_a_body_as_clerks_write_it() -> None:
    assert short_body("Ủy ban nhân dân tỉnh An Sơn") == "UBND tỉnh An Sơn"
    assert short_body(unicodedata.normalize("NFD", "Uỷ ban nhân dân xã Hòa Sơn")) == "UBND xã Hòa Sơn"
    assert short_body("VĂN PHÒNG HỘI ĐỒNG NHÂN DÂN TỈNH") == "VĂN PHÒNG HĐND TỈNH"
    assert short_body("Sở Nội vụ") == "Sở Nội vụ"
    row = replace(ROW, sender="Ủy ban nhân dân tỉnh An Sơn")
    sender = columns(WORDS, lambda: MONDAY)[2]
    assert sender.text(row) == "UBND tỉnh An Sơn"
    assert sender.tip is not None
    assert sender.also is not None
    assert sender.tip(row) == sender.also(row) == row.sender


def test_a_secret_packet_is_one_line_that_says_what_to_do() -> None:
    texts = [column.text(SECRET) for column in columns(WORDS, lambda: MONDAY)]
    assert texts == [
        "08:42",
        "",
        "",
        "",
        "Có dấu chỉ độ mật, không giữ lại. Báo ngay người phụ trách bảo vệ bí mật nhà nước.",
        "",
        "Không giữ lại",
    ]
    assert state_glow(SECRET, MONDAY) is Glow.BAD
    told = replace(SECRET, place=Place.DONE, packet=replace(PACKET, told_at=MONDAY, told_by="Lê Thị Thư"))
    assert (state(told, MONDAY, WORDS), state_glow(told, MONDAY)) == ("Đã báo người phụ trách", Glow.OFF)


def test_what_could_not_be_had_says_why() -> None:
    packet = replace(
        PACKET, secret=False, given_up=True, error_code="edxml_invalid", error_params={"reason": "x", "line": 3}
    )
    found = packet_standing(replace(SECRET, secret=False, packet=packet), MONDAY, WORDS)
    assert found.told.startswith("Không tải về được. Gói edXML không hợp lệ.")
    assert found.glow is Glow.WARN


def test_a_date_that_is_none_stays_as_it_was_written() -> None:
    assert (written_day("2026/11/20"), written_day("2026/02/30"), written_day("")) == ("20/11/2026", "2026/02/30", "")


@pytest.mark.parametrize(
    ("name", "suggested"),
    [
        ("Công văn 12.pdf", "Công văn 12.pdf"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\nb:c?.pdf", "a_b_c_.pdf"),
        ("  ", "van-ban.pdf"),
        ("V\u202efdp.exe", "V_fdp.exe"),
        ("con.pdf", "_con.pdf"),
        ("ế" * 300 + ".pdf", "ế" * 60 + ".pdf"),
    ],
)
def test_the_save_dialogue_s_name_leads_nowhere_else(name: str, suggested: str) -> None:
    assert suggested_name(IncomingFile(name, 1, "ab", True, Path("x"))) == suggested


def test_what_came_of_accepting_is_told_with_its_numbers_and_what_was_left() -> None:
    left = Accepted("3", error=KnownError("incoming_unknown"))
    both = (Accepted("1", 57), Accepted("2", 58))
    assert accepted_words(both, "", WORDS).what == "Đã tiếp nhận 2 văn bản, số đến 57–58."
    assert accepted_words((Accepted("1", 5), Accepted("2", 9)), "", WORDS).what == "Đã tiếp nhận 2 văn bản."
    assert accepted_words((Accepted("1", 57),), "12/UBND", WORDS).what == "Đã tiếp nhận 12/UBND, số đến 57."
    told = accepted_words((left,), "", WORDS)
    assert (told.what, told.good) == ("Chưa tiếp nhận văn bản nào.", False)
    assert told.why == "1 văn bản chưa tiếp nhận được. Không còn thấy văn bản đến này."


# ---- the pane: packets that are not filed yet


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        yield made


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


def shown(screen: Desktop, count: int) -> IncomingPane:
    pane = screen.show(IncomingPane)
    screen.wait(lambda: len(pane.grid.shown_ids) == count and not screen.shell.tasks.busy)
    return pane


def test_a_letter_is_opened_with_its_words_its_page_and_the_verdict(
    place: Office, screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = signer_resources.path("samples/cong-van.pdf").read_bytes()
    place.came(place.packet(("<b>thư</b>.pdf", letter), ("bảng.xlsx", b"PK"), subject="<b>V/v rà soát</b>"))
    pane = shown(screen, 1)
    pane.grid.choose(pane.grid.shown_ids)
    screen.wait(lambda: "Không có chữ ký số" in visible_texts(pane.details))
    words = visible_texts(pane.details)
    assert "<b>V/v rà soát</b>" in words
    assert "Công văn · 12/UBND-VX · 20/11/2026 · Ủy ban nhân dân tỉnh An Sơn" in words
    assert "Trần Văn An, CHỦ TỊCH" in words
    assert "Vừa đến, đang kiểm tra" in words
    assert pane.details.view.pages.isVisible()
    assert not nameless(pane)

    target = tmp_path / "lưu.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kwargs: (str(target), ""))
    press(pane, "Lưu tệp…")
    screen.wait(lambda: "Đã lưu" in pane.notice.text)
    assert target.read_bytes() == letter

    pane.details.list.setCurrentRow(1)
    screen.wait(lambda: "Tệp này không phải PDF." in visible_texts(pane.details))
    assert not pane.details.view.pages.isVisible()


def test_numbers_come_from_the_packets_and_of_a_secret_one_only_its_id_is_reported(
    place: Office, screen: Desktop
) -> None:
    place.came(place.packet(number="12"))
    place.clock.go_on(60)
    place.secret_came()
    pane = shown(screen, 2)
    screen.wait(lambda: any(row.facts and row.facts.label == "12/UBND-VX" for row in pane.grid.rows))
    pane.grid.choose(pane.grid.shown_ids[:1])
    assert "Báo ngay người phụ trách bảo vệ bí mật nhà nước." in visible_texts(pane.details)
    assert not pane.details.view.pages.isVisible()
    (packet,) = (row.packet for row in pane.grid.rows if row.secret)
    assert packet is not None
    press(pane.details, "Báo người phụ trách…")
    assert pane.grid.rows[0].place == Place.PROBLEM
    assert f"Mã gói tin: {packet.packet_id}" in visible_texts(pane.details).replace("\u200b", "")
    press(pane.details, "Ghi đã báo")
    screen.wait(lambda: pane.details.deciding.note.isVisible())
    assert packet.packet_id in pane.details.deciding.note.text.toPlainText()
    press(pane.details, "Chép")
    assert packet.packet_id in QGuiApplication.clipboard().text()
    screen.wait(lambda: any(row.secret and row.place == Place.DONE for row in pane.grid.rows))
    screen.wait(lambda: "Báo người phụ trách…" not in visible_texts(pane.details))
    assert pane.details.deciding.note.isVisible()


def test_a_packet_that_nobody_can_read_says_so_in_place(place: Office, screen: Desktop) -> None:
    place.came(b"no edXML", "Gói hỏng")
    pane = shown(screen, 1)
    pane.grid.choose(pane.grid.shown_ids)
    screen.wait(lambda: "Gói edXML không hợp lệ." in visible_texts(pane.details))
    assert screen.told == []


def test_what_comes_later_is_shown_and_the_search_needs_no_marks(place: Office, screen: Desktop) -> None:
    pane = shown(screen, 0)
    place.came(place.packet(number="1"), "Giấy mời họp")
    place.clock.go_on(60)
    place.came(place.packet(number="2"), "Đôn đốc báo cáo")
    screen.store_changed()
    screen.wait(lambda: len(pane.grid.shown_ids) == 2)
    QTest.keyClicks(pane.search, "don doc")
    screen.wait(lambda: len(pane.grid.shown_ids) == 1)


# ---- the pane: documents and decisions


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Post]:
    with post(tmp_path) as made:
        yield made


@pytest.fixture
def window(qtbot: QtBot, here: Post) -> Iterator[Desktop]:
    with desktop(qtbot, here.office) as made:
        yield made


def chosen(window: Desktop, pane: IncomingPane, label: str) -> None:
    """Goes to a document and waits until all of it is shown."""
    (row_id,) = (row.id for row in pane.grid.rows if row.facts is not None and row.facts.label == f"{label}/UBND-VX")
    pane.grid.choose((row_id,))
    window.wait(lambda: pane.details.deciding.told.isVisible() and not window.shell.tasks.busy)


def offered(pane: IncomingPane) -> list[Act]:
    return [act for act, made in pane.details.deciding.buttons.items() if made.isVisible()]


def rest(window: Desktop) -> None:
    window.wait(lambda: not window.shell.tasks.busy)


def states(here: Post) -> dict[str, ArrivalState]:
    return {one.label.split("/")[0]: one.state for one in here.documents()}


def test_how_a_document_came_is_told_in_words(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    pane = shown(window, 1)
    chosen(window, pane, "1")
    window.wait(lambda: "Đã đến · qua máy chủ" in visible_texts(pane.details))
    assert "sync" not in visible_texts(pane.details)


def test_one_click_accepts_all_valid_ones_and_only_those(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    here.came(here.letter("2", broken_letter()))
    here.came(here.letter("3", priority=Priority.FLASH))
    here.came(here.letter("4", plain_letter()))
    pane = shown(window, 4)
    assert [row.facts.label[0] for row in pane.grid.rows if row.facts] == ["3", "2", "4", "1"]
    assert pane.accept_all.text() == "&Tiếp nhận 2"
    assert "Chờ xử lý: 4" in pane.summary.text()
    pane.accept_all.click()
    window.wait(lambda: "Đã tiếp nhận 2 văn bản, số đến 1–2." in pane.notice.text)
    rest(window)
    arrived, accepted = ArrivalState.ARRIVED, ArrivalState.ACCEPTED
    assert states(here) == {"1": accepted, "2": arrived, "3": accepted, "4": arrived}
    assert not pane.accept_all.isEnabled()
    texts = {row.facts.label[0]: [column.text(row) for column in columns(WORDS, window.shell.desk.now)]
             for row in pane.grid.rows if row.facts}  # fmt: skip
    assert (texts["3"][1], texts["3"][-2:]) == ("1", ["Hợp lệ", "Đã tiếp nhận"])
    assert (texts["2"][1], texts["2"][-2:]) == ("", ["Không hợp lệ", "Chờ tiếp nhận"])


def test_of_several_that_are_chosen_one_click_accepts_the_valid_ones(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    here.came(here.letter("2", broken_letter()))
    here.came(here.letter("3", priority=Priority.FLASH))
    here.came(here.letter("4"))
    pane = shown(window, 4)
    ids = {row.facts.label[0]: row.id for row in pane.grid.rows if row.facts}
    pane.grid.choose((ids["1"], ids["2"], ids["3"]))
    assert pane.accept_all.text() == "&Tiếp nhận 2 đã chọn"
    pane.accept_all.click()
    window.wait(lambda: "Đã tiếp nhận 2 văn bản, số đến 1–2." in pane.notice.text)
    rest(window)
    assert {label for label, state in states(here).items() if state is ArrivalState.ARRIVED} == {"2", "4"}
    assert here.get(ids["3"]).number == 1
    pane.grid.choose((ids["4"],))
    assert pane.accept_all.text() == "&Tiếp nhận 1"


def test_a_valid_one_is_accepted_by_one_click_and_the_next_is_shown_with_the_keyboard_in_the_list(
    here: Post, window: Desktop
) -> None:
    here.came(here.letter("1"))
    here.came(here.letter("2"))
    pane = shown(window, 2)
    chosen(window, pane, "1")
    assert offered(pane) == [Act.ACCEPT, Act.SEND_BACK, Act.REPORT, Act.PASS_ON]
    assert "Tiếp nhận hoặc trả lại trước 17:00 ngày 23/11/2026" in visible_texts(pane.details)
    assert not nameless(pane)
    press(pane.details, "Tiếp nhận")
    window.wait(lambda: "Đã tiếp nhận 1/UBND-VX, số đến 1." in pane.notice.text)
    rest(window)
    assert states(here) == {"1": ArrivalState.ACCEPTED, "2": ArrivalState.ARRIVED}
    window.wait(lambda: "2/UBND-VX" in visible_texts(pane.details))
    chosen(window, pane, "1")
    assert "Đã tiếp nhận, số đến 1" in visible_texts(pane.details)
    assert "1/2026" in visible_texts(pane.details)
    assert offered(pane) == [Act.PASS_ON]


def test_an_invalid_one_is_accepted_by_order_alone(here: Post, window: Desktop) -> None:
    here.came(here.letter("1", broken_letter()))
    pane = shown(window, 1)
    chosen(window, pane, "1")
    press(pane.details, "Tiếp nhận…")
    asking = pane.details.deciding.asking
    assert asking.isVisible()
    assert not asking.yes.isEnabled()
    QTest.keyClicks(asking.field, "   ")
    QTest.keyClick(asking.field, Qt.Key.Key_Return)
    assert states(here) == {"1": ArrivalState.ARRIVED}
    asking.field.setText("Chủ tịch Trần Văn An")
    press(pane.details, "Tiếp nhận theo chỉ đạo")
    window.wait(lambda: states(here) == {"1": ArrivalState.ACCEPTED})
    assert here.only().note == "Chủ tịch Trần Văn An"
    rest(window)


def test_one_without_a_signature_is_asked_about_and_esc_leaves_it(here: Post, window: Desktop) -> None:
    here.came(here.letter("1", plain_letter()))
    pane = shown(window, 1)
    chosen(window, pane, "1")
    press(pane.details, "Tiếp nhận…")
    assert "Không có chữ ký số. Vẫn tiếp nhận 1/UBND-VX?" in visible_texts(pane.details)
    QTest.keyClick(pane.details.deciding.asking.no, Qt.Key.Key_Escape)
    assert not pane.details.deciding.asking.isVisible()
    assert states(here) == {"1": ArrivalState.ARRIVED}
    press(pane.details, "Tiếp nhận…")
    press(pane.details, "Vẫn tiếp nhận")
    window.wait(lambda: states(here) == {"1": ArrivalState.ACCEPTED})
    rest(window)


def test_returning_offers_only_what_is_so_and_takes_two_clicks(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    here.came(here.letter("2", broken_letter()))
    pane = shown(window, 2)
    chosen(window, pane, "1")
    press(pane.details, "Trả lại nơi gửi…")
    reasons = pane.details.deciding.asking._group.buttons()
    assert [made.text() for made in reasons] == ["Gửi sai nơi nhận"]
    press(pane.details, "Thôi")
    chosen(window, pane, "2")
    press(pane.details, "Trả lại nơi gửi…")
    asking = pane.details.deciding.asking
    assert [made.text() for made in asking._group.buttons()] == [
        "Chữ ký số không hợp lệ",
        "Nội dung bị thay đổi sau khi ký",
        "Gửi sai nơi nhận",
    ]
    assert not asking.yes.isEnabled()
    asking._group.button(1).click()
    asking.field.setText("số tiền ở trang 1")
    assert states(here)["2"] is ArrivalState.ARRIVED
    press(pane.details, "Trả lại nơi gửi")
    window.wait(lambda: states(here)["2"] is ArrivalState.RETURNED)
    (back,) = (one for one in here.documents() if one.state is ArrivalState.RETURNED)
    assert here.answers(back.id) == ["01", "02"]
    assert here.log(back.id)[-1].words == "Nội dung bị thay đổi sau khi ký: số tiền ở trang 1"
    rest(window)


def test_the_words_for_the_sender_are_copied_and_kept_as_a_paper(
    here: Post, window: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.came(here.letter("1"))
    pane = shown(window, 1)
    chosen(window, pane, "1")
    press(pane.details, "Báo nơi gửi…")
    pane.details.deciding.asking.field.setText("thiếu phụ lục 2")
    press(pane.details, "Ghi đã báo")
    note = pane.details.deciding.note
    window.wait(note.isVisible)
    assert "1/UBND-VX" in note.text.toPlainText()
    assert "thiếu phụ lục 2" in note.text.toPlainText()
    target = tmp_path / "bao.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kwargs: (str(target), ""))
    press(note, "Lưu để in…")
    window.wait(lambda: "Mở tệp để in" in pane.notice.text)
    assert target.read_bytes().startswith(b"%PDF-")
    press(note, "Lưu để in…")
    window.wait(lambda: "không ghi đè" in pane.notice.text)
    rest(window)
    assert states(here) == {"1": ArrivalState.REPORTED}
    assert offered(pane) == [Act.ACCEPT, Act.SEND_BACK, Act.REPORT, Act.PASS_ON]


def test_a_recall_names_its_reason_and_holders_and_is_never_agreed_to_by_one_click(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    pane = shown(window, 1)
    chosen(window, pane, "1")
    press(pane.details, "Tiếp nhận")
    window.wait(lambda: states(here) == {"1": ArrivalState.ACCEPTED})
    rest(window)
    press(pane.details, "Đã chuyển…")
    pane.details.deciding.asking.field.setText("Phòng Kinh tế")
    QTest.keyClick(pane.details.deciding.asking.field, Qt.Key.Key_Return)
    window.wait(lambda: "chuyển cho Phòng Kinh tế" in pane.notice.text)
    rest(window)
    here.came(here.recall("1", "Gửi nhầm bản dự thảo"))
    window.store_changed()
    card = pane.details.deciding.request
    window.wait(card.isVisible)
    words = visible_texts(pane.details)
    assert "Nơi gửi yêu cầu thu hồi văn bản, lý do: Gửi nhầm bản dự thảo" in words
    assert "Đã chuyển cho: Phòng Kinh tế" in words
    assert not card.agree.isEnabled()
    assert not card.decline.isEnabled()
    assert Act.ACCEPT not in offered(pane)
    assert not nameless(pane)
    card.leader.setText("Trần Văn An")
    press(card, "Đồng ý…")
    assert here.only().asked is not None
    # The keyboard rests on the way back, not on the answer.
    assert pane.details.deciding.asking.first_control() is pane.details.deciding.asking.no
    assert "Báo thu lại bản đã chuyển cho: Phòng Kinh tế." in visible_texts(pane.details)
    press(pane.details, "Đồng ý thu hồi văn bản")
    window.wait(lambda: states(here) == {"1": ArrivalState.CANCELLED})
    assert here.answers(here.only().id)[-1] == "15"
    window.wait(lambda: offered(pane) == [Act.LOOK] and not window.shell.tasks.busy)
    assert not pane.details.view.pages.isVisible()
    assert "chỉ để tra cứu" in visible_texts(pane.details)
    press(pane.details, "Xem để tra cứu")
    window.wait(lambda: pane.details.view.pages.isVisible() and not window.shell.tasks.busy)


def test_a_recall_is_declined_by_the_opinion_of_somebody(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    here.came(here.recall("1"))
    pane = shown(window, 1)
    chosen(window, pane, "1")
    card = pane.details.deciding.request
    assert card.isVisible()
    assert pane.accept_all.text() == "Tiếp nhận"
    card.leader.setText("Trần Văn An")
    press(card, "Chưa đồng ý")
    window.wait(lambda: here.only().asked is None)
    assert here.answers(here.only().id)[-1] == "16"
    window.wait(lambda: Act.ACCEPT in offered(pane) and not card.isVisible())
    rest(window)


def test_a_hoa_toc_that_nobody_answers_is_loud_and_its_line_leads_to_it(here: Post, window: Desktop) -> None:
    here.came(here.letter("1", priority=Priority.FLASH))
    pane = shown(window, 1)
    assert not pane.loud.isVisible()
    here.office.clock.go_on(14 * 60)
    window.store_changed()
    window.wait(pane.loud.isVisible)
    assert pane.loud.told.text() == "HỎA TỐC chưa tiếp nhận 14 phút: 1/UBND-VX, Ủy ban nhân dân tỉnh An Sơn"
    pane.search.setText("không có")
    window.wait(lambda: not pane.grid.shown_ids)
    press(pane, "Xem ngay")
    chosen(window, pane, "1")
    press(pane.details, "Tiếp nhận")
    window.wait(lambda: not pane.loud.isVisible())
    rest(window)


def test_what_is_not_answered_the_same_day_is_told_over_the_list(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    snapshot, now = window.shell.desk.incoming.look(), here.office.now
    row = snapshot.rows[0]
    evening, morning = now.replace(hour=16, minute=30), now + dt.timedelta(days=1)
    assert state(row, now, WORDS) == "Chờ tiếp nhận"
    assert (state(row, evening, WORDS), state_glow(row, evening)) == ("Tiếp nhận trước 17:00 hôm nay", Glow.WARN)
    assert state(row, now.replace(hour=18), WORDS) == "Quá giờ, tiếp nhận ngay"
    assert (state(row, morning, WORDS), state_glow(row, morning)) == ("Quá hạn 1 ngày", Glow.BAD)
    view = list_view(snapshot, ANSWERS, morning, WORDS)
    assert view.summary == "Chờ xử lý: 1 · Quá hạn trong ngày: 1 · Tiếp nhận hoặc trả lại ngay trong ngày."
    assert view.glow is Glow.BAD


def test_where_the_province_s_system_exchanges_files_are_only_checked(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    here.exchange(Exchange.EXTERNAL)
    window.hub.settings_kept(here.office.space.settings)
    pane = shown(window, 1)
    assert not pane.accept_all.isVisible()
    assert not pane.fetch.isVisible()
    assert "Ở đây chỉ kiểm tra tệp." in pane.summary.text()
    chosen(window, pane, "1")
    assert Act.ACCEPT not in offered(pane)
    assert Act.SEND_BACK not in offered(pane)
    assert "Ở đây không tiếp nhận, không trả lời." in visible_texts(pane.details)
    letter = here.office.folder / "rời.pdf"
    letter.write_bytes(broken_letter())
    pane.check_paths([letter])
    window.wait(lambda: "Chữ ký không hợp lệ" in pane.details.view.verdict.text())
    rest(window)


def test_enter_leads_to_what_can_be_decided_and_esc_back_to_the_list(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    pane = shown(window, 1)
    pane.activateWindow()
    chosen(window, pane, "1")
    pane.grid.setFocus()
    QTest.keyClick(pane.grid, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is pane.details.deciding.buttons[Act.ACCEPT]
    QTest.keyClick(pane.details.deciding.buttons[Act.ACCEPT], Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is pane.grid


def test_at_two_hundred_percent_the_pane_fits_the_smallest_screen(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    here.came(here.recall("1"))
    pane = shown(window, 1)
    window.shell.theme.dress(pane)
    chosen(window, pane, "1")
    pane.resize(683, 290)
    rest(window)
    assert (pane.width(), pane.height()) == (683, 290)
    pane.details.deciding.request.leader.setText("Trần Văn An")
    press(pane.details, "Đồng ý…")
    no = pane.details.deciding.asking.no
    window.wait(lambda: not no.visibleRegion().isEmpty())
    window.wait(lambda: no.visibleRegion().boundingRect() == no.rect())


def test_ten_thousand_documents_are_searched_by_what_no_column_shows(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    row = window.shell.desk.incoming.look().rows[0]
    assert row.document is not None
    made = [replace(row, id=str(at), search=f"nguoi ky so {at}") for at in range(10_000)]
    snapshot = IncomingSnapshot(tuple(made), {one.id: one for one in made}, valid=10_000, open=10_000)
    pane = shown(window, 1)
    view = list_view(snapshot, ANSWERS, here.office.now, WORDS)
    assert view.ready == 10_000
    pane._came(view)
    window.wait(lambda: len(pane.grid.shown_ids) == 10_000)
    assert pane.accept_all.text() == "&Tiếp nhận 10.000"
    pane.search.setText("người ký 9876")
    window.wait(lambda: pane.grid.shown_ids == ("9876",))
    rest(window)


def test_of_a_whole_list_that_is_chosen_the_valid_ones_are_counted_elsewhere(here: Post, window: Desktop) -> None:
    here.came(here.letter("1"))
    row = window.shell.desk.incoming.look().rows[0]
    document = row.document
    assert document is not None
    doubtful = replace(document, verdict=ArrivalVerdict.INDETERMINATE)
    made = [replace(row, id=str(at), document=document if at % 2 else doubtful) for at in range(1_000)]
    pane = shown(window, 1)
    accepting, by_id = pane.accepting, {one.id: one for one in made}
    accepting.put(500, by_id)
    accepting.choose(tuple(by_id))
    assert not accepting.button.isEnabled()
    accepting.start()
    assert not accepting.running
    window.wait(accepting.button.isEnabled)
    assert accepting.button.text() == "&Tiếp nhận 500 đã chọn"
    # A choice of few that comes before the many are counted stands.
    accepting.choose(tuple(by_id))
    accepting.choose(("0", "1", "3"))
    rest(window)
    assert accepting.button.text() == "&Tiếp nhận 2 đã chọn"
