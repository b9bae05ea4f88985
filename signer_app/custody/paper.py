"""Sets a page of office paper as Decree 30/2020, annex I, lays it out, and writes it as a PDF: head, text, signatures.

Pure; any thread of the main process: nothing foreign is read, only our own lines are written, with the fonts of the
stamps embedded whole. Lengths are points of the page unless a name says mm; y grows upwards. What the lines say is for
`forms`.
"""

import io
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.objects import Plain, array, deflated, dictionary, put
from signer_app.pdf.plan import Style
from signer_resources.errors import KnownError
from signer_resources.messages import text

_WIDTH, _HEIGHT = mm_to_pt(210), mm_to_pt(297)
_LEFT, _RIGHT = mm_to_pt(30), _WIDTH - mm_to_pt(15)
_TOP, _BOTTOM = _HEIGHT - mm_to_pt(20), mm_to_pt(20)
"""The text box: 20 mm above and below, 30 left, 15 right (annex I, section I.4)."""
_TEXT = _RIGHT - _LEFT
_MIDDLE = (_LEFT + _RIGHT) / 2
_SIZE = 13.0
_LEADING = 17.0
_GAP = 5.0
_WIDEST = 3.5
"""Times its own width that a blank is stretched to at most."""
_FIRST_LINE = mm_to_pt(12.7)
_SIGNATURE_GAP = mm_to_pt(24)


@dataclass(frozen=True)
class Span:
    """Some text in one style."""

    text: str
    style: Style = Style.REGULAR


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


@dataclass
class _Page:
    content: list[bytes] = field(default_factory=list)


class Sheet:
    """One paper, filled from top to bottom. Raises KnownError "glyph_missing" for a letter that the fonts lack."""

    def __init__(self) -> None:
        self._pages = [_Page()]
        self._y = _TOP
        self._used: dict[Style, str] = {}

    # ---- parts of a paper --------------------------------------------------------------------------------------------

    def head(self, head: Head) -> None:
        """Ô 1 to 4; long names of bodies take more lines."""
        country = text("paper_country", "vi")
        right_width = _width(country, Style.BOLD, 12)
        right = _RIGHT - right_width / 2
        room = _TEXT - right_width - mm_to_pt(5)
        left = _LEFT + room / 2
        first = _TOP - 12
        self._centred(country, right, first, Style.BOLD, 12)
        motto = self._centred(text("paper_motto", "vi"), right, first - 16, Style.BOLD, 13)
        self._rule(right, first - 20.5, motto)
        y, width = first, 0.0
        for name, style in ((head.parent, Style.REGULAR), (head.body, Style.BOLD)):
            for line in _broken([Span(name.upper(), style)], 12, room, room):
                width = self._centred(_text_of(line), left, y, style, 12)
                y -= 15
        self._rule(left, y + 10.5, width * 0.4)
        y = min(y, first - 32) - 8
        self._centred(head.number, left, y, Style.REGULAR, 13)
        self._centred(head.place_and_date, right, y, Style.ITALIC, 13)
        self._y = y - 16

    def title(self, name: str, subject: Iterable[str]) -> None:
        """Ô 5a: the kind of paper in capitals, what it is about, a rule."""
        width = self._centred(name, _MIDDLE, self._down(20), Style.BOLD, 14)
        for about in subject:
            for line in _broken([Span(about, Style.BOLD)], 13, _TEXT * 0.85, _TEXT * 0.85):
                width = self._centred(_text_of(line), _MIDDLE, self._down(_LEADING), Style.BOLD, 13)
        self._rule(_MIDDLE, self._y - 3, width * 0.4)
        self._y -= 14

    def addressees(self, lines: Sequence[str]) -> None:
        """Ô 9a."""
        x = _LEFT + _FIRST_LINE
        self._show(x, self._down(_LEADING), text("paper_to", "vi"), Style.REGULAR, _SIZE)
        for addressee in lines:
            for line in _broken([Span(addressee)], _SIZE, _TEXT - 110, _TEXT - 110):
                self._show(_LEFT + 100, self._down(_LEADING), _text_of(line), Style.REGULAR, _SIZE)
        self._y -= _GAP

    def paragraph(self, spans: Sequence[Span], *, keep: float = 0.0) -> None:
        """One justified paragraph; `keep` is room that must be left below its first line, else it goes overleaf."""
        if self._y - _LEADING - keep < _BOTTOM:
            self._turn()
        lines = _broken(spans, _SIZE, _TEXT, _TEXT - _FIRST_LINE)
        for number, line in enumerate(lines):
            x = _LEFT + (_FIRST_LINE if number == 0 else 0.0)
            self._justified(line, x, self._down(_LEADING), last=number == len(lines) - 1)
        self._y -= _GAP

    def signatures(self, left: Place, right: Place) -> None:
        """Two places side by side, never alone on a page's last lines."""
        if self._y - (16 * 4 + _SIGNATURE_GAP) < _BOTTOM:
            self._turn()
        top = self._y - 8
        ends = [self._place(left, _LEFT + _TEXT * 0.25, top), self._place(right, _LEFT + _TEXT * 0.75, top)]
        self._y = min(ends)

    def pdf(self, title: str) -> bytes:
        """The finished file."""
        info: dict[str, Plain] = {"/Title": generic.TextStringObject(title)}
        writer = PdfFileWriter(info=dictionary(info))  # type: ignore[no-untyped-call]
        fonts = dictionary({f"/{name}": face(style).embed(writer) for style, name in self._used.items()})
        for page in self._pages:
            content = writer.add_object(deflated({}, zlib.compress(b"\n".join(page.content), 9)))
            box = array((0, 0, round(_WIDTH, 2), round(_HEIGHT, 2)))
            resources = dictionary({"/Font": fonts})
            made = PageObject(contents=content, media_box=box, resources=resources)  # type: ignore[no-untyped-call]
            writer.insert_page(made)  # type: ignore[no-untyped-call]
        put(writer.root, "/Lang", generic.pdf_string("vi-VN"))
        out = io.BytesIO()
        writer.write(out)  # type: ignore[no-untyped-call]
        return out.getvalue()

    # ---- small tools -------------------------------------------------------------------------------------------------

    def _place(self, place: Place, centre: float, top: float) -> float:
        y = top - 14
        for line in _broken([Span(place.title, Style.BOLD)], 13, _TEXT * 0.48, _TEXT * 0.48):
            self._centred(_text_of(line), centre, y, Style.BOLD, 13)
            y -= 15
        self._centred(place.hint, centre, y, Style.ITALIC, 12)
        y -= _SIGNATURE_GAP
        for line in _broken([Span(place.name, Style.BOLD)], 13, _TEXT * 0.48, _TEXT * 0.48):
            self._centred(_text_of(line), centre, y, Style.BOLD, 13)
            y -= 15
        return y

    def _down(self, height: float) -> float:
        """The baseline of a new line, overleaf when this page is full."""
        if self._y - height < _BOTTOM:
            self._turn()
        self._y -= height
        return self._y + height * 0.26

    def _turn(self) -> None:
        """A new page, with its number in the top margin (annex I, section I.7)."""
        self._pages.append(_Page())
        self._centred(str(len(self._pages)), _WIDTH / 2, _TOP + mm_to_pt(6), Style.REGULAR, 13)
        self._y = _TOP

    def _justified(self, line: Sequence[Span], x: float, y: float, *, last: bool) -> None:
        gaps = len(line) - 1
        natural = sum(_width(word.text, word.style, _SIZE) for word in line)
        blank = _width(" ", Style.REGULAR, _SIZE)
        space = blank if last or not gaps else (_RIGHT - x - natural) / gaps
        if space > _WIDEST * blank:
            # A long hash stands on the next line: this one stays ragged.
            space = blank
        for number, word in enumerate(line):
            # The blank is written too, so that copied text has it, however wide the gap is.
            self._show(x, y, word.text + (" " if number < gaps else ""), word.style, _SIZE)
            x += _width(word.text, word.style, _SIZE) + space

    def _centred(self, line: str, centre: float, y: float, style: Style, size: float) -> float:
        width = _width(line, style, size)
        self._show(centre - width / 2, y, line, style, size)
        return width

    def _show(self, x: float, y: float, line: str, style: Style, size: float) -> None:
        name = self._used.setdefault(style, f"F{len(self._used)}")
        self._pages[-1].content.append(
            b"BT /%s %.2f Tf %.3f %.3f Td %s Tj ET" % (name.encode(), size, x, y, face(style).show(line))
        )

    def _rule(self, centre: float, y: float, width: float) -> None:
        start, end = centre - width / 2, centre + width / 2
        self._pages[-1].content.append(b"0.7 w %.3f %.3f m %.3f %.3f l S" % (start, y, end, y))


