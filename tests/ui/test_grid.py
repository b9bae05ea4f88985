"""The grid that all lists share: what it shows, what stays where it was, and that it is worked by keyboard alone."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from PySide6.QtCore import QEvent, QItemSelectionModel, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QImage, QPaintEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLabel, QLineEdit, QProgressBar, QVBoxLayout, QWidget
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from signer_ui.presenters.grid import (
    Column,
    Editor,
    Index,
    Query,
    Shade,
    Suggestion,
    fold,
    run_all,
    table_text,
    with_last_part,
)
from signer_ui.presenters.pace import LineText
from signer_ui.tasks import Tasks
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.grid import Grid
from signer_ui.widgets.signing_line import SigningLine
from signer_ui.words import Words

# Without a screen a list of suggestions can neither be raised nor take the keyboard for itself.
pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")

WORDS = Words("vi")
TICK, NUMBER, SUBJECT = "uo_col_tick", "uo_col_number", "uo_col_subject"
RECEIVERS, URGENCY = "uo_col_receivers", "uo_col_urgency"
CLICK = Qt.MouseButton.LeftButton


@dataclass(frozen=True)
class Letter:
    """A row."""

    id: str
    number: int
    subject: str
    receivers: str = ""
    urgency: str = "Thường"
    ticked: bool | None = False
    open: bool = True


def _editor(**more: object) -> Editor[Letter]:
    return Editor(allowed=lambda row: row.open, **more)  # type: ignore[arg-type]


COLUMNS: tuple[Column[Letter], ...] = (
    Column(TICK, lambda _row: "", 3, check=lambda row: row.ticked),
    Column(NUMBER, lambda row: f"{row.number}/UBND", 8, sort=lambda row: row.number, editor=_editor()),
    Column(SUBJECT, lambda row: row.subject, 20, shade=lambda _row: Shade.GOOD, dot=True, stretch=True),
    Column(
        RECEIVERS,
        lambda row: row.receivers,
        10,
        editor=_editor(
            suggestions=lambda: [Suggestion("Sở Nội vụ", "Sở Nội vụ (H77.02)"), Suggestion("Đài PT", "Đài PT (H77.3)")],
            several=True,
        ),
    ),
    Column(
        URGENCY,
        lambda row: row.urgency,
        6,
        editor=_editor(suggestions=lambda: [Suggestion(one, one) for one in ("Thường", "Khẩn", "Hỏa tốc")], only=True),
    ),
)


def letters(count: int) -> tuple[Letter, ...]:
    return tuple(Letter(f"id{n}", n, f"Kế hoạch số {n}") for n in range(count))


@pytest.fixture
def tasks(qtbot: QtBot) -> Iterator[Tasks]:
    def fault(error: BaseException) -> str:
        raise error

    made = Tasks(fault)
    yield made
    made.close()


@pytest.fixture
def grid(tasks: Tasks, qtbot: QtBot) -> Grid[Letter]:
    made: Grid[Letter] = Grid(COLUMNS, lambda row: row.id, WORDS, Theme(dark=False), tasks, "Văn bản")
    qtbot.addWidget(made)
    made.resize(900, 300)
    made.show()
    made.setFocus()
    return made


def _show(grid: Grid[Letter], rows: tuple[Letter, ...], qtbot: QtBot) -> None:
    grid.set_rows(rows)
    qtbot.waitUntil(lambda: grid.settled)


def _editor_of(grid: Grid[Letter]) -> QLineEdit:
    found = [line for line in grid.findChildren(QLineEdit) if line.isVisible()]
    assert len(found) == 1
    return found[0]


def _cell(grid: Grid[Letter], line: int, column: str) -> QPoint:
    place = next(place for place, known in enumerate(COLUMNS) if known.key == column)
    return grid.visualRect(grid.model().index(line, place)).center()


def _says(grid: Grid[Letter], line: int, place: int) -> str:
    return str(grid.model().index(line, place).data(Qt.ItemDataRole.AccessibleTextRole))


# --- without a window -------------------------------------------------------------------------------------------------


def test_search_forgets_marks_and_case() -> None:
    assert fold("Quyết định ĐẶC biệt, số 12/QĐ-UBND") == "quyet dinh dac biet, so 12/qd-ubnd"
    assert fold("Nguyê\u0303n") == fold("NGUYỄN") == "nguyen"


def test_every_word_must_stand_somewhere_in_the_row() -> None:
    rows = (Letter("a", 12, "Quyết định khen thưởng"), Letter("b", 13, "Quyết định", "Sở Nội vụ"))
    index = Index(rows, COLUMNS, lambda row: row.id)
    assert run_all(index.arrange(Query().looking_for("noi QUYẾT"))).ids == ["b"]
    assert run_all(index.arrange(Query().looking_for("quyet dinh"))).ids == ["a", "b"]
    assert run_all(index.arrange(Query().looking_for("12/ub thưởng"))).ids == ["a"]
    assert run_all(index.arrange(Query().looking_for("12 nội"))).ids == []


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("different", [3, 700, 10**9])
def test_a_long_list_is_sorted_as_python_sorts_it(different: int, descending: bool) -> None:
    chance = random.Random(7)
    rows = tuple(Letter(str(n), chance.randrange(different), "") for n in range(9000))
    index = Index(rows, COLUMNS, lambda row: row.id)
    shown = run_all(index.arrange(Query(column=NUMBER, descending=descending)))
    assert shown.ids == [row.id for row in sorted(rows, key=lambda row: row.number, reverse=descending)]
    assert [shown.place[row_id] for row_id in shown.ids] == list(range(len(rows)))


def test_text_is_sorted_without_its_marks_before_and_after_a_search() -> None:
    rows = tuple(Letter(word, 0, word) for word in ("Ửng", "đề", "An", "ao", "Dạ"))
    index = Index(rows, COLUMNS, lambda row: row.id)
    order = ["An", "ao", "Dạ", "đề", "Ửng"]
    assert run_all(index.arrange(Query(column=SUBJECT))).ids == order
    searched = Index(rows, COLUMNS, lambda row: row.id)
    run_all(searched.prepare())
    assert run_all(searched.arrange(Query(column=SUBJECT))).ids == order


def test_work_that_was_given_up_is_gone_on_with() -> None:
    rows = letters(2000)
    index = Index(rows, COLUMNS, lambda row: row.id)
    given_up = index.arrange(Query().looking_for("hoach"))
    for _step in range(12):
        next(given_up)
    assert run_all(index.arrange(Query().looking_for("hoach 1999"))).ids == ["id1999"]


def test_a_copy_is_what_a_spreadsheet_takes() -> None:
    rows = (Letter("a", 1, 'Về "việc"\nlớn'), Letter("b", 2, "Bình thường"))
    shown = run_all(Index(rows, COLUMNS, lambda row: row.id).arrange(Query()))
    text = run_all(table_text(shown, [0, 1], COLUMNS))
    assert text == '1/UBND\t"Về ""việc""\nlớn"\t\tThường\n2/UBND\tBình thường\t\tThường'


def test_each_of_several_values_is_completed_for_itself() -> None:
    assert with_last_part("so noi", "Sở Nội vụ") == "Sở Nội vụ; "
    assert with_last_part("Sở Nội vụ; dai", "Đài PT") == "Sở Nội vụ; Đài PT; "


# --- what is on the screen --------------------------------------------------------------------------------------------


def test_the_model_obeys_the_rules_of_qt(grid: Grid[Letter], qtmodeltester: ModelTester, qtbot: QtBot) -> None:
    _show(grid, letters(5), qtbot)
    qtmodeltester.check(grid.model())  # type: ignore[no-untyped-call]
    grid.set_filter("so 3")
    grid.set_rows(letters(7))
    grid.sort_by(NUMBER, descending=True)
    assert grid.shown_ids == ("id3",)


def test_choice_cursor_and_scrolling_belong_to_rows_and_outlive_new_ones(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = letters(300)
    _show(grid, rows, qtbot)
    grid.choose(["id150", "id152", "id153"])
    top = grid.rowAt(0)
    offset = grid.currentIndex().row() - top
    _show(grid, (Letter("new", 999, "Mới"), *rows[:151], *rows[152:]), qtbot)
    assert list(grid.chosen_ids) == ["id150", "id152", "id153"]
    assert grid.current_id == "id150"
    assert grid.currentIndex().row() - grid.rowAt(0) == offset
    grid.sort_by(NUMBER, descending=True)
    assert list(grid.chosen_ids) == ["id153", "id152", "id150"]
    grid.set_filter("so 152")
    assert list(grid.chosen_ids) == ["id152"]


def test_when_the_cursor_s_row_goes_its_neighbour_takes_its_place(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = letters(5)
    _show(grid, rows, qtbot)
    grid.choose(["id2"])
    with qtbot.waitSignal(grid.current_changed) as told:
        _show(grid, (*rows[:2], *rows[3:]), qtbot)
    assert told.args == ["id3"]
    assert grid.chosen_ids == ("id3",)


def test_many_rows_are_worked_out_elsewhere_and_come_when_they_are_ready(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = letters(4000)
    grid.set_rows(rows)
    assert not grid.settled
    qtbot.waitUntil(lambda: grid.settled)
    assert len(grid.shown_ids) == 4000
    grid.set_filter("so 39")
    grid.set_filter("so 399")
    with qtbot.waitSignal(grid.presented):
        grid.sort_by(NUMBER, descending=True)
    assert grid.shown_ids[:2] == ("id3999", "id3998")
    assert len(grid.shown_ids) == 14


def test_a_head_sorts_upwards_downwards_and_not_at_all(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = (Letter("b", 2, ""), Letter("a", 10, ""), Letter("c", 1, ""))
    _show(grid, rows, qtbot)
    head = grid.horizontalHeader()
    middle = QPoint(head.sectionViewportPosition(1) + 20, 10)
    orders = []
    for _press in range(3):
        QTest.mouseClick(head.viewport(), CLICK, pos=middle)
        orders.append("".join(grid.shown_ids))
    assert orders == ["cba", "abc", "bac"]
    QTest.mouseClick(head.viewport(), CLICK, pos=middle)
    heard = grid.model().headerData(1, Qt.Orientation.Horizontal, Qt.ItemDataRole.AccessibleTextRole)
    assert heard == "Số, ký hiệu, đang sắp tăng dần"


def test_a_screen_reader_hears_what_each_cell_is(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, (Letter("a", 7, "Giấy mời"), Letter("b", 8, "Thư", ticked=None)), qtbot)
    assert _says(grid, 0, 0) == "Ký: chưa chọn"
    assert _says(grid, 1, 0) == "Ký: không chọn được"
    assert _says(grid, 0, 1) == "Số, ký hiệu: 7/UBND"
    assert _says(grid, 0, 3) == "Nơi nhận: trống"
    spoken = QAccessible.queryAccessibleInterface(grid)
    assert spoken is not None
    assert spoken.text(QAccessible.Text.Name) == "Văn bản"


def test_a_column_that_is_not_wanted_leaves_its_room_and_never_has_the_cursor(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(3), qtbot)
    grid.choose(("id1",), column=NUMBER)
    before = grid.columnWidth(2)
    grid.show_column(NUMBER, False)
    assert grid.columnWidth(2) > before
    assert grid.current_id == "id1"
    assert grid.column_key(grid.currentIndex().column()) == TICK
    assert grid.chosen_ids == ("id1",)
    grid.show_column(NUMBER, True)
    assert grid.columnWidth(2) == before


def test_a_narrow_list_leaves_out_what_can_be_spared_in_its_order(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(3), qtbot)
    wide = grid.width()
    grid.choose(("id1",), column=RECEIVERS)
    grid.spare((RECEIVERS, URGENCY, SUBJECT))
    hidden = {column.key: at for at, column in enumerate(COLUMNS)}

    def left_out() -> set[str]:
        return {key for key, at in hidden.items() if grid.isColumnHidden(at)}

    assert left_out() == set()
    found = []
    for width in range(wide, 160, -20):
        grid.resize(width, grid.height())
        if left_out() not in found:
            found.append(left_out())
    assert found == [set(), {RECEIVERS}, {RECEIVERS, URGENCY}, {RECEIVERS, URGENCY, SUBJECT}]
    assert grid.column_key(grid.currentIndex().column()) == NUMBER
    # The last one that is left takes what room there is.
    grid.resize(wide // 2, grid.height())
    grid.resize(wide, grid.height())
    assert left_out() == set()
    assert grid.horizontalHeader().length() <= max(grid.viewport().width(), sum(map(grid.columnWidth, range(5))))


def test_an_empty_grid_says_why(grid: Grid[Letter], qtbot: QtBot) -> None:
    grid.set_empty_text("Chưa có văn bản.")
    empty = grid.grab().toImage()
    _show(grid, letters(3), qtbot)
    grid.set_filter("không có đâu")
    assert grid.shown_ids == ()
    assert grid.grab().toImage() != empty


# --- by keyboard ------------------------------------------------------------------------------------------------------


def test_typing_begins_to_edit_and_enter_goes_down(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(3), qtbot)
    grid.choose(["id0"], column=NUMBER)
    QTest.keyClicks(grid, "1")
    QTest.keyClicks(_editor_of(grid), "25/KH-UBND")
    with qtbot.waitSignal(grid.edited) as told:
        QTest.keyClick(_editor_of(grid), Qt.Key.Key_Return)
    assert told.args == ["id0", NUMBER, "125/KH-UBND"]
    assert grid.current_id == "id1"
    assert grid.model().index(0, 1).data() == "125/KH-UBND"
    grid.forget_typed()
    assert grid.model().index(0, 1).data() == "0/UBND"


def test_tab_goes_from_cell_to_cell_that_can_be_edited(grid: Grid[Letter], qtbot: QtBot) -> None:
    closed = replace(letters(3)[1], open=False)
    _show(grid, (letters(3)[0], closed, letters(3)[2]), qtbot)
    grid.edit_cell("id0", RECEIVERS)
    with qtbot.waitSignal(grid.edited) as told:
        _editor_of(grid).setText("H77.02")
        QTest.keyClick(_editor_of(grid), Qt.Key.Key_Tab)
    assert told.args == ["id0", RECEIVERS, "H77.02"]
    box = grid.findChild(QComboBox)
    assert box is not None
    box.hidePopup()
    QTest.keyClick(box, Qt.Key.Key_Tab)
    qtbot.waitUntil(lambda: grid.current_id == "id2")
    assert _editor_of(grid).text() == "2/UBND"
    QTest.keyClick(_editor_of(grid), Qt.Key.Key_Escape)
    QTest.keyClick(grid, Qt.Key.Key_F2)
    assert _editor_of(grid).isVisible()


def test_what_did_not_change_is_not_told(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(2), qtbot)
    told: list[object] = []
    grid.edited.connect(lambda *args: told.append(args))
    grid.edit_cell("id0", NUMBER)
    QTest.keyClick(_editor_of(grid), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: grid.current_id == "id1")
    assert told == []


def test_nothing_moves_under_a_cell_that_is_being_edited(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = letters(4)
    _show(grid, rows, qtbot)
    grid.edit_cell("id2", NUMBER)
    _editor_of(grid).setText("44/UB")
    # The same lines with other contents come in at once, but not into what is being typed.
    _show(grid, tuple(replace(row, number=row.number + 1) for row in rows), qtbot)
    assert _editor_of(grid).text() == "44/UB"
    assert grid.model().index(0, 1).data() == "1/UBND"
    # Other lines wait.
    grid.set_rows(rows[1:])
    assert not grid.settled
    assert _editor_of(grid).text() == "44/UB"
    QTest.keyClick(_editor_of(grid), Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: grid.settled)
    assert grid.shown_ids == ("id1", "id2", "id3")
    assert grid.current_id == "id2"


def test_a_receiver_is_found_without_marks_and_the_next_can_follow(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(1), qtbot)
    grid.edit_cell("id0", RECEIVERS)
    line = _editor_of(grid)
    for wanted in ("noi vu", "dai"):
        QTest.keyClicks(line, wanted)
        completer = line.completer()
        assert completer is not None
        assert completer.completionCount() == 1
        popup = completer.popup()
        assert popup is not None
        QTest.keyClick(popup, Qt.Key.Key_Down)
        QTest.keyClick(popup, Qt.Key.Key_Return)
    assert line.text() == "Sở Nội vụ; Đài PT; "


def test_space_ticks_all_chosen_rows_and_the_head_ticks_every_row(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = (Letter("a", 1, "", ticked=True), Letter("b", 2, ""), Letter("c", 3, "", ticked=None), Letter("d", 4, ""))
    _show(grid, rows, qtbot)
    told: list[tuple[tuple[str, ...], bool]] = []
    grid.ticked.connect(lambda ids, ticked: told.append((ids, ticked)))
    grid.choose(["a", "b", "c"], column=SUBJECT)
    QTest.keyClick(grid, Qt.Key.Key_Space)
    head = grid.horizontalHeader()
    QTest.mouseClick(head.viewport(), CLICK, pos=QPoint(10, 10))
    _show(grid, tuple(replace(row, ticked=row.ticked is not None or None) for row in rows), qtbot)
    QTest.keyClick(grid, Qt.Key.Key_Space)
    assert told == [(("a", "b"), True), (("a", "b", "d"), True), (("a", "b"), False)]


def test_a_click_into_the_box_ticks_one_row(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(3), qtbot)
    with qtbot.waitSignal(grid.ticked) as told:
        box = grid.visualRect(grid.model().index(1, 0))
        QTest.mouseClick(grid.viewport(), CLICK, pos=box.topLeft() + QPoint(16, box.height() // 2))
    assert told.args == [("id1",), True]


def test_rows_go_to_the_clipboard_and_its_text_comes_back(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(3), qtbot)
    grid.choose(["id0", "id2"], column=NUMBER)
    QTest.keyClick(grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "0/UBND\tKế hoạch số 0\t\tThường\n2/UBND\tKế hoạch số 2\t\tThường"
    QGuiApplication.clipboard().setText("7\n8")
    with qtbot.waitSignal(grid.pasted) as told:
        QTest.keyClick(grid, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert told.args == ["7\n8", "id0", NUMBER]


def test_sorting_and_opening_need_no_mouse(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(3), qtbot)
    grid.choose(["id1"], column=NUMBER)
    QTest.keyClick(grid, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert grid.shown_ids == ("id2", "id1", "id0")
    grid.choose(["id1"], column=SUBJECT)
    with qtbot.waitSignal(grid.activated_row) as told:
        QTest.keyClick(grid, Qt.Key.Key_Return)
    assert told.args == ["id1"]


def test_everything_chosen_stays_chosen_in_another_order(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(1500), qtbot)
    grid.selectAll()
    grid.selectionModel().setCurrentIndex(grid.model().index(3, 1), QItemSelectionModel.SelectionFlag.NoUpdate)
    with qtbot.waitSignal(grid.presented):
        grid.sort_by(NUMBER, descending=True)
    assert len(grid.chosen_ids) == 1500
    assert grid.current_id == "id3"


# --- how much is drawn ------------------------------------------------------------------------------------------------


class Painted(QObject):
    """What of a widget was asked to be drawn, and how often it was asked for another place."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.areas: list[QRect] = []
        self.layouts = 0
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        if isinstance(event, QPaintEvent):
            self.areas.append(event.region().boundingRect())
        self.layouts += event.type() == QEvent.Type.LayoutRequest
        return False


