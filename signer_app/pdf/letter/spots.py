"""Blanks within a line, and pieces of text that go on below: what ô 3 and ô 4 have in common.

Pure functions over lines of text; run in a worker. A blank is measured between the letters beside it and takes their
size, style and baseline, so that what is written there fits the line.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.lines import Run, box_of, line_of
from signer_app.pdf.pagetext import PageText
from signer_app.pdf.plan import Style

LEADERS = r"[\s.…_·․‥]{0,120}"
"""What stands in a blank that isn't just empty; bounded, for the time of a search grows with its square."""
DASH = "[-–—‐‑‒−]"

MAX_CANDIDATES = 40
"""Lines of a page that are looked at more closely; a letter has a few."""

_OPEN_MM = 14.0
"""Room taken for a blank behind which nothing stands."""


@dataclass(frozen=True)
class Blank:
    """An empty place within a line: from `left` to `right` mm, on `baseline` mm, beside letters of `size` points.

    `style` is that of the letters beside it, None where the page doesn't tell.
    """

    page: int
    left: float
    right: float
    baseline: float
    size: float
    style: Style | None = None


def blank_between(page: PageText, line: Run, start: int, end: int) -> Blank:
    """The place between the letters before character `start` and those from character `end` on.

    Where nothing follows on the same line, it is as wide as a year and as its dots.
    """
    before, after = line.inked_before(start), line.inked_after(end)
    beside = before or after or line.glyphs[0]
    left = line.left if before is None else before.right
    if after is not None and abs(after.baseline - beside.baseline) < pt_to_mm(beside.size) * 0.6:
        right, baseline = after.left, (beside.baseline + after.baseline) / 2
    else:
        leaders = [glyph.right for glyph in line.span(start, end)]
        right, baseline = max([left + _OPEN_MM, *leaders]), beside.baseline
    return Blank(page.number, left, min(right, page.frame.width_mm), baseline, beside.size, beside.style)


def covering(page: PageText, blank: Blank) -> str:
    """What annotations and fields show within a blank, "?" for what is no text; empty where they leave it blank."""
    em = pt_to_mm(blank.size)
    inside = [
        glyph
        for glyph in page.added
        if blank.left - 0.2 * em < (glyph.left + glyph.right) / 2 < blank.right + 0.2 * em
        and abs(glyph.baseline - blank.baseline) < 0.7 * em
    ]
    if inside:
        return line_of(sorted(inside, key=lambda glyph: glyph.left)).text.strip()
    columns = range(math.ceil(blank.left), math.floor(blank.right))
    rows = range(math.floor(blank.baseline - 0.7 * em), math.floor(blank.baseline))
    return "?" if any((column, row) in page.drawn for column in columns for row in rows) else ""


def upper_lines(page: PageText, share: float = 0.5) -> list[Run]:
    """The lines of the upper part of the page."""
    limit = page.frame.height_mm * share
    return [line for line in page.lines if line.baseline < limit]


def pieces_of(page: PageText, line: Run, left: float, right: float) -> list[Run]:
    """The runs of a line that begin between two places (mm from the left)."""
    first, last = min(g.baseline for g in line.glyphs), max(g.baseline for g in line.glyphs)
    return [run for run in page.runs if first <= run.baseline <= last and left <= run.left < right]


def piece_below(page: PageText, run: Run, left: float, right: float) -> Run | None:
    """The run that stands closely below another, in the column from `left` to `right` mm, more or less centred."""
    return next(_neighbours(page, run, left, right, 1), None)


def piece_above(page: PageText, run: Run, left: float, right: float) -> Run | None:
    """The run that stands closely above another."""
    return next(_neighbours(page, run, left, right, -1), None)


def _neighbours(page: PageText, run: Run, left: float, right: float, way: int) -> Iterator[Run]:
    em = pt_to_mm(run.size)
    for other in page.runs if way > 0 else reversed(page.runs):
        distance = way * (other.baseline - run.baseline)
        if 0.7 * em < distance < 2.2 * em and left <= other.left < right and abs(other.centre - run.centre) < 30:
            yield other


def span_box(line: Run, start: int, end: int) -> Rect:
    """The box of the letters from character `start` to `end`."""
    return box_of(line.span(start, end) or line.glyphs)
