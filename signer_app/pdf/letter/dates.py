"""Ô 4, the line of place and date, in the forms of Decree 30/2020 and of practice.

Pure functions over `PageText`; run in a worker. Each of day, month and year is typed, shown by an earlier signature or
a filled field, or has a blank. A date that the text mentions is none.
"""

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.letter.spots import (
    LEADERS,
    MAX_CANDIDATES,
    Blank,
    blank_between,
    covering,
    piece_above,
    piece_below,
    pieces_of,
    span_box,
    upper_lines,
)
from signer_app.pdf.lines import COLUMN_GAP, Run, joined, line_of
from signer_app.pdf.pagetext import PageText

_POINT = r"(?<=\d)[.-](?=\s?\d)"
_DATE_LINE = re.compile(
    rf"(?:^|(?<=[\s,;.]))ng[àa]y(?P<gap_d>{LEADERS})(?P<day>\d{{1,2}})?(?P<end_d>{LEADERS})"
    rf"(?:th[áa]ng|/|{_POINT})(?P<gap_m>{LEADERS})(?P<month>\d{{1,2}})?(?P<end_m>{LEADERS})"
    # A year that is typed in part ("năm 20…") is typed: it differs from every year.
    rf"(?:n[ăa]m|/|{_POINT})(?P<gap_y>{LEADERS})(?P<year>\d{{1,4}})?(?P<end_y>{LEADERS})(?!\d)",
    re.IGNORECASE,
)
_WORD = re.compile(r"(?:^|(?<=[\s,;.]))ng[àa]y\b", re.IGNORECASE)
_COLUMN = 0.4
"""Where the right column, that of ô 1 and ô 4, begins at the earliest, as a share of the width."""
_LONGEST_PLACE = 6
_UNREADABLE = 0


@dataclass(frozen=True)
class DateLine:
    """Ô 4. Each of day, month and year is either typed or has a blank; `place` is what stands before.

    `from_annotation`: an earlier signature or a filled field shows what isn't typed; it counts as typed, with 0 for
    what is no number.
    """

    page: int
    place: str | None
    day: int | None
    month: int | None
    year: int | None
    day_blank: Blank | None
    month_blank: Blank | None
    year_blank: Blank | None
    box: Rect
    from_annotation: bool = False


def find_date_line(page: PageText) -> DateLine | None:
    """Ô 4 in the upper half of the page, or None."""
    typed = _read(page)
    if typed is not None and None not in (typed.day, typed.month, typed.year):
        return typed
    shown = _read(page.shown) if page.shown is not None else None
    if typed is None:
        return dataclasses.replace(shown, from_annotation=True) if shown is not None else None
    day, day_blank = _with_shown(page, typed.day, typed.day_blank, shown.day if shown else None)
    month, month_blank = _with_shown(page, typed.month, typed.month_blank, shown.month if shown else None)
    year, year_blank = _with_shown(page, typed.year, typed.year_blank, shown.year if shown else None)
    return dataclasses.replace(
        typed,
        day=day,
        month=month,
        year=year,
        day_blank=day_blank,
        month_blank=month_blank,
        year_blank=year_blank,
        from_annotation=(day, month, year) != (typed.day, typed.month, typed.year),
    )


def _with_shown(
    page: PageText, typed: int | None, blank: Blank | None, shown: int | None
) -> tuple[int | None, Blank | None]:
    """A part of the date with what is shown in its blank: the number as read in the line, else as it stands."""
    if blank is None or typed is not None:
        return typed, blank
    if shown is not None:
        return shown, None
    if covered := covering(page, blank):
        return int(covered) if covered.isdecimal() else _UNREADABLE, None
    return None, blank


def _read(page: PageText) -> DateLine | None:
    for line in islice(_candidates(page), MAX_CANDIDATES):
        found = _DATE_LINE.search(line.text)
        if not found:
            continue
        box = span_box(line, found.start(), found.end())
        before, start = _piece_before(line, found.start())
        alone = not line.text[found.end() :].strip() and start >= page.frame.width_mm * _COLUMN
        if box.centre[0] < page.frame.width_mm * 0.5 or not _may_stand_before(before, alone=alone):
            continue

        def blank_of(value: str, gap: str, end: str, line: Run = line, found: re.Match[str] = found) -> Blank | None:
            return None if found[value] else blank_between(page, line, found.start(gap), found.end(end))

        return DateLine(
            page.number,
            before.rstrip(",;. ").strip() or _place_above(page, line, found.start()),
            _int(found["day"]),
            _int(found["month"]),
            _int(found["year"]),
            blank_of("day", "gap_d", "end_d"),
            blank_of("month", "gap_m", "end_m"),
            blank_of("year", "gap_y", "end_y"),
            box,
        )
    return None


def _candidates(page: PageText) -> Iterator[Run]:
    """The lines that may be ô 4; where one ends too early, read on in the next before it is read alone."""
    width = page.frame.width_mm
    for line in upper_lines(page):
        if not _WORD.search(line.text):
            continue
        found = _DATE_LINE.search(line.text)
        part = _right_part(page, line)
        if part is not None and (found is None or found["year"] is None):
            below = piece_below(page, part, width * _COLUMN, width)
            if below is not None and _goes_on(part, below):
                yield joined(part, below)
        yield line


def _goes_on(first: Run, below: Run) -> bool:
    """Whether the piece below is the rest of a date and nothing else."""
    whole = joined(first, below)
    found = _DATE_LINE.search(whole.text)
    close = below.baseline - first.baseline < 1.9 * pt_to_mm(first.size)
    return close and found is not None and found.end() == len(whole.text.rstrip()) and found.end() > len(first.text) + 1


def _right_part(page: PageText, line: Run) -> Run | None:
    """What of a line stands in the right column."""
    pieces = pieces_of(page, line, page.frame.width_mm * _COLUMN, page.frame.width_mm)
    glyphs = [glyph for piece in pieces for glyph in piece.glyphs]
    return line_of(glyphs) if glyphs else None


def _may_stand_before(before: str, *, alone: bool) -> bool:
    """Whether a date is ô 4 behind these words; `alone`: they begin in the right column, and nothing follows the date.

    Only ô 4 stands on the right of the page, behind the place's name and a comma, or alone; a date that the text
    mentions does neither. Without the comma it must be a name, and nothing else on the line.
    """
    if not before or before.endswith((",", ";")):
        return True
    words = re.findall(r"[^\s\-–.]+", before)
    named = all(word[0].isupper() for word in words)
    return alone and named and len(words) <= _LONGEST_PLACE


def _piece_before(line: Run, end: int) -> tuple[str, float]:
    """What stands before character `end` of a line and where that starts, without what a wide gap parts off (ô 3)."""
    for i in range(end - 1, 0, -1):
        here, before = line.glyphs[line.index[i]], line.glyphs[line.index[i - 1]]
        if here.left - before.right > COLUMN_GAP * pt_to_mm(here.size):
            return line.text[i:end].strip(), here.left
    return line.text[:end].strip(), line.left


def _place_above(page: PageText, line: Run, start: int) -> str | None:
    """The place's name where it stands on a line of its own above the date, with a comma behind it."""
    date = line_of(line.glyphs[line.index[start] :])
    above = piece_above(page, date, page.frame.width_mm * _COLUMN, page.frame.width_mm)
    if above is None or not above.text.rstrip().endswith(","):
        return None
    return above.text.rstrip(", ").strip() or None


def _int(text: str | None) -> int | None:
    return int(text) if text else None
