"""Sets a paper of facts: headings, labelled values, notes and tables, on any number of pages.

Pure; any thread of the main process. Everything handed in may be foreign text: what the fonts can't print becomes a
question mark, and what is too wide is broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from signer_app.paper.sheet import BLACK, LEFT, MIDDLE, RIGHT, TEXT, Ink, Sheet, Span, broken, printable, text_of
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.plan import Style

_SIZE, _LEADING = 11.0, 14.5
_SMALL, _SMALL_LEADING = 9.5, 12.5
_LABEL = mm_to_pt(50)
"""Width of the labels' column."""
_STEP = mm_to_pt(5)
_GUTTER = mm_to_pt(2)
_TOGETHER = 6
"""Lines of one fact that are not torn apart by a page's end."""
_LONGEST = 600
"""Letters of one text; what somebody calls a file or a field may be a novel."""


@dataclass(frozen=True)
class Column:
    """A column of a table: its head, and its share of the width (all shares together are 1)."""

    head: str
    share: float


class ListingPaper(Sheet):
    """A report."""

    def title(self, name: str, under: Sequence[str]) -> None:
        """The kind of paper in capitals, and what is said below it."""
        for line in broken([Span(_fit(name), Style.BOLD)], 15, TEXT, TEXT):
            self.centred(text_of(line), MIDDLE, self.down(20), Style.BOLD, 15)
        for told in under:
            for line in broken([Span(_fit(told), Style.ITALIC)], _SIZE, TEXT, TEXT):
                self.centred(text_of(line), MIDDLE, self.down(_LEADING), Style.ITALIC, _SIZE)
        self.y -= 8

    def heading(self, line: str, *, size: float = 13.0, ink: Ink = BLACK, keep: float = 60.0, indent: int = 0) -> None:
        """A bold line, never alone at a page's end: `keep` is the room that it wants with what follows."""
        self.keep(keep)
        self._lines(line, LEFT + indent * _STEP, Style.BOLD, size, size * 1.32, ink)
        self.y -= 2

    def note(self, line: str, *, indent: int = 0, small: bool = False) -> None:
        """A paragraph, set ragged."""
        size, leading = (_SMALL, _SMALL_LEADING) if small else (_SIZE, _LEADING)
        self._lines(line, LEFT + indent * _STEP, Style.REGULAR, size, leading, BLACK)
        self.y -= 2

    def fact(self, what: str, value: str, *, small: bool = False) -> None:
        """A label and its value beside it; `small` for hashes, which then stand on one line."""
        size = _SMALL if small else _SIZE
        labels = broken([Span(_fit(what), Style.ITALIC)], _SIZE, _LABEL - _GUTTER, _LABEL - _GUTTER)
        values = broken([Span(_fit(value))], size, TEXT - _LABEL, TEXT - _LABEL)
        count = max(len(labels), len(values))
        self.keep(min(count, _TOGETHER) * _LEADING)
        for number in range(count):
            y = self.down(_LEADING)
            if number < len(labels):
                self.show(LEFT, y, text_of(labels[number]), Style.ITALIC, _SIZE)
            if number < len(values):
                self.show(LEFT + _LABEL, y, text_of(values[number]), Style.REGULAR, size)
        self.y -= 1

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """A table whose head is repeated overleaf."""
        self._row(columns, [column.head for column in columns], Style.BOLD)
        for row in rows:
            if self._height(columns, row, Style.REGULAR) > self.room:
                self.turn()
                self._row(columns, [column.head for column in columns], Style.BOLD)
            self._row(columns, row, Style.REGULAR)
        self.y -= 8

    def line(self) -> None:
        """A rule over the whole width."""
        self.y -= 5
        self.rule(LEFT, RIGHT, self.y)
        self.y -= 5

    def _lines(self, line: str, x: float, style: Style, size: float, leading: float, ink: Ink) -> None:
        for words in broken([Span(_fit(line), style)], size, RIGHT - x, RIGHT - x):
            self.show(x, self.down(leading), text_of(words), style, size, ink)

    def _cells(self, columns: Sequence[Column], row: Sequence[str], style: Style) -> list[list[str]]:
        rooms = [column.share * TEXT - _GUTTER for column in columns]
        return [
            [text_of(line) for line in broken([Span(_fit(cell), style)], _SIZE, room, room)]
            for cell, room in zip(row, rooms, strict=True)
        ]

    def _height(self, columns: Sequence[Column], row: Sequence[str], style: Style) -> float:
        return max(len(cell) for cell in self._cells(columns, row, style)) * _LEADING + 4

    def _row(self, columns: Sequence[Column], row: Sequence[str], style: Style) -> None:
        cells = self._cells(columns, row, style)
        for number in range(max(len(cell) for cell in cells)):
            y, x = self.down(_LEADING), LEFT
            for column, cell in zip(columns, cells, strict=True):
                if number < len(cell):
                    self.show(x, y, cell[number], style, _SIZE)
                x += column.share * TEXT
        self.y -= 2
        self.rule(LEFT, RIGHT, self.y)
        self.y -= 2


def _fit(told: str) -> str:
    """As the fonts can print it, and not without end."""
    kept = printable(told)
    return kept if len(kept) <= _LONGEST else f"{kept[:_LONGEST]}…"
