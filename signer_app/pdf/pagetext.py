"""Reads the text of a page with its places, by PDFium, in millimetres of the displayed page.

Runs in a worker. Gives lines (everything on one baseline) and runs (pieces of a line without a wide gap), normalised
to NFC, and the same once more with what annotations and fields show. PDFium folds repeated blanks into one, so blanks
are measured as gaps between glyphs, never counted. Work is bounded by a number of letters a page.
"""

import ctypes
import dataclasses
import io
import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from signer_app.pdf.annotations import (
    Notes,
    added_glyphs,
    drawn_between,
    field_values,
    notes_of,
    picture_of,
    with_annotations_drawn,
    without_covered,
)
from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.pdf.lines import Glyph, Run, cut, lines_of, slanted_of
from signer_app.pdf.plan import Style

MAX_CHARS_PER_PAGE = 200_000
_MAX_USER_UNIT = 10_000.0
_HYPHENS = frozenset({"\x02", "\xad"})
"""What PDFium and word processors give for the hyphen at which a line is broken."""
_SILENT = frozenset({"Cc", "Cf"})
_ITALIC, _FORCE_BOLD = 1 << 6, 1 << 18
"""Font descriptor flags (ISO 32000-1, table 123)."""
_LEAST_SHEAR = math.tan(math.radians(5))
_LEAST_LETTERS, _LEAST_READABLE = 8, 0.9
_READABLE = frozenset(" .,:;/\\-–—−‐‑…_()[]{}\"'“”‘’«»!?%&+*=<>@#|~^$°•")
_TONES_AND_MARKS = frozenset("\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323")


@dataclass(frozen=True)
class PageText:
    """All lines of one page from top to bottom, and the same cut into runs at wide gaps.

    `slanted` are the pieces of text that don't stand upright (a mark across the page, a page typed sideways). `shown`
    is the page with what its annotations and fields show, None where they show no text; `notes` are the texts that
    annotations and fields hold, shown or not; `drawn` the square millimetres (column and row from the top left) of the
    upper half of the page on which they draw anything.
    """

    number: int
    frame: PageFrame
    lines: tuple[Run, ...]
    runs: tuple[Run, ...]
    slanted: tuple[str, ...]
    shown: "PageText | None" = None
    notes: tuple[str, ...] = ()
    drawn: frozenset[tuple[int, int]] = frozenset()

    @property
    def has_text(self) -> bool:
        """Whether the page holds text that can be read: False for a bare scan, and for letters that make no words
        (fonts without a table of their letters, or the encodings before Unicode).
        """
        letters = [letter for line in self.lines for letter in line.text if not letter.isspace()]
        readable = sum(_is_readable(letter) for letter in letters)
        return readable >= _LEAST_LETTERS and readable >= _LEAST_READABLE * len(letters)

    @property
    def added(self) -> tuple[Glyph, ...]:
        """The glyphs that annotations and fields show."""
        lines = self.shown.lines if self.shown is not None else ()
        return tuple(glyph for line in lines for glyph in line.glyphs if glyph.added and glyph.text.strip())


def _is_readable(letter: str) -> bool:
    """Whether Vietnamese text has this letter."""
    if letter in _READABLE or letter in "đĐ":
        return True
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 1:
        return letter.isascii() and letter.isalnum()
    return parts[0] in "aeiouyAEIOUY" and _TONES_AND_MARKS.issuperset(parts[1:])


