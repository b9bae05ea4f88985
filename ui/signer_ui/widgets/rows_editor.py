"""A short list of rows with two texts each, such as a former name and its last day; rows are added and taken out.

UI thread. Only texts: what they mean, and what is wrong with them, is for the form around it.
"""

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from signer_ui.theme import Theme
from signer_ui.widgets.basics import button, row

_LONGEST = 300
_MOST = 50


@dataclass(frozen=True)
class RowWords:
    """What is said of a list: both columns (name, example, share of the width), and its buttons."""

    columns: tuple[tuple[str, str, int], tuple[str, str, int]]
    add: str
    remove: str


class RowsEditor(QWidget):
    """Edits rows of two texts."""

    changed = Signal()

    def __init__(self, theme: Theme, words: RowWords) -> None:
        super().__init__()
        self._theme = theme
        self._words = words
        self._rows: list[tuple[QWidget, QLineEdit, QLineEdit]] = []
        self.add = button(words.add, self._add)
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(theme.space(1.5))
        self._lines.addLayout(row(self.add, 1))

    @property
    def value(self) -> tuple[tuple[str, str], ...]:
        """The texts of the rows that say anything."""
        typed = ((first.text(), second.text()) for _line, first, second in self._rows)
        return tuple(pair for pair in typed if any(text.strip() for text in pair))

    def set_value(self, rows: tuple[tuple[str, str], ...]) -> None:
        """Shows these rows; tells nobody."""
        if rows == tuple((first.text(), second.text()) for _line, first, second in self._rows):
            # What is being typed stays as it is, and so does the cursor.
            return
        for line, _first, _second in self._rows:
            line.hide()
            line.deleteLater()
        self._rows = []
        for texts in rows:
            self._append(texts)

    def setFocus(self, *_reason: Qt.FocusReason) -> None:  # noqa: N802 - Qt's name
        """The first text gets the keyboard; without any, the button that adds one."""
        (self._rows[0][1] if self._rows else self.add).setFocus()

    @property
    def fields(self) -> tuple[tuple[QLineEdit, QLineEdit], ...]:
        """The fields of each row."""
        return tuple((first, second) for _line, first, second in self._rows)

    def _add(self) -> None:
        if len(self._rows) < _MOST:
            self._append(("", ""))
            self._rows[-1][1].setFocus()

    def _append(self, texts: tuple[str, str]) -> None:
        line = QWidget()
        across = QHBoxLayout(line)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(self._theme.space(2))
        number = len(self._rows) + 1
        fields = []
        for (name, example, share), text in zip(self._words.columns, texts, strict=True):
            field = QLineEdit(text)
            field.setMaxLength(_LONGEST)
            field.setPlaceholderText(example)
            field.setAccessibleName(f"{name} {number}")
            field.textChanged.connect(lambda _text: self.changed.emit())
            across.addWidget(field, share)
            fields.append(field)
        remove = button(self._words.remove, partial(self._drop, line), "quiet")
        remove.setAccessibleName(f"{self._words.remove} {number}")
        across.addWidget(remove)
        self._rows.append((line, fields[0], fields[1]))
        self._lines.insertWidget(len(self._rows) - 1, line)

    def _drop(self, line: QWidget) -> None:
        number = next(at for at, (one, _first, _second) in enumerate(self._rows) if one is line)
        del self._rows[number]
        self._lines.removeWidget(line)
        line.hide()
        line.deleteLater()
        (self._rows[min(number, len(self._rows) - 1)][1] if self._rows else self.add).setFocus()
        self.changed.emit()
