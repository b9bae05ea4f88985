"""The verify view and the list of checked files in the window: real files, real workers, pages with their frames."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from signer_app.desk.exchange import ExchangeSnapshot, Link
from signer_app.desk.verifying import Checked, Verifying
from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.verification.model import Verdict
from signer_ui.panes.incoming import IncomingPane
from signer_ui.panes.verifying import Subject, VerifyView
from signer_ui.panes.verifying_files import CheckedFiles
from signer_ui.presenters.frames import Frame, FrameKind
from signer_ui.presenters.pages import Spot
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.page_canvas import PageCanvas
from signer_ui.widgets.page_frames import PageFrames
from tests.desk.office import MONDAY, Office, changed, office
from tests.desk.window import Desktop, away, desktop, nameless, press, visible_texts
from tests.verification.documents import SignAs, annotate, drawing, increment, make_document, sign
from tests.verification.small_pki import Holder, make_certificate, make_crl

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

PAGE_PT = 842
SUM_BOX = (78, 690, 300, 720)
"""Over the line with the sum on the second page, in points from its lower left corner."""
SIGNATURE_BOX = (300, 100, 450, 180)
INVALID, UNDECIDED, VALID = "Chữ ký không hợp lệ", "Chưa đủ thông tin để xác thực", "Chữ ký hợp lệ"


def mm(box: tuple[int, int, int, int]) -> Rect:
    """The same place in mm from the top left."""
    left, low, right, high = box
    return Rect(pt_to_mm(left), pt_to_mm(PAGE_PT - high), pt_to_mm(right - left), pt_to_mm(high - low))


class Letters:
    """Letters that came by mail, and the trust material for them."""

    def __init__(self, folder: Path) -> None:
        root = make_certificate("Gốc thử nghiệm", None, ca=True)
        silent = make_certificate("CA im lặng", root, ca=True)
        self.trust = folder / "trust"
        self.trust.mkdir()
        (self.trust / "root.der").write_bytes(root.der)
        (self.trust / "root.crl").write_bytes(make_crl(root))
        signed = self._sign(make_certificate("Nguyễn Văn Ổn", root))
        cover = annotate(SUM_BOX, "1 1 1 rg 0 0 222 30 re f", page=1)
        self.folder = folder / "nhận qua thư"
        (self.folder / "sâu").mkdir(parents=True)
        self.good = self._put("a-hợp lệ.pdf", signed)
        self.covered = self._put("sâu/b-che chữ.PDF", increment(signed, cover))
        self.undecided = self._put("c-chưa rõ.pdf", self._sign(make_certificate("Trần Thị Bích", silent)))

    def _put(self, name: str, data: bytes) -> Path:
        (self.folder / name).write_bytes(data)
        return self.folder / name

    def _sign(self, holder: Holder) -> bytes:
        style = drawing("0 0 0.7 RG 5 5 m 140 70 l S", SIGNATURE_BOX)
        return sign(make_document(), holder, SignAs("Leader", box=SIGNATURE_BOX, style=style))


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Letters:
    return Letters(tmp_path_factory.mktemp("letters"))


@pytest.fixture(scope="module")
def building(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One office with its workers for all tests of this file."""
    with office(tmp_path_factory.mktemp("office")) as made:
        assert made.now == MONDAY
        yield made


@pytest.fixture
def place(building: Office, letters: Letters) -> Office:
    """The office as it trusts the letters' root."""
    changed(building, trust_dir=str(letters.trust))
    return building


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


@pytest.fixture
def pane(screen: Desktop) -> IncomingPane:
    return screen.show(IncomingPane)


def check(screen: Desktop, pane: IncomingPane, *paths: Path) -> CheckedFiles:
    """Has these checked, and waits for the list and for what is said of its first line."""
    pane.check_paths(list(paths))
    screen.wait(lambda: pane.files.current is not None and not pane.files.running)
    screen.wait(lambda: bool(pane.details.view.verdict.text()))
    return pane.files


def frames_of(screen: Desktop, view: VerifyView) -> list[Frame]:
    """What is outlined, once something is."""
    (found,) = view.pages.findChildren(PageFrames)
    screen.wait(lambda: bool(found.frames))
    return list(found.frames)


def line_above(screen: Desktop, view: VerifyView, spot: Spot) -> QColor:
    """What the screen shows in the middle of the upper line of the frame around a place, once that is in view."""
    (canvas,) = view.pages.findChildren(PageCanvas)
    found: list[QPointF] = []

    def in_view() -> bool:
        around = canvas.place_of(Spot(spot.page, spot.rect.grown(0.8)))
        if around is not None:
            found[:] = [QPointF(around.center().x(), around.top())]
        inner = found and canvas.viewport().rect().contains((found[0] / canvas.devicePixelRatioF()).toPoint())
        return bool(inner)

    screen.wait(in_view)
    return canvas.viewport().grab().toImage().pixelColor(found[0].toPoint())


