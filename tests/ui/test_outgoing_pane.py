"""The pane of outgoing documents with everything real behind it: store, workers, software token, pages."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QLineEdit
from pytestqt.qtbot import QtBot

import signer_resources
from signer_app.desk.desk import Desk, open_desk
from signer_app.outgoing.model import CopyOrder, Profile, State
from signer_app.pdf.model import CopyForm, PlaceOption
from signer_app.store.reservations import Reservation
from signer_app.workspace import Overrides
from signer_resources.errors import KnownError
from signer_ui.panes.outgoing_files import FilesPart
from signer_ui.panes.outgoing_rows import Rows
from signer_ui.panes.outgoing_work import Chosen, Loaded
from signer_ui.presenters.outgoing import DATE, KIND, NUMBER, RECEIVERS, SIGNER, SUBJECT
from signer_ui.presenters.outgoing_totals import Totals
from signer_ui.shell import Tab
from signer_ui.widgets.page_view import PageView
from tests.app.letters import Wording, write_letter
from tests.desk.window import nameless
from tests.support.workspace import CANARY_PIN, Site, shared_site
from tests.support.workspace import Desk as Place
from tests.ui.outgoing_clerk import VI, Clerk, child

# Without a screen there is no window manager.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")


@pytest.fixture(scope="session", name="site")
def prepared_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with shared_site(tmp_path_factory) as made:
        yield made


@pytest.fixture(scope="module")
def place(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One clerk's place for all tests of this file; each leaves no drafts behind."""
    return site.desk(tmp_path_factory.mktemp("outgoing"))


@pytest.fixture(scope="module")
def desk(site: Site, place: Place) -> Iterator[Desk]:
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("signer_app.workspace.Workers", lambda: site.workers)
        desk = stack.enter_context(open_desk(place.data, Overrides()))
        desk.begin()
        yield desk


def drop_on(files: FilesPart, *paths: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    buttons, keys, copy = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPointF(9, 9).toPoint(), copy, data, buttons, keys)
    files.dragEnterEvent(enter)
    assert enter.isAccepted()
    files.dropEvent(QDropEvent(QPointF(9, 9), copy, data, buttons, keys))


def keep_number(clerk: Clerk) -> None:
    """As a signing that was stopped leaves it."""
    draft, body, now = clerk.lines[0].draft, clerk.desk.space.settings.bodies[0], clerk.desk.now()
    kept = Reservation.of(
        body.code,
        body.sequences,
        draft.number,
        draft.notation,
        now.date(),
        owner=draft.main.blob,
        name=draft.main.name,
        at=now,
        operator="Lê Thị Văn Thư",
    )
    clerk.desk.space.store.write(lambda tx: tx.reservations.reserve(kept, body.sequences))


@pytest.fixture
def clerk(qtbot: QtBot, desk: Desk, place: Place, tmp_path: Path) -> Iterator[Clerk]:
    made = Clerk(qtbot, desk, place, tmp_path)
    yield made
    made.close()


