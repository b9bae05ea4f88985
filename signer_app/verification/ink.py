"""The ink rule: whether what a page showed when it was signed can still be read.

Runs in a worker. Renders the page of the signed state and of the file as it is, in grey at about 110 dpi, and
compares pixels with Pillow alone. An inked pixel may get darker (a seal drawn with Multiply) but never lighter, and
must stay darker than what was blank beside it, so neither an opaque patch nor a dark one passes. Dot leaders are no
ink. Never decides from the objects of the PDF; it is the cross-check by picture.
"""

import ctypes
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from signer_app.pdf.geometry import PageFrame, UserBox, mm_to_pt
from signer_app.verification.faults import LimitError
from signer_app.verification.source import SourceFile

_DPI = 110
_MAX_PIXELS = 12_000_000
_MAX_PICTURES = 600
_MAX_KEPT = 24
_MAX_CHARS = 100_000

_INK_CONTRAST = 36
"""A pixel this much darker (of 255) than the paper near it is ink: grey text of #BBB is, the noise of a scan isn't."""
_BLANK_CONTRAST = 14
_PAPER_REACH = 9
"""Side, in pixels, of the square in which the lightest pixel counts as the paper: 2 mm."""
_BESIDE_REACH = 5
"""Side of the square that is `beside` an inked pixel: two pixels each way, more than a letter's stroke is wide."""
_LIGHTER = 10
"""Rounding of blend modes stays below this; a see-through patch does not."""
_KEPT_CONTRAST = 0.1
_CLUSTER_REACH = 9
_CLUSTER_PIXELS = 4
"""Where a stamp's edge meets the edge of a letter, single pixels lose their contrast; a hidden letter is more."""

_LEADERS = frozenset(".…_․‥·")
_LEADER_RUN = 3
_MAX_LEADER_HEIGHT_PT = mm_to_pt(1.5)
"""A dot of a leader is at most this high; what is higher is a drawing that only calls itself a dot."""


@dataclass(frozen=True)
class _Picture:
    image: Image.Image
    leaders: tuple[UserBox, ...]


class Pages:
    """Pictures of the pages of successive states of one file, the latest kept. Close after use."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._documents: dict[int, pdfium.PdfDocument] = {}
        self._pictures: dict[tuple[int, int, bool], _Picture] = {}
        self._rendered = 0

    def close(self) -> None:
        """Closes PDFium's documents; must come before the source is closed."""
        for document in self._documents.values():
            document.close()
        self._documents.clear()

    def picture(self, end: int, page: int, *, annotations: bool = True) -> _Picture:
        """The page (from 0) of the file cut at byte `end`. Raises pdfium's errors, LimitError."""
        key = (end, page, annotations)
        if key not in self._pictures:
            self._rendered += 1
            if self._rendered > _MAX_PICTURES:
                raise LimitError
            while len(self._pictures) >= _MAX_KEPT:
                del self._pictures[next(iter(self._pictures))]
            if end not in self._documents:
                document = pdfium.PdfDocument(self._source.prefix(end))
                # Without a form environment PDFium draws no widgets.
                document.init_forms()
                self._documents[end] = document
            self._pictures[key] = _render(self._documents[end], page, annotations=annotations)
        return self._pictures[key]


@dataclass(frozen=True)
class InkQuestion:
    """Two states of one page and what of it doesn't count.

    `free` are boxes where no ink is protected (signature widgets of the signed state); `repaint` are boxes of
    annotations whose own ink may go, so that only the page's ink below them counts. Boxes are in user space.
    """

    page: int
    frame: PageFrame
    signed_end: int
    final_end: int
    free: Sequence[UserBox]
    repaint: Sequence[UserBox]


def covered(pages: Pages, question: InkQuestion) -> bool:
    """Whether ink of the signed state got lighter or can't be told from what lies around it any more."""
    before = pages.picture(question.signed_end, question.page)
    after = pages.picture(question.final_end, question.page)
    if before.image.size != after.image.size:
        return True
    scale = _Scale(question.frame, before.image)
    old = before.image
    if question.repaint:
        bare = pages.picture(question.signed_end, question.page, annotations=False).image
        old = old.copy()
        for box in question.repaint:
            place = scale.pixels(box)
            if place is not None:
                old.paste(bare.crop(place), place)
    mask = Image.new("L", old.size, 255)
    draw = ImageDraw.Draw(mask)
    for box in question.free:
        if (place := scale.pixels(box)) is not None:
            draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=0)
    for box in before.leaders:
        if (place := scale.pixels(box, margin=1)) is not None:
            draw.rectangle((place[0], place[1], place[2] - 1, place[3] - 1), fill=0)
    return _ink_lost(old, after.image, mask)


