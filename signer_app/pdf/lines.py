"""Glyphs of a page put together to lines and runs: pure functions, in millimetres of the displayed page.

A line is everything on one baseline, a run a piece of a line without a wide gap. Text is normalised to NFC. Blanks are
measured as gaps between glyphs, never counted. A page that was scanned a little askew is levelled before its lines are
told apart, while every place stays where it shows. Runs in a worker; no PDF library here.
"""

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from statistics import median
from typing import NamedTuple

import msgspec

from signer_app.pdf.geometry import Rect, mm_to_pt, pt_to_mm
from signer_app.pdf.plan import Style

COLUMN_GAP = 0.95
"""A gap wider than this many times the letter size separates two columns."""

MAX_SLOPE = 20.0
"""Degrees: what slopes more is no line of a letter; a scan's text layer slopes less."""

_LEAST_SKEW, _MOST_SKEW = math.tan(math.radians(0.15)), math.tan(math.radians(6))
_ROW_SHARE = pt_to_mm(1) * 0.2
_LEAST_ROW = 0.3
"""mm"""
_SKEW_LENGTH = 20.0
"""mm: shorter pieces tell nothing of how a page lies."""
_WORD_GAP = 0.15
"""Ems between two letters that mean a blank."""
_KNOWN_LETTERS = 4_096
_LEFT, _BASELINE = attrgetter("left"), attrgetter("baseline")


class Glyph(msgspec.Struct, frozen=True, gc=False):
    """One character: its text, left and right edge and baseline in mm of the displayed page, size in points.

    `turn` is the direction of its baseline on the displayed page, in degrees against the clock (-180 to 180). `added`
    is True for what an annotation or a field shows, which isn't part of the page itself.
    """

    text: str
    left: float
    right: float
    baseline: float
    size: float
    turn: float
    style: Style = Style.REGULAR
    added: bool = False


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
        """Baseline of the first letter, mm from the top."""
        return self.glyphs[0].baseline

    @property
    def size(self) -> float:
        """Letter size in points."""
        return max(glyph.size for glyph in self.glyphs)

    @property
    def style(self) -> Style:
        """The style of most letters."""
        styles = [glyph.style for glyph in self.glyphs if glyph.text.strip()] or [Style.REGULAR]
        return max(Style, key=styles.count)

    @property
    def box(self) -> Rect:
        """Box of the letters: four fifths of the size above the baseline, a quarter below."""
        return box_of(self.glyphs)

    def inked_before(self, position: int) -> Glyph | None:
        """The last inked glyph before character `position` of the text."""
        for i in range(position - 1, -1, -1):
            if not self.text[i].isspace():
                return self.glyphs[self.index[i]]
        return None

    def inked_after(self, position: int) -> Glyph | None:
        """The first inked glyph at or after character `position` of the text."""
        for i in range(position, len(self.text)):
            if not self.text[i].isspace():
                return self.glyphs[self.index[i]]
        return None

    def edge_before(self, position: int) -> float:
        """Right edge, in mm, of the last inked glyph before character `position` of the text."""
        glyph = self.inked_before(position)
        return self.left if glyph is None else glyph.right

    def edge_after(self, position: int) -> float:
        """Left edge, in mm, of the first inked glyph at or after character `position` of the text."""
        glyph = self.inked_after(position)
        return self.right if glyph is None else glyph.left

    def span(self, start: int, end: int) -> tuple[Glyph, ...]:
        """The inked glyphs of characters `start` to `end`."""
        return tuple(self.glyphs[self.index[i]] for i in range(start, end) if not self.text[i].isspace())


def box_of(glyphs: Sequence[Glyph]) -> Rect:
    """The box around letters: four fifths of the size above the baseline, a quarter below."""
    em = pt_to_mm(max(glyph.size for glyph in glyphs))
    left, right = min(glyph.left for glyph in glyphs), max(glyph.right for glyph in glyphs)
    top = min(glyph.baseline for glyph in glyphs) - 0.8 * em
    bottom = max(glyph.baseline for glyph in glyphs) + 0.25 * em
    return Rect(left, top, right - left, bottom - top)


def lines_of(glyphs: Sequence[Glyph]) -> tuple[Run, ...]:
    """The lines of the text that stands upright, from top to bottom."""
    upright = [glyph for glyph in glyphs if abs(glyph.turn) <= MAX_SLOPE]
    return tuple(line_of(row) for row in _rows(upright, _skew(upright)))


def slanted_of(glyphs: Sequence[Glyph]) -> tuple[str, ...]:
    """The lines of slanted text, in the order in which the page draws them."""
    pieces: list[list[Glyph]] = []
    for glyph in glyphs:
        if abs(glyph.turn) <= MAX_SLOPE:
            continue
        if pieces and goes_on(pieces[-1][-1], glyph):
            pieces[-1].append(glyph)
        else:
            pieces.append([glyph])
    return tuple(unicodedata.normalize("NFC", "".join(g.text for g in piece)).strip() for piece in pieces)


