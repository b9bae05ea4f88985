"""The ink of a page, as seen: where a mark may lie without covering anything.

Runs in a worker; asks PDFium for a small grey picture of a page, widgets too, only when a rule wants to know. All
boxes are in mm of the displayed page. It knows dark from paper and nothing of letters.
"""

from dataclasses import dataclass
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image, ImageDraw

from signer_app.pdf.geometry import PageFrame, Rect
from signer_app.pdf.pagetext import open_document

_PX_PER_MM = 2.0
_MAX_SIDE_PX = 1200
_DARKER = 40
"""A pixel that is so much darker than the paper is ink; a scan's paper is grey and noisy."""
_RIM_MM = 2.0
"""The rim of a page, where scanners leave black edges."""


@dataclass(frozen=True)
class Ink:
    """Black where the page has ink: a picture with the page's ratio, and how many pixels a mm has."""

    mask: Image.Image
    px_per_mm: float

    def free(self, rect: Rect) -> bool:
        """Whether nothing is drawn within the box; the part beyond the page counts as free."""
        return self.mask.crop(self._pixels(rect)).getbbox() is None

    def top(self) -> float:
        """Where the highest ink begins, mm from the top, leaving out the rim; the page's height without any ink."""
        box = self._inner().getbbox()
        return self.mask.height / self.px_per_mm if box is None else box[1] / self.px_per_mm

    def bottom(self, *, above: float | None = None) -> float | None:
        """Where the lowest ink ends, mm from the top (down to `above`), leaving out the rim; None without any ink."""
        inner = self._inner()
        if above is not None:
            inner = inner.crop((0, 0, inner.width, max(0, min(inner.height, round(above * self.px_per_mm)))))
        box = inner.getbbox()
        return None if box is None else box[3] / self.px_per_mm

    def _pixels(self, rect: Rect) -> tuple[int, int, int, int]:
        scale = self.px_per_mm
        return (
            max(0, int(rect.x * scale)),
            max(0, int(rect.y * scale)),
            min(self.mask.width, int(rect.right * scale) + 1),
            min(self.mask.height, int(rect.bottom * scale) + 1),
        )

    def _inner(self) -> Image.Image:
        inner, rim = self.mask.copy(), round(_RIM_MM * self.px_per_mm)
        draw = ImageDraw.Draw(inner)
        width, height = inner.size
        edges = (
            (0, 0, width, rim), (0, height - rim, width, height), (0, 0, rim, height), (width - rim, 0, width, height),
        )  # fmt: skip
        for edge in edges:
            draw.rectangle(edge, fill=0)
        return inner


def ink_of_page(path: Path, number: int, frame: PageFrame) -> Ink:
    """The ink of page `number` (from 0) as displayed; a page that can't be drawn counts as full of ink."""
    scale = min(_PX_PER_MM, _MAX_SIDE_PX / max(frame.width_mm, frame.height_mm, 1.0))
    size = (max(1, round(frame.width_mm * scale)), max(1, round(frame.height_mm * scale)))
    try:
        grey = _picture(path, number, size[0])
    except (pdfium.PdfiumError, ValueError):
        return Ink(Image.new("L", size, 255), scale)
    return Ink(_mask(grey.resize(size, Image.Resampling.BILINEAR) if grey.size != size else grey), scale)


def _picture(path: Path, number: int, width: int) -> Image.Image:
    document = open_document(path)
    try:
        document.init_forms()
        page = document.page(number)
        try:
            # PDFium doesn't know UserUnit: the picture's width is what counts.
            picture: Image.Image = page.render(scale=width / max(page.get_size()[0], 1e-3), grayscale=True).to_pil()
        finally:
            page.close()
    finally:
        document.close()
    return picture.convert("L")


def _mask(grey: Image.Image) -> Image.Image:
    """White where the picture is darker than its paper, which is the commonest of the light greys."""
    counts = grey.histogram()
    paper = max(range(128, 256), key=counts.__getitem__)
    return grey.point([255 if value < paper - _DARKER else 0 for value in range(256)])
