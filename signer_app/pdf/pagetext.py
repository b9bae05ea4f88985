"""Reads the text of a page with its places, by PDFium, in millimetres of the displayed page.

Runs in a worker. Gives lines (everything on one baseline) and runs (pieces of a line without a wide gap), normalised
to NFC, and the same once more with what annotations and fields show. PDFium folds repeated blanks into one, so blanks
are measured as gaps between glyphs, never counted. Work is bounded by a number of letters a page.
"""

import dataclasses
import io
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium

from signer_app.pdf.annotations import (
    Notes,
    added_glyphs,
    draw_annotations,
    drawn_between,
    field_values,
    notes_of,
    picture_of,
    without_covered,
)
from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.pdf.glyphs import GlyphReader
from signer_app.pdf.lines import Glyph, Run, cut, lines_of, slanted_of

MAX_CHARS_PER_PAGE = 200_000
_MAX_USER_UNIT = 10_000.0
_LEAST_LETTERS, _LEAST_READABLE = 8, 0.9
_READABLE = frozenset(" .,:;/\\-–—−‐‑…_()[]{}\"'“”‘’«»!?%&+*=<>@#|~^$°•")
_TONES_AND_MARKS = frozenset("\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323")


@dataclass(frozen=True)
class PageText:
    """All lines of one page from top to bottom, and the same cut into runs at wide gaps.

    `slanted` are the pieces of text that don't stand upright (a mark across the page, a page typed sideways). `shown`
    is the page with what its annotations and fields show, None where they show no text; `notes` are the texts that
    annotations and fields hold, shown or not; `drawn` the square millimetres (column and row from the top left) of the
    upper half of page 1, where number and date belong, on which they draw anything.
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
            return self.frame_of(page, number)
        finally:
            page.close()

    def frame_of(self, page: pdfium.PdfPage, number: int) -> PageFrame:
        """The same of a page that is open."""
        # The box that PDFium displays: CropBox within MediaBox, both inherited where the page has none of its own.
        return PageFrame(UserBox.normalised(*page.get_bbox()), int(page.get_rotation()) % 360, self._unit(number))

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


def read_page(document: OpenDocument, number: int, *, pictures: bool = True) -> PageText:
    """Text of page `number` (from 0), placed as the page is displayed; without `pictures` nothing is known to be
    `drawn` by its annotations.
    """
    page = document.page(number)
    try:
        frame = document.frame_of(page, number)
        glyphs = _glyphs_of(page, frame)
        notes = notes_of(page, frame)
    finally:
        page.close()
    text = _page_text(number, frame, glyphs)
    return text if notes is None else _with_annotations(document, text, glyphs, notes, pictures=pictures)


def _with_annotations(
    document: OpenDocument, text: PageText, glyphs: list[Glyph], notes: Notes, *, pictures: bool
) -> PageText:
    """The page with what its annotations and fields show and hold."""
    overlay, frame = document.overlay(), text.frame
    page = overlay[text.number]
    try:
        values = field_values(overlay, page)
        before = picture_of(page, frame) if pictures and notes.pictures and text.number == 0 else None
        draw_annotations(page)
    finally:
        page.close()
    page = overlay[text.number]
    try:
        added = [*added_glyphs(glyphs, _glyphs_of(page, frame)), *notes.made_up]
        drawn = drawn_between(before, picture_of(page, frame), frame) if before is not None else frozenset()
    finally:
        page.close()
    shown = None
    if added:
        shown = _page_text(text.number, frame, [*without_covered(glyphs, added), *added])
    return dataclasses.replace(text, shown=shown, notes=(*notes.texts, *values), drawn=drawn)


def _page_text(number: int, frame: PageFrame, glyphs: list[Glyph]) -> PageText:
    lines = lines_of(glyphs)
    return PageText(number, frame, lines, tuple(piece for line in lines for piece in cut(line)), slanted_of(glyphs))


def _glyphs_of(page: pdfium.PdfPage, frame: PageFrame) -> list[Glyph]:
    textpage = page.get_textpage()
    try:
        return GlyphReader(textpage, frame).glyphs(min(textpage.count_chars(), MAX_CHARS_PER_PAGE))
    finally:
        textpage.close()