def goes_on(last: Glyph, glyph: Glyph) -> bool:
    """Whether two slanted glyphs have one direction and one baseline."""
    if abs(last.turn - glyph.turn) > 1:
        return False
    angle = math.radians(glyph.turn)
    aside = (glyph.left - last.left) * math.sin(angle) + (glyph.baseline - last.baseline) * math.cos(angle)
    return abs(aside) < 0.4 * pt_to_mm(glyph.size)


def _skew(glyphs: Sequence[Glyph]) -> float:
    """How far the lines of a page sink, in mm per mm to the right; 0 for a page that lies straight.

    Read from the order in which the page draws: turned letters as well as upright words set one by one along a slope.
    """
    slopes: list[float] = []
    first: tuple[float, float] | None = None
    left = baseline = size = em = larger = 0.0
    for glyph in glyphs:
        before, above, smaller = left, baseline, size
        left, baseline, size = glyph.left, glyph.baseline, glyph.size
        if first is None:
            first = (left, baseline)
            continue
        if (most := max(smaller, size)) != larger:
            larger, em = most, pt_to_mm(most)
        if not (-0.1 * em < left - before < 4 * em and abs(baseline - above) < 0.5 * em):
            first = (left, baseline)
        elif left - first[0] >= _SKEW_LENGTH:
            slopes.append((baseline - first[1]) / (left - first[0]))
            first = None
    slope = median(slopes) if slopes else 0.0
    return slope if _LEAST_SKEW <= abs(slope) <= _MOST_SKEW else 0.0


def _rows(glyphs: Sequence[Glyph], skew: float) -> list[list[Glyph]]:
    """Glyphs gathered by baseline (within a fifth of the letter size), each row from left to right."""
    level = _BASELINE if skew == 0 else lambda glyph: glyph.baseline - skew * glyph.left
    rows: list[list[Glyph]] = []
    row: list[Glyph] = []
    last = -math.inf
    ordered = sorted(glyphs, key=level)
    for glyph, here in zip(ordered, map(level, ordered), strict=True):
        step = here - last
        if step <= _LEAST_ROW or step <= glyph.size * _ROW_SHARE:
            row.append(glyph)
        else:
            row = [glyph]
            rows.append(row)
        last = here
    return [sorted(row, key=_LEFT) for row in rows if any(g.text.strip() for g in row)]


class _Letter(NamedTuple):
    """What a glyph's text is in a line: a blank, a mark that joins the letter before it, and how it is composed."""

    blank: bool
    joins: bool
    composed: str


class _Letters(dict[str, _Letter]):
    """What each text of a glyph is, found when it is first met."""

    def __missing__(self, text: str) -> _Letter:
        joins = bool(text) and unicodedata.combining(text[0]) != 0
        letter = _Letter(text.isspace(), joins, unicodedata.normalize("NFC", text))
        if len(self) < _KNOWN_LETTERS:
            self[text] = letter
        return letter


_LETTERS = _Letters()


def line_of(row: Sequence[Glyph]) -> Run:
    """A row as text: a blank wherever glyphs stand apart, letters with their marks composed (NFC)."""
    text: list[str] = []
    index: list[int] = []
    size, least, right, last = 0.0, 0.0, 0.0, " "
    for i, glyph in enumerate(row):
        blank, joins, composed = _LETTERS[glyph.text]
        if last != " ":
            if glyph.size != size:
                size = glyph.size
                least = pt_to_mm(size) * _WORD_GAP
            if blank or glyph.left - right > least:
                text.append(" ")
                index.append(i)
                last = " "
        right = glyph.right
        if blank:
            continue
        if joins and text:
            whole = unicodedata.normalize("NFC", text[-1] + glyph.text)
            if len(whole) == 1:
                text[-1] = last = whole
                continue
        for letter in composed:
            text.append(letter)
            index.append(i)
            last = letter
    return Run(tuple(row), "".join(text), tuple(index))


def joined(first: Run, second: Run) -> Run:
    """Two pieces read on, the second standing below the first."""
    glyphs = (*first.glyphs, *second.glyphs)
    start = len(first.glyphs)
    text = f"{first.text} {second.text}"
    return Run(glyphs, text, (*first.index, start - 1, *(start + i for i in second.index)))


def cut(line: Run) -> Iterator[Run]:
    """The runs of a line."""
    piece: list[Glyph] = []
    last_ink: Glyph | None = None
    for glyph in line.glyphs:
        if _LETTERS[glyph.text].blank:
            if piece:
                piece.append(glyph)
            continue
        if last_ink is not None and mm_to_pt(glyph.left - last_ink.right) > COLUMN_GAP * glyph.size:
            yield _run(line, piece)
            piece = []
        piece.append(glyph)
        last_ink = glyph
    if piece:
        yield _run(line, piece)


def _run(line: Run, piece: list[Glyph]) -> Run:
    """A piece of a line as a run; the line itself where it is all of it."""
    piece = _without_trailing_blanks(piece)
    return line if len(piece) == len(line.glyphs) else line_of(piece)


def _without_trailing_blanks(piece: list[Glyph]) -> list[Glyph]:
    while piece and piece[-1].text.isspace():
        piece = piece[:-1]
    return piece
