"""Lays out a letter as Decree 30/2020/NĐ-CP, Annex I, asks: margins, numbered boxes (ô), sizes, page numbers.

A tool of the developers (used by `build_samples`), one `Sheet` per PDF file, top to bottom in one pass.
Text is drawn line by line as single-byte runs with a Unicode map, so that it can be found and copied as NFC
text. It knows nothing of what the letters say. Lengths are points unless a name says mm; y grows upwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from reportlab.pdfgen.canvas import Canvas

from tools.typesetting import Face, Run, broken_into_lines, joined, register_fonts, slack, words

MM = 72 / 25.4

PAGE_WIDTH, PAGE_HEIGHT = 210 * MM, 297 * MM
LEFT, RIGHT = 30 * MM, PAGE_WIDTH - 15 * MM
TOP, BOTTOM = PAGE_HEIGHT - 20 * MM, 20 * MM
"""The text box: margins 20 mm above and below, 30 left, 15 right (Annex I, section I.4)."""

TEXT_WIDTH = RIGHT - LEFT
BODY_SIZE = 14.0
LEADING = 18.0
PARAGRAPH_GAP = 6.0
FIRST_LINE = 12.7 * MM
SIGNATURE_GAP = 30 * MM
"""From the last title line's baseline to the top of the name's capitals: room for an image 22 mm high."""

RED = (0.82, 0.1, 0.1)
BLACK = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Frame:
    """A mark of secrecy or urgency (ô 10a, 10b): caps in a single red frame; mm."""

    text: str
    width_mm: float
    height_mm: float = 8.0


@dataclass(frozen=True)
class Head:
    """What stands above the text: ô 1 to 4, and 5b, 10a or 10b below ô 3."""

    body: tuple[str, ...]
    """The issuing body in capitals, one entry per line; only the last line's width counts for the rule."""
    number_line: str
    place_and_date: str
    parent: str | None = None
    about: tuple[str, ...] = ()
    frame: Frame | None = None
    size: float = 12.0


@dataclass(frozen=True)
class SignerBlock:
    """ô 7a and 7b: whom the signer acts for ("TM. ...", or nothing), the title, the name."""

    authority: str | None
    title: str
    name: str


@dataclass(frozen=True)
class Column:
    """A column of a table: heading, width as a share of the text width, and how its cells stand."""

    heading: str
    share: float
    centred: bool = False


