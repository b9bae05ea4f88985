"""How the text of a cell is drawn: by hand, for Qt's style sheets take six times as long, and a grid has hundreds.

UI thread. Draws what it is told, into the row's own background; boxes to tick are left to the style.
"""

from dataclasses import dataclass

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QIcon, QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QWidget

from signer_ui.theme import Theme, Tone

_SELECTED = QStyle.StateFlag.State_Selected
_RIGHT, _LEFT = Qt.TextElideMode.ElideRight, Qt.TextElideMode.ElideLeft
_MOST_FITTED = 8_192
"""Texts cut to their width that are kept: a screen has a few hundred."""


@dataclass(frozen=True, slots=True)
class Face:
    """What a cell shows; `colour` None is that of all text, `keep_end` cuts its beginning where there is no room."""

    text: str
    colour: QColor | None = None
    dot: QIcon | None = None
    number: bool = False
    keep_end: bool = False


class CellPainter:
    """Draws cells of one grid."""

    def __init__(self, theme: Theme, dot: QSize) -> None:
        self._text, self._chosen = theme.colour(Tone.TEXT), theme.colour(Tone.SELECTION)
        self._side = theme.space(2)
        """Between the cell's edge and its text."""
        self._dot, self._gap = dot, theme.space(1)
        self._font = ""
        self._metrics = QFontMetrics(QFont())
        self._height, self._ascent = 0, 0
        self._fitted: dict[tuple[str, int, bool], tuple[str, int]] = {}

    def begin(self, grid: QWidget) -> None:
        """To be called before cells are drawn: with the grid's letters as they are now."""
        font = f"{grid.font().key()} {grid.devicePixelRatioF()}"
        if font != self._font or len(self._fitted) > _MOST_FITTED:
            self._font, self._metrics = font, grid.fontMetrics()
            self._height, self._ascent = self._metrics.height(), self._metrics.ascent()
            self._fitted.clear()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, face: Face) -> None:
        """One cell, where `option` says, chosen or not."""
        area = option.rect
        if option.state & _SELECTED:
            painter.fillRect(area, self._chosen)
        left, top, height = area.x() + self._side, area.y(), area.height()
        room = area.width() - 2 * self._side
        if face.dot is not None:
            place = QRect(left, top + (height - self._dot.height()) // 2, self._dot.width(), self._dot.height())
            face.dot.paint(painter, place)
            taken = self._dot.width() + self._gap
            left, room = left + taken, room - taken
        if not face.text or room <= 0:
            return
        text, width = self._fit(face, room)
        painter.setPen(face.colour or self._text)
        x = left + room - width if face.number else left
        painter.drawText(x, top + (height - self._height) // 2 + self._ascent, text)

    def _fit(self, face: Face, room: int) -> tuple[str, int]:
        """The text as far as it finds room, on one line, and its width: what costs most, so it is remembered."""
        key = face.text, room, face.keep_end
        known = self._fitted.get(key)
        if known is None:
            line, cut = face.text.replace("\n", " "), _LEFT if face.keep_end else _RIGHT
            shown = self._metrics.elidedText(line, cut, room)
            known = self._fitted[key] = shown, self._metrics.horizontalAdvance(shown)
        return known
