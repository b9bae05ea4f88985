"""The small drawings on the page view's buttons: smaller, larger, fit the width, fit the page, small pages at the side.

UI thread. Drawn here in the theme's colours, so that no font has to hold the signs.
"""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QIcon, QPainter, QPen, QPixmap

from signer_ui.theme import Theme, Tone

_SIZE = 18
_RATIO = 3.0
"""Drawn so much larger, that it is sharp on every screen."""


def fit_width_icon(theme: Theme) -> QIcon:
    """A page with an arrow from edge to edge."""

    def draw(painter: QPainter) -> None:
        painter.drawRect(QRectF(2, 3, 14, 12))
        painter.drawLine(QPointF(5, 9), QPointF(13, 9))
        for tip, back in ((5.0, 1.0), (13.0, -1.0)):
            painter.drawLine(QPointF(tip, 9), QPointF(tip + 2 * back, 7))
            painter.drawLine(QPointF(tip, 9), QPointF(tip + 2 * back, 11))

    return _icon(theme, draw)


def fit_page_icon(theme: Theme) -> QIcon:
    """A whole page between the corners of a screen."""

    def draw(painter: QPainter) -> None:
        painter.drawRect(QRectF(6, 4, 6, 10))
        for x, inwards in ((2.0, 1.0), (16.0, -1.0)):
            for y, down in ((2.0, 1.0), (16.0, -1.0)):
                painter.drawLine(QPointF(x, y), QPointF(x + 2 * inwards, y))
                painter.drawLine(QPointF(x, y), QPointF(x, y + 2 * down))

    return _icon(theme, draw)


def thumbnails_icon(theme: Theme) -> QIcon:
    """Small pages beside a large one."""

    def draw(painter: QPainter) -> None:
        for top in (3.0, 10.0):
            painter.drawRect(QRectF(2, top, 4, 5))
        painter.drawRect(QRectF(8, 3, 8, 12))

    return _icon(theme, draw)


def smaller_icon(theme: Theme) -> QIcon:
    """A minus."""
    return _icon(theme, lambda painter: painter.drawLine(QPointF(4, 9), QPointF(14, 9)))


def larger_icon(theme: Theme) -> QIcon:
    """A plus."""

    def draw(painter: QPainter) -> None:
        painter.drawLine(QPointF(4, 9), QPointF(14, 9))
        painter.drawLine(QPointF(9, 4), QPointF(9, 14))

    return _icon(theme, draw)


def _icon(theme: Theme, draw: Callable[[QPainter], None]) -> QIcon:
    picture = QPixmap(round(_SIZE * _RATIO), round(_SIZE * _RATIO))
    picture.setDevicePixelRatio(_RATIO)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour(Tone.TEXT), 1.4))
    draw(painter)
    painter.end()
    return QIcon(picture)
