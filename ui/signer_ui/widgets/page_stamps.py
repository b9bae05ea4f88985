"""Draws on a page what a plan will draw there: letters of stamps glyph by glyph, pictures, ink over ink.

UI thread. The same font files, the same advances and the same millimetres as the signed appearance
(signer_app/pdf/appearance.py), without a layout engine between, which would kern; a test compares both as pictures.
Never decides where anything lands.
"""

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QRawFont

import signer_resources
from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.plan import SIGNING_TIME, Drawing, ImageItem, Style, TextItem
from signer_ui.widgets.page_pictures import Ink

SAMPLE_TIME = "00/00/0000 00:00:00 +07:00"
"""Stands for the time of signing, which nobody knows yet; as wide as the real one."""

_EM = 1000.0
"""Letters are outlined once at the font's own 1000 units to the em, then scaled: no hinting, no rounding."""

# Stamps lie on paper, which is white in the dark look as well.
_INK = QColor(Qt.GlobalColor.black)
_SAMPLE = QColor(Qt.GlobalColor.gray)


class StampPainter:
    """Knows the letters; is given the pictures by who keeps them."""

    def __init__(self, ink: Callable[[Ink], QImage | None]) -> None:
        self._ink = ink
        self._fonts: dict[Style, QRawFont] = {}
        self._outline = lru_cache(maxsize=512)(self._make_outline)

    def paint(self, painter: QPainter, rect: Rect, drawing: Drawing, left: float, top: float, per_mm: float) -> None:
        """Draws at `rect` (mm) of a page whose top left corner is at `left`, `top` and shows `per_mm` pixels a mm."""
        painter.save()
        if drawing.multiply:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        x, y = left + rect.x * per_mm, top + rect.y * per_mm
        # An appearance is cut at its box (ISO 32000-1, 8.10.2).
        painter.setClipRect(QRectF(x, y, rect.w * per_mm, rect.h * per_mm), Qt.ClipOperation.IntersectClip)
        for item in drawing.items:
            if isinstance(item, ImageItem):
                self._picture(painter, item, x, y, per_mm)
            else:
                self._text(painter, item, x, y, per_mm)
        painter.restore()

    @staticmethod
    def inks(drawing: Drawing, per_mm: float) -> Iterator[Ink]:
        """The pictures that a drawing needs at this scale."""
        for item in drawing.items:
            if isinstance(item, ImageItem):
                yield _wish(item, per_mm)

    def _picture(self, painter: QPainter, item: ImageItem, x: float, y: float, per_mm: float) -> None:
        image = self._ink(_wish(item, per_mm))
        if image is None:
            return
        ratio = image.width() / image.height()
        # As in the appearance: the largest box of the ink's own ratio, in the middle of the item's box.
        width, height = min(item.box.w, item.box.h * ratio) * per_mm, min(item.box.h, item.box.w / ratio) * per_mm
        middle = QPointF(x + (item.box.x + item.box.w / 2) * per_mm, y + (item.box.y + item.box.h / 2) * per_mm)
        if abs(width - image.width()) < 1.5 and abs(height - image.height()) < 1.5:
            # It was made for this size: pixel on pixel is sharper than drawn again between them.
            painter.drawImage(round(middle.x() - image.width() / 2), round(middle.y() - image.height() / 2), image)
        else:
            painter.drawImage(QRectF(middle.x() - width / 2, middle.y() - height / 2, width, height), image)

    def _text(self, painter: QPainter, item: TextItem, x: float, y: float, per_mm: float) -> None:
        scale = pt_to_mm(item.size) * per_mm / _EM
        painter.save()
        painter.translate(x + item.x * per_mm, y + item.baseline * per_mm)
        painter.scale(scale, scale)
        for index, part in enumerate(item.text.split(SIGNING_TIME)):
            pieces = ((SAMPLE_TIME, _SAMPLE), (part, _INK)) if index else ((part, _INK),)
            for text, colour in pieces:
                outline, advance = self._outline(text, item.style)
                painter.fillPath(outline, colour)
                painter.translate(advance, 0)
        painter.restore()

    def _make_outline(self, text: str, style: Style) -> tuple[QPainterPath, float]:
        """The letters side by side on a baseline, in thousandths of an em, and how far they reach."""
        if style not in self._fonts:
            file = signer_resources.path(f"fonts/SignerSerif-{style}.ttf")
            self._fonts[style] = QRawFont(str(file), _EM, QFont.HintingPreference.PreferNoHinting)
        font = self._fonts[style]
        outline, x = QPainterPath(), 0.0
        outline.setFillRule(Qt.FillRule.WindingFill)
        glyphs = font.glyphIndexesForString(unicodedata.normalize("NFC", text))
        for glyph, advance in zip(glyphs, font.advancesForGlyphIndexes(glyphs), strict=True):
            outline.addPath(font.pathForGlyph(glyph).translated(x, 0.0))
            x += advance.x()
        return outline, x


def _wish(item: ImageItem, per_mm: float) -> Ink:
    return Ink(item.image, max(1, round(item.box.w * per_mm)), max(1, round(item.box.h * per_mm)))
