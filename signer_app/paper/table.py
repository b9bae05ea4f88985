"""A paper of any length: its title, facts and paragraphs, and a table over any number of pages, A4 landscape, in the
look of the program's other papers.

Main process, any thread. Pages go to disk as they are full. All that is set may be foreign text: what the fonts can't
print becomes a question mark, what is too wide is broken.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from signer_app.paper.sheet import BLACK, Ink, Span, broken, printable, text_of, width_of
from signer_app.paper.streamed import StreamedPdf, font_name
from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.plan import Style

_WIDTH, _HEIGHT = mm_to_pt(297), mm_to_pt(210)
_LEFT, _RIGHT = mm_to_pt(30), _WIDTH - mm_to_pt(15)
_TOP, _BOTTOM = _HEIGHT - mm_to_pt(20), mm_to_pt(20)
"""20 mm above and below, 30 left, 15 right (Decree 30/2020, annex I, section I.4)."""
_TEXT = _RIGHT - _LEFT
_LABEL = mm_to_pt(50)
_GUTTER = mm_to_pt(2)
_SIZE, _LEADING = 11.0, 14.5
_CELL, _CELL_LEADING = 9.5, 12.0
_SMALL, _SMALL_LEADING = 7.5, 9.5
_LONGEST = 600
"""Letters of one cell; what somebody calls a file may be a novel."""
_STYLES = (Style.REGULAR, Style.BOLD, Style.ITALIC)


@dataclass(frozen=True)
class TableColumn:
    """A column: its head, and its share of the width (all shares together are 1)."""

    head: str
    share: float


class TablePaper:
    """The paper, filled from top to bottom; a page is written when it is full. `label`: mm for the facts' labels."""

    def __init__(self, out: BinaryIO, *, label: float | None = None) -> None:
        self._pdf = StreamedPdf(out, (_WIDTH, _HEIGHT), _STYLES)
        self._content: list[bytes] = []
        self._columns: Sequence[TableColumn] = ()
        self._pages = 1
        self._y = _TOP
        self._label = _LABEL if label is None else mm_to_pt(label)

    def title(self, name: str, under: str) -> None:
        """What it is, in the middle, and what is said below."""
        for line in _broken(name, Style.BOLD, 15, _TEXT):
            self._centred(line, self._down(20), Style.BOLD, 15)
        for line in _broken(under, Style.ITALIC, _SIZE, _TEXT):
            self._centred(line, self._down(_LEADING), Style.ITALIC, _SIZE)
        self._y -= 8

    def fact(self, what: str, value: str) -> None:
        """A label and its value beside it."""
        labels = _broken(what, Style.ITALIC, _SIZE, self._label - _GUTTER)
        values = _broken(value, Style.REGULAR, _SIZE, _TEXT - self._label)
        for number in range(max(len(labels), len(values))):
            y = self._down(_LEADING)
            if number < len(labels):
                self._show(_LEFT, y, labels[number], Style.ITALIC, _SIZE)
            if number < len(values):
                self._show(_LEFT + self._label, y, values[number], Style.REGULAR, _SIZE)
        self._y -= 1

    def heading(self, line: str) -> None:
        """A bold line, never alone at a page's end."""
        self._y -= 6
        if self._room < 4 * _LEADING:
            self._turn()
        self._show(_LEFT, self._down(_LEADING), _broken(line, Style.BOLD, _SIZE, _TEXT)[0], Style.BOLD, _SIZE)

    def note(self, told: str) -> None:
        """A paragraph in small letters."""
        for line in _broken(told, Style.REGULAR, _CELL, _TEXT):
            self._show(_LEFT, self._down(_CELL_LEADING), line, Style.REGULAR, _CELL)

    def table(self, columns: Sequence[TableColumn]) -> None:
        """Begins the table; its head comes again on each page."""
        self._y -= 10
        self._columns = columns
        if self._room < 4 * _CELL_LEADING:
            self._turn()
        self._head()

    def row(self, cells: Sequence[str], under: Sequence[str] = (), ink: Ink = BLACK) -> None:
        """A row, whole on one page; `under` stands small below its cells."""
        told = self._set(cells, Style.REGULAR)
        indent = self._columns[0].share * _TEXT
        small = [line for one in under for line in _broken(one, Style.REGULAR, _SMALL, _TEXT - indent)]
        height = max(map(len, told)) * _CELL_LEADING + len(small) * _SMALL_LEADING + 5
        if height > self._room:
            self._turn()
            self._head()
        self._draw(told, Style.REGULAR, ink)
        for line in small:
            self._show(_LEFT + indent, self._down(_SMALL_LEADING), line, Style.REGULAR, _SMALL)
        self._rule()

    def end(self, name: str, language: str) -> None:
        """Writes what is left; `language` as RFC 3066 names it."""
        self._pdf.page(b"\n".join(self._content))
        self._pdf.end(name, language)

    @property
    def _room(self) -> float:
        return self._y - _BOTTOM

    def _head(self) -> None:
        self._draw(self._set([column.head for column in self._columns], Style.BOLD), Style.BOLD, BLACK)
        self._rule()

    def _set(self, cells: Sequence[str], style: Style) -> list[list[str]]:
        return [
            _broken(cell, style, _CELL, column.share * _TEXT - _GUTTER)
            for column, cell in zip(self._columns, cells, strict=True)
        ]

    def _draw(self, told: Sequence[Sequence[str]], style: Style, ink: Ink) -> None:
        for number in range(max(map(len, told))):
            y, x = self._down(_CELL_LEADING), _LEFT
            for column, lines in zip(self._columns, told, strict=True):
                if number < len(lines) and lines[number]:
                    self._show(x, y, lines[number], style, _CELL, ink)
                x += column.share * _TEXT

    def _down(self, height: float) -> float:
        """The baseline of a new line, overleaf when this page is full."""
        if self._room < height:
            self._turn()
        self._y -= height
        return self._y + height * 0.26

    def _turn(self) -> None:
        """A new page, with its number in the top margin (annex I, section I.7)."""
        self._pdf.page(b"\n".join(self._content))
        self._content.clear()
        self._pages += 1
        number = str(self._pages)
        x = _WIDTH / 2 - width_of(number, Style.REGULAR, 13) / 2
        self._show(x, _TOP + mm_to_pt(6), number, Style.REGULAR, 13)
        self._y = _TOP

    def _centred(self, line: str, y: float, style: Style, size: float) -> None:
        self._show((_LEFT + _RIGHT - width_of(line, style, size)) / 2, y, line, style, size)

    def _show(self, x: float, y: float, line: str, style: Style, size: float, ink: Ink = BLACK) -> None:
        colour = b"" if ink == BLACK else b"%.3f %.3f %.3f rg " % ink
        self._content.append(
            b"q %sBT %s %.2f Tf %.3f %.3f Td %s Tj ET Q"
            % (colour, font_name(style), size, x, y, face(style).show(line))
        )

    def _rule(self) -> None:
        self._y -= 2
        self._content.append(b"0.4 w %.3f %.3f m %.3f %.3f l S" % (_LEFT, self._y, _RIGHT, self._y))
        self._y -= 3


def _broken(told: str, style: Style, size: float, width: float) -> list[str]:
    """The lines of a text as the fonts can print it, and not without end."""
    kept = printable(told[:_LONGEST])
    kept = kept if len(told) <= _LONGEST else f"{kept}…"
    return [text_of(line) for line in broken([Span(kept, style)], size, width, width)]
