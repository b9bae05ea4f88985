"""Choosing receivers: what lines say, the dialogue over a real directory, drafts that get them, and copies on paper."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QListWidget
from pytestqt.qtbot import QtBot

from signer_app.desk.desk import Desk
from signer_app.exchange.receivers import Line, LineState, Reach
from signer_app.store.receivers import PaperReason, PaperReceiver
from signer_app.store.settings import Body
from signer_app.workspace import Overrides, workspace
from signer_ui.glow import Glow
from signer_ui.panes.outgoing import OutgoingPane
from signer_ui.panes.receivers_dialog import ReceiversDialog
from signer_ui.panes.receivers_paper import PaperDialog
from signer_ui.panes.receivers_work import understand
from signer_ui.presenters.outgoing import RECEIVERS
from signer_ui.presenters.receivers import Choice, line_view
from signer_ui.words import Words
from tests.desk.office import DEPARTMENT, ORG, PROVINCE, Office, changed, office
from tests.desk.window import Desktop, desktop, nameless, press, visible_texts

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        changed(made, bodies=(Body(code=ORG, name="Ủy ban nhân dân xã Hòa Sơn"),))
        yield made


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


class Asked:
    """The dialogue, and what was chosen in it."""

    def __init__(self, screen: Desktop, *lines: str, paper: tuple[PaperReceiver, ...] = ()) -> None:
        self.screen = screen
        self.pane = screen.show(OutgoingPane)
        self.chosen: list[Choice] = []
        self.dialog = ReceiversDialog(screen.shell, self.pane, "Nơi nhận của 1/UBND", ORG, lines, paper=paper)
        self.dialog.chosen.connect(self.chosen.append)
        self.chooser = self.dialog.chooser
        self.dialog.open()
        self.rest()

    def rest(self) -> None:
        self.screen.wait(lambda: not self.screen.shell.tasks.busy and self.chooser.settled)

    def type(self, text: str) -> None:
        QTest.keyClicks(self.chooser.search, text)
        self.screen.wait(lambda: not self.chooser._timer.isActive())
        self.rest()

    def press(self, words: str) -> None:
        press(self.dialog, words)
        self.rest()

    @property
    def lines(self) -> list[str]:
        return texts(self.chooser.list)


def texts(shown: QListWidget) -> list[str]:
    return [shown.item(at).text() for at in range(shown.count())]


def test_each_line_says_whom_it_means_and_how_it_goes() -> None:
    replaced = Line("Sở cũ", LineState.FOUND, (Reach("H77.03", "H77.02", "Sở mới"),))
    assert line_view(replaced, {}, WORDS).text == "H77.02: gửi đến cơ quan kế tục Sở mới (H77.03)"
    on_paper = line_view(replaced, {"H77.03": PaperReason.LAW}, WORDS)
    assert on_paper.text == "Sở mới: bản giấy (Theo quy định phải gửi bản giấy)"
    assert (on_paper.glow, on_paper.may_be_paper) == (Glow.WARN, False)
    asked = line_view(Line("Sở lạ", LineState.ASK), {}, WORDS)
    assert (asked.text, asked.asks) == ("Sở lạ: chưa rõ là cơ quan nào", True)
    assert line_view(Line("Lưu: VT", LineState.NOBODY), {}, WORDS).text == "Lưu: VT: không gửi"


def test_where_no_directory_is_known_a_code_is_taken_at_its_word(tmp_path: Path) -> None:
    with workspace(tmp_path / "dữ liệu", Overrides(), writing=True) as space:
        found = understand(Desk(space), ORG, ["H77.99", "Sở Nội vụ"])
        assert not found.day.known
        assert [line.state for line in found.resolution.lines] == [LineState.FOUND, LineState.ASK]


def test_a_search_without_marks_finds_a_body_and_enter_adds_it(screen: Desktop) -> None:
    asked = Asked(screen)
    asked.type("noi vu")
    assert texts(asked.chooser.found) == ["Sở Nội vụ tỉnh An Sơn · H77.02"]
    QTest.keyClick(asked.chooser.search, Qt.Key.Key_Return)
    asked.rest()
    assert asked.lines == ["Sở Nội vụ tỉnh An Sơn: gửi điện tử (H77.02)"]
    assert asked.dialog.isVisible()
    assert not nameless(asked.dialog)
    asked.press("Xong")
    assert asked.chosen == [Choice((DEPARTMENT,))]


def test_pasted_lines_are_understood_and_what_is_unknown_is_asked_once(screen: Desktop, place: Office) -> None:
    asked = Asked(screen, PROVINCE)
    QGuiApplication.clipboard().setText("- Như trên;\n- Sở Nội vụ;\n- Đảng ủy xã Hòa Sơn;\n- Lưu: VT.")
    QTest.keyClick(asked.chooser.search, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    asked.rest()
    assert asked.lines[1:] == [
        "Như trên: không gửi",
        "Sở Nội vụ: chưa rõ là cơ quan nào",
        "Đảng ủy xã Hòa Sơn: chưa rõ là cơ quan nào",
        "Lưu: VT: không gửi",
    ]
    assert not asked.dialog.done_button.isEnabled()
    assert "Còn 2 dòng chưa rõ" in visible_texts(asked.dialog)
    assert "«Sở Nội vụ» là cơ quan nào?" in visible_texts(asked.dialog)
    asked.press("Đúng cơ quan này")
    assert "«Đảng ủy xã Hòa Sơn» là cơ quan nào?" in visible_texts(asked.dialog)
    asked.press("Gửi bản giấy")
    asked.press("Xong")
    (choice,) = asked.chosen
    assert choice.codes == (PROVINCE, DEPARTMENT)
    assert [(one.name, one.reason) for one in choice.paper] == [("Đảng ủy xã Hòa Sơn", PaperReason.CHOSEN)]
    again = place.desk.receivers.resolve(ORG, ["Sở Nội vụ", "Đảng ủy xã Hòa Sơn"])
    assert again.resolution.asked == ()


def test_who_could_be_reached_gets_paper_where_the_law_keeps_it_and_a_line_goes_again(screen: Desktop) -> None:
    asked = Asked(screen, PROVINCE, DEPARTMENT)
    asked.chooser.list.setCurrentRow(0)
    asked.press("Bản giấy theo quy định")
    assert "Điện tử 1 · Bản giấy 1 · Chưa rõ 0" in visible_texts(asked.dialog)
    asked.chooser.list.setCurrentRow(1)
    asked.press("Bỏ dòng")
    asked.press("Xong")
    (choice,) = asked.chosen
    assert (choice.codes, [one.reason for one in choice.paper]) == ((), [PaperReason.LAW])


def test_a_group_is_saved_found_and_deleted(screen: Desktop, place: Office) -> None:
    asked = Asked(screen, PROVINCE, DEPARTMENT)
    asked.press("Lưu thành nhóm…")
    asked.chooser.group_name.setText("Trên tỉnh")
    asked.press("Lưu nhóm")
    assert "Đã lưu nhóm Trên tỉnh." in visible_texts(asked.dialog)
    asked.dialog.reject()
    other = Asked(screen)
    other.type("tren")
    assert texts(other.chooser.found) == ["Nhóm: Trên tỉnh (2)"]
    other.press("Thêm")
    assert other.chooser.said.choice.codes == (PROVINCE, DEPARTMENT)
    other.press("Xóa nhóm")
    assert place.desk.receivers.groups(ORG) == ()


def test_the_chosen_drafts_get_receivers_and_their_paper_list(screen: Desktop, place: Office) -> None:
    place.draft("1")
    pane = screen.show(OutgoingPane)
    screen.wait(lambda: not screen.shell.tasks.busy and bool(pane.grid.rows))
    draft = pane.grid.rows[0].id
    # A cell whose text nobody understands leads to the dialogue, with what was typed.
    pane.grid.edited.emit(draft, RECEIVERS, "Sở Nội vụ tỉnh An Sơn; Ông Ba")
    screen.wait(lambda: "Ông Ba" in pane.notice.text)
    press(pane.notice, "Chọn nơi nhận…")
    screen.wait(lambda: pane.whom.dialog is not None and pane.whom.dialog.chooser.settled)
    dialog = pane.whom.dialog
    assert dialog is not None
    screen.wait(lambda: dialog.chooser.list.count() == 2 and not screen.shell.tasks.busy)
    press(dialog, "Gửi bản giấy")
    screen.wait(dialog.done_button.isEnabled)
    press(dialog, "Xong")
    screen.wait(lambda: not screen.shell.tasks.busy)
    (row,) = place.desk.outgoing.rows()
    assert row.draft.receivers == (DEPARTMENT,)
    assert [one.name for one in place.desk.receivers.paper(draft)] == ["Ông Ba"]
    pane.whom.choose.trigger()
    screen.wait(lambda: pane.whom.dialog is not None and pane.whom.dialog.chooser.settled)
    again = pane.whom.dialog
    assert again is not None
    screen.wait(lambda: again.chooser.list.count() == 2)
    again.reject()


def test_copies_on_paper_are_ticked_off_and_printed(
    screen: Desktop, place: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = place.signed("1")
    wanted = [PaperReceiver(name=name, reason=PaperReason.UNKNOWN) for name in ("Ông Ba", "Đảng ủy xã")]
    place.desk.receivers.put_paper(document.id, wanted)
    pane = screen.show(OutgoingPane)
    pane.lists.show_second()
    sending = pane.lists.sending
    assert sending is not None
    screen.wait(lambda: sending.paper.isVisible() and not screen.shell.tasks.busy)
    press(sending, "Gửi bản giấy (1)…")
    dialog = next(one for one in sending.findChildren(PaperDialog))
    screen.wait(lambda: dialog.list.count() == 2)
    assert texts(dialog.list)[0] == "1/UBND-VHXH → Ông Ba (Không có trong danh mục cơ quan)"
    assert not nameless(dialog)
    target = tmp_path / "giay.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_more: (str(target), ""))
    press(dialog, "In danh sách gửi giấy…")
    screen.wait(lambda: "Đã lưu" in dialog.notice.text)
    assert target.read_bytes().startswith(b"%PDF-")
    assert target.stat().st_mode & 0o777 == 0o600
    press(dialog, "In danh sách gửi giấy…")
    screen.wait(lambda: "Đã lưu" not in dialog.notice.text and bool(dialog.notice.text))
    press(dialog, "Đã gửi bản giấy")
    screen.wait(lambda: dialog.list.count() == 1 and not screen.shell.tasks.busy)
    press(dialog, "Đã gửi bản giấy")
    screen.wait(lambda: dialog.list.count() == 0 and not screen.shell.tasks.busy)
    assert "Không còn bản giấy nào phải gửi." in visible_texts(dialog)
    assert place.desk.receivers.paper_waiting() == ()
