"""Number and date for the blanks of the page: what is written where, and what doesn't fit what is typed.

Pure functions; run in a worker. A typed value is never overprinted: where it differs, the letter goes back to its
drafter (Decree 30/2020, appendix I, ô 3 and ô 4).
"""

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass

import msgspec

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import Rect, pt_to_mm
from signer_app.pdf.letter import Blank, DateLine, NumberLine
from signer_app.pdf.plan import Drawing, Style, TextItem

_MIN_LETTER = 9.0
_NUMBER = re.compile(r"0*[1-9]\d*[^\W\d_]{0,2}(?:/\d{4})?")
"""Counted from 1; a letter may follow ("12a"), and the year of a legal act."""


class Refused(Exception):  # noqa: N818 - an outcome of a rule, not a fault
    """A rule can't place something; `code` and `params` are an entry of the catalogue."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Marks:
    """Text items in page coordinates (mm), and the box around them."""

    box: Rect
    items: tuple[TextItem, ...]

    def within(self, box: Rect) -> Drawing:
        """The same items seen from the top left of `box`."""
        return Drawing(
            tuple(
                msgspec.structs.replace(item, x=round(item.x - box.x, 3), baseline=round(item.baseline - box.y, 3))
                for item in self.items
            )
        )


def number_marks(line: NumberLine | None, number: str | None, notation: str | None) -> Marks | None:
    """The number in its blank; None where the very same is typed already. Refused for what doesn't fit the page."""
    if line is None:
        raise Refused("number_line_missing")
    if notation is not None and not _same_notation(line.symbol, notation):
        raise Refused("notation_differs", page=line.symbol, given=notation)
    if number is not None and _NUMBER.fullmatch(number) is None:
        raise Refused("number_invalid", given=number)
    given, _slash, year = (number or "").partition("/")
    if year and line.year is not None and year != line.year:
        raise Refused("number_differs", page=line.year, given=number or "")
    if line.number is not None:
        if given and (line.number.lstrip("0") != given.lstrip("0") or (year and line.year is None)):
            raise Refused("number_differs", page=line.number, given=number or "")
        return None
    if number is None:
        raise Refused("number_missing")
    if line.blank is None:
        raise Refused("number_line_missing")
    # A year that is typed behind the blank ("Số:    /2026/QĐ-UBND") isn't written again.
    return _in_blank(line.blank, given if line.year else number, Style.REGULAR)


def _same_notation(page: str, given: str) -> bool:
    """Whether two spellings are one notation; on a page that is typed without diacritics they don't count."""
    left, right = _notation_key(page), _notation_key(given)
    return left == right or (left.isascii() and left == _plain(right))


def _notation_key(notation: str) -> str:
    return "".join(re.sub("[–—‐‑‒−]", "-", unicodedata.normalize("NFC", notation)).split()).strip(".").upper()


def _plain(notation: str) -> str:
    letters = unicodedata.normalize("NFD", notation.replace("Đ", "D"))
    return "".join(c for c in letters if not unicodedata.combining(c))


def date_marks(line: DateLine | None, date: dt.date | None) -> Marks | None:
    """Day, month and year in their blanks; None where all are typed already. Refused for what doesn't fit the page."""
    if line is None:
        raise Refused("date_line_missing")
    if date is None:
        raise Refused("date_missing")
    typed = [(line.day, date.day), (line.month, date.month), (line.year, date.year)]
    if any(value is not None and value != wanted for value, wanted in typed):
        shown = "/".join(_part(value) for value, _wanted in typed)
        raise Refused("date_differs", page=shown, given=date.strftime("%d/%m/%Y"))
    parts = [
        (line.day_blank, f"{date.day:02d}"),
        # Months 1 and 2 get a leading zero, the others don't need one (NĐ 30 PL I, ô 4).
        (line.month_blank, f"{date.month:02d}" if date.month < 3 else str(date.month)),
        (line.year_blank, str(date.year)),
    ]
    marks = [_in_blank(blank, text, Style.ITALIC) for blank, text in parts if blank is not None]
    if not marks:
        return None
    box = marks[0].box
    for other in marks[1:]:
        box = box.union(other.box)
    return Marks(box, tuple(item for m in marks for item in m.items))


def _part(value: int | None) -> str:
    """A part of the page's date for a person; 0 stands for what is shown and is no number."""
    return "…" if value is None else f"{value:02d}" if value else "?"


def _in_blank(blank: Blank, text: str, style: Style) -> Marks:
    """`text` in the middle of the blank, in the line's own size and style; a little smaller if it must be.

    `style` is that of the rule, for a page that doesn't tell its own.
    """
    room, style = blank.right - blank.left, blank.style or style
    size, letters = round(blank.size, 2), face(style)
    gap = pt_to_mm(size) * 0.1
    while letters.width_mm(text, size) + 2 * gap > room:
        size -= 0.5
        if size < _MIN_LETTER:
            raise Refused("blank_too_narrow", text=text)
    left = blank.left + (room - letters.width_mm(text, size)) / 2
    item = TextItem(round(left, 2), round(blank.baseline, 2), size, style, text)
    return Marks(blank_box(blank), (item,))


def blank_box(blank: Blank) -> Rect:
    """The room of a blank: an em above its baseline, a third of one below."""
    em = pt_to_mm(blank.size)
    return Rect(blank.left, blank.baseline - em, blank.right - blank.left, 1.3 * em).rounded()


def written_band(left: float, baseline: float, width: float, size: float) -> Rect:
    """Where letters have ink and a blank has none: dots and lines that lead through a blank lie on its baseline, and
    what stands before and after it may lean over its rim (a "/" does).
    """
    em = pt_to_mm(size)
    rim = min(0.2 * em, width / 4)
    return Rect(left + rim, baseline - 0.6 * em, width - 2 * rim, 0.35 * em)


def date_blanks(line: DateLine) -> list[Blank]:
    """The blanks of the date line, from left to right."""
    return [b for b in (line.day_blank, line.month_blank, line.year_blank) if b is not None]


def date_box(line: DateLine | None) -> Rect | None:
    """The room from the first blank of the date line to the last; None where nothing is blank."""
    if line is None or not (blanks := date_blanks(line)):
        return None
    box = blank_box(blanks[0])
    for blank in blanks[1:]:
        box = box.union(blank_box(blank))
    return box.rounded()
