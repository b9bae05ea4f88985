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
        y = 0
        for line in self._in_lines(width):
            height = max(hint.height() for _part, hint in line)
            x = 0
            for part, hint in line:
                if move:
                    # Of different heights, they stand on one middle line.
                    above = (height - hint.height()) // 2
                    part.setGeometry(x, y + above, min(hint.width(), max(width, 1)), hint.height())
                x += hint.width() + self._spacing
            y += height + self._spacing
        return max(0, y - self._spacing)

    def _in_lines(self, width: int) -> list[list[tuple[QWidget, QSize]]]:
        """What stands in each line, with the sizes that it wants."""
        lines: list[list[tuple[QWidget, QSize]]] = []
        x = 0
        for part in self._shown:
            hint = part.sizeHint()
            if not lines or x + hint.width() > width:
                lines.append([])
                x = 0
            lines[-1].append((part, hint))
            x += hint.width() + self._spacing
        return lines