def test_documents_are_dropped_numbered_signed_and_cleared_away(clerk: Clerk) -> None:
    pane = clerk.pane
    assert pane.drop.isVisible()
    note = clerk.folder / "ghi-chu.docx"
    note.write_bytes(b"PK")
    clerk.drop(*clerk.letters("cong-van.pdf", "to-trinh.pdf", "to-trinh-phu-luc.pdf"), note)
    assert "ghi-chu.docx" in pane.notice.text
    assert clerk.states == [State.NEEDS_NUMBER, State.NEEDS_NUMBER]
    assert sorted(len(line.draft.files) for line in clerk.lines) == [1, 2]
    assert clerk.says("Kiểm tra trước khi ký: 2 chờ số")
    assert not clerk.button("Ký số và gửi (0)").isEnabled()

    QTest.keyClick(pane.grid, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    clerk.rest()
    assert clerk.states == [State.READY, State.READY]
    assert all(line.draft.ticked and line.draft.number for line in clerk.lines)
    assert clerk.button("Chỉ ký (2)").isEnabled()
    pane.grid.choose([clerk.lines[0].id], column=SUBJECT)
    QTest.keyClick(pane.grid, Qt.Key.Key_Space)
    clerk.rest()
    assert clerk.button("Chỉ ký (1)").isEnabled()

    QTest.keyClick(pane.grid, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    clerk.wait(lambda: pane.flow.dialog is not None and pane.flow.dialog.isVisible())
    assert pane.flow.dialog is not None
    QTest.keyClicks(pane.flow.dialog.field, CANARY_PIN)
    shown: list[set[State]] = []
    pane.grid.presented.connect(lambda: shown.append(set(clerk.states)))
    QTest.keyClick(pane.flow.dialog.field, Qt.Key.Key_Return)
    clerk.wait(lambda: not pane.flow.running)
    assert {State.READY, State.SIGNING} in shown
    clerk.rest()
    assert sorted(clerk.states) == [State.READY, State.SIGNED]
    assert pane.flow.notice.text.startswith("Đã ký 1 văn bản, đã kiểm tra lại: hợp lệ.")
    outputs = list((clerk.folder / "Đã ký").rglob("*.pdf"))
    assert len(outputs) == len(clerk.signed.draft.files)
    pane.grid.choose([clerk.signed.id], column=SUBJECT)
    shown_now = {hashlib.sha256(output.read_bytes()).hexdigest() for output in outputs}
    clerk.wait(lambda: pane.side.blob in shown_now)

    clerk.press(VI("uo_clear_signed"))
    clerk.rest()
    assert clerk.states == [State.READY]


def test_what_stands_in_an_open_cell_is_kept_when_the_window_closes(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    clerk.pane.grid.edit_cell(clerk.lines[0].id, SIGNER)
    child(clerk.pane.grid, QLineEdit).setText("Trần Văn Bình")
    clerk.wait(clerk.pane.settled)
    clerk.rest()
    assert clerk.lines[0].draft.signer == "Trần Văn Bình"


def test_all_columns_and_the_page_have_room_beside_each_other_on_a_small_screen(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    grid = clerk.pane.grid
    assert clerk.pane.pages.isVisible()
    assert sum(grid.columnWidth(column) for column in range(grid.model().columnCount())) <= grid.viewport().width()


def test_what_is_typed_is_kept_and_what_makes_no_sense_is_told(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    clerk.type(clerk.lines[0], NUMBER, "125")
    assert clerk.states == [State.READY]
    clerk.type(clerk.lines[0], RECEIVERS, "sở nội vụ tỉnh an sơn")
    assert clerk.lines[0].draft.receivers == ("H77.02",)
    assert clerk.button("Ký số và gửi (1)").isEnabled()
    clerk.type(clerk.lines[0], DATE, "31/02/2026")
    assert "«31/02/2026» không phải ngày." in clerk.pane.notice.text
    clerk.type(clerk.lines[0], DATE, "3/2")
    assert clerk.lines[0].draft.date == dt.date(clerk.desk.now().year, 2, 3)


def test_a_paste_is_shown_first_and_done_when_it_is_wanted(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf", "ke-hoach.pdf"))
    QGuiApplication.clipboard().setText("Số\tNgày\n31\t20/11/2026\nnăm\t20/11/2026")
    clerk.press(VI("uo_paste"))
    clerk.rest()
    assert clerk.pane.notice.text.startswith("Dán vào 1 văn bản: 1 số · 1 ngày.\nDòng 3: «năm» không phải số")
    assert [line.draft.number for line in clerk.lines] == ["", ""]
    clerk.wait(clerk.button(VI("uo_paste_yes")).hasFocus)
    clerk.press(VI("uo_paste_yes"))
    clerk.rest()
    assert [line.draft.number for line in clerk.lines] == ["31", ""]


def test_files_are_grouped_otherwise_by_hand(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf", "ke-hoach.pdf"))
    pane = clerk.pane
    first = clerk.lines[0].draft
    pane.grid.choose([line.id for line in clerk.lines])
    clerk.act(VI("uo_merge"))
    assert [file.name for file in clerk.lines[0].draft.files] == ["cong-van.pdf", "ke-hoach.pdf"]
    appendix = clerk.lines[0].draft.files[1].id
    pane.card.files.main_wanted.emit(appendix)
    clerk.rest()
    assert clerk.lines[0].draft.main.name == "ke-hoach.pdf"
    pane.card.files.split_wanted.emit(first.main.id)
    clerk.rest()
    assert sorted(line.draft.main.name for line in clerk.lines) == ["cong-van.pdf", "ke-hoach.pdf"]


def test_a_stamp_moved_by_hand_is_examined_again_and_shown_where_it_was_put(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("thong-bao.pdf"))
    clerk.type(clerk.lines[0], NUMBER, "125")
    # Something is to be looked at, so it is not ticked by itself.
    assert clerk.states == [State.WARNING]
    assert not clerk.lines[0].draft.ticked
    before = clerk.lines[0].row.placements
    page = child(clerk.pane, PageView)
    file = clerk.lines[0].draft.main.id
    page.moved.emit(PlaceOption(1, 60, 120))
    clerk.rest()
    assert clerk.lines[0].draft.main.place == PlaceOption(1, 60, 120)
    assert clerk.lines[0].row.placements[file] != before[file]
    page.moved.emit(None)
    clerk.rest()
    assert clerk.lines[0].row.placements[file] == before[file]


def test_a_secret_document_leaves_nothing_and_its_notice_takes_two_steps_to_put_away(clerk: Clerk) -> None:
    secret = clerk.folder / "mat.pdf"
    secret.write_bytes(signer_resources.path("samples/van-ban-mat.pdf").read_bytes())
    clerk.drop(secret)
    assert clerk.lines == []
    card = clerk.pane.secret
    assert card.isVisible()
    assert card.names == ("mat.pdf",)
    close = clerk.button(VI("uo_secret_close"))
    assert not close.isEnabled()
    child(card, QCheckBox).click()
    close.click()
    assert not card.isVisible()


def test_what_was_taken_out_can_be_added_again(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    clerk.pane.grid.setFocus()
    clerk.pane.grid.choose([clerk.lines[0].id])
    QTest.keyClick(clerk.pane.grid, Qt.Key.Key_Delete)
    clerk.rest()
    assert clerk.lines == []
    clerk.press(VI("uo_add_back"))
    clerk.rest()
    assert [line.draft.main.name for line in clerk.lines] == ["cong-van.pdf"]


def test_the_kind_of_signature_is_chosen_for_the_chosen_rows(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    clerk.act(VI("uk_menu_plain"))
    assert clerk.lines[0].draft.profile is Profile.PLAIN
    # Both tokens could sign it, so the clerk says which.
    assert clerk.says(VI("uo_hint_choose"))


def test_a_copy_asks_in_place_who_ordered_it(clerk: Clerk) -> None:
    paper = write_letter(clerk.folder / "ban-giay.pdf", Wording(number_line="Số: 12/QĐ-UBND"))
    clerk.drop(paper)
    asked = clerk.pane.card.copying
    kinds = [column.key for column in clerk.pane.grid._columns].index(KIND)
    assert not asked.isVisible()
    assert clerk.pane.grid.isColumnHidden(kinds)
    clerk.act(VI("uk_menu_copy_sl"))
    assert not clerk.pane.grid.isColumnHidden(kinds)
    assert clerk.states == [State.REFUSED]
    assert asked.isVisible()
    clerk.wait(asked.by.hasFocus)
    assert not nameless(asked)
    asked.by.setText("Trần Văn An, Chủ tịch")
    QTest.keyClick(asked.by, Qt.Key.Key_Return)
    clerk.rest()
    assert clerk.lines[0].draft.copy == CopyOrder(CopyForm.SAO_LUC, "Trần Văn An, Chủ tịch")
    assert "copy_order_missing" not in {finding.code for finding in clerk.lines[0].row.reasons}
    clerk.act(VI("uk_menu_agency"))
    assert not asked.isVisible()


def test_files_go_along_are_copied_by_their_hash_and_taken_out(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    sheet, program = clerk.folder / "so-lieu.csv", clerk.folder / "may-tinh.exe"
    sheet.write_text("a,b\n1,2\n", encoding="utf-8")
    program.write_bytes(b"MZ")
    files = clerk.pane.card.files
    drop_on(files, sheet, program)
    clerk.rest()
    assert [item.name for item in clerk.lines[0].draft.attachments] == ["so-lieu.csv"]
    assert "may-tinh.exe" in clerk.pane.notice.text
    blob = clerk.pane.side.blob
    files.list.setCurrentRow(1)
    # What goes along has no pages: those of the letter stay in view.
    assert clerk.pane.side.blob == blob
    assert not files.pdf.isEnabled()
    assert clerk.says(files.pdf.toolTip().removeprefix("<p>").removesuffix("</p>"))
    files.hash.trigger()
    assert QGuiApplication.clipboard().text() == hashlib.sha256(sheet.read_bytes()).hexdigest()
    files.open.trigger()
    clerk.rest()
    assert clerk.opened == [sheet]
    sheet.write_text("a,b\n1,3\n", encoding="utf-8")
    files.open.trigger()
    clerk.rest()
    assert clerk.opened == [sheet]
    assert VI.explain(KnownError("attachment_moved", name="so-lieu.csv")).what in clerk.pane.notice.text
    files.list.setFocus()
    QTest.keyClick(files.list, Qt.Key.Key_Delete)
    clerk.rest()
    assert clerk.lines[0].draft.attachments == ()
    assert sheet.is_file()


def test_a_kept_number_goes_only_with_a_reason(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf"))
    clerk.type(clerk.lines[0], NUMBER, "225")
    keep_number(clerk)
    asked = clerk.pane.giving_up
    clerk.type(clerk.lines[0], NUMBER, "226")
    clerk.wait(asked.isVisible)
    assert not asked.yes.isEnabled()
    assert clerk.lines[0].draft.number == "225"
    QTest.keyClick(asked.reason, Qt.Key.Key_Escape)
    assert not asked.isVisible()
    clerk.act(VI("uo_remove"))
    clerk.wait(asked.isVisible)
    asked.reason.setText("Trùng nội dung")
    QTest.keyClick(asked.reason, Qt.Key.Key_Return)
    clerk.rest()
    assert clerk.lines == []
    with clerk.desk.space.store.view() as view:
        assert "Trùng nội dung" in {one.reason for one in view.reservations.list()}


def test_a_repaired_file_is_seen_before_and_after(clerk: Clerk) -> None:
    clerk.drop(*clerk.letters("cong-van.pdf", "ke-hoach.pdf"))
    first, other = (line.draft for line in clerk.lines)
    repaired = msgspec.structs.replace(first.main, original=other.main.blob)
    clerk.desk.space.store.write(lambda tx: tx.drafts.put(msgspec.structs.replace(first, files=(repaired,))))
    clerk.hub.poke_drafts()
    clerk.rest()
    side = clerk.pane.side
    clerk.pane.grid.choose([first.id])
    assert side.versions.isVisible()
    assert side.blob == first.main.blob
    side.versions.before_button.click()
    assert side.blob == other.main.blob
    side.versions.after_button.click()
    assert side.blob == first.main.blob
    clerk.pane.grid.choose([other.id])
    clerk.wait(lambda: not side.versions.isVisible())
    clerk.desk.space.store.write(lambda tx: tx.drafts.put(first))


def test_without_a_token_the_button_says_so_and_leads_to_the_check_of_the_machine(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_ui.panes.outgoing_work.choose_certificates", lambda *_: Chosen())
    monkeypatch.setattr("signer_ui.presenters.outgoing_signing.signers", lambda _snapshot: ())
    clerk.hub.tokens_changed.emit(clerk.hub.tokens)
    clerk.drop(*clerk.letters("cong-van.pdf"))
    clerk.type(clerk.lines[0], NUMBER, "125")
    assert clerk.says(VI("uo_hint_no_token"))
    clerk.press("Chỉ ký (1)")
    clerk.press(VI("us_act_check_machine"))
    assert clerk.tabs == [Tab.MACHINE]


def test_many_rows_are_gone_through_elsewhere_and_examined_all_the_same(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_ui.panes.outgoing_checking._AT_ONCE", 0)
    clerk.drop(*clerk.letters("cong-van.pdf", "ke-hoach.pdf"))
    assert clerk.states == [State.NEEDS_NUMBER, State.NEEDS_NUMBER]
    QTest.keyClick(clerk.pane.grid, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    clerk.rest()
    assert clerk.states == [State.READY, State.READY]
    assert clerk.button("Chỉ ký (2)").isEnabled()


def test_what_was_examined_is_shown_without_reading_all_rows_anew(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("signer_ui.presenters.outgoing_signing._AT_A_TIME", 1)
    clerk.drop(*clerk.letters("cong-van.pdf", "to-trinh.pdf", "ke-hoach.pdf"))
    parts, read = list[int](), list[int]()
    clerk.pane._rows.changed.connect(lambda changed: parts.append(len(changed)))
    clerk.pane._rows.read.connect(lambda: read.append(1))
    QTest.keyClick(clerk.pane.grid, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    clerk.rest()
    # Not "ready" all: the letter of another test may have been signed on this desk.
    assert all(line.row.signable for line in clerk.lines)
    assert parts == [1, 1, 1]
    # After the change, the news of the store, and at the end of all.
    assert len(read) <= 3


def test_rows_that_come_one_by_one_are_read_the_more_seldom_the_longer_it_takes(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, begun = 100.0, list[float]()

    def load(_desk: Desk) -> Loaded:
        nonlocal now
        begun.append(now)
        now += 2
        return Loaded({}, Totals(), clerk.desk.outgoing.directory())

    monkeypatch.setattr("signer_ui.panes.outgoing_work.load", load)
    rows = Rows(clerk.shell, lambda: False, clerk.pane, lambda: now)
    for later in (0, 1, 16, 2):
        now += later
        rows.reload_soon()
        clerk.rest()
    assert begun == [100.0, 121.0]