class OpenDocument:
    """PDFium's view of a file, or of bytes in memory. Close after use."""

    def __init__(self, source: Path | bytes) -> None:
        self._source = source
        self._pdfium = pdfium.PdfDocument(source)
        self._units: tuple[float, ...] | None = None
        self._overlaid: pdfium.PdfDocument | None = None

    def __len__(self) -> int:
        return len(self._pdfium)

    def close(self) -> None:
        """Lets go of the file."""
        self._pdfium.close()
        if self._overlaid is not None:
            self._overlaid.close()

    def init_forms(self) -> None:
        """Makes PDFium draw widgets too; before any page is opened."""
        self._pdfium.init_forms()

    def page(self, number: int) -> pdfium.PdfPage:
        """PDFium's page `number` (from 0), to be closed by the caller."""
        return self._pdfium[number]

    def overlay(self) -> pdfium.PdfDocument:
        """A second view of the file, with its form, whose pages may be drawn into; opened when it is needed."""
        if self._overlaid is None:
            self._overlaid = pdfium.PdfDocument(self._source)
            self._overlaid.init_forms()
        return self._overlaid

    def frame(self, number: int) -> PageFrame:
        """How page `number` (from 0) is cut, turned and stretched."""
        page = self.page(number)
        try:
            # The box that PDFium displays: CropBox within MediaBox, both inherited where the page has none of its own.
            return PageFrame(UserBox.normalised(*page.get_bbox()), int(page.get_rotation()) % 360, self._unit(number))
        finally:
            page.close()

    def _unit(self, number: int) -> float:
        """The page's UserUnit (ISO 32000-1, table 30), which PDFium doesn't know."""
        if self._units is None:
            self._units = _user_units(self._source)
        return self._units[number] if number < len(self._units) else 1.0


def open_document(source: Path | bytes) -> OpenDocument:
    """Opens a file, or bytes in memory; raises `pypdfium2.PdfiumError` when PDFium can't read it."""
    return OpenDocument(source)


def _user_units(source: Path | bytes) -> tuple[float, ...]:
    try:
        with pikepdf.open(source if isinstance(source, Path) else io.BytesIO(source)) as pdf:
            return tuple(_user_unit(page) for page in pdf.pages)
    except (pikepdf.PikepdfError, OSError, RuntimeError):
        # What only PDFium can read is shown with ordinary units, and pyHanko will hardly sign it.
        return ()


def _user_unit(page: pikepdf.Page) -> float:
    try:
        unit = float(page.obj.get("/UserUnit", 1))
    except (TypeError, ValueError):
        return 1.0
    return unit if 0 < unit < _MAX_USER_UNIT else 1.0


def read_page(document: OpenDocument, number: int, shown_as: PageFrame | None = None) -> PageText:
    """Text of page `number` (from 0), placed as the page is displayed, or as `shown_as` says."""
    frame = shown_as or document.frame(number)
    page = document.page(number)
    try:
        glyphs = _glyphs_of(page, frame)
        notes = notes_of(page, frame)
    finally:
        page.close()
    text = _page_text(number, frame, glyphs)
    return text if notes is None else _with_annotations(document, text, glyphs, notes)


def _with_annotations(document: OpenDocument, text: PageText, glyphs: list[Glyph], notes: Notes) -> PageText:
    """The page with what its annotations and fields show and hold."""
    overlay, frame = document.overlay(), text.frame
    values = field_values(overlay, text.number)
    before = _picture(overlay[text.number], frame) if notes.pictures else None
    page = with_annotations_drawn(overlay, text.number)
    try:
        added = [*added_glyphs(glyphs, _glyphs_of(page, frame)), *notes.made_up]
        drawn = drawn_between(before, picture_of(page, frame), frame) if before is not None else frozenset()
    finally:
        page.close()
    shown = None
    if added:
        shown = _page_text(text.number, frame, [*without_covered(glyphs, added), *added])
    return dataclasses.replace(text, shown=shown, notes=(*notes.texts, *values), drawn=drawn)


def _picture(page: pdfium.PdfPage, frame: PageFrame) -> Image.Image:
    try:
        return picture_of(page, frame)
    finally:
        page.close()


def _page_text(number: int, frame: PageFrame, glyphs: list[Glyph]) -> PageText:
    lines = lines_of(glyphs)
    return PageText(number, frame, lines, tuple(piece for line in lines for piece in cut(line)), slanted_of(glyphs))


def _glyphs_of(page: pdfium.PdfPage, frame: PageFrame) -> list[Glyph]:
    textpage = page.get_textpage()
    try:
        read = GlyphReader(textpage, frame).glyph
        found = map(read, range(min(textpage.count_chars(), MAX_CHARS_PER_PAGE)))
        return [glyph for glyph in found if glyph is not None]
    finally:
        textpage.close()


