"""Pictures of a file's pages as they were and as they are, and where two of them differ.

Runs in a worker. Each state of the file is the file cut at a byte, drawn by PDFium; pictures are kept while there is
room and bounded in number, for a file may be made to exhaust. Says nothing of what a difference means: that is `ink`'s.
"""

import ctypes
import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops, ImageDraw

from signer_app.pdf.geometry import PageFrame, UserBox, mm_to_pt
from signer_app.verification.faults import LimitError
from signer_app.verification.source import SourceFile

DPI = 110
CORNER = (0, 0)
_MAX_PIXELS = 12_000_000
_MAX_PICTURES = 1200
_MAX_KEPT = 48
_MAX_OPEN = 4
_MAX_CHARS = 100_000
_STRIP = 16
"""Rows of two pictures that are held against each other byte by byte, before pixels are looked at."""

_LEADERS = frozenset(".…_․‥·")
_LEADER_RUN = 3
_MAX_LEADER_HEIGHT_PT = mm_to_pt(1.5)
_MAX_LEADER_WIDTH_PT = {"…": mm_to_pt(6), "_": mm_to_pt(3.5)}
"""A dot of a leader is at most this high, and this wide, or as wide as high; what is more only calls itself a dot."""


Place = tuple[int, int, int, int]
_Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Unlike:
    """Where two pictures of a page, of one size, differ: white in `changes`, whose upper left is at `corner`."""

    changes: Image.Image
    corner: tuple[int, int]


@dataclass(frozen=True)
class _Drawn:
    """Which picture: of the page (from 0) of the file cut at byte `end`."""

    end: int
    page: int
    annotations: bool
    grey: bool


