"""Small makers of plain widgets with the roles that the style sheet knows.

UI thread.
"""

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

L = TypeVar("L", bound=QBoxLayout)


def label(text: str = "", role: str | None = None, *, wrap: bool = False) -> QLabel:
    """A label of plain text: nothing that a file or server says is ever taken for markup."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setWordWrap(wrap)
    if role is not None:
        made.setProperty("role", role)
    return made


def button(text: str, clicked: Callable[[], None], role: str | None = None) -> QPushButton:
    """A push button; `role` is primary, danger or quiet."""
    made = QPushButton(text)
    made.clicked.connect(lambda _checked=False: clicked())
    # Outside a dialogue this means that Enter presses it, as the space bar does.
    made.setAutoDefault(True)
    if role is not None:
        made.setProperty("role", role)
    return made


def frame(role: str) -> QFrame:
    """A framed surface."""
    made = QFrame()
    made.setProperty("role", role)
    return made


def row(*parts: QWidget | int, spacing: int = 8) -> QHBoxLayout:
    """Widgets side by side; a number is a stretch of that factor."""
    return _fill(QHBoxLayout(), parts, spacing)


def column(*parts: QWidget | int, spacing: int = 8) -> QVBoxLayout:
    """Widgets below each other; a number is a stretch of that factor."""
    return _fill(QVBoxLayout(), parts, spacing)


def _fill(layout: L, parts: tuple[QWidget | int, ...], spacing: int) -> L:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for part in parts:
        if isinstance(part, int):
            layout.addStretch(part)
        else:
            layout.addWidget(part)
    return layout


def repolish(widget: QWidget, name: str, value: object) -> None:
    """Sets a property that the style sheet looks at, and has the look follow."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