class GlyphReader:
    """Reads single characters of an open page of text, as `frame` displays them."""

    def __init__(self, textpage: pdfium.PdfTextPage, frame: PageFrame) -> None:
        self._raw = textpage.raw
        self._looks, self._unit = _Looks(self._raw, frame.rotate), frame.user_unit
        # Placing is affine, so three points tell all others.
        self._left, self._top = frame.point_from_user(0, 0)
        (ax, ay), (bx, by) = frame.point_from_user(1, 0), frame.point_from_user(0, 1)
        self._ax, self._ay, self._bx, self._by = ax - self._left, ay - self._top, bx - self._left, by - self._top
        self._x, self._y, self._box = ctypes.c_double(), ctypes.c_double(), pdfium_c.FS_RECTF()
        self._to_x, self._to_y, self._to_box = map(ctypes.byref, (self._x, self._y, self._box))

    def glyph(self, index: int) -> Glyph | None:
        """Character `index` of the page; None for one that PDFium made up, and for what is no letter."""
        raw = self._raw
        if pdfium_c.FPDFText_IsGenerated(raw, index) == 1:
            return None
        text = letter_of(pdfium_c.FPDFText_GetUnicode(raw, index))
        if not text:
            return None
        pdfium_c.FPDFText_GetCharOrigin(raw, index, self._to_x, self._to_y)
        pdfium_c.FPDFText_GetLooseCharBox(raw, index, self._to_box)
        look, x, y, box = self._looks.of(index), self._x.value, self._y.value, self._box
        here, left, ax, bx = self._left + self._ax * x + self._bx * y, self._left, self._ax, self._bx
        one, other = left + ax * box.left + bx * box.bottom, left + ax * box.right + bx * box.top
        baseline = self._top + self._ay * x + self._by * y
        return Glyph(
            text, min(here, one, other), max(one, other), baseline, look.size * self._unit, look.turn, look.style
        )


def letter_of(code: int) -> str:
    """The text of a character of PDFium's; empty for control characters and what Unicode doesn't know."""
    text = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
    if text in _HYPHENS:
        return "-"
    return "" if not text or unicodedata.category(text) in _SILENT else text


def _is_sheared(a: float, b: float, c: float, d: float) -> bool:
    """Whether upright letters are drawn leaning to the right, as an italic that its font doesn't have."""
    return a * c + b * d > _LEAST_SHEAR * abs(a * d - b * c) > 0


@dataclass(frozen=True)
class _Look:
    """How the letters of one text object are set: size in units of the page, direction in degrees, style."""

    size: float
    turn: float
    style: Style


class _Looks:
    """The looks of letters; those of one text object share font, size and matrix, and are asked for once."""

    def __init__(self, raw: pdfium_c.FPDF_TEXTPAGE, rotate: int) -> None:
        self._raw, self._rotate = raw, rotate
        self._piece: int | None = None
        self._last: _Look | None = None
        self._name, self._flags = ctypes.create_string_buffer(128), ctypes.c_int()
        self._matrix = pdfium_c.FS_MATRIX()

    def of(self, index: int) -> _Look:
        """The look of character `index`."""
        piece = ctypes.c_void_p.from_buffer(pdfium_c.FPDFText_GetTextObject(self._raw, index)).value
        if self._last is None or piece is None or piece != self._piece:
            self._piece, self._last = piece, self._read(index)
        return self._last

    def _read(self, index: int) -> _Look:
        size, turn, sheared = float(pdfium_c.FPDFText_GetFontSize(self._raw, index)), 0.0, False
        matrix = self._matrix
        if pdfium_c.FPDFText_GetMatrix(self._raw, index, matrix):
            a, b, c, d = float(matrix.a), float(matrix.b), float(matrix.c), float(matrix.d)
            size *= (c**2 + d**2) ** 0.5
            turn = (math.degrees(math.atan2(b, a)) - self._rotate + 180) % 360 - 180
            sheared = _is_sheared(a, b, c, d)
        return _Look(size, turn, self._style(index, sheared=sheared))

    def _style(self, index: int, *, sheared: bool) -> Style:
        self._flags.value = 0
        length = pdfium_c.FPDFText_GetFontInfo(self._raw, index, self._name, len(self._name), self._flags)
        name = self._name.value.lower() if 0 < length <= len(self._name) else b""
        bold = b"bold" in name or bool(self._flags.value & _FORCE_BOLD)
        italic = b"italic" in name or b"oblique" in name or bool(self._flags.value & _ITALIC)
        if italic or sheared:
            return Style.BOLD_ITALIC if bold else Style.ITALIC
        return Style.BOLD if bold else Style.REGULAR
