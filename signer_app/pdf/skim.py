"""Skims a page: whether a mark of secrecy could stand there at all, and whether it looks like the end of a letter.

Runs in a worker; changes no file. Reads the page's letters in one piece, without their places, and asks for the places
of a few: a page is dismissed only where the letters right beside show that no piece of it is a mark. What is left is
read glyph by glyph, so the answer is that of the full reading, in a twentieth of its time.
"""

import ctypes
import re
import unicodedata
from collections.abc import Sequence
from itertools import repeat

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from signer_app.pdf.annotations import notes_of
from signer_app.pdf.geometry import PageFrame, UserBox, pt_to_mm
from signer_app.pdf.glyphs import GlyphReader, letter_of
from signer_app.pdf.letter.notices import LOOK_ALIKES, find_secrecy_mark
from signer_app.pdf.letter.words import CHIEFS
from signer_app.pdf.lines import MAX_SLOPE, Glyph, goes_on
from signer_app.pdf.names import fold, without_honorifics
from signer_app.pdf.pagetext import MAX_CHARS_PER_PAGE, OpenDocument, read_page

_CAPITAL = re.compile("\u1eac")
_PARTED = re.compile("[A\u00c2\u1ea0\u1eac]")
"""Ậ, and what it may begin with where the file gives its marks as characters of their own."""
_DIGITS = re.compile("[0-9]")
_LOOSE_MARKS = re.compile("[\u0302\u0323]")
_BESIDE_MARK = "hoatochengiothuongkhan"
_BEFORE = tuple(f"{_BESIDE_MARK}mucdomat{mark}" for mark in ("ma", "toima", "tuyetma"))
_BEHIND = (f"at{_BESIDE_MARK}banso",)
"""All that may stand in a piece of text that is a mark, or names one behind "Mức độ mật:", up to its vowel and from
there, folded, in this order: a mark of urgency on either side, and behind it the number of the copy, whose digits don't
count."""
_NAMED = ("mucdomat",)
"""What stands before the colon."""
_SMALL = re.compile("(?:M|[Tt]ối\\s*m|[Tt]uyệt\\s*m)(?P<vowel>\u1ead)")
_SMALL_PARTED = re.compile("[Mm](?P<vowel>[a\u00e2\u1ea1\u1ead])")
"""The same in "Mật", "Tối mật" and "Tuyệt mật"."""
_LONGEST_WALK = 60
_BESIDE, _OVER, _LEVEL, _ALIKE = 0.6, 0.2, 0.1, 1.5
"""Ems: how far apart, how far into each other and how uneven letters may stand that surely make one piece; and how many
times larger one of them may be."""

_POWERS = re.compile(r"\b(?:(?:TM|KT|TL|TUQ)\s?\.|T/M\b|K/T\b|T/L\b|T/UQ\b)")
_END = re.compile(r"[.…]\s?/\s?[.…]|^\W*N[ơo]i\s+nh[ậa]n", re.IGNORECASE | re.MULTILINE)
_OFFICES = re.compile("|".join(chief.replace(" ", "") for chief in CHIEFS))
_LEAST_NAME = 5


def skim(document: OpenDocument, number: int) -> str | None:
    """The letters of page `number` (from 0) in the order in which they are drawn; None where it carries a mark."""
    page = document.page(number)
    try:
        frame = PageFrame(UserBox.normalised(*page.get_bbox()), int(page.get_rotation()) % 360)
        doubtful = pdfium_c.FPDFPage_GetAnnotCount(page.raw) > 0 and notes_of(page, frame) is not None
        textpage = page.get_textpage()
        try:
            text = _letters(textpage)
            # Only page 1 has the place in which a mark need not be in capitals.
            dismissal = _Dismissal(text, GlyphReader(textpage, frame), small=number == 0)
            doubtful = doubtful or not dismissal.holds
        finally:
            textpage.close()
    finally:
        page.close()
    if doubtful and find_secrecy_mark(read_page(document, number, pictures=False)) is not None:
        return None
    return text


