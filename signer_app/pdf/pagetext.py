"""Reads the text of a page with its places, by PDFium, in millimetres of the displayed page.

Runs in a worker. Gives lines (everything on one baseline) and runs (pieces of a line without a wide gap), normalised
to NFC. PDFium folds repeated blanks into one, so blanks are measured as gaps between glyphs, never counted.
"""

import ctypes
import io
import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from signer_app.pdf.geometry import PageFrame, Rect, UserBox, mm_to_pt, pt_to_mm

COLUMN_GAP = 0.95
"""A gap wider than this many times the letter size separates two columns."""

_MAX_CHARS_PER_PAGE = 200_000
_MAX_USER_UNIT = 10_000.0
_MAX_SLOPE = 20.0
"""Degrees: what slopes more is no line of a letter; a scan's text layer slopes less."""


@dataclass(frozen=True)
class Glyph:
    """One character: its text, left and right edge and baseline in mm of the displayed page, size in points.

    `turn` is the direction of its baseline on the displayed page, in degrees against the clock (-180 to 180).
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    turn: float


@dataclass(frozen=True)
class Run:
    """Glyphs that stand together on one baseline; `text` is NFC, and `index[i]` the glyph of its i-th character."""

    glyphs: tuple[Glyph, ...]
    text: str
    index: tuple[int, ...]

    @property
    def left(self) -> float:
        """Left edge, mm."""
        return self.glyphs[0].left

    @property
    def right(self) -> float:
        """Right edge, mm."""
        return self.glyphs[-1].right

    @property
    def centre(self) -> float:
        """Middle, mm from the left."""
        return (self.left + self.right) / 2

    @property
    def baseline(self) -> float:
        """Baseline, mm from the top."""
        return self.glyphs[0].baseline

    @property
    def size(self) -> float:
        """Letter size in points."""
        return max(glyph.size for glyph in self.glyphs)

    @property
    def box(self) -> Rect:
        """Box of the letters: four fifths of the size above the baseline, a quarter below."""
        em = pt_to_mm(self.size)
        return Rect(self.left, self.baseline - 0.8 * em, self.right - self.left, 1.05 * em)

    def edge_before(self, position: int) -> float:
        """Right edge, in mm, of the last inked glyph before character `position` of the text."""
        for i in range(position - 1, -1, -1):
            if not self.text[i].isspace():
                return self.glyphs[self.index[i]].right
        return self.left

    def edge_after(self, position: int) -> float:
        """Left edge, in mm, of the first inked glyph at or after character `position` of the text."""
        for i in range(position, len(self.text)):
            if not self.text[i].isspace():
                return self.glyphs[self.index[i]].left
        return self.right


@dataclass(frozen=True)
class PageText:
    """All lines of one page from top to bottom, and the same cut into runs at wide gaps.

    `slanted` are the pieces of text that don't stand upright (a mark across the page, a page typed sideways).
    """

    number: int
    frame: PageFrame
    lines: tuple[Run, ...]
    runs: tuple[Run, ...]
    slanted: tuple[str, ...]


class OpenDocument:
    """PDFium's view of a file, or of bytes in memory. Close after use."""

    def __init__(self, source: Path | bytes) -> None:
        self._source = source
        self._pdfium = pdfium.PdfDocument(source)
        self._units: tuple[float, ...] | None = None

    def __len__(self) -> int:
        return len(self._pdfium)

    def close(self) -> None:
        """Lets go of the file."""
        self._pdfium.close()

    def init_forms(self) -> None:
        """Makes PDFium draw widgets too; before any page is opened."""
        self._pdfium.init_forms()

    def page(self, number: int) -> pdfium.PdfPage:
        """PDFium's page `number` (from 0), to be closed by the caller."""
        return self._pdfium[number]

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
        textpage = page.get_textpage()
        try:
            glyphs = list(_glyphs(textpage, frame))
        finally:
            textpage.close()
    finally:
        page.close()
    lines = tuple(_line(row) for row in _rows([glyph for glyph in glyphs if abs(glyph.turn) <= _MAX_SLOPE]))
    runs = tuple(piece for line in lines for piece in _cut(line))
    return PageText(number, frame, lines, runs, tuple(_slanted(glyphs)))


