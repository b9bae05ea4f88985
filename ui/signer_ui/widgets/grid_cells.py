"""How a cell of a grid is drawn and edited: a line with suggestions, or a choice from a list. UI thread.

The editor is filled once, when it opens: news about the row that come meanwhile never overwrite what is being typed.
Suggestions are searched without Vietnamese marks.
"""

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QComboBox,
    QCompleter,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolTip,
    QWidget,
)

from signer_ui.presenters.grid import Column, Suggestion, fold, last_part, with_last_part
from signer_ui.widgets.grid_painting import CellPainter, Face

_Index = QModelIndex | QPersistentModelIndex
_FOLDED = int(Qt.ItemDataRole.UserRole)
_VALUE = int(Qt.ItemDataRole.UserRole) + 1
_FILLED = "filled"
_MOST_SHOWN = 12


Cell = Callable[[QStyleOptionViewItem, _Index], None]
"""Tells Qt's style what a cell holds: how much room it wants, whether its box is ticked."""
Faces = Callable[[_Index], Face]
"""Says what a cell of text shows."""


class CellDelegate(QStyledItemDelegate):
    """Draws the cells of a grid, and makes the editors for its columns."""

    def __init__(
        self, columns: Sequence[Column[Any]], cell: Cell, faces: Faces, painter: CellPainter, grid: QAbstractItemView
    ) -> None:
        super().__init__(grid)
        self._columns = columns
        self._cell, self._faces, self._painter = cell, faces, painter

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Text by our own painter; a box to tick by the style."""
        if self._columns[index.column()].check is not None:
            super().paint(painter, option, index)
        else:
            self._painter.paint(painter, option, self._faces(index))

    def initStyleOption(self, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: N802 - Qt's name
        """All that Qt has to know of a cell in one answer; it would ask the model nine times."""
        self._cell(option, index)

    def editorEvent(  # noqa: N802 - Qt's name
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """The whole cell of a box is the box: who clicks beside it means it."""
        mouse = event.type() in (QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick)
        boxed = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled
        if not (mouse and isinstance(event, QMouseEvent) and model.flags(index) & boxed == boxed):
            return super().editorEvent(event, model, option, index)
        if event.type() == QEvent.Type.MouseButtonRelease and event.button() is Qt.MouseButton.LeftButton:
            ticked = Qt.CheckState(model.data(index, Qt.ItemDataRole.CheckStateRole)) is Qt.CheckState.Checked
            other = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
            return model.setData(index, other.value, Qt.ItemDataRole.CheckStateRole)
        return True

    def createEditor(self, parent: QWidget, _option: QStyleOptionViewItem, index: _Index) -> QWidget:  # noqa: N802
        """The editor of a cell; its name is what a screen reader says of the cell."""
        editor = self._columns[index.column()].editor
        assert editor is not None
        made: QWidget
        if editor.only:
            box = QComboBox(parent)
            for suggestion in editor.suggestions():
                box.addItem(suggestion.shown, suggestion.value)
            box.activated.connect(lambda _place: self._chosen(box))
            made = box
        else:
            line = QLineEdit(parent)
            line.setFrame(False)
            suggestions = editor.suggestions()
            if suggestions:
                line.setCompleter(_Completer(suggestions, line, several=editor.several))
            made = line
        made.setAccessibleName(str(index.data(Qt.ItemDataRole.AccessibleTextRole) or ""))
        return made

    def setEditorData(self, editor: QWidget, index: _Index) -> None:  # noqa: N802 - Qt's name
        """Fills the editor when it opens, and never again."""
        if editor.property(_FILLED):
            return
        editor.setProperty(_FILLED, True)
        text = str(index.data(Qt.ItemDataRole.EditRole) or "")
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(max(0, editor.findText(text)))
            editor.showPopup()
        elif isinstance(editor, QLineEdit):
            editor.setText(text)
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: _Index) -> None:  # noqa: N802
        """Hands over what was typed or chosen."""
        if isinstance(editor, QComboBox):
            model.setData(_plain(index), editor.currentText())
        elif isinstance(editor, QLineEdit):
            model.setData(_plain(index), editor.text())

    def updateEditorGeometry(self, editor: QWidget, option: QStyleOptionViewItem, index: _Index) -> None:  # noqa: N802
        """The editor fills the cell; a list is never narrower than its words, a long text takes what room there is."""
        cell = option.rect
        if isinstance(editor, QComboBox):
            cell.setWidth(max(cell.width(), editor.sizeHint().width()))
        elif isinstance(editor, QLineEdit):
            text, letters = str(index.data(Qt.ItemDataRole.EditRole) or ""), editor.fontMetrics()
            wanted = letters.horizontalAdvance(text) + 2 * letters.height()
            around = editor.parentWidget()
            room = around.width() - cell.left() if around is not None else 0
            cell.setWidth(max(cell.width(), min(wanted, room)))
        editor.setGeometry(cell)

    def helpEvent(  # noqa: N802 - Qt's name
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """The column's own tip, or the whole text where the cell is too narrow for it."""
        if event.type() is not QEvent.Type.ToolTip or index.data(Qt.ItemDataRole.ToolTipRole):
            return super().helpEvent(event, view, option, index)
        text = str(index.data(Qt.ItemDataRole.DisplayRole) or "")
        narrow = self.sizeHint(option, index).width() > view.visualRect(_plain(index)).width()
        QToolTip.showText(event.globalPos(), text if narrow else "", view)
        return True

    def _chosen(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box, QAbstractItemDelegate.EndEditHint.NoHint)


class _Completer(QCompleter):
    """Suggests by folded text; of several values it completes the last."""

    def __init__(self, suggestions: Sequence[Suggestion], line: QLineEdit, *, several: bool) -> None:
        super().__init__(line)
        self._typed = line.text()
        self._several = several
        line.textEdited.connect(self._remember)
        model = QStandardItemModel(self)
        for suggestion in suggestions:
            item = QStandardItem(suggestion.shown)
            item.setData(fold(f"{suggestion.shown} {suggestion.also}"), _FOLDED)
            item.setData(suggestion.value, _VALUE)
            model.appendRow(item)
        self.setModel(model)
        self.setCompletionRole(_FOLDED)
        self.setFilterMode(Qt.MatchFlag.MatchContains)
        self.setMaxVisibleItems(_MOST_SHOWN)
        if (popup := self.popup()) is not None:
            popup.setMinimumWidth(popup.sizeHintForColumn(0) + popup.verticalScrollBar().sizeHint().width())

    def splitPath(self, path: str) -> list[str]:  # noqa: N802 - Qt's name
        """What is looked for."""
        return [fold(last_part(path) if self._several else path).strip()]

    def pathFromIndex(self, index: _Index) -> str:  # noqa: N802 - Qt's name
        """The line once a suggestion is taken; asked for each that is only passed over, too."""
        value = str(index.data(_VALUE))
        return with_last_part(self._typed, value) if self._several else value

    def _remember(self, text: str) -> None:
        self._typed = text


def _plain(index: _Index) -> QModelIndex:
    return index.model().index(index.row(), index.column())