class Sheet:
    """One PDF file being written: a canvas, and how far down the page is filled. Use as a context manager."""

    def __init__(self, target: Path, title: str, author: str, subject: str) -> None:
        register_fonts()
        # Invariant: no clock and no random identifier, so that the same letter gives the same bytes.
        self._canvas: Any = Canvas(
            str(target),
            (PAGE_WIDTH, PAGE_HEIGHT),
            invariant=1,
            pageCompression=1,
            pdfVersion=(1, 7),
            lang="vi-VN",
            initialFontName=Face.REGULAR.value,
        )
        self._canvas.setTitle(title)
        self._canvas.setAuthor(author)
        self._canvas.setSubject(subject)
        self._canvas.setCreator("Signer")
        self._y = TOP
        self.pages = 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._canvas.showPage()
            self._canvas.save()

    # --- the head -------------------------------------------------------------------------------

    def head(self, head: Head) -> None:
        """Draws ô 1 to 4 and what hangs below ô 3; the text starts below all of it."""
        right_width = Run("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", Face.BOLD, 12).width
        right = RIGHT - right_width / 2
        left = (LEFT + RIGHT - right_width - 8) / 2
        first = TOP - 12
        self._centred("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", right, first, Face.BOLD, 12)
        motto = self._centred("Độc lập - Tự do - Hạnh phúc", right, first - 16, Face.BOLD, 13)
        self._rule(right, first - 20.5, motto)
        y = first
        if head.parent:
            self._centred(head.parent, left, y, Face.REGULAR, head.size)
            y -= 16
        width = 0.0
        for line in head.body:
            width = self._centred(line, left, y, Face.BOLD, head.size)
            y -= 16
        self._rule(left, y + 11.5, width * 0.45)
        y = min(y, first - 32) - 6
        self._centred(head.number_line, left, y, Face.REGULAR, 13)
        self._centred(head.place_and_date, right, y, Face.ITALIC, 13)
        for line in head.about:
            y -= 15
            self._centred(line, left, y, Face.REGULAR, 12)
        if head.frame:
            y = self._frame(head.frame, left, y - 6)
        self._y = y - 12

    def type_heading(self, name: str, subject: Sequence[str]) -> None:
        """ô 5a: the document type in capitals, its subject, a rule."""
        self.gap(8)
        self.centred_line(name, Face.BOLD)
        width = 0.0
        for line in subject:
            width = self.centred_line(line, Face.BOLD)
        self._rule((LEFT + RIGHT) / 2, self._y - 2, width * 0.4)
        self.gap(10)

    def addressees(self, lines: Sequence[str]) -> None:
        """ô 9a: "Kính gửi:" on one line with a single receiver, else the receivers in a list below it."""
        self.gap(8)
        if len(lines) == 1:
            self.centred_line(f"Kính gửi: {lines[0]}", Face.REGULAR)
        else:
            x = LEFT + TEXT_WIDTH * 0.2
            self._text(x, self._down(LEADING), [Run("Kính gửi:", Face.REGULAR, BODY_SIZE)])
            for line in lines:
                self._text(x + 60, self._down(LEADING), [Run(f"- {line}", Face.REGULAR, BODY_SIZE)])
        self.gap(8)

    # --- the text -------------------------------------------------------------------------------

    def paragraph(self, text: str, *, base: Face = Face.REGULAR, indent: float = FIRST_LINE) -> None:
        """One justified paragraph; `*bold*` and `_italic_` mark runs in it."""
        lines = broken_into_lines(words(text, base, BODY_SIZE), TEXT_WIDTH, indent)
        if len(lines) > 1 and self._lines_left() == 1:
            self.new_page()
        for number, line in enumerate(lines):
            first, last = number == 0, number == len(lines) - 1
            # A last line alone at the top of a page looks like an accident.
            if number == len(lines) - 2 and not first and self._lines_left() == 1:
                self.new_page()
            y = self._down(LEADING)
            x = LEFT + (indent if first else 0.0)
            self._text(x, y, joined(line), 0.0 if last else slack(line, RIGHT - x))
        self.gap(PARAGRAPH_GAP)

    def paragraphs(self, texts: Iterable[str]) -> None:
        """Several paragraphs in the usual style."""
        for text in texts:
            self.paragraph(text)

    def heading(self, text: str, *, keep_lines: int = 4) -> None:
        """A heading in bold that isn't left behind at the foot of a page."""
        if self._lines_left() < keep_lines:
            self.new_page()
        self.paragraph(text, base=Face.BOLD)

    def centred_line(self, text: str, face: Face, size: float = BODY_SIZE) -> float:
        """One centred line across the whole text width; returns its width."""
        return self._centred(text, (LEFT + RIGHT) / 2, self._down(LEADING), face, size)

    def gap(self, height: float) -> None:
        """Leaves `height` points free."""
        self._y -= height

    def new_page(self) -> None:
        """Ends the page; the next one has its number centred in the top margin (Annex I, section I.7)."""
        self._canvas.showPage()
        self.pages += 1
        self._y = TOP
        self._centred(str(self.pages), PAGE_WIDTH / 2, TOP + 8 * MM, Face.REGULAR, 13)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]], size: float = 12.0) -> None:
        """A ruled table; the heading row is repeated on each page that the table reaches."""
        heading = [column.heading for column in columns]
        if self._y - 5 * size < BOTTOM:  # no heading row without a row below it
            self.new_page()
        self._row(columns, heading, size, Face.BOLD, heading)
        for row in rows:
            self._row(columns, row, size, Face.REGULAR, heading)
        self.gap(PARAGRAPH_GAP + 4)

    # --- the end --------------------------------------------------------------------------------

    def closing(self, signer: SignerBlock, receivers: Sequence[str]) -> None:
        """ô 7 in the right half, and level with it ô 9b in the left half."""
        self.gap(8)
        self._keep_with_text(max(_block_height(signer), 16.0 + 13.5 * (len(receivers) + 1)))
        top = self._y
        self._signer(signer, LEFT + TEXT_WIDTH * 0.75, top)
        self._receivers(receivers, top)

    def joint_closing(self, left: SignerBlock, right: SignerBlock, receivers: Sequence[str]) -> None:
        """Two signers side by side, the body that leads on the right; ô 9b below them."""
        self.gap(8)
        height = max(_block_height(left), _block_height(right))
        self._keep_with_text(height + 26 + 13.5 * (len(receivers) + 1))
        top = self._y
        self._signer(left, LEFT + TEXT_WIDTH * 0.24, top)
        self._signer(right, LEFT + TEXT_WIDTH * 0.76, top)
        self._receivers(receivers, top - height - 10)

    def _signer(self, signer: SignerBlock, centre: float, top: float) -> None:
        y = top
        for line in filter(None, (signer.authority, signer.title)):
            y -= 16
            self._centred(line, centre, y, Face.BOLD, 13)
        self._centred(signer.name, centre, y - SIGNATURE_GAP - 10, Face.BOLD, 14)

    def _receivers(self, receivers: Sequence[str], top: float) -> None:
        y = top - 15
        self._text(LEFT, y, [Run("Nơi nhận:", Face.BOLD_ITALIC, 12)])
        for receiver in receivers:
            for line in broken_into_lines(words(receiver, Face.REGULAR, 11), TEXT_WIDTH * 0.42, 0):
                y -= 13.5
                self._text(LEFT, y, joined(line))
        self._y = y - 4

    # --- small tools ----------------------------------------------------------------------------

    def _keep_with_text(self, height: float) -> None:
        """The signature must not stand alone on a page, so the letter is worded until it fits."""
        if self._y - height < BOTTOM:
            raise ValueError(f"page {self.pages}: {height:.0f} pt of closing, {self._y - BOTTOM:.0f} pt left")

    def _lines_left(self) -> int:
        return int((self._y - BOTTOM + 0.01) // LEADING)

    def _down(self, height: float) -> float:
        """The baseline of a new line of `height`, on a new page when this one is full."""
        if self._y - height < BOTTOM:
            self.new_page()
        self._y -= height
        return self._y + height * 0.26

    def _text(self, x: float, y: float, runs: Sequence[Run], word_space: float = 0.0) -> None:
        text = self._canvas.beginText(x, y)
        text.setWordSpace(word_space)
        for run in runs:
            text.setFont(run.face.value, run.size)
            text.textOut(run.text)
        self._canvas.drawText(text)

    def _centred(self, text: str, centre: float, y: float, face: Face, size: float) -> float:
        run = Run(text, face, size)
        self._text(centre - run.width / 2, y, [run])
        return run.width

    def _rule(self, centre: float, y: float, width: float) -> None:
        self._canvas.setLineWidth(0.7)
        self._canvas.line(centre - width / 2, y, centre + width / 2, y)

    def _frame(self, frame: Frame, centre: float, top: float) -> float:
        width, height = frame.width_mm * MM, frame.height_mm * MM
        self._canvas.setStrokeColorRGB(*RED)
        self._canvas.setFillColorRGB(*RED)
        self._canvas.setLineWidth(1)
        self._canvas.rect(centre - width / 2, top - height, width, height)
        self._centred(frame.text, centre, top - height / 2 - 4.6, Face.BOLD, 13)
        self._canvas.setStrokeColorRGB(*BLACK)
        self._canvas.setFillColorRGB(*BLACK)
        return top - height

    def _row(
        self, columns: Sequence[Column], cells: Sequence[str], size: float, face: Face, heading: Sequence[str]
    ) -> None:
        widths = [column.share * TEXT_WIDTH for column in columns]
        broken = [
            broken_into_lines(words(cell, face, size), width - 8, 0) for cell, width in zip(cells, widths, strict=True)
        ]
        leading = size * 1.2
        height = max(len(lines) for lines in broken) * leading + 6
        if self._y - height < BOTTOM:
            self.new_page()
            if cells is not heading:
                self._row(columns, heading, size, Face.BOLD, heading)
        x, top = LEFT, self._y
        self._canvas.setLineWidth(0.5)
        for column, lines, width in zip(columns, broken, widths, strict=True):
            self._canvas.rect(x, top - height, width, height)
            y = top - (height - len(lines) * leading) / 2 - size * 0.95
            for line in lines:
                runs = joined(line)
                length = sum(run.width for run in runs)
                centred = column.centred or cells is heading
                self._text(x + ((width - length) / 2 if centred else 4), y, runs)
                y -= leading
            x += width
        self._y = top - height


def _block_height(signer: SignerBlock) -> float:
    return 16.0 * (2 if signer.authority else 1) + SIGNATURE_GAP + 14
