"""Text that is on a page and not seen: in the paper's colour, see-through, covered, tiny, beside the page.

Runs in a worker, with PDFium's own page objects. What looks suspicious by its colour, or by what is drawn over it, is
proved by the picture: the page is drawn with it and without, and only what changes nothing is told. Invisible letters
over a scan are its text layer and no finding.
"""

import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image, ImageChops

from signer_app.pdf.calls import Room, unchecked
from signer_app.pdf.geometry import UserBox
from signer_app.pdf.inspection.scan import Scan, scan_of
from signer_app.pdf.inspection.sightings import Budget, Sighting
from signer_app.pdf.pagetext import OpenDocument

_OBJECTS = 400_000
"""Page objects looked at in one document."""
_PICTURES = 60
"""Pages of one document that are drawn twice."""
_DEEPEST = 6
_MOST_COVERS = 200
"""Filled shapes and pictures of one page that are held against the text below them."""
_LIGHT = 200
"""Lightest of 255 that each colour of a letter must reach to be near the paper's."""
_SEEN = 24
"""Levels of 255 by which a letter must change the picture to count as seen."""
_FAINT = 26
"""Opacity of 255 below which letters are as good as see-through."""
_TINY = 1.0
"""Points."""
_SCALE = 1.5
_MOST_PIXELS = 4_000_000
_TO_BE_PROVED = frozenset({"text_paper_colour", "text_covered", "text_invisible"})
"""Whether it is seen is asked of the picture."""
_Matrix = tuple[float, float, float, float, float, float]
_PLAIN: _Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_STROKED_ONLY = {pdfium_c.FPDF_TEXTRENDERMODE_STROKE, pdfium_c.FPDF_TEXTRENDERMODE_STROKE_CLIP}
_INKED = {pdfium_c.FPDF_PAGEOBJ_TEXT, pdfium_c.FPDF_PAGEOBJ_IMAGE, pdfium_c.FPDF_PAGEOBJ_PATH}
_UNPAINTED = {pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium_c.FPDF_TEXTRENDERMODE_CLIP}

_get_type = unchecked(pdfium_c.FPDFPageObj_GetType, ctypes.c_int)
_get_bounds = unchecked(pdfium_c.FPDFPageObj_GetBounds, ctypes.c_int)
_get_matrix = unchecked(pdfium_c.FPDFPageObj_GetMatrix, ctypes.c_int)
_get_fill = unchecked(pdfium_c.FPDFPageObj_GetFillColor, ctypes.c_int)
_get_stroke = unchecked(pdfium_c.FPDFPageObj_GetStrokeColor, ctypes.c_int)
_get_mode = unchecked(pdfium_c.FPDFTextObj_GetTextRenderMode, ctypes.c_int)
_get_size = unchecked(pdfium_c.FPDFTextObj_GetFontSize, ctypes.c_int)
# Where these leave their answers; one object is asked about at a time.
_EDGES, _COLOURS = Room(ctypes.c_float, 4), Room(ctypes.c_uint, 4)
_SIZE, _MATRIX = Room(ctypes.c_float, 1), pdfium_c.FS_MATRIX()
_TO_EDGES, _TO_COLOURS, _TO_SIZE = ([places[0] for places in room.to] for room in (_EDGES, _COLOURS, _SIZE))
_TO_MATRIX = ctypes.byref(_MATRIX)


@dataclass(frozen=True)
class _Text:
    """A piece of text with its box in the page's user space; `code`: what its values say is wrong with it."""

    handle: Any
    box: UserBox
    code: str | None


@dataclass
class _Drawn:
    """What one page draws, in the order in which it is drawn."""

    texts: list[_Text] = field(default_factory=list)
    covers: list[tuple[int, UserBox]] = field(default_factory=list)
    """How many texts came before a filled shape or picture, and its box."""
    pictures: float = 0.0
    """Area of all pictures, in square units of user space."""
    images: list[tuple[Any, float]] = field(default_factory=list)
    """The pictures by their handles, good while the page is open, and their areas."""