def printable(name: str) -> str:
    """`name` with a question mark for each letter that the fonts lack: what devices and files call themselves."""
    return "".join(letter if _known(letter) else "?" for letter in unicodedata.normalize("NFC", " ".join(name.split())))


def _known(letter: str) -> bool:
    try:
        face(Style.REGULAR).glyph_ids(letter)
    except KnownError:
        return False
    return True


def _width(line: str, style: Style, size: float) -> float:
    return mm_to_pt(face(style).width_mm(line, size))


def _text_of(line: Sequence[Span]) -> str:
    return " ".join(word.text for word in line)


def _broken(spans: Sequence[Span], size: float, width: float, first: float) -> list[list[Span]]:
    """The words of the spans in lines of `width`, the first of `first`; a word wider than a line is cut."""
    lines: list[list[Span]] = [[]]
    room, used = first, 0.0
    for word in _words(spans, size, width):
        own = _width(word.text, word.style, size)
        blank = _width(" ", word.style, size) if lines[-1] else 0.0
        if lines[-1] and used + blank + own > room:
            lines.append([])
            room, used, blank = width, 0.0, 0.0
        lines[-1].append(word)
        used += blank + own
    return lines


def _words(spans: Sequence[Span], size: float, width: float) -> Iterable[Span]:
    for span in spans:
        for word in span.text.split():
            rest = word
            while _width(rest, span.style, size) > width:
                fits = next(n for n in range(len(rest) - 1, 0, -1) if _width(rest[:n], span.style, size) <= width)
                yield Span(rest[:fits], span.style)
                rest = rest[fits:]
            yield Span(rest, span.style)