def _letters(textpage: pdfium.PdfTextPage) -> str:
    """The characters of a page by their index."""
    count = min(textpage.count_chars(), MAX_CHARS_PER_PAGE)
    buffer = (ctypes.c_ushort * (2 * count + 2))()
    length = pdfium_c.FPDFText_GetText(textpage.raw, 0, count, buffer)
    text = bytes(memoryview(buffer).cast("B")[: max(0, length - 1) * 2]).decode("utf-16-le", errors="replace")
    if len(text) == count:
        return text
    # PDFium left some out, or gives more for one: asked for one by one they keep their index.
    codes = map(pdfium_c.FPDFText_GetUnicode, repeat(textpage.raw), range(count))
    return "".join(chr(code) if 0 < code < 0x110000 else "\0" for code in codes)


class _Dismissal:
    """Whether no piece of a page can be a mark, by the letters beside each Ậ, and before each colon."""

    def __init__(self, text: str, reader: GlyphReader, *, small: bool) -> None:
        self._text = text
        self._small = small
        self._reader = reader

    @property
    def holds(self) -> bool:
        """True where nothing on the page may be a mark; False where that isn't sure."""
        text = self._text.translate(LOOK_ALIKES)
        colons = (found.start() for found in re.finditer(":", text))
        if any(self._fits(colon, -1, _NAMED) for colon in colons):
            return False
        parted = _LOOSE_MARKS.search(text) is not None
        vowels: list[int] = []
        if "M" in text and "T" in text:
            vowels += (found.start() for found in (_PARTED if parted else _CAPITAL).finditer(text))
        if self._small:
            vowels += (found.start("vowel") for found in (_SMALL_PARTED if parted else _SMALL).finditer(text))
        return not any(self._fits(vowel, 1, _BEHIND) and self._fits(vowel, -1, _BEFORE) for vowel in vowels)

    def _fits(self, index: int, way: int, marks: Sequence[str]) -> bool:
        """Whether a mark may stand around character `index`, as far as the letters on one side of it tell."""
        here = self._reader.glyph(index)
        if here is None:
            # PDFium made it up; it is no part of the page.
            return False
        piece = _plain(here.text)
        for i in range(index + way, index + way * _LONGEST_WALK, way):
            if not 0 <= i < len(self._text):
                return True
            expected = letter_of(ord(self._text[i]))
            if not expected.strip() or unicodedata.combining(expected):
                continue
            beside = self._reader.glyph(i)
            if beside is None or beside.text != expected:
                return True
            if not (_joined(here, beside) if way > 0 else _joined(beside, here)):
                return True
            letters = _plain(beside.text)
            piece = piece + letters if way > 0 else letters + piece
            if not any(_holds(mark, piece) for mark in marks):
                return False
            here = beside
        return True


def _joined(left: Glyph, right: Glyph) -> bool:
    """Whether two letters surely stand in one piece of text, side by side."""
    if abs(left.turn) > MAX_SLOPE or abs(right.turn) > MAX_SLOPE:
        return abs(left.turn) > MAX_SLOPE and abs(right.turn) > MAX_SLOPE and goes_on(left, right)
    smaller, larger = sorted((pt_to_mm(left.size), pt_to_mm(right.size)))
    level = abs(left.baseline - right.baseline) <= _LEVEL * smaller
    beside = left.left < right.left and -_OVER * smaller <= right.left - left.right <= _BESIDE * smaller
    return level and beside and larger <= _ALIKE * smaller


def _holds(mark: str, piece: str) -> bool:
    """Whether a mark has these letters in this order; others, drawn elsewhere, may stand between them."""
    rest = iter(mark)
    return all(letter in rest for letter in piece)


def _plain(letter: str) -> str:
    return _DIGITS.sub("", fold(letter.upper().translate(LOOK_ALIKES)))


def may_end(text: str, names: Sequence[str]) -> bool:
    """Whether a page of these letters may hold a place of signing, one of `names`, the receivers or "./."."""
    if _POWERS.search(text) or _END.search(unicodedata.normalize("NFC", text)):
        return True
    wanted = [key for name in names if len(key := _tight(without_honorifics(name))) >= _LEAST_NAME]
    whole = _tight(text) if wanted else ""
    if any(key in whole for key in wanted):
        return True
    return bool(_OFFICES.search(_tight(" ".join(word for word in text.split() if word.isupper()))))


def _tight(text: str) -> str:
    return fold(text).replace(" ", "")
