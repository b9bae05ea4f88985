"""A PDF that is written page by page: what is finished lies on disk, in memory are the page that is being set and where
the others begin.

Main process, any thread; writes our own lines with the fonts of the stamps embedded whole and reads nothing. For papers
of any length; `paper.sheet` sets those of a few pages.
"""

import io
import secrets
import zlib
from array import array as numbers
from collections.abc import Mapping
from typing import BinaryIO

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.writer import PdfFileWriter

from signer_app.pdf.fonts import face
from signer_app.pdf.objects import Plain, array, deflated, dictionary
from signer_app.pdf.plan import Style

_KIDS = 64
"""Pages of one node of the page tree."""


class StreamedPdf:
    """A PDF of pages of one size that show lines in the given styles: `page` for each, then `end`."""

    def __init__(self, out: BinaryIO, size: tuple[float, float], styles: tuple[Style, ...]) -> None:
        self._out = out
        self._at = 0
        # Where each object begins, by its number from 1; 0: not written yet.
        self._places = numbers("Q")
        self._write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        self._box = array((0, 0, round(size[0], 2), round(size[1], 2)))
        fonts = self._embed(styles)
        self._fonts = self._put(self._new(), dictionary(fonts))
        self._root, self._tree = self._new(), self._new()
        self._nodes: list[tuple[int, int]] = []
        self._kids: list[int] = []
        self._node = self._new()

    def page(self, content: bytes) -> None:
        """Writes a page; its content names a font as `font_name` does."""
        if len(self._kids) == _KIDS:
            self._close_node()
        drawn = self._put(self._new(), deflated({}, zlib.compress(content, 6)))
        entries: dict[str, Plain] = {
            "/Type": "/Page",
            "/Parent": _to(self._node),
            "/MediaBox": self._box,
            "/Resources": dictionary({"/Font": self._fonts}),
            "/Contents": drawn,
        }
        number = self._new()
        self._put(number, dictionary(entries))
        self._kids.append(number)

    def end(self, title: str, language: str) -> None:
        """Writes what stands behind the pages; `language` as RFC 3066 names it."""
        self._close_node()
        kids = array(_to(node) for node, _count in self._nodes)
        count = sum(pages for _node, pages in self._nodes)
        self._put(self._tree, dictionary({"/Type": "/Pages", "/Kids": kids, "/Count": count}))
        root: dict[str, Plain] = {"/Type": "/Catalog", "/Pages": _to(self._tree), "/Lang": generic.pdf_string(language)}
        self._put(self._root, dictionary(root))
        info = self._put(self._new(), dictionary({"/Title": generic.TextStringObject(title)}))
        self._end({"/Root": _to(self._root), "/Info": info})

    def _end(self, entries: Mapping[str, Plain]) -> None:
        start, size = self._at, len(self._places) + 1
        self._write(b"xref\n0 %d\n0000000000 65535 f \n" % size)
        for place in self._places:
            self._write(b"%010d 00000 n \n" % place if place else b"0000000000 65535 f \n")
        name = generic.ByteStringObject(secrets.token_bytes(16))
        trailer = dictionary({"/Size": size, "/ID": array((name, name)), **entries})
        self._write(b"trailer\n" + _bytes(trailer) + b"\nstartxref\n%d\n%%%%EOF\n" % start)

    def _close_node(self) -> None:
        kids = array(_to(number) for number in self._kids)
        entries: dict[str, Plain] = {
            "/Type": "/Pages",
            "/Parent": _to(self._tree),
            "/Kids": kids,
            "/Count": len(self._kids),
        }
        self._put(self._node, dictionary(entries))
        self._nodes.append((self._node, len(self._kids)))
        self._kids, self._node = [], self._new()

    def _embed(self, styles: tuple[Style, ...]) -> dict[str, Plain]:
        """Writes the fonts, before all else: they refer to their parts by the numbers that pyHanko gave them."""
        writer = PdfFileWriter()  # type: ignore[no-untyped-call]
        others = set(writer.objects)
        fonts = {f"/{style}": face(style).embed(writer) for style in styles}
        self._places.extend([0] * max(number for _generation, number in writer.objects))
        for key, thing in writer.objects.items():
            if key not in others:
                self._put(key[1], thing)
        return {name: _to(font.idnum) for name, font in fonts.items()}

    def _new(self) -> int:
        self._places.append(0)
        return len(self._places)

    def _put(self, number: int, thing: generic.PdfObject) -> generic.IndirectObject:
        self._places[number - 1] = self._at
        self._write(b"%d 0 obj\n" % number + _bytes(thing) + b"\nendobj\n")
        return _to(number)

    def _write(self, content: bytes) -> None:
        self._out.write(content)
        self._at += len(content)


def font_name(style: Style) -> bytes:
    """The style's name in the content of a page."""
    return f"/{style}".encode()


def _to(number: int) -> generic.IndirectObject:
    return generic.IndirectObject(number, 0, None)  # type: ignore[no-untyped-call]


def _bytes(thing: generic.PdfObject) -> bytes:
    out = io.BytesIO()
    thing.write_to_stream(out, None)
    return out.getvalue()
