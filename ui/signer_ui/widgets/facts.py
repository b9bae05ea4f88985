"""Pairs of what and its value below each other, selectable and readable by a screen reader.

UI thread.
"""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from signer_ui.theme import Theme
from signer_ui.widgets.basics import label


class Facts(QWidget):
    """A small table of texts; nothing in it is taken for markup."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: list[tuple[QLabel, QLabel]] = []
        """Made once and used again: the style sheet takes its time with each label that is new."""
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.space(3))
        self._grid.setVerticalSpacing(theme.space(1))
        self._grid.setColumnStretch(1, 1)

    def put(self, facts: Sequence[tuple[str, str]]) -> None:
        """Shows these pairs in place of those there."""
        while len(self._lines) < len(facts):
            self._add_line()
        for at, (name, shown) in enumerate(self._lines):
            told = facts[at] if at < len(facts) else None
            if told is not None:
                name.setText(told[0])
                shown.setText(told[1])
                shown.setAccessibleName(f"{told[0]}: {told[1]}")
            name.setVisible(told is not None)
            shown.setVisible(told is not None)
        self.setVisible(bool(facts))

    def _add_line(self) -> None:
        name, shown = label("", "muted"), _value("")
        name.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(name, len(self._lines), 0)
        self._grid.addWidget(shown, len(self._lines), 1)
        self._lines.append((name, shown))


def _value(text: str) -> QLabel:
    shown = label(text, wrap=True)
    shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    shown.setMinimumWidth(1)
    return shown
