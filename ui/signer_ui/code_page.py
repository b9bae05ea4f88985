"""The recovery code on paper: one page, straight to the printer.

UI thread. Makes no file of it and keeps nothing.
"""

import datetime as dt
from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPageLayout, QPageSize, QPainter, QPen
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QWidget

from signer_ui.theme import FAMILY
from signer_ui.words import Words

_MARGIN_MM = 20.0
_IN_A_LINE = 4


def print_code(parent: QWidget, groups: Sequence[str], now: dt.datetime, words: Words) -> None:
    """Asks for the printer, and prints the page there."""
    printer = QPrinter()
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    printer.setPageOrientation(QPageLayout.Orientation.Portrait)
    printer.setFullPage(True)
    # The queue of the printer shows it to others of this machine.
    printer.setDocName(words("bk_paper_title"))
    dialog = QPrintDialog(printer, parent)
    dialog.setWindowTitle(words("bk_print"))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    given = tuple(groups)
    dialog.accepted.connect(lambda: paint_code(printer, given, now, words))
    # Its own `open` wants a slot by its name.
    QDialog.open(dialog)


def paint_code(printer: QPrinter, groups: Sequence[str], now: dt.datetime, words: Words) -> None:
    """Paints the page."""
    painter = QPainter()
    if not painter.begin(printer):
        # No such printer any more; its queue has said so.
        return
    try:
        _Page(painter, printer.resolution() / 25.4).fill(groups, now, words)
    finally:
        painter.end()


class _Page:
    """An A4 page that is written from the top down; lengths in mm."""

    def __init__(self, painter: QPainter, dots: float) -> None:
        self._painter = painter
        self._dots = dots
        self._y = _MARGIN_MM

    def fill(self, groups: Sequence[str], now: dt.datetime, words: Words) -> None:
        self._text(words("bk_paper_title"), 18, bold=True)
        self._text(words("bk_paper_of", time=now.strftime("%H:%M %d/%m/%Y")), 11)
        self._y += 6
        width = (210 - 2 * _MARGIN_MM) / _IN_A_LINE
        for at, group in enumerate(groups):
            x, y = _MARGIN_MM + at % _IN_A_LINE * width, self._y + at // _IN_A_LINE * 24
            box = self._rect(x, y, width - 3, 20)
            self._painter.setPen(QPen(Qt.GlobalColor.black, 0.3 * self._dots))
            self._painter.drawRect(box)
            self._painter.setFont(_font(9))
            self._painter.drawText(self._rect(x + 1.5, y + 1, width - 6, 6), words("bk_group", number=at + 1))
            self._painter.setFont(_font(18, bold=True))
            self._painter.drawText(box.adjusted(0, 4 * self._dots, 0, 0), Qt.AlignmentFlag.AlignCenter, group)
        self._y += 24 * -(-len(groups) // _IN_A_LINE) + 4
        for key in ("bk_paper_keep", "bk_paper_use", "bk_paper_lost"):
            self._text(words(key), 12)
            self._y += 2

    def _text(self, text: str, points: float, *, bold: bool = False) -> None:
        self._painter.setFont(_font(points, bold=bold))
        self._painter.setPen(Qt.GlobalColor.black)
        room = self._rect(_MARGIN_MM, self._y, 210 - 2 * _MARGIN_MM, 200)
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        taken = self._painter.boundingRect(room, flags, text)
        self._painter.drawText(room, flags, text)
        self._y += taken.height() / self._dots + 2

    def _rect(self, x: float, y: float, width: float, height: float) -> QRectF:
        return QRectF(x * self._dots, y * self._dots, width * self._dots, height * self._dots)


def _font(points: float, *, bold: bool = False) -> QFont:
    font = QFont(FAMILY)
    font.setPointSizeF(points)
    font.setBold(bold)
    return font