class Pages:
    """Pictures of the pages of successive states of one file, the latest kept. Close after use."""

    def __init__(self, source: SourceFile) -> None:
        self._source = source
        self._documents: dict[int, pdfium.PdfDocument] = {}
        self._open: dict[tuple[int, int], pdfium.PdfPage] = {}
        self._pictures: dict[_Drawn, _Picture] = {}
        self._unlike: dict[tuple[int, int, int], Unlike | None] = {}
        self._left = _MAX_PICTURES

    def allow(self, more: int) -> None:
        """So many more pictures may be made; their number is limited."""
        self._left += more

    def close(self) -> None:
        """Closes PDFium's pages and documents; must come before the source is closed."""
        self._close_pages()
        for document in self._documents.values():
            document.close()
        self._documents.clear()

    def _close_pages(self) -> None:
        for page in self._open.values():
            page.close()
        self._open.clear()

    def picture(self, end: int, page: int, *, annotations: bool = True) -> Image.Image:
        """The page (from 0) of the file cut at byte `end`, in grey. Raises pdfium's errors, LimitError."""
        return self._picture(_Drawn(end, page, annotations, grey=True)).image

    def colours(self, end: int, page: int) -> Image.Image:
        """The same in colour, RGBX."""
        return self._coloured(end, page).image

    def _coloured(self, end: int, page: int) -> "_Picture":
        return self._picture(_Drawn(end, page, annotations=True, grey=False))

    def part(self, end: int, page: int, place: Place, *, annotations: bool = True) -> Image.Image:
        """A part of the page in grey: left, top, right, bottom in pixels of its picture."""
        if self._left <= 0:
            raise LimitError
        self._left -= 1
        return _render(self._page(end, page), annotations=annotations, grey=True, place=place).image

    def unlike(self, ends: tuple[int, int], page: int) -> Unlike | None:
        """Where the page differs, in whatever colour, between the file cut at two bytes; None when it doesn't, or the
        page has another size.
        """
        known = (*ends, page)
        if known not in self._unlike:
            if len(self._unlike) >= _MAX_KEPT:
                self._unlike.clear()
            self._unlike[known] = _compared(*(self._coloured(end, page) for end in ends))
        return self._unlike[known]

    def same_but(self, ends: tuple[int, int], page: int, free: Sequence[_Box], tone: int) -> bool:
        """Whether the page looks the same in grey, up to this difference of tone, in the file cut at two bytes; `free`
        are boxes, in parts of its width and height, that don't count. Raises pdfium's errors, LimitError.
        """
        coloured = [self._pictures.get(_Drawn(end, page, annotations=True, grey=False)) for end in ends]
        sizes = {one.image.size for one in coloured if one is not None}
        if all(coloured) and len(sizes) == 1:
            # Drawn already: what looks the same in colour is not drawn again in grey.
            unlike, size = self.unlike(ends, page), sizes.pop()
            if unlike is None or _blotted(unlike.changes.copy(), unlike.corner, size, free).getbbox() is None:
                return True
        before, after = (self.picture(end, page) for end in ends)
        if before.size != after.size:
            return False
        difference = ImageChops.difference(before, after)
        if difference.getbbox() is None:
            return True
        return _blotted(difference, CORNER, before.size, free).point(above(tone)).getbbox() is None

    def _picture(self, wanted: _Drawn) -> "_Picture":
        if wanted not in self._pictures:
            if self._left <= 0:
                raise LimitError
            self._left -= 1
            while len(self._pictures) >= _MAX_KEPT:
                del self._pictures[next(iter(self._pictures))]
            page = self._page(wanted.end, wanted.page)
            self._pictures[wanted] = _render(page, annotations=wanted.annotations, grey=wanted.grey)
        return self._pictures[wanted]

    def leaders(self, end: int, page: int) -> list[UserBox]:
        """Boxes of the dots of leaders ("Số: ....../QĐ") on that page, which number and date are written over by
        custom.
        """
        return list(_leaders(self._page(end, page)))

    def has_annotations(self, end: int, page: int) -> bool:
        """Whether the page shows anything beside its own content, by PDFium. Raises pdfium's errors."""
        return bool(pdfium_c.FPDFPage_GetAnnotCount(self._page(end, page).raw) > 0)

    def shape(self, end: int, page: int, unit: float) -> PageFrame:
        """How PDFium displays the page, which knows nothing of its unit. Raises pdfium's errors."""
        shown = self._page(end, page)
        return PageFrame(UserBox.normalised(*shown.get_bbox()), int(shown.get_rotation()) % 360, unit)

    def document(self, end: int) -> pdfium.PdfDocument:
        """PDFium's view of the file cut at byte `end`; it stays open, and is closed with the rest."""
        if end not in self._documents:
            document = pdfium.PdfDocument(self._source.beginning(end))
            # Without a form environment PDFium draws no widgets.
            document.init_forms()
            self._documents[end] = document
        return self._documents[end]

    def _page(self, end: int, number: int) -> pdfium.PdfPage:
        """A page that stays open for a while: its next picture needs no decoding of what it shows."""
        if (end, number) not in self._open:
            if len(self._open) >= _MAX_OPEN:
                self._close_pages()
            self._open[end, number] = self.document(end)[number]
        return self._open[end, number]


@dataclass(frozen=True)
class _Picture:
    """A picture, and the bytes of its rows, which lie one after the other."""

    image: Image.Image
    rows: memoryview


def _compared(before: _Picture, after: _Picture) -> Unlike | None:
    if before.image.size != after.image.size:
        return None
    width, height = before.image.size
    found: list[tuple[Image.Image, Place]] = []
    for top, bottom in _unlike_rows(before.rows, after.rows, height):
        strip = (0, top, width, bottom)
        difference = ImageChops.difference(before.image.crop(strip), after.image.crop(strip))
        if (box := difference.getbbox()) is not None:
            planes = difference.crop(box).split()[:3]
            changes = functools.reduce(ImageChops.lighter, planes).point(above(0))
            found.append((changes, moved(box, 0, top)))
    if not found:
        return None
    left, top, right, bottom = around([place for _, place in found])
    whole = Image.new("L", (right - left, bottom - top))
    for changes, place in found:
        whole.paste(changes, (place[0] - left, place[1] - top))
    return Unlike(whole, (left, top))