class ContentInspector:
    """Inspects one page after the other of an open document, within one budget for all."""

    def __init__(self, document: OpenDocument) -> None:
        self._document = document
        self._objects = Budget(_OBJECTS)
        self._pictures = Budget(_PICTURES)
        self.scan: Scan | None = None
        """What page 1 is as a scan, once it was looked at."""

    def document(self) -> Iterator[Sighting]:
        """What is seen on all pages; "inspection_incomplete" from the page on which the budget ended."""
        for number in range(len(self._document)):
            try:
                yield from self._page(number)
            except (pdfium.PdfiumError, ValueError):
                yield Sighting("inspection_incomplete", number + 1)
            if self._objects.short or self._pictures.short:
                yield Sighting("inspection_incomplete", number + 1)
                return

    def _page(self, number: int) -> Iterator[Sighting]:
        page = self._document.page(number)
        try:
            shown = UserBox.normalised(*page.get_bbox())
            drawn = _Drawn()
            self._walk(_of_page(page), _PLAIN, drawn, 0)
            if number == 0:
                self.scan = scan_of(drawn.images, page, self._document.frame(0))
            suspects = list(_suspects(drawn, shown))
            if suspects:
                yield from self._told(page, number, shown, suspects)
        finally:
            page.close()

    def _walk(self, things: Iterator[Any], matrix: _Matrix, drawn: _Drawn, depth: int) -> None:
        for thing in things:
            if not self._objects.spend():
                return
            kind = _get_type(thing)
            if kind == pdfium_c.FPDF_PAGEOBJ_FORM:
                if depth < _DEEPEST:
                    self._walk(_within_form(thing), _times(_own_matrix(thing), matrix), drawn, depth + 1)
                continue
            box = _box(thing, matrix) if kind in _INKED else None
            if box is None:
                continue
            if kind == pdfium_c.FPDF_PAGEOBJ_TEXT:
                drawn.texts.append(_Text(thing, box, _fault(thing, matrix)))
                continue
            if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
                drawn.pictures += _area(box)
                drawn.images.append((thing, _area(box)))
            if drawn.texts and _covers(thing, kind):
                drawn.covers.append((len(drawn.texts), box))

    def _told(self, page: pdfium.PdfPage, number: int, shown: UserBox, suspects: Sequence[_Text]) -> Iterator[Sighting]:
        """The suspects that are letters, and of those that could be seen the ones that are not."""
        textpage = page.get_textpage()
        try:
            written = [(text, _letters(text.handle, textpage)) for text in suspects]
        finally:
            textpage.close()
        written = [(text, letters) for text, letters in written if letters.strip()]
        doubtful = [text for text, _letters in written if text.code in _TO_BE_PROVED]
        unseen: set[int] = set()
        if doubtful and self._pictures.spend():
            unseen = _unseen(page, shown, doubtful)
        for text, letters in written:
            if text.code not in _TO_BE_PROVED or id(text) in unseen:
                assert text.code is not None
                yield Sighting(text.code, number + 1, letters)


def _of_page(page: pdfium.PdfPage) -> Iterator[Any]:
    for i in range(pdfium_c.FPDFPage_CountObjects(page.raw)):
        yield pdfium_c.FPDFPage_GetObject(page.raw, i)


def _within_form(form: Any) -> Iterator[Any]:
    for i in range(pdfium_c.FPDFFormObj_CountObjects(form)):
        yield pdfium_c.FPDFFormObj_GetObject(form, i)


def _suspects(drawn: _Drawn, shown: UserBox) -> Iterator[_Text]:
    """Texts that may not be seen, each with one reason."""
    scan = drawn.pictures >= 0.5 * _area(shown)
    covers = sorted(drawn.covers, key=lambda cover: -_area(cover[1]))[:_MOST_COVERS]
    for index, text in enumerate(drawn.texts):
        if _apart(text.box, shown):
            yield _Text(text.handle, text.box, "text_outside_page")
        elif text.code == "text_tiny":
            yield text
        elif scan and text.code in (None, "text_invisible"):
            # The letters of a scan's text layer, under or over its picture.
            continue
        elif text.code is not None:
            yield text
        elif any(index < before and _within(text.box, box) for before, box in covers):
            yield _Text(text.handle, text.box, "text_covered")


def _fault(thing: Any, matrix: _Matrix) -> str | None:
    """What is wrong with a piece of text by its size, its way of being painted, and its colour."""
    mode = _get_mode(thing)
    if mode in _UNPAINTED:
        return "text_invisible"
    if _get_size(thing, *_TO_SIZE) and (size := _SIZE.values[0]):
        a, b, c, d, _e, _f = _times(_own_matrix(thing), matrix)
        if abs(size) * abs(a * d - b * c) ** 0.5 < _TINY:
            return "text_tiny"
    ask = _get_stroke if mode in _STROKED_ONLY else _get_fill
    if not ask(thing, *_TO_COLOURS):
        return None
    red, green, blue, opacity = _COLOURS.values
    if opacity < _FAINT:
        return "text_invisible"
    return "text_paper_colour" if min(red, green, blue) >= _LIGHT else None


