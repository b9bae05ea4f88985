"""What the annotations and fields of a page show and hold: a number that was filled in, a stamp, a mark of secrecy.

Runs in a worker; changes no file. What is shown comes from PDFium's drawing of the page with and without its
annotations; what has no look of its own counts as text in its box, for viewers make one up. Only pages with more than
links pay for it, and work is bounded by a number of annotations a page.
"""

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops

from signer_app.pdf.geometry import PageFrame, Rect, UserBox, mm_to_pt, pt_to_mm
from signer_app.pdf.lines import Glyph

_MAX_ANNOTATIONS = 2_000
_MAX_TEXT, _MAX_TEXT_BYTES = 2_000, 1 << 16
_BYTES_OF_NOTHING = 2
_PX_PER_MM, _MAX_SIDE_PX = 2.0, 1200
_CHANGED = 24
_WIDEST_CELLS = 400
_TEXTS = (b"Contents", b"V")
_TEXTLESS = frozenset({pdfium_c.FPDF_ANNOT_LINK, pdfium_c.FPDF_ANNOT_POPUP})
_LEADERS = frozenset(".…_·․‥")
_CLOSE = 0.05
"""mm: two views of one letter differ by less."""


@dataclass(frozen=True)
class Notes:
    """The texts that annotations hold, as glyphs those that have no look of their own, and whether any might show a
    picture in the upper half of the page, where number and date belong.
    """

    texts: tuple[str, ...]
    made_up: tuple[Glyph, ...]
    pictures: bool


def notes_of(page: pdfium.PdfPage, frame: PageFrame) -> Notes | None:
    """What the annotations of `page` hold; None for a page that has none, or links only."""
    texts: list[str] = []
    made_up: list[Glyph] = []
    any_found = pictures = False
    for annotation in _annotations(page):
        kind = pdfium_c.FPDFAnnot_GetSubtype(annotation)
        if kind in _TEXTLESS:
            continue
        any_found = True
        held = "\n".join(_string(annotation, key) for key in _TEXTS)
        texts.extend(_lines(held))
        # PDFium makes up the looks of fields itself.
        if kind == pdfium_c.FPDF_ANNOT_FREETEXT and not pdfium_c.FPDFAnnot_HasKey(annotation, b"AP"):
            made_up.extend(_made_up(" ".join(_lines(held)), _rect(annotation, frame)))
        pictures = pictures or _may_be_picture(annotation, kind, frame)
    return Notes(tuple(texts), tuple(made_up), pictures) if any_found else None


def _may_be_picture(annotation: pdfium_c.FPDF_ANNOTATION, kind: int, frame: PageFrame) -> bool:
    """Whether an annotation of the upper half has a look that isn't only the text of a field."""
    if not pdfium_c.FPDFAnnot_HasKey(annotation, b"AP"):
        return False
    text_field = kind == pdfium_c.FPDF_ANNOT_WIDGET and _string(annotation, b"FT") == "Tx"
    return not text_field and _rect(annotation, frame).y < frame.height_mm / 2


def field_values(document: pdfium.PdfDocument, page: pdfium.PdfPage) -> tuple[str, ...]:
    """The values of the fields on an open page, also of those that get them from their parents."""
    form = document.formenv
    if form is None:
        return ()
    held = [
        _text(partial(pdfium_c.FPDFAnnot_GetFormFieldValue, form.raw, annotation))
        for annotation in _annotations(page)
        if pdfium_c.FPDFAnnot_GetSubtype(annotation) == pdfium_c.FPDF_ANNOT_WIDGET
    ]
    return tuple(line for text in held for line in _lines(text))


def picture_of(page: pdfium.PdfPage, frame: PageFrame) -> Image.Image:
    """A small grey picture of a page without its annotations, two pixels a mm where the page isn't huge."""
    scale = min(_PX_PER_MM, _MAX_SIDE_PX / max(frame.width_mm, frame.height_mm, 1.0))
    width = max(1.0, frame.width_mm * scale)
    # PDFium doesn't know UserUnit: the picture's width is what counts.
    bitmap = page.render(
        scale=width / max(page.get_size()[0], 1e-3), grayscale=True, may_draw_forms=False, draw_annots=False
    )
    picture: Image.Image = bitmap.to_pil().convert("L")
    return picture


