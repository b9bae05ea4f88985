"""A page to be printed and laid on the paper seal: rulers in millimetres and the seal at its size. Runs on any thread.

Made by Qt's own PDF writer in device units of 1/1200 inch, so that a millimetre on it is one. Opened by whatever
program of the system shows PDF files.
"""

from pathlib import Path

from PySide6.QtCore import QLineF, QMarginsF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPageSize, QPainter, QPdfWriter, QPen

from signer_resources.errors import KnownError
from signer_ui.presenters.figures import millimetres
from signer_ui.theme import FAMILY
from signer_ui.words import Words

RULER_MM = 150
ORIGIN_MM = (30.0, 80.0)
"""Where both rulers begin, from the left and top of the page."""

_DPI = 1200
_STEPS = ("ue_ruler_actual_size", "ue_ruler_compare", "ue_ruler_lay", "ue_ruler_correct")
"""The lines of what to do with the page."""


def write_ruler_page(path: Path, seal: QImage, diameter_mm: float, words: Words) -> None:
    """Writes the page over `path`; KnownError "output_unwritable"."""
    writer = QPdfWriter(str(path))
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setResolution(_DPI)
    writer.setTitle(words("ue_ruler_title"))
    painter = QPainter()
    if not painter.begin(writer):
        raise KnownError("output_unwritable", folder=str(path.parent))
    try:
        page = _RulerPage(painter, words)
        page.instructions()
        page.ruler(across=True)
        page.ruler(across=False)
        page.seal(seal, diameter_mm)
    finally:
        painter.end()


class _RulerPage:
    """Draws in mm from the top left corner of the page."""

    def __init__(self, painter: QPainter, words: Words) -> None:
        self._painter = painter
        self._words = words

    def instructions(self) -> None:
        """What to do with the page."""
        self._font(16, bold=True)
        self._painter.drawText(self._point(ORIGIN_MM[0], 25), self._words("ue_ruler_title"))
        self._font(11)
        for line, step in enumerate(_STEPS):
            self._painter.drawText(self._point(ORIGIN_MM[0], 36 + 8 * line), self._words(step))

    def ruler(self, *, across: bool) -> None:
        """A ruler from the origin to the right, or down."""
        left, top = ORIGIN_MM
        self._font(9)
        self._pen(0.15)
        for mm in range(RULER_MM + 1):
            length = 6.0 if mm % 10 == 0 else 4.0 if mm % 5 == 0 else 2.5
            if across:
                self._line(left + mm, top, left + mm, top - length)
            else:
                self._line(left, top + mm, left - length, top + mm)
            if mm % 10 == 0 and mm:
                place = (left + mm - 5, top - 11, 10.0, 4.5) if across else (left - 17, top + mm - 2.25, 10.0, 4.5)
                side = Qt.AlignmentFlag.AlignHCenter if across else Qt.AlignmentFlag.AlignRight
                self._painter.drawText(self._box(*place), side | Qt.AlignmentFlag.AlignVCenter, str(mm))
        end = (left + RULER_MM, top) if across else (left, top + RULER_MM)
        self._line(left, top, *end)

    def seal(self, picture: QImage, diameter_mm: float) -> None:
        """The seal at its size, with lines through its middle that reach beyond it, to lay the paper one on."""
        x, y = ORIGIN_MM[0] + RULER_MM / 2, ORIGIN_MM[1] + RULER_MM / 2
        scale = diameter_mm / max(picture.width(), picture.height())
        width, height = picture.width() * scale, picture.height() * scale
        self._painter.drawImage(self._box(x - width / 2, y - height / 2, width, height), picture)
        self._pen(0.1, Qt.GlobalColor.darkGray)
        reach = diameter_mm / 2 + 12
        self._line(x - reach, y, x + reach, y)
        self._line(x, y - reach, x, y + reach)
        self._painter.drawEllipse(self._box(x - diameter_mm / 2, y - diameter_mm / 2, diameter_mm, diameter_mm))
        self._pen(0.1)
        self._font(11)
        below = self._box(x - 40, y + reach + 2, 80, 6)
        size = millimetres(diameter_mm, self._words)
        self._painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self._words("ue_ruler_size", mm=size))

    def _font(self, points: float, *, bold: bool = False) -> None:
        font = QFont(FAMILY)
        font.setPointSizeF(points)
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        self._painter.setFont(font)

    def _pen(self, width_mm: float, colour: Qt.GlobalColor = Qt.GlobalColor.black) -> None:
        pen = QPen(colour)
        pen.setWidthF(_dots(width_mm))
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        self._painter.setPen(pen)

    def _line(self, x1: float, y1: float, x2: float, y2: float) -> None:
        self._painter.drawLine(QLineF(self._point(x1, y1), self._point(x2, y2)))

    def _point(self, x: float, y: float) -> QPointF:
        return QPointF(_dots(x), _dots(y))

    def _box(self, x: float, y: float, width: float, height: float) -> QRectF:
        return QRectF(_dots(x), _dots(y), _dots(width), _dots(height))


def _dots(mm: float) -> float:
    return mm * _DPI / 25.4