def _covers(thing: Any, kind: int) -> bool:
    """Whether a shape or picture may hide what lies below: filled, and not see-through."""
    if kind == pdfium_c.FPDF_PAGEOBJ_PATH:
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        return bool(pdfium_c.FPDFPath_GetDrawMode(thing, fill, stroke)) and fill.value != pdfium_c.FPDF_FILLMODE_NONE
    return True


def _unseen(page: pdfium.PdfPage, shown: UserBox, doubtful: Sequence[_Text]) -> set[int]:
    """Identities of those without which the page looks the same in their place."""
    with_all = _picture(page, shown)
    for text in doubtful:
        pdfium_c.FPDFPageObj_SetIsActive(text.handle, False)
    try:
        without = _picture(page, shown)
    finally:
        for text in doubtful:
            pdfium_c.FPDFPageObj_SetIsActive(text.handle, True)
    change = ImageChops.difference(with_all, without)
    return {id(text) for text in doubtful if _most(change, _pixels(page, text.box, change.size)) < _SEEN}


def _picture(page: pdfium.PdfPage, shown: UserBox) -> Image.Image:
    scale = min(_SCALE, (_MOST_PIXELS / max(1.0, _area(shown))) ** 0.5)
    picture: Image.Image = page.render(scale=scale, grayscale=True, may_draw_forms=False).to_pil()
    return picture.convert("L")


def _pixels(page: pdfium.PdfPage, box: UserBox, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of user space in pixels of the picture, a pixel wider on each side."""
    xs, ys = [], []
    x, y = ctypes.c_int(), ctypes.c_int()
    for corner in ((box.llx, box.lly), (box.urx, box.ury)):
        pdfium_c.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, *corner, x, y)
        xs.append(x.value)
        ys.append(y.value)
    return max(0, min(xs) - 1), max(0, min(ys) - 1), min(size[0], max(xs) + 2), min(size[1], max(ys) + 2)


def _most(change: Image.Image, pixels: tuple[int, int, int, int]) -> int:
    left, top, right, bottom = pixels
    if left >= right or top >= bottom:
        return 0
    extremes = change.crop(pixels).getextrema()
    return int(extremes[1])  # type: ignore[arg-type]


def _letters(handle: Any, textpage: pdfium.PdfTextPage) -> str:
    """The text of one object, as far as it need be told."""
    length = pdfium_c.FPDFTextObj_GetText(handle, textpage.raw, None, 0)
    if length <= 2:
        return ""
    buffer = ctypes.create_string_buffer(length)
    pdfium_c.FPDFTextObj_GetText(handle, textpage.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return buffer.raw[:400].decode("utf-16-le", errors="replace").partition("\0")[0]


def _box(thing: Any, matrix: _Matrix) -> UserBox | None:
    """Where an object lies on the page; None for one without a place."""
    if not _get_bounds(thing, *_TO_EDGES):
        return None
    left, bottom, right, top = _EDGES.values
    if matrix is _PLAIN:
        return UserBox.normalised(left, bottom, right, top)
    a, b, c, d, e, f = matrix
    corners = [(a * x + c * y + e, b * x + d * y + f) for x in (left, right) for y in (bottom, top)]
    xs, ys = [x for x, _y in corners], [y for _x, y in corners]
    return UserBox.normalised(min(xs), min(ys), max(xs), max(ys))


def _own_matrix(thing: Any) -> _Matrix:
    own = _MATRIX
    if not _get_matrix(thing, _TO_MATRIX):
        return _PLAIN
    return (own.a, own.b, own.c, own.d, own.e, own.f)


def _times(first: _Matrix, then: _Matrix) -> _Matrix:
    """The matrix that does `first` and `then` what the other says."""
    if then is _PLAIN:
        return first
    a, b, c, d, e, f = first
    p, q, r, s, t, u = then
    return (a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u)


def _area(box: UserBox) -> float:
    return box.width * box.height


def _apart(box: UserBox, shown: UserBox) -> bool:
    return (
        box.urx <= shown.llx or box.llx >= shown.urx or box.ury <= shown.lly or box.lly >= shown.ury
    ) and box.urx > box.llx


def _within(inner: UserBox, outer: UserBox) -> bool:
    return (
        outer.llx <= inner.llx + 0.5
        and outer.urx >= inner.urx - 0.5
        and outer.lly <= inner.lly + 0.5
        and outer.ury >= inner.ury - 0.5
    )