def drawn_between(before: Image.Image, after: Image.Image, frame: PageFrame) -> frozenset[tuple[int, int]]:
    """The square millimetres (column, row from the top left) of the page's upper half in which two pictures differ."""
    changed = ImageChops.difference(before, after).point([255 if value > _CHANGED else 0 for value in range(256)])
    wide, high = (max(1, min(_MAX_SIDE_PX, int(side))) for side in (frame.width_mm, frame.height_mm))
    cells = changed.resize((wide, high), Image.Resampling.BOX).crop((0, 0, wide, max(1, high // 2)))
    return frozenset((i % wide, i // wide) for i, value in enumerate(cells.tobytes()) if value)


def draw_annotations(page: pdfium.PdfPage) -> None:
    """Draws the annotations of a page into it, in a view of its own; they show when the page is opened again."""
    pdfium_c.FPDFPage_Flatten(page.raw, pdfium_c.FLAT_NORMALDISPLAY)


def added_glyphs(page: Sequence[Glyph], overlaid: Sequence[Glyph]) -> list[Glyph]:
    """The glyphs of the page with its annotations that the page alone doesn't have."""
    # Annotations are drawn last, so that nearly all is as it was.
    same = next((i for i, (one, other) in enumerate(zip(page, overlaid, strict=False)) if one != other), len(page))
    rest = overlaid[same:]
    if not rest:
        return []
    known = {(glyph.text, round(glyph.left / _CLOSE), round(glyph.baseline / _CLOSE)) for glyph in page}

    def is_new(glyph: Glyph) -> bool:
        x, y = round(glyph.left / _CLOSE), round(glyph.baseline / _CLOSE)
        if (glyph.text, x, y) in known:
            return False
        return not any((glyph.text, i, j) in known for i in (x - 1, x, x + 1) for j in (y - 1, y, y + 1))

    return [msgspec.structs.replace(glyph, added=True) for glyph in rest if is_new(glyph)]


def without_covered(page: Sequence[Glyph], added: Sequence[Glyph]) -> list[Glyph]:
    """The glyphs of the page without the blanks and dots over which annotations write."""
    taken = {cell for glyph in added if glyph.text.strip() for cell in _cells(glyph)}

    def is_covered(glyph: Glyph) -> bool:
        if glyph.text.strip() and glyph.text not in _LEADERS:
            return False
        return any((column, row + i) in taken for column, row in _cells(glyph) for i in (-1, 0, 1))

    return [glyph for glyph in page if not is_covered(glyph)]


def _cells(glyph: Glyph) -> Iterator[tuple[int, int]]:
    """Where a glyph stands: quarters of a mm across, whole ones down."""
    first = int(glyph.left * 4)
    for column in range(first, min(int(glyph.right * 4), first + _WIDEST_CELLS) + 1):
        yield column, int(glyph.baseline)


def _annotations(page: pdfium.PdfPage) -> Iterator[pdfium_c.FPDF_ANNOTATION]:
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page.raw), _MAX_ANNOTATIONS)):
        annotation = pdfium_c.FPDFPage_GetAnnot(page.raw, index)
        if not annotation:
            continue
        try:
            yield annotation
        finally:
            pdfium_c.FPDFPage_CloseAnnot(annotation)


def _string(annotation: pdfium_c.FPDF_ANNOTATION, key: bytes) -> str:
    return _text(partial(pdfium_c.FPDFAnnot_GetStringValue, annotation, key))


def _text(read: Callable[[Any, int], int]) -> str:
    """A text that PDFium gives in UTF-16, cut at a length; empty when there is none."""
    size = read(None, 0)
    if size <= _BYTES_OF_NOTHING or size > _MAX_TEXT_BYTES:
        return ""
    buffer = (ctypes.c_ushort * (size // 2 + 1))()
    read(buffer, size)
    return bytes(buffer).decode("utf-16-le", errors="replace").rstrip("\0")[:_MAX_TEXT]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _rect(annotation: pdfium_c.FPDF_ANNOTATION, frame: PageFrame) -> Rect:
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDFAnnot_GetRect(annotation, box)
    return frame.from_user(UserBox.normalised(box.left, box.bottom, box.right, box.top))


def _made_up(text: str, box: Rect) -> Iterator[Glyph]:
    """A text as a viewer might set it into its box: one line from the left."""
    em = min(pt_to_mm(13), box.h)
    if em <= 0:
        return
    step = min(em / 2, box.w / max(1, len(text)))
    baseline = box.y + box.h / 2 + em * 0.3
    for i, letter in enumerate(" ".join(text.split())):
        left = box.x + i * step
        yield Glyph(letter, left, left + step, baseline, mm_to_pt(em), 0.0, added=True)
