"""The lines that a grid shows, as Qt's table asks for them: texts, boxes, what may be edited, what was typed.

UI thread. Texts are made when they are asked for, so only for what is seen. Changes no row: it says what was typed.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtWidgets import QStyleOptionViewItem

from signer_ui.glow import Glow
from signer_ui.presenters.grid import Arrangement, Column, Query, Shade
from signer_ui.sweeping import LettingGo
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.elided import plain_tip
from signer_ui.widgets.grid_painting import Face
from signer_ui.widgets.light import glow_icon
from signer_ui.words import Words

R = TypeVar("R")
_Index = QModelIndex | QPersistentModelIndex

_TONES = {
    Shade.GOOD: Tone.GOOD,
    Shade.WARN: Tone.WARN,
    Shade.BAD: Tone.BAD,
    Shade.MUTED: Tone.MUTED,
    Shade.ACCENT: Tone.ACCENT,
}
_GLOWS = {
    Shade.GOOD: Glow.GOOD,
    Shade.WARN: Glow.WARN,
    Shade.BAD: Glow.BAD,
    Shade.MUTED: Glow.OFF,
    Shade.ACCENT: Glow.GOOD,
}
_SHARP = 3.0
"""Shapes stay sharp up to a scaling of 300 %."""
# Put together once: asked for each cell that is drawn, and putting flags together costs more than the answer.
_SHOWN = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_EDITED = _SHOWN | Qt.ItemFlag.ItemIsEditable
_BOXED = _SHOWN | Qt.ItemFlag.ItemIsUserCheckable


class GridModel(QAbstractTableModel, Generic[R]):
    """The lines of an arrangement; texts are made when they are asked for, so only for what is seen."""

    typed = Signal(str, str, str)
    """Row, column, text."""
    ticked = Signal(object, bool)

    def __init__(self, columns: Sequence[Column[R]], words: Words, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self.columns = tuple(columns)
        self.shown: Arrangement[R] = Arrangement()
        self.query = Query()
        self._words = words
        self._heads = [words(column.key) for column in columns]
        self._typed: dict[tuple[str, str], str] = {}
        self._leaving = LettingGo(self)
        self._colours = {shade: theme.colour(tone) for shade, tone in _TONES.items()}
        self._dots = {shade: glow_icon(theme, glow, _SHARP) for shade, glow in _GLOWS.items()}
        self.dot_size = QSize(theme.space(2.5), theme.space(2.5))
        # Looked up by number: asking an enum for its members costs more than the answers below.
        role = Qt.ItemDataRole
        self._answers: dict[int, Callable[[Column[R], R, str], object]] = {
            int(role.DisplayRole): self._text,
            int(role.EditRole): self._edited,
            int(role.CheckStateRole): self._check,
            int(role.ToolTipRole): self._tip,
            int(role.AccessibleTextRole): self._accessible,
        }

    def forget_typed(self) -> None:
        """Shows what the rows say again, not what was typed over them."""
        self._typed.clear()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name and default
        """Lines shown."""
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name and default
        """All columns."""
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """What a cell shows and says."""
        answer = self._answers.get(role)
        if answer is None or not index.isValid():
            return None
        line = index.row()
        return answer(self.columns[index.column()], self.shown.row(line), self.shown.ids[line])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:  # noqa: N802
        """The heads; a screen reader also hears the order."""
        if orientation is not Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._heads[section]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            if self.query.column != self.columns[section].key:
                return self._heads[section]
            order = "uo_grid_descending" if self.query.descending else "uo_grid_ascending"
            return self._words("uo_grid_head", head=self._heads[section], order=self._words(order))
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        """What may be done with a cell."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        column, row = self.columns[index.column()], self.shown.row(index.row())
        if column.editor is not None and column.editor.allowed(row):
            return _EDITED
        return _BOXED if column.check is not None and column.check(row) is not None else _SHOWN

    def setData(self, index: _Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:  # noqa: N802
        """Says what was typed or ticked; the cell shows it until new rows come."""
        if not index.isValid():
            return False
        column, row_id = self.columns[index.column()], self.shown.ids[index.row()]
        if role == Qt.ItemDataRole.CheckStateRole:
            self.ticked.emit((row_id,), Qt.CheckState(value) is Qt.CheckState.Checked)
            return True
        if role != Qt.ItemDataRole.EditRole:
            return False
        text = str(value).strip()
        if text != self._edited(column, self.shown.row(index.row()), row_id):
            if column.editor is not None and column.editor.start is None:
                self._typed[row_id, column.key] = text
                self.dataChanged.emit(index, index)
            self.typed.emit(row_id, column.key, text)
        return True

    def draw(self, option: QStyleOptionViewItem, index: _Index) -> None:
        """What Qt's style has to know of a cell."""
        line, column = index.row(), self.columns[index.column()]
        assert isinstance(index, QModelIndex)
        option.index = index
        feature = QStyleOptionViewItem.ViewItemFeature
        if column.check is not None:
            ticked = column.check(self.shown.row(line))
            if ticked is not None:
                option.features |= feature.HasCheckIndicator
                option.checkState = Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
            return
        face = self.face(index)
        option.features |= feature.HasDisplay
        option.text = face.text
        if face.dot is not None:
            option.features |= feature.HasDecoration
            option.icon, option.decorationSize = face.dot, self.dot_size

    def face(self, index: _Index) -> Face:
        """What a cell of text shows."""
        line, column = index.row(), self.columns[index.column()]
        row = self.shown.row(line)
        text = self._text(column, row, self.shown.ids[line]) if self._typed else column.text(row)
        shade = column.shade(row) if column.shade is not None else None
        if shade is None:
            return Face(text, number=column.number, keep_end=column.keep_end)
        dot = self._dots[shade] if column.dot else None
        return Face(text, self._colours[shade], dot, column.number, column.keep_end)

    def put(self, shown: Arrangement[R], query: Query) -> None:
        """Other lines."""
        self.beginResetModel()
        self._leaving.add(self.shown.rows)
        self.shown, self.query = shown, query
        self._typed.clear()
        self.endResetModel()

    def put_in_place(self, shown: Arrangement[R], query: Query) -> None:
        """The same lines with other contents."""
        self._leaving.add(self.shown.rows)
        self.shown, self.query = shown, query
        self._typed.clear()
        if len(shown):
            self.dataChanged.emit(self.index(0, 0), self.index(len(shown) - 1, len(self.columns) - 1))

    def put_some(self, shown: Arrangement[R], changed: Collection[str]) -> None:
        """The same lines, of which these rows (by id) have other contents: no other line is drawn anew."""
        before, self.shown = self.shown, shown
        for key in [key for key in self._typed if key[0] in changed]:
            del self._typed[key]
        lines = sorted(line for row_id in changed if (line := before.place.get(row_id)) is not None)
        last = len(self.columns) - 1
        for first, end in runs(lines):
            self.dataChanged.emit(self.index(first, 0), self.index(end, last))

    def _text(self, column: Column[R], row: R, row_id: str) -> str:
        if self._typed and (row_id, column.key) in self._typed:
            return self._typed[row_id, column.key]
        return column.text(row)

    def _edited(self, column: Column[R], row: R, row_id: str) -> str:
        if column.editor is not None and column.editor.start is not None:
            return column.editor.start(row)
        return self._text(column, row, row_id)

    def _check(self, column: Column[R], row: R, _row_id: str) -> object:
        ticked = column.check(row) if column.check is not None else None
        return None if ticked is None else Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked

    def _tip(self, column: Column[R], row: R, _row_id: str) -> object:
        return plain_tip(column.tip(row) or "") if column.tip is not None else None

    def _accessible(self, column: Column[R], row: R, row_id: str) -> object:
        head = self._words(column.key)
        if column.check is not None:
            ticked = column.check(row)
            key = "uo_grid_no_box" if ticked is None else "uo_grid_ticked" if ticked else "uo_grid_unticked"
            return self._words("uo_grid_cell", head=head, text=self._words(key))
        return self._words(
            "uo_grid_cell", head=head, text=self._text(column, row, row_id) or self._words("uo_grid_empty")
        )


def runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rising lines as runs without a gap: the first and the last of each."""
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or lines[end] != lines[end - 1] + 1:
            yield lines[start], lines[end - 1]
            start = end
