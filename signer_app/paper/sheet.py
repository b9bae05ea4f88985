"""Sets lines of text on pages of A4 and writes them as a PDF: the one mechanism behind all papers.

Pure; any thread of the main process: nothing foreign is read, only our own lines are written, with the fonts of the
stamps embedded whole. Lengths are points of the page unless a name says mm; y grows upwards. What a paper looks like is
for its own kind of sheet, what it says for whoever fills that.
"""

import io
import unicodedata
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from signer_app.pdf.fonts import face
from signer_app.pdf.geometry import mm_to_pt
from signer_app.pdf.objects import Plain, array, deflated, dictionary, put
from signer_app.pdf.plan import Style
from signer_resources.errors import KnownError

WIDTH, HEIGHT = mm_to_pt(210), mm_to_pt(297)
LEFT, RIGHT = mm_to_pt(30), WIDTH - mm_to_pt(15)
TOP, BOTTOM = HEIGHT - mm_to_pt(20), mm_to_pt(20)
"""The text box: 20 mm above and below, 30 left, 15 right (Decree 30/2020, annex I, section I.4)."""
TEXT = RIGHT - LEFT
MIDDLE = (LEFT + RIGHT) / 2

Ink = tuple[float, float, float]
"""Red, green and blue, each from 0 to 1."""
BLACK: Ink = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Span:
    """Some text in one style."""

    text: str
    style: Style = Style.REGULAR


@dataclass
class _Page:
    content: list[bytes] = field(default_factory=list)


class Sheet:
    """One paper, filled from top to bottom. Raises KnownError "glyph_missing" for a letter that the fonts lack."""

    def __init__(self) -> None:
        self._pages = [_Page()]
        self._used: dict[Style, str] = {}
        self.y = TOP
        """Where the next line begins."""

    def down(self, height: float) -> float:
        """The baseline of a new line, overleaf when this page is full."""
        if self.y - height < BOTTOM:
            self.turn()
        self.y -= height
        return self.y + height * 0.26

    @property
    def room(self) -> float:
        """How much of this page is left."""
        return self.y - BOTTOM

    def keep(self, room: float) -> None:
        """Goes overleaf unless there is this much room left."""
        if self.room < room:
            self.turn()

    def turn(self) -> None:
        """A new page, with its number in the top margin (annex I, section I.7)."""
        self._pages.append(_Page())
        self.centred(str(len(self._pages)), WIDTH / 2, TOP + mm_to_pt(6), Style.REGULAR, 13)
        self.y = TOP

    def show(self, x: float, y: float, line: str, style: Style, size: float, ink: Ink = BLACK) -> None:
        """Writes a line from x on, its baseline at y."""
        name = self._used.setdefault(style, f"F{len(self._used)}")
        colour = b"" if ink == BLACK else b"%.3f %.3f %.3f rg " % ink
        self._pages[-1].content.append(
            b"q %sBT /%s %.2f Tf %.3f %.3f Td %s Tj ET Q" % (colour, name.encode(), size, x, y, face(style).show(line))
        )

    def centred(self, line: str, centre: float, y: float, style: Style, size: float) -> float:
        """Writes a line around `centre`; its width."""
        width = width_of(line, style, size)
        self.show(centre - width / 2, y, line, style, size)
        return width

    def rule(self, start: float, end: float, y: float) -> None:
        """Draws a thin line."""
        self._pages[-1].content.append(b"0.7 w %.3f %.3f m %.3f %.3f l S" % (start, y, end, y))

    def pdf(self, title: str, *, language: str = "vi-VN") -> bytes:
        """The finished file; `language` as RFC 3066 names it."""
        info: dict[str, Plain] = {"/Title": generic.TextStringObject(title)}
        writer = PdfFileWriter(info=dictionary(info))  # type: ignore[no-untyped-call]
        fonts = dictionary({f"/{name}": face(style).embed(writer) for style, name in self._used.items()})
        for page in self._pages:
            content = writer.add_object(deflated({}, zlib.compress(b"\n".join(page.content), 9)))
            box = array((0, 0, round(WIDTH, 2), round(HEIGHT, 2)))
            resources = dictionary({"/Font": fonts})
            made = PageObject(contents=content, media_box=box, resources=resources)  # type: ignore[no-untyped-call]
            writer.insert_page(made)  # type: ignore[no-untyped-call]
        put(writer.root, "/Lang", generic.pdf_string(language))
        out = io.BytesIO()
        writer.write(out)  # type: ignore[no-untyped-call]
        return out.getvalue()


def printable(name: str) -> str:
    """`name` with a question mark for each letter that the fonts lack: what devices and files call themselves."""
    return "".join(letter if _known(letter) else "?" for letter in unicodedata.normalize("NFC", " ".join(name.split())))


@lru_cache(4096)
def _known(letter: str) -> bool:
    try:
        face(Style.REGULAR).glyph_ids(letter)
    except KnownError:
        return False
    return True


@lru_cache(8192)
def width_of(line: str, style: Style, size: float) -> float:
    """How wide a line is."""
    return mm_to_pt(face(style).width_mm(line, size))


def text_of(line: Sequence[Span]) -> str:
    """The words of a broken line."""
    return " ".join(word.text for word in line)


def broken(spans: Sequence[Span], size: float, width: float, first: float) -> list[list[Span]]:
    """The words of the spans in lines of `width`, the first of `first`; a word wider than a line is cut."""
    lines: list[list[Span]] = [[]]
    room, used = first, 0.0
    for word in _words(spans, size, width):
        own = width_of(word.text, word.style, size)
        blank = width_of(" ", word.style, size) if lines[-1] else 0.0
        if lines[-1] and used + blank + own > room:
            lines.append([])
            room, used, blank = width, 0.0, 0.0
        lines[-1].append(word)
        used += blank + own
    return lines


def _words(spans: Sequence[Span], size: float, width: float) -> Iterable[Span]:
    for span in spans:
        for word in span.text.split():
            yield from (Span(part, span.style) for part in _cut(word, span.style, size, width))


def _cut(word: str, style: Style, size: float, width: float) -> Iterable[str]:
    """The word whole, or in parts that are no wider than a line."""
    if width_of(word, style, size) <= width:
        yield word
        return
    start, used = 0, 0.0
    for at, letter in enumerate(word):
        own = width_of(letter, style, size)
        if used + own > width and at > start:
            yield word[start:at]
            start, used = at, 0.0
        used += own
    yield word[start:]