def _glyphs(textpage: pdfium.PdfTextPage, frame: PageFrame) -> Iterator[Glyph]:
    raw = textpage.raw
    origin_x, origin_y = ctypes.c_double(), ctypes.c_double()
    box = pdfium_c.FS_RECTF()
    matrix = pdfium_c.FS_MATRIX()
    for i in range(min(textpage.count_chars(), _MAX_CHARS_PER_PAGE)):
        if pdfium_c.FPDFText_IsGenerated(raw, i) == 1:
            continue
        code = pdfium_c.FPDFText_GetUnicode(raw, i)
        text = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
        if not text or unicodedata.category(text) in {"Cc", "Cf"}:
            continue
        pdfium_c.FPDFText_GetCharOrigin(raw, i, origin_x, origin_y)
        pdfium_c.FPDFText_GetLooseCharBox(raw, i, box)
        size, turn = float(pdfium_c.FPDFText_GetFontSize(raw, i)), 0.0
        if pdfium_c.FPDFText_GetMatrix(raw, i, matrix):
            size *= (matrix.c**2 + matrix.d**2) ** 0.5
            turn = (math.degrees(math.atan2(matrix.b, matrix.a)) - frame.rotate + 180) % 360 - 180
        x, baseline = frame.point_from_user(origin_x.value, origin_y.value)
        shown = frame.from_user(UserBox.normalised(box.left, box.bottom, box.right, box.top))
        yield Glyph(text, min(x, shown.x), shown.right, baseline, size * frame.user_unit, turn)


def _slanted(glyphs: Sequence[Glyph]) -> Iterator[str]:
    """The lines of slanted text, in the order in which the page draws them."""
    line: list[Glyph] = []
    for glyph in glyphs:
        if abs(glyph.turn) <= _MAX_SLOPE:
            continue
        if line and not _goes_on(line[-1], glyph):
            yield unicodedata.normalize("NFC", "".join(g.text for g in line)).strip()
            line = []
        line.append(glyph)
    if line:
        yield unicodedata.normalize("NFC", "".join(g.text for g in line)).strip()


def _goes_on(last: Glyph, glyph: Glyph) -> bool:
    """Whether two slanted glyphs have one direction and one baseline."""
    if abs(last.turn - glyph.turn) > 1:
        return False
    angle = math.radians(glyph.turn)
    aside = (glyph.left - last.left) * math.sin(angle) + (glyph.baseline - last.baseline) * math.cos(angle)
    return abs(aside) < 0.4 * pt_to_mm(glyph.size)


def _rows(glyphs: Sequence[Glyph]) -> list[list[Glyph]]:
    """Glyphs gathered by baseline (within a fifth of the letter size), each row from left to right."""
    rows: list[list[Glyph]] = []
    for glyph in sorted(glyphs, key=lambda g: g.baseline):
        tolerance = max(0.3, pt_to_mm(glyph.size) * 0.2)
        if rows and glyph.baseline - rows[-1][-1].baseline <= tolerance:
            rows[-1].append(glyph)
        else:
            rows.append([glyph])
    return [sorted(row, key=lambda g: g.left) for row in rows if any(g.text.strip() for g in row)]


def _line(row: Sequence[Glyph]) -> Run:
    """A row as text: a blank wherever glyphs stand apart, letters with their marks composed (NFC)."""
    text: list[str] = []
    index: list[int] = []
    for i, glyph in enumerate(row):
        if i and text and text[-1] != " ":
            gap = glyph.left - row[i - 1].right
            if gap > pt_to_mm(glyph.size) * 0.15 and not glyph.text.isspace():
                text.append(" ")
                index.append(i)
        if glyph.text.isspace():
            if text and text[-1] != " ":
                text.append(" ")
                index.append(i)
            continue
        composed = unicodedata.normalize("NFC", text[-1] + glyph.text) if text else glyph.text
        if unicodedata.combining(glyph.text[0]) and len(composed) == 1:
            text[-1] = composed
            continue
        for letter in unicodedata.normalize("NFC", glyph.text):
            text.append(letter)
            index.append(i)
    return Run(tuple(row), "".join(text), tuple(index))


def _cut(line: Run) -> Iterator[Run]:
    piece: list[Glyph] = []
    last_ink: Glyph | None = None
    for glyph in line.glyphs:
        if glyph.text.isspace():
            if piece:
                piece.append(glyph)
            continue
        if last_ink is not None and mm_to_pt(glyph.left - last_ink.right) > COLUMN_GAP * glyph.size:
            yield _line(_without_trailing_blanks(piece))
            piece = []
        piece.append(glyph)
        last_ink = glyph
    if piece:
        yield _line(_without_trailing_blanks(piece))


def _without_trailing_blanks(piece: list[Glyph]) -> list[Glyph]:
    while piece and piece[-1].text.isspace():
        piece = piece[:-1]
    return piece
