"""Ô 3, the line of number and notation, in the forms of Decree 30/2020 and of practice.

Pure functions over `PageText`; run in a worker. Reads the line also where it is broken in two, and the number also
where an earlier signature or a filled field shows it.
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.letter.spots import (
    DASH,
    LEADERS,
    MAX_CANDIDATES,
    Blank,
    blank_between,
    covering,
    piece_below,
    pieces_of,
    span_box,
    upper_lines,
)
from signer_app.pdf.lines import Run, joined, line_of
from signer_app.pdf.pagetext import PageText

# Letters without diacritics and those that optical readers take for ố count too; a small s is a word of the text.
_LABEL = r"(?:^|(?<=\s))S[ốỐôÔóÓoO]\s*[:;]?"
_LETTER = "A-Za-zĐđƯưƠơÔôÂâĂăÊê"
_JOIN = rf"(?:\s?{DASH}\s?|\s?[&/]\s?|\.)"
_NUMBER_LINE = re.compile(
    rf"{_LABEL}(?P<gap>{LEADERS})(?P<num>\d+[A-Za-zĐđ]?)?(?P<gap2>{LEADERS})(?:/\s*(?P<year>\d{{4}}))?\s*"
    rf"(?:/|{DASH})\s*(?P<sym>[A-ZĐƯƠÔÂĂÊ][{_LETTER}]*(?:{_JOIN}[{_LETTER}0-9]+)*)\.?(?=[\s,;*]|$)"
)
_START = re.compile(_LABEL)
_BROKEN_END = re.compile(rf"(?:{DASH}|[/&:])\s*$")
_BROKEN_START = re.compile(rf"\s*(?:{DASH}|[/&])\s?[A-ZĐƯƠÔÂĂÊ](?:{DASH}|[{_LETTER}0-9&/.])*\s*")
_COLUMN = 0.46
"""Ô 3 stands in the left part of the page; what begins further right is ô 4."""


@dataclass(frozen=True)
class NumberLine:
    """Ô 3. `blank` is where the number goes when none is typed.

    `from_annotation`: an earlier signature or a filled field shows the number; it counts as typed.
    """

    page: int
    number: str | None
    year: str | None
    symbol: str
    blank: Blank | None
    box: Rect
    from_annotation: bool = False


def find_number_line(page: PageText) -> NumberLine | None:
    """Ô 3 in the upper half of the page, or None; it starts in the left half, where ô 2 stands."""
    typed = _read(page)
    if typed is not None and typed.number is not None:
        return typed
    shown = _read(page.shown) if page.shown is not None else None
    if shown is not None and shown.number is not None:
        if typed is None:
            return dataclasses.replace(shown, from_annotation=True)
        return dataclasses.replace(
            typed, number=shown.number, year=typed.year or shown.year, blank=None, from_annotation=True
        )
    if typed is not None and typed.blank is not None and (covered := covering(page, typed.blank)):
        return dataclasses.replace(typed, number=covered, blank=None, from_annotation=True)
    return typed


def _read(page: PageText) -> NumberLine | None:
    for line in islice(_candidates(page), MAX_CANDIDATES):
        found = _NUMBER_LINE.search(line.text)
        if not found:
            continue
        box = span_box(line, found.start(), found.end())
        if box.x > page.frame.width_mm / 2:
            continue
        blank = None
        if found["num"] is None:
            blank = blank_between(page, line, found.start("gap"), found.end("gap2"))
        symbol = re.sub(DASH, "-", "".join(found["sym"].split()))
        return NumberLine(page.number, found["num"], found["year"], symbol, blank, box)
    return None


def _candidates(page: PageText) -> Iterator[Run]:
    """The lines that may be ô 3; where one seems broken, read on in the next before it is read alone."""
    for line in upper_lines(page):
        if not _START.search(line.text):
            continue
        first = _left_part(page, line)
        if first is not None and (below := piece_below(page, first, 0.0, page.frame.width_mm * _COLUMN)) is not None:
            close = below.baseline - first.baseline < 1.9 * pt_to_mm(first.size)
            if close and (_BROKEN_END.search(first.text) or _BROKEN_START.fullmatch(below.text)):
                yield joined(first, below)
        yield line


def _left_part(page: PageText, line: Run) -> Run | None:
    """What of a line stands where ô 3 does, from its label on."""
    pieces = pieces_of(page, line, 0.0, page.frame.width_mm * _COLUMN)
    glyphs = [glyph for piece in pieces for glyph in piece.glyphs]
    part = line_of(glyphs) if glyphs else None
    start = _START.search(part.text) if part is not None else None
    if part is None or start is None:
        return None
    return line_of(part.glyphs[part.index[start.start()] :])
