"""Controls side by side, in as many lines as their words need.

UI thread. For places whose width changes with the window, the language and the scaling. Each control keeps its own
width; the widget asks for the height that its lines need. What is hidden takes no room.
"""

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Flow(QWidget):
    """Places its parts from left to right and from the top down, in the order of the keyboard."""

    def __init__(self, parts: Sequence[QWidget], spacing: int) -> None:
        super().__init__()
        self._parts = tuple(parts)
        self._spacing = spacing
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        for part in self._parts:
            part.setParent(self)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """True: fewer lines fit into more width."""
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        """Of all lines at this width."""
        return self._place(width, move=False)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """All in one line."""
        hints = [part.sizeHint() for part in self._shown]
        width = sum(hint.width() for hint in hints) + self._spacing * (len(hints) - 1)
        return QSize(max(0, width), max((hint.height() for hint in hints), default=0))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Each in a line of its own."""
        hints = [part.sizeHint() for part in self._shown]
        width = max((hint.width() for hint in hints), default=0)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Another width may hold another number."""
        super().resizeEvent(event)
        self._place(event.size().width(), move=True)

    def event(self, event: QEvent) -> bool:
        """Words or style of a part have changed: it may need another width."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._place(self.width(), move=True)
        return super().event(event)

    @property
    def _shown(self) -> list[QWidget]:
        return [part for part in self._parts if not part.isHidden()]

    def _place(self, width: int, *, move: bool) -> int:
        """The height of all lines in this width; `move`: the parts go there."""
        x = y = line = 0
        for part in self._shown:
            hint = part.sizeHint()
            if x > 0 and x + hint.width() > width:
                x, y, line = 0, y + line + self._spacing, 0
            if move:
                part.setGeometry(x, y, min(hint.width(), max(width, 1)), hint.height())
            x, line = x + hint.width() + self._spacing, max(line, hint.height())
        return y + line
