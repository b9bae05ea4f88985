"""Pages for the tests: text at places in millimetres, and the same page turned, cut and stretched.

Written with reportlab, turned with pikepdf by matrices of their own, so that nothing here leans on the code under test.
"""

import io
import itertools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

import signer_resources
from signer_app.pdf.geometry import PageFrame, UserBox
from signer_app.pdf.lines import Glyph, cut, lines_of, slanted_of
from signer_app.pdf.pagetext import PageText, open_document, read_page
from signer_app.pdf.plan import Style

MM = 72 / 25.4
A4 = (210.0, 297.0)
REGULAR, BOLD, ITALIC = "SignerSerif-Regular", "SignerSerif-Bold", "SignerSerif-Italic"

_STYLES = {REGULAR: Style.REGULAR, BOLD: Style.BOLD, ITALIC: Style.ITALIC}


@dataclass(frozen=True)
class Words:
    """A piece of text: left end (or its middle, when `centred`) and baseline in mm from the top left."""

    x: float
    baseline: float
    text: str
    face: str = REGULAR
    size: float = 13.0
    centred: bool = False
    turn: float = 0.0


@dataclass(frozen=True)
class Turn:
    """How a page lies in its file while it is displayed upright all the same."""

    rotate: int = 0
    left: float = 0.0
    bottom: float = 0.0
    margin: float = 0.0
    unit: float = 1.0

    def __str__(self) -> str:
        return f"{self.rotate}°-{self.left:g},{self.bottom:g}-margin{self.margin:g}-unit{self.unit:g}"


TURNS = tuple(
    Turn(rotate, left, bottom, margin, unit)
    for rotate, (left, bottom, margin, unit) in itertools.product(
        (0, 90, 180, 270), ((0, 0, 0, 1.0), (100, -50, 0, 1.0), (-30, 70, 40, 1.0), (12.5, 0, 25, 2.5))
    )
)


def page_of(words: Sequence[Words], size: tuple[float, float] = A4) -> bytes:
    """A one-page PDF with these words."""
    return document_of([words], size)


def width_mm(text: str, face: str = REGULAR, size: float = 13.0) -> float:
    """How wide a text is drawn."""
    _register_faces()
    return float(pdfmetrics.stringWidth(text, face, size)) / MM


def _register_faces() -> None:
    for face in (REGULAR, BOLD, ITALIC):
        if face not in pdfmetrics.getRegisteredFontNames():
            file = signer_resources.path(f"fonts/{face}.ttf")
            pdfmetrics.registerFont(TTFont(face, str(file), asciiReadable=0))