def near(one: QColor, tone: Tone) -> bool:
    other = Theme(dark=False).colour(tone)
    apart = (one.red() - other.red(), one.green() - other.green(), one.blue() - other.blue())
    return all(abs(distance) < 60 for distance in apart)


# ---- the list and the view


def test_a_folder_is_checked_whole_and_the_worst_stands_first_and_is_shown(
    screen: Desktop, pane: IncomingPane, letters: Letters
) -> None:
    assert not nameless(pane)
    files = check(screen, pane, letters.folder)
    assert [line.name for line in files.grid.rows] == ["b-che chữ.PDF", "c-chưa rõ.pdf", "a-hợp lệ.pdf"]
    words = visible_texts(pane)
    assert "Đã kiểm tra 3 tệp: 1 không hợp lệ · 1 chưa đủ thông tin · 1 hợp lệ" in words
    assert pane.details.view.verdict.text() == INVALID
    assert "Nội dung trang 2 bị thay đổi sau khi ký (khung đỏ). Đề nghị trả lại nơi gửi." in words
    assert not nameless(pane)


def test_each_entry_brings_its_frame_into_view_and_tells_its_facts(
    screen: Desktop, pane: IncomingPane, letters: Letters
) -> None:
    check(screen, pane, letters.covered)
    view = pane.details.view
    red = [frame for frame in frames_of(screen, view) if frame.kind is FrameKind.FORBIDDEN]
    assert red
    assert all(frame.spot.page == 1 and frame.spot.rect.overlaps(mm(SUM_BOX)) for frame in red)
    assert near(line_above(screen, view, red[0].spot), Tone.BAD)
    screen.wait(lambda: "Không được phép (khung đỏ)" in visible_texts(view.facts))
    view.course.setCurrentRow(0)
    assert near(line_above(screen, view, Spot(0, mm(SIGNATURE_BOX))), Tone.ACCENT)
    screen.wait(lambda: "Gốc thử nghiệm" in visible_texts(view.facts))
    assert "Không được phép (khung đỏ)" not in visible_texts(view.facts)


def test_what_is_undecided_says_what_to_do_and_shows_its_pages(
    screen: Desktop, pane: IncomingPane, letters: Letters
) -> None:
    check(screen, pane, letters.undecided)
    view = pane.details.view
    assert view.verdict.text() == UNDECIDED
    assert "Trần Thị Bích" in view.why.text()
    assert "Kiểm tra lại" in view.why.text()
    screen.wait(view.pages.isVisible)


def test_a_file_that_was_exchanged_after_its_check_is_not_shown_under_the_old_verdict(
    screen: Desktop, pane: IncomingPane, letters: Letters, tmp_path: Path
) -> None:
    mine, other = tmp_path / "một.pdf", tmp_path / "hai.pdf"
    mine.write_bytes(letters.good.read_bytes())
    other.write_bytes(letters.undecided.read_bytes())
    files = check(screen, pane, mine, other)
    assert pane.details.view.verdict.text() == UNDECIDED
    mine.write_bytes(letters.covered.read_bytes())
    files.grid.choose([str(mine)])
    view = pane.details.view
    screen.wait(lambda: view.verdict.text() == "Tệp đã khác với lúc kiểm tra")
    assert not view.pages.isVisible()
    press(pane, "Kiểm tra lại")
    screen.wait(lambda: view.verdict.text() == INVALID)
    assert view.pages.isVisible()
    screen.wait(lambda: [line.verdict for line in files.grid.rows] == [Verdict.INVALID, Verdict.INDETERMINATE])


@pytest.mark.parametrize("own", [True, False])
def test_only_the_copy_of_a_packets_file_counts_as_screened(
    screen: Desktop, pane: IncomingPane, letters: Letters, monkeypatch: pytest.MonkeyPatch, own: bool
) -> None:
    told: list[bool] = []
    check_it = Verifying.check

    def noted(self: Verifying, path: Path, **how: Any) -> Checked:
        told.append(how["free_of_marks"])
        return check_it(self, path, **how)

    monkeypatch.setattr(Verifying, "check", noted)
    view = pane.details.view
    view.show_file(Subject(letters.good, "thư.pdf", own=own))
    screen.wait(lambda: view.verdict.text() == VALID)
    assert told == [own]


# ---- by keyboard


