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
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(theme.space(3))
        self._grid.setVerticalSpacing(theme.space(1))
        self._grid.setColumnStretch(1, 1)

    def put(self, facts: Sequence[tuple[str, str]]) -> None:
        """Shows these pairs in place of those there."""
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        for line, (what, value) in enumerate(facts):
            name = label(what, "muted")
            shown = _value(value)
            shown.setAccessibleName(f"{what}: {value}")
            name.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(name, line, 0)
            self._grid.addWidget(shown, line, 1)
        self.setVisible(bool(facts))


def _value(text: str) -> QLabel:
    shown = label(text, wrap=True)
    shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    shown.setMinimumWidth(1)
    return shown