def document_of(pages: Sequence[Sequence[Words]], size: tuple[float, float] = A4) -> bytes:
    """A PDF with these pages, each `size` mm."""
    _register_faces()
    out = io.BytesIO()
    canvas: Any = Canvas(out, (size[0] * MM, size[1] * MM), invariant=1, initialFontName=REGULAR)
    for words in pages:
        for piece in words:
            canvas.saveState()
            canvas.translate(piece.x * MM, (size[1] - piece.baseline) * MM)
            canvas.rotate(piece.turn)
            canvas.setFont(piece.face, piece.size)
            (canvas.drawCentredString if piece.centred else canvas.drawString)(0, 0, piece.text)
            canvas.restoreState()
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def turned(data: bytes, turn: Turn) -> bytes:
    """The same pages, displayed as before, with /Rotate, a CropBox off the origin within a MediaBox, and UserUnit."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        for page in pdf.pages:
            left, bottom, right, top = (float(v) for v in page.mediabox)
            wide, high = right - left, top - bottom
            # From the displayed page (origin at its lower left) to user space before the offset.
            a, b, c, d, e, f = {
                0: (1, 0, 0, 1, 0.0, 0.0),
                90: (0, 1, -1, 0, high, 0.0),
                180: (-1, 0, 0, -1, wide, high),
                270: (0, -1, 1, 0, 0.0, wide),
            }[turn.rotate]
            s = 1 / turn.unit
            matrix = (a * s, b * s, c * s, d * s, e * s + turn.left, f * s + turn.bottom)
            page.contents_add(b"q %f %f %f %f %f %f cm" % matrix, prepend=True)
            page.contents_add(b"Q")
            across, up = (high, wide) if turn.rotate in (90, 270) else (wide, high)
            seen = (turn.left, turn.bottom, turn.left + across * s, turn.bottom + up * s)
            page.obj.CropBox = pikepdf.Array(seen)
            m = turn.margin
            page.obj.MediaBox = pikepdf.Array((seen[0] - m, seen[1] - m, seen[2] + m, seen[3] + m))
            page.obj.Rotate = turn.rotate
            if turn.unit != 1:
                page.obj.UserUnit = turn.unit
        out = io.BytesIO()
        pdf.save(out, deterministic_id=True)
    return out.getvalue()


def read(data: bytes | Path, number: int = 0) -> PageText:
    """The text of one page."""
    document = open_document(data)
    try:
        return read_page(document, number)
    finally:
        document.close()


def read_all(data: bytes | Path) -> list[PageText]:
    """The text of all pages."""
    document = open_document(data)
    try:
        return [read_page(document, number) for number in range(len(document))]
    finally:
        document.close()


def picture(data: bytes | Path, number: int = 0, width: int = 600) -> Image.Image:
    """The page with its widgets as PDFium shows it, in colour, `width` pixels wide."""
    document = open_document(data)
    try:
        document.init_forms()
        page = document.page(number)
        try:
            image: Image.Image = page.render(scale=width / page.get_size()[0]).to_pil().convert("RGB")
        finally:
            page.close()
    finally:
        document.close()
    return image.resize((width, image.height)) if image.width != width else image


def typed(words: Sequence[Words], size: tuple[float, float] = A4) -> PageText:
    """What would be read of a page with these words, without a PDF: any letters, each half an em wide."""
    glyphs: list[Glyph] = []
    for piece in words:
        step = piece.size / MM / 2
        left = piece.x - (step * len(piece.text) / 2 if piece.centred else 0.0)
        for letter in piece.text:
            # A mark stands on the letter before it, and takes no room.
            wide = 0.0 if unicodedata.combining(letter) else step
            glyphs.append(Glyph(letter, left, left + wide, piece.baseline, piece.size, 0.0, _STYLES[piece.face]))
            left += wide
    lines = lines_of(glyphs)
    frame = PageFrame(UserBox(0, 0, size[0] * MM, size[1] * MM))
    return PageText(0, frame, lines, tuple(piece for line in lines for piece in cut(line)), slanted_of(glyphs))


def head(
    number: str = "Số:        /QĐ-UBND",
    date: str = "Hòa Sơn, ngày     tháng     năm 2026",
    body: Sequence[str] = ("ỦY BAN NHÂN DÂN XÃ HÒA SƠN",),
    parent: str | None = "ỦY BAN NHÂN DÂN TỈNH AN SƠN",
) -> list[Words]:
    """Ô 1 to 4 of Decree 30/2020."""
    lines = [
        Words(145, 25, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", BOLD, 12, centred=True),
        Words(145, 31, "Độc lập - Tự do - Hạnh phúc", BOLD, 13, centred=True),
    ]
    y = 25.0
    if parent:
        lines.append(Words(63, y, parent, REGULAR, 12, centred=True))
        y += 5.6
    for line in body:
        lines.append(Words(63, y, line, BOLD, 12, centred=True))
        y += 5.6
    y = max(y, 36.6) + 1
    lines += [Words(63, y, number, centred=True), Words(145, y, date, ITALIC, centred=True)]
    return lines


def signer_block(
    name: str = "Nguyễn Thị Phượng",
    title: Sequence[str] = ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH"),
    x: float = 150.0,
    top: float = 180.0,
    room: float = 30.0,
) -> list[Words]:
    """Ô 7: title lines, room, name."""
    lines = [Words(x, top + 5.6 * i, line, BOLD, 13, centred=True) for i, line in enumerate(title)]
    return [*lines, Words(x, top + 5.6 * (len(title) - 1) + room, name, BOLD, 14, centred=True)]


RECEIVERS = (
    Words(30, 180, "Nơi nhận:", BOLD, 12),
    Words(30, 185, "- Như trên;", REGULAR, 11),
    Words(30, 190, "- Lưu: VT, VP.", REGULAR, 11),
)


def letter(*extra: Words, signer: Sequence[Words] | None = None, **of_head: Any) -> bytes:
    """A whole letter of one page."""
    block = signer_block() if signer is None else signer
    text = Words(42, 80, "Căn cứ Nghị định số 30/2020/NĐ-CP ngày 05 tháng 3 năm 2020;", ITALIC, 14)
    return page_of([*head(**of_head), text, *block, *RECEIVERS, *extra])
