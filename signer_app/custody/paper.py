"""Sets a page of office paper as Decree 30/2020, annex I, lays it out: head, title, addressees, text, signatures.

Pure; any thread of the main process. What the lines say is for `forms`; how a line comes onto a page, for
`signer_app.paper.sheet`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from signer_app.paper.sheet import LEFT, MIDDLE, RIGHT, TEXT, TOP, Sheet, Span, broken, text_of, width_of
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.plan import Style
from signer_resources.messages import text

_SIZE = 13.0
_LEADING = 17.0
_GAP = 5.0
_WIDEST = 3.5
"""Times its own width that a blank is stretched to at most."""
_FIRST_LINE = mm_to_pt(12.7)
_SIGNATURE_GAP = mm_to_pt(24)


@dataclass(frozen=True)
class Head:
    """Ô 1 to 4: the body above and the body, the number line, place and date. Texts are ready to be read."""

    parent: str
    body: str
    number: str
    place_and_date: str


@dataclass(frozen=True)
class Place:
    """Room for a signature: its title, what to do there, the name below."""

    title: str
    hint: str
    name: str


class OfficePaper(Sheet):
    """A minute or request. Raises KnownError "glyph_missing" for a letter that the fonts lack."""

    def head(self, head: Head) -> None:
        """Ô 1 to 4; long names of bodies take more lines."""
        country = text("paper_country", "vi")
        right_width = width_of(country, Style.BOLD, 12)
        right = RIGHT - right_width / 2
        room = TEXT - right_width - mm_to_pt(5)
        left = LEFT + room / 2
        first = TOP - 12
        self.centred(country, right, first, Style.BOLD, 12)
        motto = self.centred(text("paper_motto", "vi"), right, first - 16, Style.BOLD, 13)
        self._underline(right, first - 20.5, motto)
        y, width = first, 0.0
        for name, style in ((head.parent, Style.REGULAR), (head.body, Style.BOLD)):
            for line in broken([Span(name.upper(), style)], 12, room, room):
                width = self.centred(text_of(line), left, y, style, 12)
                y -= 15
        self._underline(left, y + 10.5, width * 0.4)
        y = min(y, first - 32) - 8
        self.centred(head.number, left, y, Style.REGULAR, 13)
        self.centred(head.place_and_date, right, y, Style.ITALIC, 13)
        self.y = y - 16

    def title(self, name: str, subject: Iterable[str]) -> None:
        """Ô 5a: the kind of paper in capitals, what it is about, a rule."""
        width = self.centred(name, MIDDLE, self.down(20), Style.BOLD, 14)
        for about in subject:
            for line in broken([Span(about, Style.BOLD)], 13, TEXT * 0.85, TEXT * 0.85):
                width = self.centred(text_of(line), MIDDLE, self.down(_LEADING), Style.BOLD, 13)
        self._underline(MIDDLE, self.y - 3, width * 0.4)
        self.y -= 14

    def addressees(self, lines: Sequence[str]) -> None:
        """Ô 9a."""
        x = LEFT + _FIRST_LINE
        self.show(x, self.down(_LEADING), text("paper_to", "vi"), Style.REGULAR, _SIZE)
        for addressee in lines:
            for line in broken([Span(addressee)], _SIZE, TEXT - 110, TEXT - 110):
                self.show(LEFT + 100, self.down(_LEADING), text_of(line), Style.REGULAR, _SIZE)
        self.y -= _GAP

    def paragraph(self, spans: Sequence[Span], *, keep: float = 0.0) -> None:
        """One justified paragraph; `keep` is room that must be left below its first line, else it goes overleaf."""
        self.keep(_LEADING + keep)
        lines = broken(spans, _SIZE, TEXT, TEXT - _FIRST_LINE)
        for number, line in enumerate(lines):
            x = LEFT + (_FIRST_LINE if number == 0 else 0.0)
            self._justified(line, x, self.down(_LEADING), last=number == len(lines) - 1)
        self.y -= _GAP

    def signatures(self, left: Place, right: Place) -> None:
        """Two places side by side, never alone on a page's last lines."""
        self.keep(16 * 4 + _SIGNATURE_GAP)
        top = self.y - 8
        ends = [self._place(left, LEFT + TEXT * 0.25, top), self._place(right, LEFT + TEXT * 0.75, top)]
        self.y = min(ends)

    def _place(self, place: Place, centre: float, top: float) -> float:
        y = top - 14
        for line in broken([Span(place.title, Style.BOLD)], 13, TEXT * 0.48, TEXT * 0.48):
            self.centred(text_of(line), centre, y, Style.BOLD, 13)
            y -= 15
        self.centred(place.hint, centre, y, Style.ITALIC, 12)
        y -= _SIGNATURE_GAP
        for line in broken([Span(place.name, Style.BOLD)], 13, TEXT * 0.48, TEXT * 0.48):
            self.centred(text_of(line), centre, y, Style.BOLD, 13)
            y -= 15
        return y

    def _justified(self, line: Sequence[Span], x: float, y: float, *, last: bool) -> None:
        gaps = len(line) - 1
        natural = sum(width_of(word.text, word.style, _SIZE) for word in line)
        blank = width_of(" ", Style.REGULAR, _SIZE)
        space = blank if last or not gaps else (RIGHT - x - natural) / gaps
        if space > _WIDEST * blank:
            # A long hash stands on the next line: this one stays ragged.
            space = blank
        for number, word in enumerate(line):
            # The blank is written too, so that copied text has it, however wide the gap is.
            self.show(x, y, word.text + (" " if number < gaps else ""), word.style, _SIZE)
            x += width_of(word.text, word.style, _SIZE) + space

    def _underline(self, centre: float, y: float, width: float) -> None:
        self.rule(centre - width / 2, centre + width / 2, y)