def _unlike_rows(before: memoryview, after: memoryview, height: int) -> Iterator[tuple[int, int]]:
    """The runs of rows, first and behind the last, in which two pictures of so many rows have any other byte."""
    row = len(before) // height
    start: int | None = None
    for top in range(0, height, _STRIP):
        place = slice(top * row, min(top + _STRIP, height) * row)
        # Bytes are compared as a whole, views of them one by one.
        if bytes(before[place]) == bytes(after[place]):
            if start is not None:
                yield start, top
            start = None
        elif start is None:
            start = top
    if start is not None:
        yield start, height


def _blotted(picture: Image.Image, corner: tuple[int, int], size: tuple[int, int], free: Sequence[_Box]) -> Image.Image:
    """A part of a page's picture of this size, at `corner`, with the free boxes made black."""
    draw, (width, height), (x, y) = ImageDraw.Draw(picture), size, corner
    for left, top, right, bottom in free:
        draw.rectangle((left * width - x, top * height - y, right * width - x, bottom * height - y), fill=0)
    return picture


def _render(page: pdfium.PdfPage, *, annotations: bool, grey: bool, place: Place | None = None) -> _Picture:
    """In grey or in colour, the whole page or a part; PDFium draws letters in colour otherwise than in grey."""
    width, height = page.get_size()
    if width <= 0 or height <= 0:
        # A box that lies beside the paper; pypdfium2 would ask for a picture without pixels.
        raise pdfium.PdfiumError("nothing of the page can be shown")
    scale = min(DPI / 72, math.sqrt(_MAX_PIXELS / max(1.0, width * height)))
    crop = (0.0, 0.0, 0.0, 0.0)
    if place is not None:
        left, top, right, bottom = place
        below, beside = math.ceil(height * scale) - bottom, math.ceil(width * scale) - right
        # What is cut off is rounded up to whole pixels.
        a, b, c, d = (max(0.0, (side - 0.5) / scale) for side in (left, below, beside, top))
        crop = (a, b, c, d)
    bitmap = page.render(
        scale=scale,
        crop=crop,
        grayscale=grey,
        draw_annots=annotations,
        may_draw_forms=annotations,
        # In this order of bytes Pillow takes a picture as it is.
        prefer_bgrx=True,
        rev_byteorder=True,
        bitmap_maker=pdfium.PdfBitmap.new_native,
    )
    try:
        # The memory is Python's, and the picture holds it: RGBX is taken as it is.
        image: Image.Image = bitmap.to_pil()
        return _Picture(image.convert("L") if grey else image, memoryview(bitmap.buffer).cast("B"))
    finally:
        bitmap.close()


def _leaders(page: pdfium.PdfPage) -> Iterator[UserBox]:
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
                if (box := _glyph_box(text, index, char)) is not None:
                    run.append(box)
                continue
            if length >= _LEADER_RUN:
                yield from run
            run, length = [], 0
        if length >= _LEADER_RUN:
            yield from run
    finally:
        text.close()


def _glyph_box(text: pdfium.PdfTextPage, index: int, char: str) -> UserBox | None:
    left, right, bottom, top = (ctypes.c_double() for _ in range(4))
    if not pdfium_c.FPDFText_GetCharBox(text.raw, index, left, right, bottom, top):
        return None
    box = UserBox.normalised(left.value, bottom.value, right.value, top.value)
    widest = _MAX_LEADER_WIDTH_PT.get(char, _MAX_LEADER_HEIGHT_PT)
    return box if box.height <= _MAX_LEADER_HEIGHT_PT and box.width <= widest else None


def moved(place: Place, x: int, y: int) -> Place:
    """The same place so many pixels further right and down."""
    return place[0] + x, place[1] + y, place[2] + x, place[3] + y


def around(boxes: Sequence[Place]) -> Place:
    """The smallest place that holds all of these."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def above(limit: float) -> "list[int]":
    """A table for `Image.point`: 255 above the limit, 0 up to it."""
    return [255 if value > limit else 0 for value in range(256)]
