"""The two registers on the screen: their columns, writing into cells, paper, numbers given up, files, the report."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

from signer_app.registers.cells import CellEdit, IncomingField, OutgoingField
from signer_app.registers.model import IncomingLine, LineKind, OutgoingLine, Remark
from signer_app.registers.paper_entries import PaperDocument, enter_paper
from signer_app.registers.typed import TypedNumber
from signer_app.store.leases import RegisterLease
from signer_app.store.registers import Book
from signer_app.store.reservations import Reservation
from signer_app.store.sequences import BY_NOTATION, Register
from signer_app.store.settings import Body
from signer_app.store.store import Transaction
from signer_resources.errors import KnownError
from signer_ui.panes import register_book_work as work
from signer_ui.panes.register import RegisterPane
from signer_ui.panes.register_paper import BeginDialog, IncomingPage, PaperDialog
from signer_ui.panes.register_report import PeriodDialog
from signer_ui.panes.register_typed import OutgoingPage, TypedDialog
from signer_ui.presenters.grid import Shade
from signer_ui.presenters.register_books import (
    Counts,
    Part,
    count_lines,
    counts_text,
    incoming_columns,
    newest,
    outgoing_columns,
    write,
)
from signer_ui.presenters.register_forms import (
    Days,
    PaperField,
    Period,
    days_of,
    paper_of,
    paper_problems,
    typed_days,
    typed_number_told,
)
from signer_ui.shell import Shell
from signer_ui.words import Words
from tests.desk.office import FRIDAY, MONDAY, ORG, TODAY, Office, changed, office
from tests.desk.window import Desktop, away, desktop, nameless, press, visible_texts

# Without a screen there is no window manager that could be told a smallest size.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints")

WORDS = Words("vi")
OURS = Body(code=ORG, name="UBND xã Hòa Sơn")
PAPER = PaperDocument("Điện lực An Sơn", "V/v cắt điện", "12/ĐL", FRIDAY)


def going(number: int = 3, kind: LineKind = LineKind.DOCUMENT, **more: object) -> OutgoingLine:
    facts: dict[str, object] = {"label": f"{number}/QĐ-UBND", "date": FRIDAY, "title": "Phê duyệt"}
    line = {"id": str(number), "kind": kind, "body_code": ORG, "year": 2026, "sequence": "", "number": number}
    return OutgoingLine(**{**line, **facts, **more})  # type: ignore[arg-type]


def coming(number: int = 3, kind: LineKind = LineKind.DOCUMENT, **more: object) -> IncomingLine:
    line = {"id": str(number), "kind": kind, "body_code": ORG, "year": 2026, "number": number, "arrived_on": TODAY}
    return IncomingLine(**{**line, **more})  # type: ignore[arg-type]


def editable(book: Book, line: object) -> set[str]:
    columns = outgoing_columns(WORDS) if book is Book.OUTGOING else incoming_columns(WORDS)
    return {c.key for c in columns if c.editor is not None and c.editor.allowed(line)}  # type: ignore[arg-type]


# ---- what is said


def test_both_registers_have_the_ten_columns_of_the_decree_in_their_order() -> None:
    out = going(
        signer="Trần Văn An",
        receivers=("Sở Nội vụ", "Đảng ủy"),
        keeper="Văn thư",
        copies="12",
        passed_on=TODAY,
        signed_for="Bình",
        note="gấp",
        remarks=(Remark("register_remark_unsent"),),
    )
    assert [column.text(out) for column in outgoing_columns(WORDS)] == [
        "3/QĐ-UBND", "20/11/2026", "Phê duyệt", "Trần Văn An", "Sở Nội vụ; Đảng ủy", "Văn thư", "12", "23/11/2026",
        "Bình", "gấp; Chưa gửi",
    ]  # fmt: skip
    came = coming(author="Điện lực", label="12/ĐL", date_text="tháng 11", title="Cắt điện", passed_to="Ông Bình")
    assert [column.text(came) for column in incoming_columns(WORDS)] == [
        "23/11/2026", "3", "Điện lực", "12/ĐL", "tháng 11", "Cắt điện", "Ông Bình", "", "", "",
    ]  # fmt: skip


def test_only_the_clerks_cells_are_written_and_what_came_electronically_stays_as_it_came() -> None:
    clerks = {"register_passed_on", "register_signed_for", "register_note"}
    of_paper = {"register_in_author", "register_in_label", "register_in_date", "register_in_title"}
    assert editable(Book.OUTGOING, going()) == clerks | {"register_out_keeper", "register_out_copies"}
    assert editable(Book.OUTGOING, going(kind=LineKind.GAP)) == set()
    assert editable(Book.INCOMING, coming()) == clerks | {"register_in_passed_to"}
    assert editable(Book.INCOMING, coming(on_paper=True)) == clerks | {"register_in_passed_to"} | of_paper


def test_a_note_is_edited_without_the_remarks_of_the_program() -> None:
    line = going(note="gấp", remarks=(Remark("register_remark_unsent"),))
    editor = outgoing_columns(WORDS)[9].editor
    assert editor is not None
    assert editor.start is not None
    assert editor.start(line) == "gấp"


def test_what_was_returned_catches_the_eye_and_numbers_without_documents_are_grey() -> None:
    note, label = outgoing_columns(WORDS)[9].shade, outgoing_columns(WORDS)[0].shade
    assert note is not None
    assert label is not None
    returned = going(remarks=(Remark("register_remark_returned", {"by": "Sở", "reason": "sai"}),))
    assert (note(returned), note(going()), label(going(kind=LineKind.VOIDED))) == (Shade.BAD, None, Shade.MUTED)


def test_a_writing_says_what_was_seen_and_the_line_says_it_at_once() -> None:
    made = write(Book.OUTGOING, going(passed_on=FRIDAY), "register_passed_on", " 23/11/2026 ")
    assert made.edit == CellEdit("3", OutgoingField.PASSED_ON, "20/11/2026", " 23/11/2026 ")
    assert made.line.passed_on == TODAY
    dated = write(Book.INCOMING, coming(date_text="tháng 11"), "register_in_date", "18/11/2026").line
    assert isinstance(dated, IncomingLine)
    assert (dated.date, dated.date_text) == (dt.date(2026, 11, 18), "")
    with pytest.raises(KnownError) as caught:
        write(Book.OUTGOING, going(), "register_out_copies", "nhiều")
    assert caught.value.code == "register_cell_copies"


def test_the_count_tells_documents_numbers_kept_given_up_and_missing() -> None:
    lines = [going(1), going(2, LineKind.KEPT), going(3, LineKind.VOIDED), going(4, LineKind.GAP, last=6), going(7)]
    counts = count_lines(lines)
    assert counts == Counts(2, 1, 1, 3)
    told = counts_text(Book.OUTGOING, counts, 5, 5, WORDS)
    assert told == "2 văn bản · 1 số đang giữ · 1 số đã bỏ · 3 số không có trong máy này"
    assert counts_text(Book.OUTGOING, counts, 1, 5, WORDS) == "Tìm thấy 1 trong 5 dòng"
    assert counts_text(Book.INCOMING, Counts(2, 0, 1, 812), 5, 5, WORDS) == "2 văn bản · 1 số đã hủy · 812 số ở sổ giấy"
    assert (newest(lines), newest([])) == ("7", "")


def test_what_is_missing_or_wrong_on_a_paper_is_said_by_field() -> None:
    texts = dict.fromkeys(PaperField, "")
    assert paper_problems(texts, TODAY) == {
        PaperField.AUTHOR: "ur_paper_missing",
        PaperField.TITLE: "ur_paper_missing",
    }
    texts |= {PaperField.AUTHOR: " Sở ", PaperField.TITLE: "Họp", PaperField.DATE: "31/11/2026"}
    texts[PaperField.ARRIVED] = "24/11/2026"
    assert paper_problems(texts, TODAY) == {PaperField.ARRIVED: "ur_date_later", PaperField.DATE: "ur_date_wrong"}
    texts |= {PaperField.DATE: "", PaperField.ARRIVED: "20/11/2026"}
    assert paper_problems(texts, TODAY) == {}
    assert paper_of(texts) == PaperDocument("Sở", "Họp", "", None, FRIDAY)


def test_periods_are_whole_weeks_months_quarters_and_years() -> None:
    day = dt.date
    assert days_of(Period.WEEK, TODAY) == Days(day(2026, 11, 23), day(2026, 11, 29))
    assert days_of(Period.MONTH, TODAY) == Days(day(2026, 11, 1), day(2026, 11, 30))
    assert days_of(Period.LAST_MONTH, day(2027, 1, 5)) == Days(day(2026, 12, 1), day(2026, 12, 31))
    assert days_of(Period.QUARTER, TODAY) == Days(day(2026, 10, 1), day(2026, 12, 31))
    assert days_of(Period.YEAR, TODAY) == Days(day(2026, 1, 1), day(2026, 12, 31))
    assert typed_days("20/11/2026", "23/11/2026") == Days(FRIDAY, TODAY)
    assert typed_days("23/11/2026", "20/11/2026") is typed_days("", "20/11/2026") is None


def test_a_number_from_paper_tells_what_this_machine_does_not_know() -> None:
    assert "liền số trước" in typed_number_told(TypedNumber("04", "QĐ", 3, None), WORDS)
    assert "không có số 4–6;" in typed_number_told(TypedNumber("07", "QĐ", 3, 4), WORDS)
    assert "không có số 4;" in typed_number_told(TypedNumber("05", "QĐ", 3, 4), WORDS)


# ---- the pane


class Books:
    """The pane over an office, and who writes in it."""

    def __init__(self, screen: Desktop, part: Part = Part.OUTGOING) -> None:
        self.screen = screen
        self.opened: list[Path] = []

        def make(shell: Shell) -> RegisterPane:
            return RegisterPane(shell, self.opened.append)

        self.pane = screen.show(make)
        page = self.pane.show_part(part)
        assert isinstance(page, OutgoingPage | IncomingPage)
        self.page = page
        screen.wait(lambda: page._shelf is not None and page.grid.settled)

    def cells(self, column: str) -> list[str]:
        """A column as it stands on the screen."""
        model, grid = self.page.grid.model(), self.page.grid
        at = next(n for n in range(model.columnCount()) if grid.column_key(n) == column)
        return [str(model.index(line, at).data()) for line in range(model.rowCount())]

    def open_cell(self, line: int, column: str) -> QLineEdit:
        self.page.grid.edit_cell(self.page.grid.shown_ids[line], column)
        return next(one for one in self.page.grid.viewport().findChildren(QLineEdit) if one.isVisible())

    def type(self, line: int, column: str, text: str) -> None:
        editor = self.open_cell(line, column)
        editor.setText(text)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        self.screen.wait(lambda: self.page.grid.state() is not QAbstractItemView.State.EditingState)

    def written(self) -> None:
        self.screen.wait(self.pane.settled)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Office]:
    with office(tmp_path) as made:
        changed(made, bodies=(OURS,))
        yield made


@pytest.fixture
def screen(qtbot: QtBot, place: Office) -> Iterator[Desktop]:
    with desktop(qtbot, place) as made:
        yield made


def saving(monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
    """Where the clerk wants the next file."""
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args, **_kwargs: (str(target), ""))


def test_the_outgoing_register_shows_gaps_and_numbers_given_up(place: Office, screen: Desktop) -> None:
    place.signed("3")
    given_up = Reservation.of(
        ORG, BY_NOTATION, "4", "UBND-VHXH", TODAY, owner="ab" * 32, name="a.pdf", at=place.now, operator="Thư"
    )
    place.store.write(lambda tx: tx.reservations.reserve(given_up))
    books = Books(screen)
    assert books.cells("register_out_label") == ["1–2", "3/UBND-VHXH", "4/UBND-VHXH"]
    assert "1 văn bản · 1 số đang giữ · 2 số không có trong máy này" in visible_texts(books.pane)
    press(books.page, "Chi tiết")
    books.page.grid.choose([books.page.grid.shown_ids[2]])
    screen.wait(lambda: "Bỏ số" in visible_texts(books.page.details).replace("&", ""))
    press(books.page.details, "Bỏ số")
    books.pane.giving_up.reason.setText("Trùng nội dung")
    QTest.keyClick(books.pane.giving_up.reason, Qt.Key.Key_Return)
    screen.wait(lambda: "Trùng nội dung" in books.cells("register_note")[2])
    books.page.grid.choose([books.page.grid.shown_ids[0]])
    screen.wait(lambda: "sổ giấy hoặc máy khác" in visible_texts(books.page.details))
    assert not nameless(books.pane)


def test_a_document_of_the_register_has_its_details_with_files_and_can_be_signed_again(
    place: Office, screen: Desktop
) -> None:
    place.signed("1", receivers=())
    books = Books(screen)
    press(books.page, "Chi tiết")
    books.page.grid.choose(books.page.grid.shown_ids)
    screen.wait(lambda: "Chứng cứ ký số" in visible_texts(books.page.details))
    press(books.page.details, "Ký lại…")
    assert books.pane.notice.text.startswith("Ký lại 1/UBND-VHXH?")


def test_a_cell_is_written_in_place_and_typed_back(place: Office, screen: Desktop) -> None:
    place.signed("1", FRIDAY)
    books = Books(screen)
    books.type(0, "register_out_keeper", "Văn thư xã")
    books.written()
    books.type(0, "register_out_keeper", "")
    books.type(0, "register_passed_on", "23/11/2026")
    books.written()
    assert (books.cells("register_out_keeper"), books.cells("register_passed_on")) == ([""], ["23/11/2026"])
    line = place.desk.register_books.outgoing().lines[0]
    assert (line.keeper, line.passed_on) == ("", TODAY)
    history = place.desk.register_books.history(Book.OUTGOING, line.id, "keeper")
    assert [one.value for one in history] == ["Văn thư xã", ""]


def test_a_typed_cell_has_its_line_alone_read_again(place: Office, screen: Desktop) -> None:
    for number in ("1", "2", "3"):
        place.signed(number)
    books = Books(screen)
    before = books.page._shelf
    books.type(1, "register_note", "gấp")
    books.written()
    after = books.page._shelf
    assert before is not None
    assert after is not None
    assert [one is old for one, old in zip(after.lines, before.lines, strict=True)] == [True, False, True]
    # What was written meanwhile is known: nothing is to be read.
    assert work.look(place.desk, books.page._wanted, after, WORDS) is after
    place.signed("4")
    screen.store_changed()
    screen.wait(lambda: len(books.page.grid.shown_ids) == 4)
    assert books.cells("register_note")[1].startswith("gấp")


def test_what_another_wrote_between_is_read_with_the_own_writing(place: Office, screen: Desktop) -> None:
    place.signed("1")
    place.signed("2")
    books = Books(screen)
    other = books.page.grid.shown_ids[1]
    place.desk.register_books.write_one(Book.OUTGOING, CellEdit(other, OutgoingField.NOTE, "", "của máy kia"))
    books.type(0, "register_note", "của tôi")
    screen.wait(lambda: "của máy kia" in books.cells("register_note")[1])
    assert books.cells("register_note")[0].startswith("của tôi")


def test_a_day_that_was_typed_and_taken_back_is_the_day_of_sending_again(place: Office, screen: Desktop) -> None:
    document = place.signed("1")
    place.accepted(document)
    books = Books(screen)
    sent = books.cells("register_passed_on")
    assert sent != [""]
    books.type(0, "register_passed_on", "20/11/2026")
    books.written()
    assert books.cells("register_passed_on") == ["20/11/2026"]
    books.type(0, "register_passed_on", "")
    books.written()
    screen.wait(lambda: books.cells("register_passed_on") == sent)


def test_what_no_cell_can_say_is_refused_with_the_reason(place: Office, screen: Desktop) -> None:
    place.signed("1")
    books = Books(screen)
    books.type(0, "register_passed_on", "ngày mai")
    assert "ngày mai" in books.pane.notice.text
    assert books.cells("register_passed_on") == [""]


def test_a_cell_that_somebody_else_wrote_meanwhile_is_told_and_shown(place: Office, screen: Desktop) -> None:
    document = place.signed("1")
    books = Books(screen)
    place.desk.register_books.write_one(Book.OUTGOING, CellEdit(document.id, OutgoingField.NOTE, "", "của người khác"))
    books.type(0, "register_note", "của tôi")
    screen.wait(lambda: "của người khác" in books.pane.notice.text)
    screen.wait(lambda: books.cells("register_note")[0].startswith("của người khác"))


def test_nothing_moves_under_a_cell_that_is_open(place: Office, screen: Desktop) -> None:
    document = place.signed("2")
    books = Books(screen)
    editor = books.open_cell(1, "register_note")
    editor.setText("đang gõ")
    place.signed("3")
    screen.store_changed()
    screen.wait(lambda: books.page._held is not None)
    assert books.cells("register_out_label") == ["1", "2/UBND-VHXH"]
    QTest.keyClick(editor, Qt.Key.Key_Return)
    screen.wait(lambda: len(books.cells("register_out_label")) == 3)
    books.written()
    assert place.desk.register_books.history(Book.OUTGOING, document.id, "note")[0].value == "đang gõ"
    screen.wait(lambda: books.cells("register_note")[1].startswith("đang gõ"))


def test_the_register_is_searched_without_marks_and_what_is_found_is_saved(
    place: Office, screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in ("1", "3"):
        place.signed(number)
    books = Books(screen)
    QTest.keyClicks(books.page.bar.search, "3/ubnd hoi nghi")
    screen.wait(lambda: books.cells("register_out_label") == ["3/UBND-VHXH"])
    assert "Tìm thấy 1 trong 3 dòng" in visible_texts(books.pane)
    saving(monkeypatch, tmp_path / "sổ")
    books.page._save(".csv")
    screen.wait(lambda: "Đã lưu sổ" in books.pane.notice.text)
    text = (tmp_path / "sổ.csv").read_text("utf-8-sig")
    assert "3/UBND-VHXH" in text
    assert "1/UBND-VHXH" not in text


def test_the_register_is_printed_from_a_pdf_and_never_over_another_file(
    place: Office, screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.signed("1")
    books = Books(screen)
    target = tmp_path / "sổ.pdf"
    saving(monkeypatch, target)
    actions = {action.text().replace("&", ""): action for action in books.page.export.menu().actions()}
    actions["In sổ (PDF)…"].trigger()
    screen.wait(lambda: books.opened == [target])
    before = target.read_bytes()
    actions["In sổ (PDF)…"].trigger()
    screen.wait(lambda: str(target) in books.pane.notice.text and "Đã lưu" not in books.pane.notice.text)
    assert target.read_bytes() == before


def test_paper_is_entered_by_keyboard_and_its_number_given_up_with_a_reason(place: Office, screen: Desktop) -> None:
    books = Books(screen, Part.INCOMING)
    press(books.page, "Vào sổ văn bản giấy…")
    dialog = books.page.findChild(PaperDialog)
    assert dialog is not None
    assert not nameless(dialog)
    press(dialog, "Vào sổ")
    assert "Cần ghi nơi gửi và trích yếu." in visible_texts(dialog)
    dialog.fields[PaperField.AUTHOR].setText("Điện lực An Sơn")
    dialog.fields[PaperField.DATE].setText("20/11/2026")
    dialog.fields[PaperField.TITLE].setText("V/v cắt điện")
    QTest.keyClick(dialog.fields[PaperField.TITLE], Qt.Key.Key_Return)
    screen.wait(lambda: books.cells("register_in_number") == ["1"])
    assert books.pane.notice.text == "Đã vào sổ, số đến 1."
    assert (books.cells("register_in_author"), books.cells("register_in_date")) == (["Điện lực An Sơn"], ["20/11/2026"])
    press(books.page, "Chi tiết")
    books.page.grid.choose(books.page.grid.shown_ids)
    screen.wait(lambda: "Số đến 1 · UBND xã Hòa Sơn" in visible_texts(books.page.details))
    press(books.page.details, "Hủy số đến…")
    books.pane.voiding.reason.setText("vào sổ hai lần")
    press(books.pane.voiding, "Hủy số đến")
    screen.wait(lambda: "vào sổ hai lần" in books.cells("register_note")[0])
    assert not nameless(books.pane)


def test_the_clerk_corrects_what_was_typed_from_paper_and_says_who_has_it(place: Office, screen: Desktop) -> None:
    place.desk.register_books.enter_paper(ORG, PAPER)
    books = Books(screen, Part.INCOMING)
    books.type(0, "register_in_title", "V/v ngừng cấp điện")
    books.type(0, "register_in_passed_to", "Phòng Kinh tế")
    books.written()
    line = place.desk.register_books.incoming().lines[0]
    assert (line.title, line.passed_to) == ("V/v ngừng cấp điện", "Phòng Kinh tế")
    assert place.desk.register_books.history(Book.INCOMING, line.id, IncomingField.TITLE)


def test_where_the_book_on_paper_ended_is_said_before_the_first_number_only(place: Office, screen: Desktop) -> None:
    books = Books(screen, Part.INCOMING)
    press(books.page, "Số bắt đầu…")
    dialog = books.page.findChild(BeginDialog)
    assert dialog is not None
    assert not nameless(dialog)
    dialog.last.setValue(812)
    press(dialog, "Giữ số này")
    screen.wait(lambda: books.pane.notice.text == "Số đến tiếp theo là 813.")
    place.desk.register_books.enter_paper(ORG, PAPER)
    screen.store_changed()
    screen.wait(lambda: books.cells("register_in_number") == ["1–812", "813"])
    assert "Số bắt đầu…" not in visible_texts(books.page).replace("&", "")


def test_the_report_shows_its_figures_and_is_saved_as_shown(
    place: Office, screen: Desktop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.signed("1", FRIDAY)
    books = Books(screen)
    press(books.page, "Báo cáo kỳ…")
    dialog = books.page.findChild(PeriodDialog)
    assert dialog is not None
    screen.wait(lambda: dialog.table.rowCount() > 10)
    assert (dialog.first.text(), dialog.last.text()) == ("01/11/2026", "30/11/2026")
    first = [str(dialog.table.model().index(0, column).data()) for column in range(3)]
    assert first[:2] == ["Văn bản đi", "1"]
    assert first[2]
    assert not nameless(dialog)
    target = tmp_path / "kỳ.xlsx"
    saving(monkeypatch, target)
    press(dialog, "Lưu Excel…")
    screen.wait(lambda: "Đã ghi báo cáo" in dialog.notice.text)
    assert target.read_bytes()[:2] == b"PK"
    QTest.keyClicks(dialog.last, "9")
    assert (dialog.table.rowCount(), dialog.xlsx.isEnabled()) == (0, False)
    press(dialog, "Xem số liệu")
    assert "ngày cuối không trước ngày đầu" in dialog.notice.text


def test_a_number_from_paper_is_taken_only_while_the_server_is_away(place: Office, screen: Desktop) -> None:
    place.signed("3", FRIDAY)
    place.draft()
    books = Books(screen)
    assert not books.page.findChildren(TypedDialog)
    assert "Số từ sổ giấy…" not in visible_texts(books.page).replace("&", "")
    screen.hub.exchange_changed.emit(away(MONDAY))
    press(books.page, "Số từ sổ giấy…")
    dialog = books.page.findChild(TypedDialog)
    assert dialog is not None
    assert not nameless(dialog)
    screen.wait(lambda: dialog.document.count() == 1)
    dialog.number.setText("3/UBND-VHXH")
    screen.wait(lambda: "đã dùng" in visible_texts(dialog))
    assert not dialog.yes.isEnabled()
    dialog.number.setText("7/UBND-VHXH")
    screen.wait(dialog.yes.isEnabled)
    assert "Máy này không có số 4–6" in visible_texts(dialog)
    press(dialog, "Dùng số này")
    screen.wait(lambda: "7/UBND-VHXH" in books.pane.notice.text)
    (draft,) = (row.draft for row in place.desk.outgoing.rows())
    assert draft.label in ("7/UBND-VHXH", "07/UBND-VHXH")


def test_where_this_machine_gives_the_numbers_none_is_taken_from_paper(place: Office, screen: Desktop) -> None:
    place.draft()
    notation = place.desk.outgoing.rows()[0].draft.notation
    register = Register(name="Quyết định", notations=(notation,), server="r")
    changed(place, bodies=(msgspec.structs.replace(OURS, registers=(register,)),))
    lease = RegisterLease(register_id="r", body_code=ORG, name="Quyết định", notation="{type}-UBND", lease_id="l")
    place.store.write(lambda tx: tx.leases.ask_lease(lease))
    place.store.write(lambda tx: tx.leases.granted("l", 1, MONDAY + dt.timedelta(days=1)))
    books = Books(screen)
    screen.hub.exchange_changed.emit(away(MONDAY))
    press(books.page, "Số từ sổ giấy…")
    dialog = books.page.findChild(TypedDialog)
    assert dialog is not None
    screen.wait(lambda: "quyền cấp số của sổ «Quyết định»" in visible_texts(dialog))
    assert not dialog.number.isEnabled()


def test_the_newest_line_of_a_long_register_is_in_view(place: Office, screen: Desktop) -> None:
    def fill(tx: Transaction) -> None:
        for _ in range(600):
            enter_paper(tx, ORG, PAPER, place.now, "Thư")

    place.store.write(fill)
    books = Books(screen, Part.INCOMING)
    grid = books.page.grid
    screen.wait(lambda: len(grid.shown_ids) == 600)
    assert grid.visualRect(grid.model().index(599, 0)).intersects(grid.viewport().rect())


def test_the_switch_keeps_each_list_and_the_keyboard(place: Office, screen: Desktop) -> None:
    place.signed("1")
    books = Books(screen)
    books.page.bar.switch.buttons[Part.INCOMING].click()
    assert isinstance(books.pane.page, IncomingPage)
    screen.wait(lambda: "0 văn bản" in visible_texts(books.pane))
    switch = books.pane.page.bar.switch
    assert [part for part, made in switch.buttons.items() if made.isChecked()] == [Part.INCOMING]
    switch.buttons[Part.INCOMING].click()
    assert switch.buttons[Part.INCOMING].isChecked()
    switch.buttons[Part.OUTGOING].click()
    assert books.pane.page is books.page
