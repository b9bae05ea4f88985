"""A light: a small shape with words beside it, told by form as well as by colour.

UI thread.
"""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap, QPolygonF
from PySide6.QtWidgets import QPushButton

from signer_ui.glow import Glow
from signer_ui.theme import Theme, Tone
from signer_ui.widgets.elided import plain_tip

TONES = {Glow.GOOD: Tone.GOOD, Glow.WARN: Tone.WARN, Glow.BAD: Tone.BAD, Glow.OFF: Tone.MUTED}
_SIZE = 12


def glow_icon(theme: Theme, glow: Glow, ratio: float = 2.0) -> QIcon:
    """The shape: a disc for good, a triangle for a warning, a square for bad, a ring for off."""
    picture = QPixmap(round(_SIZE * ratio), round(_SIZE * ratio))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    draw_glow(painter, QRectF(0, 0, _SIZE, _SIZE), theme.colour(TONES[glow]), glow)
    painter.end()
    icon = QIcon(picture)
    # Qt would tint it in a chosen row, and a light has to keep its colour.
    icon.addPixmap(picture, QIcon.Mode.Selected)
    return icon


def draw_glow(painter: QPainter, box: QRectF, colour: QColor, glow: Glow) -> None:
    """Draws the shape into `box`."""
    inner = box.adjusted(1, 1, -1, -1)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    match glow:
        case Glow.GOOD:
            painter.drawEllipse(inner)
        case Glow.WARN:
            corners = [QPointF(inner.center().x(), inner.top()), inner.bottomRight(), inner.bottomLeft()]
            painter.drawPolygon(QPolygonF(corners))
        case Glow.BAD:
            painter.drawRect(inner)
        case Glow.OFF:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1.6))
            painter.drawEllipse(inner.adjusted(1, 1, -1, -1))


class Light(QPushButton):
    """A light that leads to where more is told."""

    def __init__(self, theme: Theme, pressed: Callable[[], None]) -> None:
        super().__init__()
        self._theme = theme
        self._said = ("", "")
        self._brief = False
        self.setProperty("role", "light")
        self.setIconSize(QSize(_SIZE, _SIZE))
        self.setAutoDefault(True)
        self.clicked.connect(lambda _checked=False: pressed())

    def show_state(self, glow: Glow, words: str, tip: str = "") -> None:
        """Shows a state in shape, colour and words."""
        self.setIcon(glow_icon(self._theme, glow, self.devicePixelRatioF()))
        self._said = (words, tip)
        self._show_words()
        self.setAccessibleName(words)
        self.setVisible(bool(words))

    def set_brief(self, brief: bool) -> None:
        """Where there is no room the shape stands alone, and its words are its tip."""
        if brief != self._brief:
            self._brief = brief
            self._show_words()

    def _show_words(self) -> None:
        words, tip = self._said
        # Fusion leaves hardly any room between icon and words.
        self.setText("" if self._brief else f" {words}")
        self.setToolTip(plain_tip("\n".join(part for part in (words if self._brief else "", tip) if part)))
