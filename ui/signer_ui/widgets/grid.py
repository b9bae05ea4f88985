"""The grid: a table over a tuple of immutable rows, that sorts, filters and searches 100,000 of them at once.

UI thread. What takes long (order, search text, a copy) is worked out on a lane by `presenters.grid` and shown when it
is there; until then the lines stay as they were. Selection, current row and scroll position belong to rows, not to
lines, and outlive new rows. While a cell is edited, nothing moves. The grid changes no row: it says what was typed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Generic, TypeVar

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QMargins,
    QModelIndex,
    QPoint,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QHeaderView,
    QMenu,
    QTableView,
    QWidget,
)

from signer_ui.presenters.grid import (
    Arrangement,
    Column,
    Ended,
    Index,
    Query,
    Steps,
    run_all,
    run_slice,
    table_text,
)
from signer_ui.tasks import Handle, Lane, Tasks
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.grid_cells import CellDelegate
from signer_ui.widgets.grid_model import GridModel, runs
from signer_ui.widgets.grid_painting import CellPainter
from signer_ui.words import Words

R = TypeVar("R")
T = TypeVar("T")

_AT_ONCE = 500
"""So few rows are worked out where they are shown: a few milliseconds."""

_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_CURRENT = QItemSelectionModel.SelectionFlag.Current | QItemSelectionModel.SelectionFlag.NoUpdate


class Grid(QTableView, Generic[R]):
    """See the module. `words` says heads and menus, `name` is told by a screen reader."""

    edited = Signal(str, str, str)
    """Row, column, text as typed."""
    ticked = Signal(object, bool)
    """Ids (tuple) and whether they shall be ticked."""
    pasted = Signal(str, str, str)
    """Text of the clipboard, current row, current column."""
    chosen_changed = Signal()
    current_changed = Signal(object)
    """Id of the current row, or None."""
    activated_row = Signal(str)
    presented = Signal()
    """Rows, order or filter are on the screen now."""

    def __init__(
        self,
        columns: Sequence[Column[R]],
        row_id: Callable[[R], str],
        words: Words,
        theme: Theme,
        tasks: Tasks,
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._words = words
        self._theme = theme
        self._tasks = tasks
        self._row_id = row_id
        self._columns = tuple(columns)
        self._query = Query()
        self._index: Index[R] = Index((), self._columns, row_id)
        self._arranging = _Work(self, tasks)
        self._preparing = _Work(self, tasks)
        self._copying = _Work(self, tasks)
        self._waiting: tuple[Arrangement[R], Query] | None = None
        self._restoring = False
        self._spared: tuple[str, ...] = ()
        self._stretched: int | None = None
        self._empty = ""
        self._model: GridModel[R] = GridModel(columns, words, theme, self)
        self._painter = CellPainter(theme, self._model.dot_size)
        self._cells = CellDelegate(self._columns, self._model.draw, self._model.face, self._painter, self)
        self.setAccessibleName(name)
        self.setModel(self._model)
        self.setItemDelegate(self._cells)
        self._look(theme)
        self._model.typed.connect(self.edited)
        self._model.ticked.connect(self.ticked)
        self.selectionModel().selectionChanged.connect(self._selection_changed)
        self.selectionModel().currentRowChanged.connect(self._row_changed)
        self.doubleClicked.connect(self._double_clicked)
        self.customContextMenuRequested.connect(self._open_menu)
        for work in (self._arranging, self._preparing, self._copying):
            self.destroyed.connect(work.cancel)

    # Rows, filter, order

    @property
    def rows(self) -> tuple[R, ...]:
        """All rows, also those that the filter hides."""
        return self._index.rows

    def set_rows(self, rows: tuple[R, ...]) -> None:
        """Shows `rows` in place of those there; they are told apart by their ids, each once."""
        self._preparing.cancel()
        self._index = Index(rows, self._columns, self._row_id)
        self._arrange()

    def replace_rows(self, changed: Mapping[str, R]) -> None:
        """Shows other contents for some rows, by their ids, each where it is: nothing is sorted or searched anew."""
        if not changed:
            return
        busy = self._arranging.running or self._waiting is not None
        self._preparing.cancel()
        self._index = self._index.replaced(changed)
        if busy:
            self._arrange()
            return
        shown = replace(self._model.shown, rows=self._index.rows)
        self._model.put_some(shown, changed)
        if not self._index.searchable and len(self._index.rows) > _AT_ONCE:
            self._preparing.start(self._index.prepare(), lambda _nothing: None, at_once=False)

    def set_filter(self, text: str) -> None:
        """Shows only rows that hold every word of `text`, whatever their marks and case."""
        query = self._query.looking_for(text)
        if query != self._query:
            self._query = query
            self._arrange()

    def sort_by(self, column: str | None, *, descending: bool = False) -> None:
        """Sorts by a column; None: as the rows came."""
        self._query = Query(self._query.words, column, descending)
        self._arrange()

    def set_empty_text(self, text: str) -> None:
        """What stands where there are no rows."""
        self._empty = text
        self.viewport().update()

    def forget_typed(self) -> None:
        """Shows what the rows say again where something else was typed and not taken."""
        self._model.forget_typed()
        self.viewport().update()

    @property
    def settled(self) -> bool:
        """Whether everything asked for is on the screen."""
        return not self._arranging.running and self._waiting is None

    # What is chosen

    @property
    def shown_ids(self) -> tuple[str, ...]:
        """Ids in the order of the lines, without those that the filter hides."""
        return tuple(self._model.shown.ids)

    @property
    def chosen_ids(self) -> tuple[str, ...]:
        """Ids of the chosen rows in the order of the lines."""
        ids = self._model.shown.ids
        return tuple(ids[line] for line in self._chosen_lines())

    @property
    def current_id(self) -> str | None:
        """Id of the row with the cursor."""
        line = self.currentIndex().row()
        return self._model.shown.ids[line] if line >= 0 else None

    def column_key(self, place: int) -> str:
        """The key of a column by its place; empty for none."""
        return self._columns[place].key if 0 <= place < len(self._columns) else ""

    def widen(self, column: str, width_em: float) -> None:
        """Makes a column at least so wide."""
        place = self._place_of(column)
        width = round(width_em * self.fontInfo().pixelSize()) + self._theme.space(4)
        if self.columnWidth(place) < width:
            self.setColumnWidth(place, width)
            self._stretch()

    def show_column(self, column: str, shown: bool) -> None:
        """Shows or hides a column; the cursor's cell is never a hidden one."""
        place = self._place_of(column)
        if self.isColumnHidden(place) is not shown:
            return
        self.setColumnHidden(place, not shown)
        self._stretch()
        index = self.currentIndex()
        if not shown and index.column() == place:
            shows = [other for other in range(len(self._columns)) if not self.isColumnHidden(other)]
            beside = min(shows, key=lambda other: abs(other - place))
            self.selectionModel().setCurrentIndex(index.siblingAtColumn(beside), _CURRENT)

    def choose(self, ids: Sequence[str], *, column: str | None = None) -> None:
        """Chooses these rows and goes to the first of them; those not shown are passed over."""
        lines = sorted(place for row_id in ids if (place := self._model.shown.place.get(row_id)) is not None)
        at = self._place_of(column) if column is not None else max(self.currentIndex().column(), 0)
        self._select(lines)
        if lines:
            self.selectionModel().setCurrentIndex(self._model.index(lines[0], at), _CURRENT)
            self.scrollTo(self.currentIndex())

    def edit_cell(self, row_id: str, column: str) -> None:
        """Goes to a cell and edits it."""
        line = self._model.shown.place.get(row_id)
        if line is not None:
            self.choose((row_id,), column=column)
            self.setFocus()
            self.edit(self.currentIndex())

    # Keys, mouse, menu

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Enter, Space, copy, paste and sorting; all else as in every table."""
        if self.state() is QAbstractItemView.State.EditingState:
            # The editor has used it already and lets it pass on.
            event.accept()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and _plain(event):
            self._enter()
        elif event.key() == Qt.Key.Key_Space and _plain(event) and self._check_column() is not None:
            self._tick_chosen()
        elif event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._sort_by_current(descending=event.key() == Qt.Key.Key_Down)
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Puts the chosen rows on the clipboard, for a spreadsheet."""
        lines = self._chosen_lines()
        if lines:
            steps = table_text(self._model.shown, lines, self._columns)
            self._copying.start(steps, QGuiApplication.clipboard().setText, at_once=len(lines) <= _AT_ONCE)

    def paste(self) -> None:
        """Says what the clipboard holds, and where."""
        text = QGuiApplication.clipboard().text()
        index = self.currentIndex()
        if text:
            column = self._columns[index.column()].key if index.isValid() else ""
            self.pasted.emit(text, self.current_id or "", column)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:  # noqa: N802 - Qt's name
        """Tab goes on to the next cell that can be edited, Enter to the cell below; then what waited is shown."""
        start = self.currentIndex()
        super().closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)
        step = {
            QAbstractItemDelegate.EndEditHint.EditNextItem: 1,
            QAbstractItemDelegate.EndEditHint.EditPreviousItem: -1,
        }.get(hint)
        if step is not None:
            target = self._next_editable(start, step)
            if target.isValid():
                self.setCurrentIndex(target)
                self.edit(target)
        elif hint is QAbstractItemDelegate.EndEditHint.SubmitModelCache and start.row() + 1 < self._model.rowCount():
            self.setCurrentIndex(start.siblingAtRow(start.row() + 1))
        if self._waiting is not None and self.state() != QAbstractItemView.State.EditingState:
            waiting, self._waiting = self._waiting, None
            self._show(*waiting)

    def _enter(self) -> None:
        index = self.currentIndex()
        if not index.isValid():
            return
        if self._model.flags(index) & Qt.ItemFlag.ItemIsEditable:
            self.edit(index)
        elif self._columns[index.column()].check is not None:
            self._tick_chosen()
        elif self.current_id is not None:
            self.activated_row.emit(self.current_id)

    def _double_clicked(self, index: QModelIndex) -> None:
        editable = self._model.flags(index) & Qt.ItemFlag.ItemIsEditable
        if not editable and self._columns[index.column()].check is None and self.current_id is not None:
            self.activated_row.emit(self.current_id)

    def _tick_chosen(self) -> None:
        lines = self._chosen_lines() or ([self.currentIndex().row()] if self.currentIndex().isValid() else [])
        self._tick(lines)

    def _tick(self, lines: Sequence[int]) -> None:
        """Ticks `lines`, or takes the ticks away when all that have a box are ticked."""
        column, shown = self._check_column(), self._model.shown
        if column is None or column.check is None:
            return
        check = column.check
        boxes = [(shown.ids[line], check(shown.row(line))) for line in lines]
        ids = tuple(row_id for row_id, ticked in boxes if ticked is not None)
        if ids:
            self.ticked.emit(ids, not all(ticked for _id, ticked in boxes if ticked is not None))

    def _head_clicked(self, section: int) -> None:
        column = self._columns[section]
        if column.check is not None:
            self._tick(range(len(self._model.shown)))
            self._show_sort_mark()
        else:
            self._query = self._query.sorted_by(column.key)
            self._arrange()

    def _sort_by_current(self, *, descending: bool) -> None:
        column = self._columns[max(self.currentIndex().column(), 0)]
        if column.check is None:
            self.sort_by(column.key, descending=descending)

    def _open_menu(self, at: QPoint) -> None:
        menu = self._menu()
        menu.popup(self.viewport().mapToGlobal(at))

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        add = partial(self._add_action, menu)
        add("uo_grid_copy", "Ctrl+C", self.copy)
        add("uo_grid_paste", "Ctrl+V", self.paste)
        menu.addSeparator()
        add("uo_grid_sort_up", "Alt+Up", partial(self._sort_by_current, descending=False))
        add("uo_grid_sort_down", "Alt+Down", partial(self._sort_by_current, descending=True))
        add("uo_grid_sort_none", "", partial(self.sort_by, None))
        own = self.actions()
        if own:
            menu.addSeparator()
            menu.addActions(own)
        return menu

    def _add_action(self, menu: QMenu, key: str, shortcut: str, act: Callable[[], None]) -> None:
        action = QAction(self._words(key), menu)
        action.setShortcut(QKeySequence(shortcut))
        # Told in the menu alone: the keys themselves are heard in keyPressEvent, while the grid has the focus.
        action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        action.triggered.connect(lambda _checked=False: act())
        menu.addAction(action)

    def _next_editable(self, start: QModelIndex, step: int) -> QModelIndex:
        columns, at = len(self._columns), start.row() * len(self._columns) + start.column()
        # A row without an editable cell is passed over, but nobody looks through the whole table for one.
        for place in (at + step * k for k in range(1, 20 * columns)):
            if not 0 <= place < columns * self._model.rowCount():
                break
            index = self._model.index(*divmod(place, columns))
            if self._model.flags(index) & Qt.ItemFlag.ItemIsEditable and not self.isColumnHidden(index.column()):
                return index
        return QModelIndex()

    # Showing

    def _arrange(self) -> None:
        index, query = self._index, self._query
        few = len(index.rows) <= _AT_ONCE
        self._waiting = None

        def arranged(arrangement: Arrangement[R]) -> None:
            if self.state() is QAbstractItemView.State.EditingState and not self._same_lines(arrangement):
                self._waiting = (arrangement, query)
            else:
                self._show(arrangement, query)
            if not few and not self._preparing.running:
                self._preparing.start(index.prepare(), lambda _nothing: None, at_once=False)

        self._arranging.start(index.arrange(query), arranged, at_once=few)

    def _same_lines(self, arrangement: Arrangement[R]) -> bool:
        return arrangement.ids == self._model.shown.ids

    def _show(self, arrangement: Arrangement[R], query: Query) -> None:
        if self._same_lines(arrangement):
            self._model.put_in_place(arrangement, query)
        else:
            self._put_anew(arrangement, query)
        self._show_sort_mark()
        self.viewport().update()
        self.presented.emit()

    def _put_anew(self, arrangement: Arrangement[R], query: Query) -> None:
        """Other lines; chosen rows stay chosen, the current one stays current and where it was on the screen."""
        before, lines = self._model.shown, self._chosen_lines()
        cell, top = self.currentIndex(), self.rowAt(0)
        line, column = cell.row(), max(cell.column(), 0)
        visible = line >= 0 and self.viewport().rect().intersects(self.visualRect(cell))
        anchor = line if visible else top
        focus = before.ids[line] if line >= 0 else None
        self._restoring = True
        self._model.put(arrangement, query)
        if 0 < len(before) == len(lines) and len(arrangement) == len(before):
            still: Sequence[int] = range(len(arrangement))
        else:
            places = (arrangement.place.get(before.ids[chosen]) for chosen in lines)
            still = sorted(place for place in places if place is not None)
        if line >= 0 and len(arrangement):
            assert focus is not None
            there = arrangement.place.get(focus, min(line, len(arrangement) - 1))
            if lines and not still:
                still = (there,)
            self.selectionModel().setCurrentIndex(self._model.index(there, column), _CURRENT)
        self._select(still)
        if anchor >= 0 and (new := arrangement.place.get(before.ids[anchor])) is not None:
            self.verticalScrollBar().setValue(new - (anchor - top))
        self._restoring = False
        if self.current_id != focus:
            self.current_changed.emit(self.current_id)
        if len(still) != len(lines) or (lines and self.chosen_ids[:1] != (focus,)):
            self.chosen_changed.emit()

    def _chosen_lines(self) -> list[int]:
        selection = self.selectionModel().selection()
        ranges = [selection.at(place) for place in range(selection.count())]
        if len(ranges) == 1:
            return list(range(ranges[0].top(), ranges[0].bottom() + 1))
        return sorted({line for part in ranges for line in range(part.top(), part.bottom() + 1)})

    def _select(self, lines: Sequence[int]) -> None:
        selection, last = QItemSelection(), len(self._columns) - 1
        for first, end in runs(lines):
            selection.append(QItemSelectionRange(self._model.index(first, 0), self._model.index(end, last)))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _selection_changed(self) -> None:
        if not self._restoring:
            self.chosen_changed.emit()

    def _row_changed(self) -> None:
        if not self._restoring:
            self.current_changed.emit(self.current_id)

    def _show_sort_mark(self) -> None:
        header, query = self.horizontalHeader(), self._model.query
        order = Qt.SortOrder.DescendingOrder if query.descending else Qt.SortOrder.AscendingOrder
        header.setSortIndicator(self._place_of(query.column) if query.column else -1, order)

    def _place_of(self, key: str) -> int:
        return next(place for place, column in enumerate(self._columns) if column.key == key)

    def _check_column(self) -> Column[R] | None:
        return next((column for column in self._columns if column.check is not None), None)

    # Looks

    def _look(self, theme: Theme) -> None:
        self.setProperty("role", "grid")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.DoubleClicked
        )
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setCornerButtonEnabled(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        lines = self.verticalHeader()
        lines.hide()
        lines.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        lines.setDefaultSectionSize(self.fontMetrics().height() + theme.space(2.5))
        heads = self.horizontalHeader()
        # One of its own, always empty: a head would ask each of ten thousand chosen cells below it, at every paint,
        # whether all of its column is chosen, and shows nothing of that.
        heads.setSelectionModel(QItemSelectionModel(self._model, heads))
        heads.setSectionsClickable(True)
        heads.setSortIndicatorShown(True)
        heads.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        heads.setHighlightSections(False)
        heads.setTextElideMode(Qt.TextElideMode.ElideNone)
        heads.setMinimumSectionSize(theme.space(8))
        heads.sectionClicked.connect(self._head_clicked)
        heads.setDefaultAlignment(_LEFT | Qt.TextFlag.TextWordWrap)
        metrics, two_lines = heads.fontMetrics(), False
        for place, column in enumerate(self._columns):
            width = self._width(column)
            two_lines |= metrics.horizontalAdvance(self._words(column.key)) > width - theme.space(5)
            self.setColumnWidth(place, width)
        if two_lines:
            heads.setFixedHeight(2 * metrics.lineSpacing() + theme.space(3))

    def _width(self, column: Column[R]) -> int:
        return round(column.width_em * self.fontInfo().pixelSize()) + self._theme.space(4)

    def spare(self, keys: Sequence[str]) -> None:
        """Columns that are left out, in this order, as long as those that are left find no room beside each other."""
        self._spared = tuple(keys)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leaves out what can be spared, and gives the room that is left to the column that wants it."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self._spared:
            widths = {column.key: self._width(column) for column in self._columns}
            needed, room = sum(widths.values()), self.viewport().width()
            for key in self._spared:
                too_wide = needed > room
                needed -= widths[key] if too_wide else 0
                self.show_column(key, not too_wide)
        self._stretch()

    def _stretch(self) -> None:
        shown = [place for place in range(len(self._columns)) if not self.isColumnHidden(place)]
        wants = [place for place in shown if self._columns[place].stretch]
        # Where the column that wants the room is left out, the last one has it: a bare strip looks like a fault.
        stretch = wants[0] if wants else shown[-1] if self._spared and shown else None
        if self._stretched not in (stretch, None):
            self.setColumnWidth(self._stretched, self._width(self._columns[self._stretched]))
        self._stretched = stretch
        if stretch is not None:
            others = sum(self.columnWidth(place) for place in shown if place != stretch)
            least = self._width(self._columns[stretch])
            self.setColumnWidth(stretch, max(self.viewport().width() - others, least if wants else least // 2))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The lines, the cursor's cell, and words where there is nothing."""
        self._painter.begin(self)
        super().paintEvent(event)
        index = self.currentIndex()
        if index.isValid() and self.hasFocus():
            painter = QPainter(self.viewport())
            painter.setPen(QPen(self._theme.colour(Tone.FOCUS), self._theme.space(0.5)))
            painter.drawRect(self.visualRect(index).adjusted(1, 1, -1, -1))
            painter.end()
        elif self._model.rowCount() == 0 and self.settled:
            self._paint_empty()

    def _paint_empty(self) -> None:
        text = self._words("uo_grid_nothing_found") if self.rows else self._empty
        painter = QPainter(self.viewport())
        painter.setPen(self._theme.colour(Tone.MUTED))
        room = self.viewport().rect().marginsRemoved(QMargins(*[self._theme.space(6)] * 4))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap), text)
        painter.end()


class _Work:
    """Steps that run in slices on a lane, one after the other; starting anew gives up what runs."""

    def __init__(self, owner: QWidget, tasks: Tasks) -> None:
        self._owner = owner
        self._tasks = tasks
        self._handle: Handle | None = None

    @property
    def running(self) -> bool:
        """Whether a result is still to come."""
        return self._handle is not None and self._handle.running

    def start(self, steps: Steps[T], done: Callable[[T], None], *, at_once: bool) -> None:
        """Runs `steps` and hands what they come to to `done`; `at_once`: here and now."""
        self.cancel()
        if at_once:
            done(run_all(steps))
        else:
            self._slice(steps, done)

    def cancel(self) -> None:
        """Nobody wants it any more."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _slice(self, steps: Steps[T], done: Callable[[T], None]) -> None:
        def sliced(ended: Ended[T] | None) -> None:
            if ended is None:
                self._slice(steps, done)
            else:
                done(ended.value)

        self._handle = self._tasks.run(
            self._owner, Lane.QUICK, lambda control: run_slice(steps, lambda: control.cancelled), sliced
        )


def _plain(event: QKeyEvent) -> bool:
    """Without Ctrl, Alt or Shift; the numeric keypad's Enter is as good as the other."""
    return not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
