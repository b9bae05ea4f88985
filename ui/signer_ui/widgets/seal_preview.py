"""The corner of a letter with the seal on it, in true proportions; paper is white in every theme.

UI thread. Paints what it is given; knows nothing of files, and nothing of where a stamp really lands.
"""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from signer_ui.presenters.figures import millimetres
from signer_ui.theme import FAMILY, Theme, Tone
from signer_ui.words import Words

PAPER_MM = (105.0, 62.0)
"""The piece of the page that is shown."""

_SIGNATURE_MM = QRectF(44.0, 16.0, 48.0, 22.0)
"""Where the leader's signature stands on it."""
_OVERLAP = 1 / 3
"""How much of the signature the seal covers (Decree 30/2020, annex I)."""
_INK_BLUE, _INK_GREY = QColor(Qt.GlobalColor.darkBlue), QColor(Qt.GlobalColor.gray)


class SealPreview(QWidget):
    """Paints; knows nothing of files."""

    def __init__(self, words: Words, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._theme = theme
        self._seal: QImage | None = None
        self._diameter_mm = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(words("ue_preview_name"))

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """As wide as a form's column, high as the piece of paper asks for."""
        width = self._theme.space(76)
        return QSize(width, round(width * PAPER_MM[1] / PAPER_MM[0]))

    def show_seal(self, seal: QImage | None, diameter_mm: float) -> None:
        """Shows this seal, None for none."""
        self._seal, self._diameter_mm = seal, diameter_mm
        told = (
            self._words("ue_preview_there", mm=millimetres(diameter_mm, self._words))
            if seal
            else self._words("ue_preview_none")
        )
        self.setAccessibleDescription(told)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The paper, what is written on it, the seal over it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), Qt.GlobalColor.white)
        painter.setPen(self._theme.colour(Tone.LINE))
        painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        scale = self.width() / PAPER_MM[0]
        self._letter(painter, scale)
        self._ruler(painter, scale)
        if self._seal is None:
            self._empty_ring(painter, scale)
        else:
            self._ink(painter, scale, self._seal)

    def _letter(self, painter: QPainter, scale: float) -> None:
        painter.setPen(Qt.GlobalColor.black)
        middle = _SIGNATURE_MM.center().x()
        self._text(painter, scale, self._words("ue_preview_title"), QRectF(middle - 30, 5, 60, 7), bold=True)
        self._text(painter, scale, self._words("ue_preview_signer"), QRectF(middle - 30, 43, 60, 7), bold=True)
        painter.setPen(QPen(_INK_BLUE, 0.6 * scale))
        box = _SIGNATURE_MM
        path = QPainterPath(_at(box.left() + 4, box.bottom() - 5, scale))
        path.cubicTo(_at(box.left() + 8, box.top() - 8, scale), _at(box.left() + 15, box.bottom() + 10, scale),
                     _at(box.left() + 21, box.top() + 7, scale))  # fmt: skip
        path.cubicTo(_at(box.left() + 25, box.top() - 2, scale), _at(box.left() + 24, box.bottom() + 6, scale),
                     _at(box.right() - 1, box.top() + 6, scale))  # fmt: skip
        painter.drawPath(path)

    def _text(self, painter: QPainter, scale: float, text: str, box: QRectF, *, bold: bool) -> None:
        font = QFont(FAMILY)
        # Letters of 13 pt, as printed, on paper of this scale.
        font.setPixelSize(max(1, round(13 * 25.4 / 72 * scale)))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        painter.setFont(font)
        place = QRectF(box.x() * scale, box.y() * scale, box.width() * scale, box.height() * scale)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _ruler(self, painter: QPainter, scale: float) -> None:
        painter.setPen(_INK_GREY)
        bottom = PAPER_MM[1] * scale - 1
        for mm in range(int(PAPER_MM[0]) + 1):
            length = (2.4 if mm % 10 == 0 else 1.6 if mm % 5 == 0 else 0.9) * scale
            painter.drawLine(QPointF(mm * scale, bottom), QPointF(mm * scale, bottom - length))
        font = QFont(FAMILY)
        font.setPixelSize(max(1, round(2.7 * scale)))
        painter.setFont(font)
        for mm in (50, 100):
            place = QRectF((mm - 8) * scale, bottom - 6.2 * scale, 16 * scale, 3.6 * scale)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, f"{mm} mm" if mm == 50 else str(mm))

    def _place(self, scale: float, diameter_mm: float) -> QRectF:
        right = _SIGNATURE_MM.left() + _SIGNATURE_MM.width() * _OVERLAP
        top = _SIGNATURE_MM.center().y() - diameter_mm / 2
        return QRectF((right - diameter_mm) * scale, top * scale, diameter_mm * scale, diameter_mm * scale)

    def _empty_ring(self, painter: QPainter, scale: float) -> None:
        painter.setPen(QPen(_INK_GREY, 1, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        place = self._place(scale, self._diameter_mm)
        painter.drawEllipse(place)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, self._words("ue_preview_place"))

    def _ink(self, painter: QPainter, scale: float, seal: QImage) -> None:
        place = self._place(scale, self._diameter_mm)
        ratio = self.devicePixelRatioF()
        size = QSize(round(place.width() * ratio), round(place.height() * ratio))
        keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        drawn = seal.scaled(size, keep, smooth)
        width, height = drawn.width() / ratio, drawn.height() / ratio
        middle = place.center()
        # As it is signed: what lies below the ink stays readable.
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.drawImage(QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height), drawn)


def _at(x_mm: float, y_mm: float, scale: float) -> QPointF:
    return QPointF(x_mm * scale, y_mm * scale)
