"""Reads the characters of a page by PDFium, each with its place and look, many at a time.

Runs in a worker. A page has thousands of characters and PDFium is asked five things about each, so its functions are
called from C, without a step of Python between, and leave their answers in rooms that are made once. Only characters
that the page counts are asked for, for which PDFium always answers. One reader reads at a time, as PDFium wants it.
"""

import ctypes
import math
import unicodedata
from collections import deque
from collections.abc import Iterator
from functools import cache
from itertools import repeat
from typing import NamedTuple

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from signer_app.pdf.calls import Room, unchecked
from signer_app.pdf.geometry import PageFrame
from signer_app.pdf.lines import Glyph
from signer_app.pdf.plan import Style

_AT_ONCE = 1_024
"""Characters that are asked for in one go."""
_POINT, _BOX = 2, 4
"""Numbers of an origin, and of a box."""
_HYPHENS = frozenset({"\x02", "\xad"})
"""What PDFium and word processors give for the hyphen at which a line is broken."""
_SILENT = frozenset({"Cc", "Cf"})
_KNOWN_LETTERS = 4_096
_ITALIC, _FORCE_BOLD = 1 << 6, 1 << 18
"""Font descriptor flags (ISO 32000-1, table 123)."""
_LEAST_SHEAR = math.tan(math.radians(5))


_is_generated = unchecked(pdfium_c.FPDFText_IsGenerated, ctypes.c_int)
_get_unicode = unchecked(pdfium_c.FPDFText_GetUnicode, ctypes.c_uint)
_get_object = unchecked(pdfium_c.FPDFText_GetTextObject, ctypes.c_void_p)
_get_origin = unchecked(pdfium_c.FPDFText_GetCharOrigin, ctypes.c_int)
_get_loose_box = unchecked(pdfium_c.FPDFText_GetLooseCharBox, ctypes.c_int)
_get_font_size = unchecked(pdfium_c.FPDFText_GetFontSize, ctypes.c_double)
_get_matrix = unchecked(pdfium_c.FPDFText_GetMatrix, ctypes.c_int)
_get_font = unchecked(pdfium_c.FPDFTextObj_GetFont, ctypes.c_void_p)


class _Rooms:
    """Where PDFium leaves the origins (x and y) and boxes (left, top, right, bottom) of many characters."""

    def __init__(self) -> None:
        self._points = Room(ctypes.c_double, _POINT, _AT_ONCE)
        self._boxes = Room(ctypes.c_float, _BOX, _AT_ONCE)
        self.to_x, self.to_y = self._points.to
        self.to_box = self._boxes.to[0]

    def points(self, count: int) -> list[float]:
        """x and y of the first so many characters, one after the other."""
        return self._points.values[: _POINT * count]

    def boxes(self, count: int) -> list[float]:
        """The boxes of the first so many characters, one after the other."""
        return self._boxes.values[: _BOX * count]


_rooms = cache(_Rooms)


class GlyphReader:
    """Reads characters of an open page of text, as `frame` displays them."""

    def __init__(self, textpage: pdfium.PdfTextPage, frame: PageFrame) -> None:
        self._page = ctypes.byref(textpage.raw.contents)
        self._looks, self._unit = _Looks(textpage.raw, frame.rotate), frame.user_unit
        # Placing is affine, so three points tell all others.
        self._left, self._top = frame.point_from_user(0, 0)
        (ax, ay), (bx, by) = frame.point_from_user(1, 0), frame.point_from_user(0, 1)
        self._ax, self._ay, self._bx, self._by = ax - self._left, ay - self._top, bx - self._left, by - self._top

    def glyph(self, index: int) -> Glyph | None:
        """Character `index` of the page; None for one that PDFium made up, and for what is no letter."""
        return next(self._some(index, index + 1), None)

    def glyphs(self, count: int) -> list[Glyph]:
        """The first `count` characters of the page, without what PDFium made up and what is no letter."""
        read: list[Glyph] = []
        for first in range(0, count, _AT_ONCE):
            read.extend(self._some(first, min(first + _AT_ONCE, count)))
        return read

    def _some(self, first: int, end: int) -> Iterator[Glyph]:
        page, room, which = repeat(self._page), _rooms(), range(first, end)
        deque(map(_get_origin, page, which, room.to_x, room.to_y), 0)
        deque(map(_get_loose_box, page, which, room.to_box), 0)
        points, boxes = iter(room.points(end - first)), iter(room.boxes(end - first))
        made_up, codes, pieces = (map(ask, page, which) for ask in (_is_generated, _get_unicode, _get_object))
        left, top, ax, ay, bx, by = self._left, self._top, self._ax, self._ay, self._bx, self._by
        looks, unit, letters = self._looks, self._unit, _LETTERS
        piece, look = looks.piece, looks.last
        for index, generated, code, thing, x, y, x0, y1, x1, y0 in zip(
            which, made_up, codes, pieces, points, points, boxes, boxes, boxes, boxes, strict=True
        ):
            if generated == 1 or not (text := letters[code]):
                continue
            if look is None or thing is None or thing != piece:
                piece, look = thing, looks.of(index, thing)
            here, one, other = left + ax * x + bx * y, left + ax * x0 + bx * y0, left + ax * x1 + bx * y1
            if one > other:
                one, other = other, one
            size, turn, style = look
            yield Glyph(text, min(one, here), other, top + ay * x + by * y, size * unit, turn, style)