def _ink_lost(old: Image.Image, new: Image.Image, mask: Image.Image) -> bool:
    changed = ImageChops.difference(old, new).getbbox()
    if changed is None:
        return False
    # Only what lies near a changed pixel can be lost; pages are large and stamps small.
    left, top, right, bottom = changed
    reach = _PAPER_REACH + _BESIDE_REACH + _CLUSTER_REACH
    near = (
        max(0, left - reach),
        max(0, top - reach),
        min(old.width, right + reach),
        min(old.height, bottom + reach),
    )
    old, new, mask = old.crop(near), new.crop(near), mask.crop(near)
    contrast = ImageChops.subtract(_lightest_near(old, _PAPER_REACH), old)
    ink = ImageChops.multiply(contrast.point(_above(_INK_CONTRAST)), mask)
    lighter = ImageChops.subtract(new, old).point(_above(_LIGHTER))
    if ImageChops.multiply(ink, lighter).getbbox() is not None:
        return True
    # The lightest pixel beside that was blank when signed, as it is now; 0 where nothing beside was blank.
    blank = contrast.point(lambda value: 255 if value <= _BLANK_CONTRAST else 0)
    beside = _lightest_near(ImageChops.multiply(new, blank), _BESIDE_REACH)
    had_blank = _lightest_near(blank, _BESIDE_REACH)
    needed = contrast.point(lambda value: max(2, math.ceil(value * _KEPT_CONTRAST)))
    kept = ImageChops.subtract(beside, new)
    short = ImageChops.subtract(needed, kept).point(_above(0))
    lost = ImageChops.multiply(ImageChops.multiply(ink, had_blank), short)
    if lost.getbbox() is None:
        return False
    # BoxBlur gives the mean: one lost pixel in the square is 255 / side².
    density = lost.filter(ImageFilter.BoxBlur(_CLUSTER_REACH // 2))
    return density.point(_above(_CLUSTER_PIXELS * 255 / _CLUSTER_REACH**2 - 1.5)).getbbox() is not None


def _lightest_near(image: Image.Image, side: int) -> Image.Image:
    """Each pixel becomes the lightest of the square around it; small squares in turn are faster than one large."""
    for _ in range(side // 2):
        image = image.filter(ImageFilter.MaxFilter(3))
    return image


def _above(limit: float) -> "list[int]":
    """A table for `Image.point`: 255 above the limit, 0 up to it."""
    return [255 if value > limit else 0 for value in range(256)]


class _Scale:
    """Turns boxes of a page into pixels of its picture."""

    def __init__(self, frame: PageFrame, image: Image.Image) -> None:
        self._frame = frame
        self._size = image.size
        self._x = image.width / frame.width_mm
        self._y = image.height / frame.height_mm

    def pixels(self, box: UserBox, margin: int = 0) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom within the picture; None when nothing of the box is on it."""
        shown = self._frame.from_user(box)
        left = max(0, math.floor(shown.x * self._x) - margin)
        top = max(0, math.floor(shown.y * self._y) - margin)
        right = min(self._size[0], math.ceil(shown.right * self._x) + margin)
        bottom = min(self._size[1], math.ceil(shown.bottom * self._y) + margin)
        return (left, top, right, bottom) if left < right and top < bottom else None


def _render(document: pdfium.PdfDocument, number: int, *, annotations: bool) -> _Picture:
    page = document[number]
    try:
        width, height = page.get_size()
        scale = min(_DPI / 72, math.sqrt(_MAX_PIXELS / max(1.0, width * height)))
        bitmap = page.render(scale=scale, grayscale=True, draw_annots=annotations, may_draw_forms=annotations)
        try:
            image = bitmap.to_pil().convert("L").copy()
        finally:
            bitmap.close()
        return _Picture(image, tuple(_leaders(page)))
    finally:
        page.close()


def _leaders(page: pdfium.PdfPage) -> Iterator[UserBox]:
    """Boxes of the dots of leaders ("Số: ....../QĐ"), which number and date are written over by custom."""
    text = page.get_textpage()
    try:
        run: list[UserBox] = []
        length = 0
        for index in range(min(text.count_chars(), _MAX_CHARS)):
            char = chr(pdfium_c.FPDFText_GetUnicode(text.raw, index))
            if char.isspace() or char == "\0":
                continue
            if char in _LEADERS:
                length += 3 if char in "…_" else 1
                if (box := _glyph_box(text, index)) is not None:
                    run.append(box)
                continue
            if length >= _LEADER_RUN:
                yield from run
            run, length = [], 0
        if length >= _LEADER_RUN:
            yield from run
    finally:
        text.close()


def _glyph_box(text: pdfium.PdfTextPage, index: int) -> UserBox | None:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium_c.FPDFText_GetCharBox(text.raw, index, left, right, bottom, top):
        return None
    box = UserBox.normalised(left.value, bottom.value, right.value, top.value)
    return box if box.height <= _MAX_LEADER_HEIGHT_PT else None