def _painted_all() -> None:
    """What was asked for before is on the screen: a window's first layouts ask for others."""
    for _round in range(10):
        QApplication.processEvents()


def test_only_the_lines_that_changed_are_drawn_anew(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = letters(3000)
    _show(grid, rows, qtbot)
    _painted_all()
    painted = Painted(grid.viewport())
    grid.replace_rows({"id2": replace(rows[2], subject="Khác"), "id2999": replace(rows[2999], subject="Xa")})
    QApplication.processEvents()
    line = grid.visualRect(grid.model().index(2, 2))
    assert len(painted.areas) == 1
    assert painted.areas[0].top() == line.top()
    assert painted.areas[0].height() < 2 * line.height()
    assert grid.model().index(2, 2).data() == "Khác"
    assert run_all(Index(grid.rows, COLUMNS, lambda row: row.id).arrange(Query().looking_for("xa"))).ids == ["id2999"]


def test_rows_that_changed_in_place_are_found_by_what_they_say_now(grid: Grid[Letter], qtbot: QtBot) -> None:
    rows = letters(3000)
    _show(grid, rows, qtbot)
    grid.replace_rows({"id7": replace(rows[7], subject="Quyết định"), "gone": rows[8]})
    grid.set_filter("quyet dinh")
    qtbot.waitUntil(lambda: grid.settled)
    assert grid.shown_ids == ("id7",)
    assert len(grid.rows) == 3000


def test_heads_do_not_ask_each_chosen_cell(tasks: Tasks, qtbot: QtBot) -> None:
    asked: list[str] = []

    def allowed(row: Letter) -> bool:
        asked.append(row.id)
        return True

    columns = (Column(NUMBER, lambda row: str(row.number), 8, editor=Editor(allowed=allowed)),)
    grid: Grid[Letter] = Grid(columns, lambda row: row.id, WORDS, Theme(dark=False), tasks, "Văn bản")
    qtbot.addWidget(grid)
    grid.show()
    _show(grid, letters(3000), qtbot)
    grid.selectAll()
    asked.clear()
    grid.grab()
    assert 0 < len(asked) < 300
    assert len(grid.chosen_ids) == 3000


def _picture(grid: Grid[Letter], line: int, column: str) -> QImage:
    place = next(place for place, known in enumerate(COLUMNS) if known.key == column)
    return grid.viewport().grab(grid.visualRect(grid.model().index(line, place)).adjusted(0, 0, 0, -1)).toImage()


def _colours(picture: QImage) -> set[str]:
    return {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}


def test_a_cell_has_its_colour_its_shape_and_the_ground_of_what_is_chosen(grid: Grid[Letter], qtbot: QtBot) -> None:
    _show(grid, letters(4), qtbot)
    good, chosen = Theme(dark=False).colour(Tone.GOOD).name(), Theme(dark=False).colour(Tone.SELECTION).name()
    plain = _colours(_picture(grid, 2, SUBJECT))
    assert good in plain
    assert chosen not in plain
    assert good not in _colours(_picture(grid, 2, NUMBER))
    grid.choose(["id2"], column=TICK)
    assert {good, chosen} <= _colours(_picture(grid, 2, SUBJECT))


def test_where_there_is_no_room_the_end_is_left_out_or_the_beginning(tasks: Tasks, qtbot: QtBot) -> None:
    columns = (
        Column[Letter](SUBJECT, lambda row: row.subject, 6),
        Column[Letter](RECEIVERS, lambda row: row.receivers, 6, keep_end=True),
    )
    grid: Grid[Letter] = Grid(columns, lambda row: row.id, WORDS, Theme(dark=False), tasks, "Văn bản")
    qtbot.addWidget(grid)
    grid.resize(900, 300)
    grid.show()
    head, tail = "Ủy ban nhân dân xã Hòa Sơn", "Nguyễn Thị Minh Khai"
    rows = (
        Letter("a", 1, f"{head} một hai ba", f"một hai ba {tail}"),
        Letter("b", 2, "", ""),
        Letter("c", 3, f"{head} bốn năm sáu", f"bốn năm sáu {tail}"),
    )
    _show(grid, rows, qtbot)

    def looks(line: int, place: int) -> QImage:
        return grid.viewport().grab(grid.visualRect(grid.model().index(line, place))).toImage()

    for place in (0, 1):
        assert looks(0, place) == looks(2, place)
    assert looks(0, 0) != looks(0, 1)


# --- lines that tell how far it is ------------------------------------------------------------------------------------


def test_how_far_it_is_is_told_without_laying_out_the_pane_and_painted_with_the_rest(qtbot: QtBot) -> None:
    pane = QWidget()
    qtbot.addWidget(pane)
    lines = QVBoxLayout(pane)
    line = SigningLine(WORDS, Theme(dark=False))
    lines.addWidget(line)
    pane.resize(900, 200)
    pane.show()
    line.begin(LineText("Đang ký 0/10", ""), 10)
    _painted_all()
    bar = line.findChild(QProgressBar)
    assert bar is not None
    pane_drawn, bar_drawn = Painted(pane), Painted(bar)
    line.tell(LineText("Đang ký 7/10 Còn khoảng 2 giờ 35 phút", "Còn 3 · 120 văn bản/phút"), 7, 10)
    assert (bar_drawn.areas, bar.value()) == ([], 7)
    QApplication.processEvents()
    assert bar_drawn.areas
    assert pane_drawn.layouts == 0
    told = [label.accessibleName() for label in line.findChildren(QLabel)]
    assert told == ["Đang ký 7/10 Còn khoảng 2 giờ 35 phút", "Còn 3 · 120 văn bản/phút"]