def letter_of(code: int) -> str:
    """The text of a character of PDFium's; empty for control characters and what Unicode doesn't know."""
    return _LETTERS[code]


class _Letters(dict[int, str]):
    """What each character's text is, found when it is first met."""

    def __missing__(self, code: int) -> str:
        text = _letter_of(code)
        if len(self) < _KNOWN_LETTERS:
            self[code] = text
        return text


def _letter_of(code: int) -> str:
    text = chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
    if text in _HYPHENS:
        return "-"
    return "" if not text or unicodedata.category(text) in _SILENT else text


_LETTERS = _Letters()


class _Look(NamedTuple):
    """How the letters of one text object are set: size in units of the page, direction in degrees, style."""

    size: float
    turn: float
    style: Style


class _Looks:
    """The looks of letters; those of one text object share font, size and matrix, and are asked for once.

    `piece` is the text object that was asked for last, and `last` its look.
    """

    def __init__(self, raw: pdfium_c.FPDF_TEXTPAGE, rotate: int) -> None:
        self._raw, self._page, self._rotate = raw, ctypes.byref(raw.contents), rotate
        self.piece: int | None = None
        self.last: _Look | None = None
        self._name, self._flags = ctypes.create_string_buffer(128), ctypes.c_int()
        self._matrix = pdfium_c.FS_MATRIX()
        self._to_matrix = ctypes.byref(self._matrix)
        self._fonts: dict[int, tuple[bool, bool]] = {}
        self._known: dict[tuple[float | bool, ...], _Look] = {}

    def of(self, index: int, piece: int | None) -> _Look:
        """The look of character `index`, which belongs to this text object."""
        self.piece, self.last = piece, self._read(index, piece)
        return self.last

    def _read(self, index: int, piece: int | None) -> _Look:
        size, matrix = _get_font_size(self._page, index), self._matrix
        if not _get_matrix(self._page, index, self._to_matrix):
            return _Look(size, 0.0, _style(*self._font(index, piece)))
        says = (size, matrix.a, matrix.b, matrix.c, matrix.d, *self._font(index, piece))
        look = self._known.get(says)
        if look is None:
            look = self._known[says] = self._look(*says)
        return look

    def _look(self, size: float, a: float, b: float, c: float, d: float, bold: bool, italic: bool) -> _Look:
        turn = (math.degrees(math.atan2(b, a)) - self._rotate + 180) % 360 - 180
        return _Look(size * (c**2 + d**2) ** 0.5, turn, _style(bold, italic or _is_sheared(a, b, c, d)))

    def _font(self, index: int, piece: int | None) -> tuple[bool, bool]:
        """Whether the font of a character is bold, and italic; a page has few fonts."""
        font = _get_font(ctypes.c_void_p(piece)) if piece is not None else None
        known = self._fonts.get(font) if font is not None else None
        if known is None:
            known = self._read_font(index)
            if font is not None:
                self._fonts[font] = known
        return known

    def _read_font(self, index: int) -> tuple[bool, bool]:
        self._flags.value = 0
        length = pdfium_c.FPDFText_GetFontInfo(self._raw, index, self._name, len(self._name), self._flags)
        name = self._name.value.lower() if 0 < length <= len(self._name) else b""
        bold = b"bold" in name or bool(self._flags.value & _FORCE_BOLD)
        return bold, b"italic" in name or b"oblique" in name or bool(self._flags.value & _ITALIC)


def _style(bold: bool, italic: bool) -> Style:
    if italic:
        return Style.BOLD_ITALIC if bold else Style.ITALIC
    return Style.BOLD if bold else Style.REGULAR


def _is_sheared(a: float, b: float, c: float, d: float) -> bool:
    """Whether upright letters are drawn leaning to the right, as an italic that its font doesn't have."""
    return a * c + b * d > _LEAST_SHEAR * abs(a * d - b * c) > 0
