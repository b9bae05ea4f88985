"""A label of one line that is cut with dots where it finds no room; the whole text is its tip.

UI thread.
"""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

_LONG_WORD, _PIECE = 28, 14
"""Letters from which on a word may be broken, and into pieces of how many."""


def plain_tip(text: str) -> str:
    """`text` as a tip that is never taken for markup, whoever wrote it; long ones are wrapped."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<p>{escaped}</p>".replace("\n", "<br>") if text else ""


def breakable(text: str) -> str:
    """`text` with places in its longest words where a line may end, so that none of them widens what it stands in."""
    return " ".join(word if len(word) < _LONG_WORD else _pieces(word) for word in text.split(" "))


def _pieces(word: str) -> str:
    return "\u200b".join(word[at : at + _PIECE] for at in range(0, len(word), _PIECE))


class Elided(QLabel):
    """Takes what room is left; plain text only. `tip` says more than the text itself."""

    def __init__(self, text: str = "", role: str | None = None, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        if role is not None:
            self.setProperty("role", role)
        self.put(text, tip)

    def put(self, text: str, tip: str = "") -> None:
        """Shows another text; line breaks become blanks."""
        self.setText(" ".join(text.split()))
        self.setToolTip(plain_tip(tip or text))

    def shown(self) -> str:
        """The text, whole."""
        return self.text()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """A few letters are enough."""
        return QSize(self.fontMetrics().averageCharWidth() * 6, super().minimumSizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The text, as much of it as fits."""
        painter = QPainter(self)
        text = self.fontMetrics().elidedText(self.shown(), Qt.TextElideMode.ElideRight, self.contentsRect().width())
        # Without the style's help: only to name it, PySide would set up all of its enumerations before the first paint.
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(self.contentsRect(), int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), text)
        painter.end()


class Ticking(Elided):
    """For a text that changes every second: the label never asks for another place, so nothing around it is laid out
    anew for it. A screen reader hears it as the label's name.
    """

    def put(self, text: str, tip: str = "") -> None:
        """Shows another text; line breaks become blanks."""
        shown = " ".join(text.split())
        if shown != self.accessibleName():
            self.setAccessibleName(shown)
            self.setToolTip(plain_tip(tip or text))
            self.update()

    def shown(self) -> str:
        """The text, whole."""
        return self.accessibleName()