def test_the_keyboard_leads_into_the_document_and_back(screen: Desktop, pane: IncomingPane, letters: Letters) -> None:
    files = check(screen, pane, letters.covered, letters.good)
    view = pane.details.view
    files.grid.setFocus()
    QTest.keyClick(files.grid, Qt.Key.Key_Return)
    assert QApplication.focusWidget() is view.course
    at = view.course.currentRow()
    QTest.keyClick(view.course, Qt.Key.Key_Up)
    assert view.course.currentRow() == at - 1
    files.grid.setFocus()
    view.wide.setChecked(True)
    assert not files.isVisible()
    assert QApplication.focusWidget() is view.course
    QTest.keyClick(view.course, Qt.Key.Key_Escape)
    assert files.isVisible()
    assert QApplication.focusWidget() is files.grid
    view.wide.setFocus()
    QTest.keyClick(view.wide, Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is view.course
    press(pane, "Văn bản đến")
    assert pane.grid.isVisible()
    assert "Chọn một văn bản để xem." in visible_texts(pane.details)


# ---- dropped, stopped, again


def test_what_is_dropped_on_the_pane_is_checked(screen: Desktop, pane: IncomingPane, letters: Letters) -> None:
    what = QMimeData()
    what.setUrls([QUrl.fromLocalFile(str(letters.good))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    pane.dropEvent(QDropEvent(QPointF(5, 5), copy, what, left, none))
    screen.wait(lambda: pane.details.view.verdict.text() == VALID)


def test_a_folder_without_pdfs_says_so(screen: Desktop, pane: IncomingPane, tmp_path: Path) -> None:
    pane.check_paths([tmp_path])
    screen.wait(lambda: "Không thấy tệp PDF nào" in pane.notice.text)


def test_stopping_keeps_what_was_found_and_begins_nothing_more(
    screen: Desktop, pane: IncomingPane, letters: Letters, tmp_path: Path
) -> None:
    for number in range(80):
        (tmp_path / f"{number:02}.pdf").write_bytes(letters.good.read_bytes())
    pane.check_paths([tmp_path])
    screen.wait(lambda: bool(pane.files.grid.rows))
    pane.files.stop()
    screen.wait(lambda: not pane.files.running)
    found = len(pane.files.grid.rows)
    assert 0 < found < 80
    pane.files.forget()
    assert pane.files.grid.rows == ()


@pytest.mark.parametrize("news", ["network", "roots"])
def test_what_was_undecided_is_checked_again_by_itself_and_takes_its_place(
    news: str, building: Office, qtbot: QtBot, letters: Letters, tmp_path: Path
) -> None:
    changed(building, trust_dir=None)
    with desktop(qtbot, building) as screen:
        pane = screen.show(IncomingPane)
        mine = tmp_path / f"{news}.pdf"
        mine.write_bytes(letters.good.read_bytes())
        files = check(screen, pane, mine)
        assert pane.details.view.verdict.text() == UNDECIDED
        changed(building, trust_dir=str(letters.trust))
        if news == "network":
            screen.hub.exchange_changed.emit(away(MONDAY))
            screen.hub.exchange_changed.emit(ExchangeSnapshot(Link.REACHED, MONDAY))
        else:
            screen.hub.settings_changed.emit(screen.hub.settings)
        screen.wait(lambda: pane.details.view.verdict.text() == VALID)
        screen.wait(lambda: [line.verdict for line in files.grid.rows] == [Verdict.VALID])
        assert screen.told == []


# ---- what is kept


def test_the_result_is_saved_as_a_pdf_and_never_over_another_file(
    screen: Desktop, pane: IncomingPane, letters: Letters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(screen, pane, letters.good, letters.covered)
    target = tmp_path / "kết quả.pdf"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kwargs: (str(target), ""))
    press(pane, "Lưu kết quả…")
    screen.wait(lambda: "Đã lưu" in pane.notice.text)
    kept = target.read_bytes()
    assert kept.startswith(b"%PDF-")
    press(pane, "Lưu kết quả cả danh sách…")
    screen.wait(lambda: "Đã lưu" not in pane.notice.text)
    assert target.read_bytes() == kept


def test_evidence_is_destroyed_after_one_question_that_names_the_journal(
    screen: Desktop, pane: IncomingPane, letters: Letters
) -> None:
    check(screen, pane, letters.good)
    found = pane.files.current
    assert found is not None
    assert found.report.sha256 is not None
    assert found.evidence
    verifying = screen.shell.desk.verifying
    assert verifying.evidence(found.report.sha256)
    press(pane, "Xóa dữ liệu kiểm tra…")
    assert "Nhật ký ghi một dòng" in pane.notice.text
    press(pane, "Giữ lại")
    assert verifying.evidence(found.report.sha256)
    press(pane, "Xóa dữ liệu kiểm tra…")
    press(pane, "Xóa dữ liệu")
    screen.wait(lambda: "ghi vào nhật ký" in pane.notice.text)
    assert not verifying.evidence(found.report.sha256)
    assert not pane.details.view._destroy.isEnabled()
